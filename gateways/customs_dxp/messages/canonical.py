"""What all business messages share: frame, checks of values, and the inclusive C14N 1.0 form written directly.

No XML declaration, no white space between elements, start and end tag for empty ones, `&amp; &lt; &gt; &#xD;` as the
only references: digest and signature need no XML library.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import le

NAMESPACE = "http://www.chinaport.gov.cn/ceb"
MOST = 100  # documents in a message, and lines in a document where the schema counts them


class BadDocument(ValueError):
    """A value that customs' schema does not allow; `number` is the document's, empty where it is the message's own."""

    def __init__(self, number: str, element: str, why: str) -> None:
        super().__init__(f"{number} {element}: {why}".strip())
        self.number, self.element, self.why = number, element, why


@dataclass(frozen=True, slots=True)
class Transfer:
    """BaseTransfer: the company that holds the 传输ID."""

    cop_code: str
    cop_name: str
    dxp_id: str
    note: str = ""


_GUID = re.compile(r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}")
_MARK = "\0"  # stands between values: no value can hold it
_CONTROLS = bytes({*range(0x20)} - {0x09, 0x0A})  # not in XML 1.0, or (CR) never raw in canonical form
_NONCHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")  # U+FFFE, U+FFFF


class Block:
    """One element with its children (element, shortest, longest): checks lengths in characters and gives the template
    that fits the optional ones present. Shortest 0 = optional."""

    def __init__(self, tag: str, fields: Sequence[tuple[str, int, int]]) -> None:
        self._tag, self._fields = tag, fields
        self._shortest = [shortest for _, shortest, _ in fields]
        self._longest = [longest for _, _, longest in fields]
        self._templates: dict[tuple[bool, ...], str] = {}

    def add(self, number: str, values: Sequence[str], template: list[str], texts: list[str]) -> None:
        """Appends to `template` and `texts`; optional values that are empty leave their element out."""
        lengths = [*map(len, values)]
        if not (all(map(le, self._shortest, lengths)) and all(map(le, lengths, self._longest))):
            self._refuse(number, lengths)
        present = tuple(map(bool, lengths))
        if present not in self._templates:
            inner = "".join(
                f"<ceb:{name}>%s</ceb:{name}>"
                for (name, _, _), is_there in zip(self._fields, present, strict=True)
                if is_there
            )
            self._templates[present] = f"<ceb:{self._tag}>{inner}</ceb:{self._tag}>"
        template.append(self._templates[present])
        texts += filter(None, values)

    def _refuse(self, number: str, lengths: list[int]) -> None:
        for (name, shortest, longest), length in zip(self._fields, lengths, strict=True):
            if not shortest <= length <= longest:
                raise BadDocument(number, name, f"{length} characters, allowed {shortest} to {longest}")


_TRANSFER = Block(
    "BaseTransfer", [("copCode", 1, 18), ("copName", 1, 100), ("dxpMode", 3, 3), ("dxpId", 1, 30), ("note", 0, 1000)]
)


def start(root: str, guid: str) -> tuple[list[str], list[str]]:
    """The empty lists `template` and `texts` of a message, its start tag written. Raises BadDocument."""
    check_guid("", guid)
    return [f'<ceb:{root} xmlns:ceb="{NAMESPACE}" guid="{guid}" version="1.0">'], []


def finish(root: str, transfer: Transfer, template: list[str], texts: list[str]) -> bytes:
    """The whole message, UTF-8. Raises BadDocument."""
    _TRANSFER.add("", (transfer.cop_code, transfer.cop_name, "DXP", transfer.dxp_id, transfer.note), template, texts)
    template.append(f"</ceb:{root}>")
    return _fill("".join(template), texts)


def check_guid(number: str, guid: str) -> None:
    if not _GUID.fullmatch(guid):
        raise BadDocument(number, "guid", "not a GUID in upper case")


def amount(number: str, element: str, value: Decimal) -> str:
    """N19,5 without exponent and without trailing zeros, so that 75 and 75.00 give the same bytes."""
    text = str(value)
    if "E" in text:
        text = f"{value:f}"
    whole, _, decimals = text.partition(".")
    decimals = decimals.rstrip("0")
    if not whole.isdigit() or len(decimals) > 5 or len(whole) + len(decimals) > 19:  # a sign or NaN is no digit
        raise BadDocument(number, element, "not a number of at most 19 digits, 5 of them decimals")
    return f"{whole}.{decimals}" if decimals else whole


def _fill(template: str, texts: list[str]) -> bytes:
    """Escapes all texts at once and puts them into the template. Raises BadDocument for what XML cannot carry."""
    joined = _MARK.join(texts)
    joined = joined.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;")
    escaped = joined.split(_MARK)
    if len(escaped) != len(texts):
        raise BadDocument("", "text", "a character that XML cannot carry")
    try:
        message = (template % tuple(escaped)).encode()
    except UnicodeEncodeError as error:  # a lone surrogate
        raise BadDocument("", "text", "a character that XML cannot carry") from error
    if len(message.translate(None, _CONTROLS)) != len(message) or any(bad in message for bad in _NONCHARACTERS):
        raise BadDocument("", "text", "a character that XML cannot carry")
    return message

"""The kinds of documents that a company declares, and one builder for all of them.

list_ = Document(guid, {"appType": "1", "appTime": "20260101120000", …}, [{"itemNo": …}, …])
message = build("603", [list_], transfer, message_guid)
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property, lru_cache

from . import fields
from .canonical import MOST, BadDocument, Block, Transfer, amount, check_guid, finish, start
from .fields import Field, read_fields

Values = Mapping[str, str | int | Decimal]  # by element; a missing or empty one is left out or gets its default
_AMOUNT = re.compile(r"[0-9]{1,19}(\.[0-9]{1,19})?")
_CODE = re.compile(r"[0-9A-Z]*")
_TIMES = {14: "%Y%m%d%H%M%S", 8: "%Y%m%d"}


@dataclass(frozen=True, slots=True)
class Document:
    """One business document. guid: 36 characters, letters upper case. `gnum` of a line counts from 1 unless given."""

    guid: str
    head: Values
    lines: Sequence[Values] = ()


@dataclass(frozen=True)
class MessageType:
    """One kind. `node`: the business node; `head` and `line`: its parts, empty where the node holds the values itself.

    `number`: the element that the company knows the document by. `money`: the amount that is added up by currency on
    the page that asks for the card's PIN, in the head or in each line; empty where no money is declared.
    """

    code: str
    title: str
    node: str
    head_fields: tuple[Field, ...]
    number: str
    head: str = ""
    line: str = ""
    line_fields: tuple[Field, ...] = ()
    most_lines: int | None = MOST  # None: as many as the platform's message size allows
    lines_or: str = ""  # a head element that stands for the lines
    money: str = ""
    together: tuple[tuple[str, str], ...] = ()  # both are given, or none

    @property
    def root(self) -> str:
        return f"CEB{self.code}Message"

    @cached_property
    def blocks(self) -> tuple[Block, Block]:
        return _block(self.head or self.node, self.head_fields), _block(self.line, self.line_fields)

    def sums(self, document: Document) -> dict[str, Decimal]:
        """The document's money by currency, as the card bridge adds it."""
        found: dict[str, Decimal] = {}
        in_head = any(field.name == self.money for field in self.head_fields)
        for values in [document.head] if in_head else document.lines:
            if self.money in values:
                currency = str(values["currency"])
                found[currency] = found.get(currency, Decimal(0)) + Decimal(values[self.money])
        return found


def _block(tag: str, of: tuple[Field, ...]) -> Block:
    """A number's digits are checked before, its length holds the point too."""
    longest = {"number": 21}
    return Block(tag, [(f.name, f.shortest * f.required, longest.get(f.type, f.longest)) for f in of])


_PAIRS = (("qty2", "unit2"),)
TYPES = {
    kind.code: kind
    for kind in (
        MessageType(
            "213", "退货申请", "InvtRefund", read_fields(fields.REFUND), "coElNo", "InvtRefundHead",
            "InvtRefundList", read_fields(fields.REFUND_LINE), together=_PAIRS,
        ),
        MessageType(
            "303", "电子订单", "Order", read_fields(fields.ORDER), "orderNo", "OrderHead", "OrderList",
            read_fields(fields.ORDER_LINE), money="goodsValue",
        ),
        MessageType("403", "收款单", "Receipts", read_fields(fields.RECEIPT), "orderNo", money="charge"),
        MessageType(
            "505", "物流运单", "Logistics", read_fields(fields.WAYBILL), "logisticsNo", money="freight",
            together=(("ebcCode", "ebcName"),),
        ),
        MessageType(
            "507", "运抵单", "Arrival", read_fields(fields.ARRIVAL), "copNo", "ArrivalHead", "ArrivalList",
            read_fields(fields.ARRIVAL_LINE), most_lines=None,
        ),
        MessageType(
            "509", "离境单", "Departure", read_fields(fields.DEPARTURE), "copNo", "DepartureHead", "DepartureList",
            read_fields(fields.DEPARTURE_LINE), most_lines=None,
        ),
        MessageType(
            "603", "出口清单", "Inventory", read_fields(fields.INVENTORY), "copNo", "InventoryHead", "InventoryList",
            read_fields(fields.INVENTORY_LINE), money="totalPrice", together=_PAIRS,
        ),
        MessageType("605", "撤销申请", "InvtCancel", read_fields(fields.CANCELLATION), "copNo"),
        MessageType(
            "607", "清单总分单", "WayBill", read_fields(fields.MANIFEST), "copNo", "WayBillHead", "WayBillList",
            read_fields(fields.MANIFEST_LINE), most_lines=None,
        ),
        MessageType(
            "701", "汇总申请", "SummaryApply", read_fields(fields.SUMMARY), "copNo", "SummaryApplyHead",
            "SummaryApplyList", read_fields(fields.SUMMARY_LINE), most_lines=None, lines_or="startTime",
            together=(("startTime", "endTime"),),
        ),
    )
}  # fmt: skip


def build(code: str, documents: Sequence[Document], transfer: Transfer, guid: str) -> bytes:
    """The unsigned message in canonical form, UTF-8. The same values give the same bytes. Raises BadDocument."""
    kind = TYPES[code]
    if not 1 <= len(documents) <= MOST:
        raise BadDocument("", kind.node, f"{len(documents)} documents, allowed 1 to {MOST}")
    template, texts = start(kind.root, guid)
    for document in documents:
        _add(kind, document, template, texts)
    return finish(kind.root, transfer, template, texts)


def _add(kind: MessageType, document: Document, template: list[str], texts: list[str]) -> None:
    number = str(document.head.get(kind.number, ""))
    check_guid(number, document.guid)
    _check_lines(kind, document, number)
    head, line = kind.blocks
    if kind.head:
        template.append(f"<ceb:{kind.node}>")
    values = {**document.head, "guid": document.guid}
    head.add(number, _texts(kind, kind.head_fields, values, number), template, texts)
    for place, of_line in enumerate(document.lines, 1):
        values = {"gnum": place, **of_line} if kind.line_fields[0].name == "gnum" else of_line
        line.add(number, _texts(kind, kind.line_fields, values, number), template, texts)
    if kind.head:
        template.append(f"</ceb:{kind.node}>")


def _check_lines(kind: MessageType, document: Document, number: str) -> None:
    count = len(document.lines)
    fewest = 1 if kind.line and not document.head.get(kind.lines_or) else 0
    most = (count if kind.most_lines is None else kind.most_lines) if kind.line else 0
    if not fewest <= count <= most:
        raise BadDocument(number, kind.line or kind.node, f"{count} lines, allowed {fewest} to {most}")


def _texts(kind: MessageType, known: Iterable[Field], values: Values, number: str) -> list[str]:
    """The texts of all fields in their order, "" where an optional one is missing."""
    texts = {field.name: _text(field, values.get(field.name), number) for field in known}
    if unknown := values.keys() - texts.keys():
        raise BadDocument(number, min(unknown), "no element of this document")
    for one, other in kind.together:
        if bool(texts.get(one)) != bool(texts.get(other)):
            raise BadDocument(
                number, other if texts[one] else one, f"missing, though {one if texts[one] else other} is given"
            )
    return [*texts.values()]


def _text(field: Field, value: str | int | Decimal | None, number: str) -> str:
    if value is None or value == "":
        return field.default
    if field.type == "number":
        return amount(number, field.name, value if isinstance(value, Decimal) else _decimal(field, value, number))
    text = str(value)
    if not field.shortest <= len(text) <= field.longest:
        raise BadDocument(number, field.name, f"{len(text)} characters, allowed {field.shortest} to {field.longest}")
    if field.choices and text not in field.choices:
        raise BadDocument(number, field.name, f"allowed: {', '.join(field.choices)}")
    if field.type == "code" and not _CODE.fullmatch(text):
        raise BadDocument(number, field.name, "a code has digits and capital letters only")
    if field.type == "date" and not _is_time(text, field.longest):
        raise BadDocument(number, field.name, f"not a time of {field.longest} digits")
    if field.type == "integer" and not (text.isascii() and text.isdigit()):
        raise BadDocument(number, field.name, f"not a whole number of at most {field.longest} digits")
    return text


def _decimal(field: Field, value: str | int, number: str) -> Decimal:
    if not _AMOUNT.fullmatch(str(value)):
        raise BadDocument(number, field.name, "not a number")
    return Decimal(str(value))


@lru_cache(4096)
def _is_time(text: str, length: int) -> bool:
    if len(text) != length or not (text.isascii() and text.isdigit()):
        return False
    try:
        datetime.strptime(text, _TIMES[length])
    except ValueError:
        return False
    return True

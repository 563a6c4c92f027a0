"""报关单 as the import client takes it: DecMessage (货物申报电子报文, ns http://www.chinaport.gov.cn/dec), its zip, and reading it back.

data = build(Declaration(head, lines, papers, sign, free)); read(data).lines[0]["GQty"]; pack("BG…", data)

Values are texts by element name, amounts `Decimal`. Empty optional values leave their element out. For exports two elements
carry the opposite of their names: OriginCountry 最终目的国, DestinationCountry 原产国 (元素说明 of the schema).
"""

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from lxml import etree

from .hardened_xml import BadXml, parse
from .messages.canonical import BadDocument, amount

NAMESPACE = "http://www.chinaport.gov.cn/dec"
VERSION = "3.1"
MOST_LINES, MOST_PAPERS = 50, 10  # of the schema
ORDER_PAPER, ENTRUSTMENT_PAPER = "10000004", "10000001"  # 跨境电商B2B出口单证, 电子代理报关委托协议
_TAG = f"{{{NAMESPACE}}}"
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of every zip entry, so that one declaration always gives the same bytes


class BadDeclaration(ValueError):
    """A value that the schema does not allow. `line`: 1 … of a 商品, 0 of the head or another part."""

    def __init__(self, element: str, why: str, line: int = 0) -> None:
        super().__init__(f"{element}{f' of line {line}' if line else ''}: {why}")
        self.element, self.why, self.line = element, why, line


@dataclass(frozen=True)
class Rule:
    """One element in its place: what its text must match (as a whole), and whether it is written even when empty."""

    name: str
    pattern: str
    is_required: bool = False
    is_always: bool = False
    is_amount: bool = False


def text(name: str, longest: int, **more) -> Rule:
    return Rule(name, f"(?s:.{{1,{longest}}})", **more)


def must(name: str, longest: int) -> Rule:
    return text(name, longest, is_required=True)


def code(name: str, pattern: str, is_required: bool = True) -> Rule:
    return Rule(name, pattern, is_required)


def number(name: str, is_required: bool = True) -> Rule:
    """NUMBER(19,5)."""
    return Rule(name, r"\d{1,14}(\.\d{1,5})?", is_required, is_amount=True)


HEAD = (
    code("IEFlag", "E"), must("AgentCode", 18), must("AgentName", 70), text("BillNo", 32), text("ContrNo", 32),
    code("CustomMaster", r"\d{4}"), code("CutMode", r"\d{3}"), code("DistinatePort", "[A-Z0-9]{6}"),
    code("FeeCurr", "[A-Z]{3}", False), code("FeeMark", "[1-3]", False), number("FeeRate", False), number("GrossWet"),
    code("IEDate", r"\d{8}", False), code("IEPort", r"\d{4}"), code("InsurCurr", "[A-Z]{3}", False),
    code("InsurMark", "[13]", False), number("InsurRate", False), number("NetWt"), text("NoteS", 70),
    text("OwnerCode", 18), must("OwnerName", 70), code("PackNo", r"\d{1,9}"), code("TradeCode", r"\d{4}[0-9A-Z]{6}"),
    code("TradeCountry", "[A-Z]{3}"), code("TradeMode", r"\d{4}"), must("TradeName", 70), code("TrafMode", "[0-9A-Z]"),
    text("TrafName", 26), code("TransMode", "[1-6]"), code("WrapType", r"\d{2}"), code("EdiId", r"\d"),
    must("CopName", 70), code("CopCode", ".{9}", False), code("EntryType", "[0LWDM]"), text("InputerName", 32),
    code("DeclTrnRel", "[01]"), code("CopCodeScc", "[0-9A-Z]{18}", False), code("OwnerCodeScc", "[0-9A-Z]{18}", False),
    code("AgentCodeScc", "[0-9A-Z]{18}", False), code("TradeCoScc", "[0-9A-Z]{18}", False), code("PromiseItmes", "[01]{3}"),
    code("TradeAreaCode", "[A-Z]{3}"), text("MarkNo", 400), text("DespPortCode", 8, is_always=True),
    code("EntyPortCode", r"\d{6}"), text("GoodsPlace", 100, is_always=True), text("DeclareName", 50, is_always=True),
    code("NoOtherPack", "[01]"), text("OverseasConsigneeCode", 20), must("OverseasConsigneeEname", 400),
)  # fmt: skip
LINE = (
    code("CodeTS", r"\d{10}"), number("DeclPrice"), code("DutyMode", r"\d"), must("GModel", 255), must("GName", 255),
    code("GNo", r"\d{1,2}"), code("OriginCountry", "[A-Z]{3}"), code("TradeCurr", "[A-Z]{3}"), number("DeclTotal"),
    number("GQty"), number("FirstQty"), number("SecondQty", False), code("GUnit", r"\d{3}"), code("FirstUnit", r"\d{3}"),
    code("SecondUnit", r"\d{3}", False), code("DestinationCountry", "[A-Z]{3}"), code("CiqCode", r"\d{3}"),
    code("OrigPlaceCode", r"\d{6}", False), code("DistrictCode", "[0-9A-Z]{5}"),
)  # fmt: skip
FREE = (text("VoyNo", 32), text("DecBpNo", 32))
SIGN = (
    code("OperType", "G"), code("ICCode", r"\d{13}", False), code("CopCode", ".{18}", False), text("OperName", 30),
    code("ClientSeqNo", "[0-9A-Z]{18}"), text("Sign", 201, is_always=True), code("SignDate", r"\d{16}"),
    text("HostId", 10, is_always=True), text("BillSeqNo", 18), code("DomainId", "[12]"),
)  # fmt: skip
PAPER = (
    must("EdocID", 64), code("EdocCode", r"\d{8}"), code("EdocFomatType", ".{2}"), text("OpNote", 255, is_always=True),
    must("EdocCopId", 64), code("EdocOwnerCode", ".{10}"), must("SignUnit", 10), code("SignTime", r"\d{14}"),
    text("EdocOwnerName", 100),
)  # fmt: skip


@dataclass(frozen=True)
class Declaration:
    """`papers`: 随附单据; `sign`: DecSign, of which the client itself makes the signature; `free`: DecFreeTxt."""

    head: dict
    lines: Sequence[dict]
    papers: Sequence[dict]
    sign: dict
    free: dict = field(default_factory=dict)


def build(declaration: Declaration) -> bytes:
    """The message, UTF-8, without white space between elements. Raises BadDeclaration."""
    if not 1 <= len(declaration.lines) <= MOST_LINES:
        raise BadDeclaration("DecLists", f"{len(declaration.lines)} lines, allowed 1 to {MOST_LINES}")
    if not 1 <= len(declaration.papers) <= MOST_PAPERS:
        raise BadDeclaration("EdocRealation", f"{len(declaration.papers)} papers, allowed 1 to {MOST_PAPERS}")
    root = etree.Element(f"{_TAG}DecMessage", Version=VERSION, nsmap={None: NAMESPACE})
    _add(root, "DecHead", HEAD, declaration.head)
    lists = etree.SubElement(root, f"{_TAG}DecLists")
    for place, line in enumerate(declaration.lines, 1):
        _add(lists, "DecList", LINE, line, place)
    for empty in ("DecContainers", "DecLicenseDocus"):
        etree.SubElement(root, _TAG + empty)
    _add(root, "DecFreeTxt", FREE, declaration.free)
    _add(root, "DecSign", SIGN, declaration.sign)
    for paper in declaration.papers:
        _add(root, "EdocRealation", PAPER, paper)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _add(parent: etree._Element, tag: str, rules: Sequence[Rule], values: dict, line: int = 0) -> None:
    if unknown := set(values) - {rule.name for rule in rules}:
        raise BadDeclaration(sorted(unknown)[0], "not an element here", line)
    node = etree.SubElement(parent, _TAG + tag)
    for rule in rules:
        written = _text_of(rule, values.get(rule.name, ""), line)
        if written or rule.is_always:
            try:
                etree.SubElement(node, _TAG + rule.name).text = written
            except ValueError as error:
                raise BadDeclaration(rule.name, "a character that XML cannot carry", line) from error


def _text_of(rule: Rule, value: str | Decimal, line: int) -> str:
    if isinstance(value, Decimal):
        try:
            value = amount("", rule.name, value)
        except BadDocument as error:
            raise BadDeclaration(rule.name, error.why, line) from error
    if not value:
        if rule.is_required:
            raise BadDeclaration(rule.name, "missing", line)
        return ""
    if not re.fullmatch(rule.pattern, value):
        raise BadDeclaration(rule.name, f"{value!r} does not fit", line)
    return value


def read(data: bytes) -> Declaration:
    """A message as it stands in a file, all values texts. Raises BadXml."""
    root = parse(data)
    if root.tag != f"{_TAG}DecMessage":
        raise BadXml("not a DecMessage")
    parts = {name: root.find(_TAG + name) for name in ("DecHead", "DecLists", "DecSign", "DecFreeTxt")}
    if any(part is None for part in parts.values()):
        raise BadXml("a part is missing")
    return Declaration(
        _values(parts["DecHead"]), [_values(node) for node in parts["DecLists"].findall(f"{_TAG}DecList")],
        [_values(node) for node in root.findall(f"{_TAG}EdocRealation")], _values(parts["DecSign"]),
        _values(parts["DecFreeTxt"]),
    )  # fmt: skip


def _values(node: etree._Element) -> dict[str, str]:
    return {etree.QName(child).localname: child.text or "" for child in node}


def pack(client_seq_no: str, message: bytes) -> tuple[str, bytes]:
    """(name, bytes) of the zip that the import client takes: one XML; the same message gives the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        entry = zipfile.ZipInfo(f"{client_seq_no}.xml", _FIRST_DAY)
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, message)
    return f"{client_seq_no}.zip", out.getvalue()

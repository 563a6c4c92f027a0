"""CEB303 电子订单 (for 出口海外仓: 订仓单): builds the unsigned message, already in canonical form.

`build` writes the inclusive C14N 1.0 form itself, without an XML declaration: no white space between elements, start
and end tag for empty ones, `&amp; &lt; &gt; &#xD;` as the only references. So digest and signature need no XML library.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import le

MAX_ORDERS = MAX_LINES = 100
NAMESPACE = "http://www.chinaport.gov.cn/ceb"


class BadOrder(ValueError):
    """A value that the schema does not allow; `order_no` is empty where it is the message's own."""

    def __init__(self, order_no: str, element: str, why: str) -> None:
        super().__init__(f"{order_no} {element}: {why}".strip())
        self.order_no, self.element = order_no, element


@dataclass(frozen=True, slots=True)
class OrderLine:
    """OrderList 商品项. Codes of unit and currency have 3 digits (海关参数)."""

    gnum: int
    item_no: str
    item_name: str
    unit: str
    currency: str
    qty: Decimal
    price: Decimal
    total_price: Decimal
    item_describe: str = ""
    bar_code: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """OrderHead and its lines. order_type: E 一般出口, B B2B直接出口, W 海外仓订仓单; app_type: 1 新增, 2 变更, 3 删除.

    guid: 36 characters, letters upper case. app_time: yyyyMMddHHmmss, Beijing time.
    """

    guid: str
    app_type: str
    app_time: str
    order_type: str
    order_no: str
    ebp_code: str  # 电商平台, or 海外仓 for W; 「无」 where it has no code
    ebp_name: str
    ebc_code: str  # 电商企业
    ebc_name: str
    goods_value: Decimal
    freight: Decimal
    currency: str
    note: str
    lines: Sequence[OrderLine]


@dataclass(frozen=True, slots=True)
class Transfer:
    """BaseTransfer: the company that holds the 传输ID."""

    cop_code: str
    cop_name: str
    dxp_id: str
    note: str = ""


# element, shortest, longest (characters), optional; numbers are checked by _number
_HEAD = (
    ("guid", 36, 36),
    ("appType", 1, 1),
    ("appTime", 14, 14),
    ("appStatus", 1, 1),
    ("orderType", 1, 1),
    ("orderNo", 1, 60),
    ("ebpCode", 1, 18),
    ("ebpName", 1, 100),
    ("ebcCode", 1, 18),
    ("ebcName", 1, 100),
    ("goodsValue", 1, 21),
    ("freight", 1, 21),
    ("currency", 3, 3),
    ("note", 0, 1000),
)
_LINE = (
    ("gnum", 1, 5),
    ("itemNo", 1, 30),
    ("itemName", 1, 250),
    ("itemDescribe", 0, 1000),
    ("barCode", 0, 50),
    ("unit", 3, 3),
    ("currency", 3, 3),
    ("qty", 1, 21),
    ("price", 1, 21),
    ("totalPrice", 1, 21),
    ("note", 0, 1000),
)
_TRANSFER = (("copCode", 1, 18), ("copName", 1, 100), ("dxpMode", 3, 3), ("dxpId", 1, 30), ("note", 0, 1000))

_GUID = re.compile(r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}")
_MARK = "\0"  # stands between values: no value can hold it
_CONTROLS = bytes({*range(0x20)} - {0x09, 0x0A})  # not in XML 1.0, or (CR) never raw in canonical form
_NONCHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")  # U+FFFE, U+FFFF


class _Block:
    """One element with its children: checks lengths and gives the template that fits the optional ones present."""

    def __init__(self, tag: str, fields: Sequence[tuple[str, int, int]]) -> None:
        self._tag, self._fields = tag, fields
        self._shortest = [shortest for _, shortest, _ in fields]
        self._longest = [longest for _, _, longest in fields]
        self._templates: dict[tuple[bool, ...], str] = {}

    def add(self, order_no: str, values: Sequence[str], template: list[str], texts: list[str]) -> None:
        """Appends to `template` and `texts`; optional values that are empty leave their element out."""
        lengths = [*map(len, values)]
        if not (all(map(le, self._shortest, lengths)) and all(map(le, lengths, self._longest))):
            self._refuse(order_no, lengths)
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

    def _refuse(self, order_no: str, lengths: list[int]) -> None:
        for (name, shortest, longest), length in zip(self._fields, lengths, strict=True):
            if not shortest <= length <= longest:
                raise BadOrder(order_no, name, f"{length} characters, allowed {shortest} to {longest}")


_HEAD_BLOCK = _Block("OrderHead", _HEAD)
_LINE_BLOCK = _Block("OrderList", _LINE)
_TRANSFER_BLOCK = _Block("BaseTransfer", _TRANSFER)


def build(orders: Sequence[Order], transfer: Transfer, message_guid: str) -> bytes:
    """The unsigned message in canonical form, UTF-8. The same values give the same bytes. Raises BadOrder."""
    if not 1 <= len(orders) <= MAX_ORDERS:
        raise BadOrder("", "Order", f"{len(orders)} orders, allowed 1 to {MAX_ORDERS}")
    if not _GUID.fullmatch(message_guid):
        raise BadOrder("", "guid", "not a GUID in upper case")
    template = [f'<ceb:CEB303Message xmlns:ceb="{NAMESPACE}" guid="{message_guid}" version="1.0">']
    texts: list[str] = []
    for order in orders:
        _add_order(order, template, texts)
    _TRANSFER_BLOCK.add(
        "", (transfer.cop_code, transfer.cop_name, "DXP", transfer.dxp_id, transfer.note), template, texts
    )
    template.append("</ceb:CEB303Message>")
    return _fill("".join(template), texts)


def _add_order(order: Order, template: list[str], texts: list[str]) -> None:
    no = order.order_no
    if not _GUID.fullmatch(order.guid):
        raise BadOrder(no, "guid", "not a GUID in upper case")
    if order.app_type not in ("1", "2", "3") or order.order_type not in ("E", "B", "W"):
        raise BadOrder(no, "appType" if order.order_type in ("E", "B", "W") else "orderType", "unknown")
    if not (order.app_time.isascii() and order.app_time.isdigit()):
        raise BadOrder(no, "appTime", "not yyyyMMddHHmmss")
    if not 1 <= len(order.lines) <= MAX_LINES:
        raise BadOrder(no, "OrderList", f"{len(order.lines)} lines, allowed 1 to {MAX_LINES}")
    template.append("<ceb:Order>")
    head = (
        order.guid,
        order.app_type,
        order.app_time,
        "2",  # appStatus 申报
        order.order_type,
        no,
        order.ebp_code,
        order.ebp_name,
        order.ebc_code,
        order.ebc_name,
        _number(no, "goodsValue", order.goods_value),
        _number(no, "freight", order.freight),
        order.currency,
        order.note,
    )
    _HEAD_BLOCK.add(no, head, template, texts)
    for line in order.lines:
        values = (
            str(line.gnum),
            line.item_no,
            line.item_name,
            line.item_describe,
            line.bar_code,
            line.unit,
            line.currency,
            _number(no, "qty", line.qty),
            _number(no, "price", line.price),
            _number(no, "totalPrice", line.total_price),
            line.note,
        )
        _LINE_BLOCK.add(no, values, template, texts)
    template.append("</ceb:Order>")


def _number(order_no: str, element: str, value: Decimal) -> str:
    """N19,5 without exponent and without trailing zeros, so that 75 and 75.00 give the same bytes."""
    text = str(value)
    if "E" in text:
        text = f"{value:f}"
    whole, _, decimals = text.partition(".")
    decimals = decimals.rstrip("0")
    if not whole.isdigit() or len(decimals) > 5 or len(whole) + len(decimals) > 19:  # a sign or NaN is no digit
        raise BadOrder(order_no, element, "not a number of at most 19 digits, 5 of them decimals")
    return f"{whole}.{decimals}" if decimals else whole


def _fill(template: str, texts: list[str]) -> bytes:
    """Escapes all texts at once and puts them into the template. Raises BadOrder for what XML cannot carry."""
    joined = _MARK.join(texts)
    joined = joined.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;")
    escaped = joined.split(_MARK)
    if len(escaped) != len(texts):
        raise BadOrder("", "text", "a character that XML cannot carry")
    try:
        message = (template % tuple(escaped)).encode()
    except UnicodeEncodeError as error:  # a lone surrogate
        raise BadOrder("", "text", "a character that XML cannot carry") from error
    if len(message.translate(None, _CONTROLS)) != len(message) or any(bad in message for bad in _NONCHARACTERS):
        raise BadOrder("", "text", "a character that XML cannot carry")
    return message

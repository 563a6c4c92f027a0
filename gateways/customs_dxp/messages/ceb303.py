"""CEB303 电子订单 (for 出口海外仓: 订仓单): builds the unsigned message, already in canonical form.

The fast way for the kind of which there are 100 000; `types.build` writes the same bytes from a table.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from .canonical import MOST, NAMESPACE, BadDocument, Block, Transfer, amount, check_guid, finish, start

__all__ = ["NAMESPACE", "BadOrder", "Order", "OrderLine", "Transfer", "build"]

ROOT = "CEB303Message"
BadOrder = BadDocument


class OrderLine(NamedTuple):
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


class Order(NamedTuple):
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


_HEAD = Block(
    "OrderHead",
    [
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
    ],
)
_LINE = Block(
    "OrderList",
    [
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
    ],
)


def build(orders: Sequence[Order], transfer: Transfer, message_guid: str) -> bytes:
    """The unsigned message in canonical form, UTF-8. The same values give the same bytes. Raises BadOrder."""
    if not 1 <= len(orders) <= MOST:
        raise BadOrder("", "Order", f"{len(orders)} orders, allowed 1 to {MOST}")
    template, texts = start(ROOT, message_guid)
    for order in orders:
        _add_order(order, template, texts)
    return finish(ROOT, transfer, template, texts)


def _add_order(order: Order, template: list[str], texts: list[str]) -> None:
    no = order.order_no
    check_guid(no, order.guid)
    if order.app_type not in ("1", "2", "3") or order.order_type not in ("E", "B", "W"):
        raise BadOrder(no, "appType" if order.order_type in ("E", "B", "W") else "orderType", "unknown")
    if not (order.app_time.isascii() and order.app_time.isdigit()):
        raise BadOrder(no, "appTime", "not yyyyMMddHHmmss")
    if not 1 <= len(order.lines) <= MOST:
        raise BadOrder(no, "OrderList", f"{len(order.lines)} lines, allowed 1 to {MOST}")
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
        amount(no, "goodsValue", order.goods_value),
        amount(no, "freight", order.freight),
        order.currency,
        order.note,
    )
    _HEAD.add(no, head, template, texts)
    for line in order.lines:
        values = (
            str(line.gnum),
            line.item_no,
            line.item_name,
            line.item_describe,
            line.bar_code,
            line.unit,
            line.currency,
            amount(no, "qty", line.qty),
            amount(no, "price", line.price),
            amount(no, "totalPrice", line.total_price),
            line.note,
        )
        _LINE.add(no, values, template, texts)
    template.append("</ceb:Order>")

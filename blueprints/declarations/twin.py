"""逐行核对: the 报关单 as it stands in its message beside the orders as customs has them (M203, R46)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from blueprints.common.numbers import Sentence
from gateways.customs_dxp.declaration import ORDER_PAPER, Declaration
from gateways.customs_dxp.messages.canonical import BadDocument, amount
from models.exports import Strategy
from models.orders import Order

from . import tables
from .goods import HS


@dataclass(frozen=True)
class Pair:
    """One value on both sides. `place`: number of the 商品, 0 for what stands once; `why`: how they differ, else None."""

    place: int
    title: str
    order: str
    declared: str
    why: Sentence | None


def compare(strategy: Strategy, orders: Sequence[Order], made: Declaration) -> list[Pair]:
    return [*_heads(strategy, orders, made), *_lines(strategy, orders, made)]


def _heads(strategy: Strategy, orders: Sequence[Order], made: Declaration) -> list[Pair]:
    numbers = [paper["EdocID"] for paper in made.papers if paper["EdocCode"] == ORDER_PAPER]
    total = sum((Decimal(line["DeclTotal"]) for line in made.lines), Decimal(0))
    rows = [
        ("监管方式", strategy.mode.partition("-")[0], made.head["TradeMode"]),
        ("收发货人编码", strategy.seller.customs_code, made.head["TradeCode"]),
        ("收发货人名称", strategy.seller.name, made.head["TradeName"]),
        ("订单号（随附单据编号）", "、".join(order.order_no for order in orders), "、".join(numbers)),
        ("商品项数", str(sum(len(order.lines) for order in orders)), str(len(made.lines))),
        ("总价合计", plain(sum((order.total for order in orders), Decimal(0))), plain(total)),
    ]
    return [Pair(0, title, ours, theirs, why_not(ours, theirs)) for title, ours, theirs in rows]


def _lines(strategy: Strategy, orders: Sequence[Order], made: Declaration) -> list[Pair]:
    ordered = [(order.order_no, line) for order in orders for line in order.lines]
    currency, pairs = tables.iso_currency(strategy.currency), []
    for place in range(1, max(len(ordered), len(made.lines)) + 1):
        declared = made.lines[place - 1] if place <= len(made.lines) else {}
        number, line = ordered[place - 1] if place <= len(ordered) else ("", [""] * 6)
        item, name, quantity, total, price, unit, *_ = line
        rows = [("商品编号", item, declared.get("CodeTS", ""))] if HS.fullmatch(item) else []
        rows += [
            ("商品名称", name, declared.get("GName", "")), ("数量", plain(quantity), declared.get("GQty", "")),
            ("单位", unit, declared.get("GUnit", "")), ("单价", plain(price), declared.get("DeclPrice", "")),
            ("总价", plain(total), declared.get("DeclTotal", "")),
            ("币制", currency if number else "", declared.get("TradeCurr", "")),
        ]  # fmt: skip
        pairs += [Pair(place, title, ours, theirs, why_not(ours, theirs)) for title, ours, theirs in rows]
    return pairs


def plain(value: str | Decimal) -> str:
    """An amount as both messages write it: without trailing zeros."""
    try:
        return amount("", "", Decimal(value)) if value != "" else ""
    except (BadDocument, InvalidOperation):
        return str(value)


def why_not(ours: str, theirs: str) -> Sentence | None:
    """How the two differ; None where they are the same, letter by letter."""
    if ours == theirs:
        return None
    if not ours or not theirs:
        return Sentence("", "只有一边有，项数或顺序不一样")
    try:
        first, second = Decimal(ours), Decimal(theirs)
    except InvalidOperation:
        return (
            Sentence("", "只差空格") if "".join(ours.split()) == "".join(theirs.split()) else Sentence("", "内容不一样")
        )
    places = sorted((_decimals(ours), _decimals(theirs)))
    if places[0] != places[1] and round(first, places[0]) == round(second, places[0]):
        words = "小数位数不一样：订单{ours}位，报关单{theirs}位"
        return Sentence("", words, ours=_decimals(ours), theirs=_decimals(theirs))
    return Sentence("", "数值不一样")


def _decimals(text: str) -> int:
    return len(text.partition(".")[2])

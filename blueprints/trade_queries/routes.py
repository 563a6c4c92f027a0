"""Pages 8101–8103: 订单查询, and the time line of one order."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, request

from blueprints.common import access
from blueprints.common.access import SEE, MenuEntry, Needs, Reason, get_or_404, needs_right, page
from blueprints.common.pages import show
from blueprints.common.periods import day_after, read_day
from models import orders
from models.exports import BLOCK

from .timeline import events_of

bp = Blueprint("trade_queries", __name__, url_prefix="/trade_queries")
NEEDS = needs_right("trade", SEE, verified=True, code=True)
SOON = Needs(also=(lambda principal: Reason("90699", "建设中"),))
MENU = (
    MenuEntry("8101", "订单查询(未审结)", "trade_queries.list_open", NEEDS),
    MenuEntry("8102", "订单查询(已审结)", "trade_queries.list_concluded", NEEDS),
    MenuEntry("8104", "收款单查询(未审结)", "", SOON),
    MenuEntry("8105", "收款单查询(已审结)", "", SOON),
    MenuEntry("8106", "清单管理", "", SOON),
    MenuEntry("8107", "退货管理", "", SOON),
    MenuEntry("8108", "汇总管理", "", SOON),
    MenuEntry("8109", "B2B管理", "", SOON),
)
ROWS = 10


@dataclass(frozen=True)
class Search:
    order_no: str
    since: str
    until: str

    @property
    def from_moment(self) -> datetime | None:
        return read_day(self.since)

    @property
    def to_moment(self) -> datetime | None:
        return day_after(self.until)

    @property
    def wrong_dates(self) -> bool:
        return any(text and read_day(text) is None for text in (self.since, self.until))

    @property
    def arguments(self) -> dict:
        values = {"order_no": self.order_no, "from": self.since, "to": self.until}
        return {name: value for name, value in values.items() if value}


def show_here(template: str, **values):
    entries = [(entry, entry.needs.unmet(access.current())) for entry in MENU]
    return show(f"trade_queries/{template}", menu=[("交易管理", entries)], **values)


@bp.get("/orders/open")
@page("8101", "订单查询(未审结)", NEEDS)
def list_open():
    """An order that stands here is at customs: its push succeeded (M205)."""
    return show_list("订单查询(未审结)", "trade_queries.list_open", is_concluded=False)


@bp.get("/orders/concluded")
@page("8102", "订单查询(已审结)", NEEDS)
def list_concluded():
    return show_list("订单查询(已审结)", "trade_queries.list_concluded", is_concluded=True)


def show_list(title: str, endpoint: str, *, is_concluded: bool):
    principal, given = access.current(), request.args
    search = Search(given.get("order_no", "").strip(), given.get("from", "").strip(), given.get("to", "").strip())
    query = orders.at_customs(principal.enterprise_id, principal.code, is_concluded)
    query = orders.filtered(query, order_no=search.order_no, since=search.from_moment, until=search.to_moment)
    rows = orders.page_of_orders(query, given.get("after", 0, int), ROWS + 1)
    count = orders.count_orders(query)
    return show_here(
        "orders.html", title=title, endpoint=endpoint, rows=rows[:ROWS], search=search, ordinal=given.get("n", 0, int),
        cursor=rows[ROWS - 1].Order.serial if len(rows) > ROWS else None, is_concluded=is_concluded,
        total=f"{orders.EXACT}以上" if count > orders.EXACT else str(count),
    )  # fmt: skip


@bp.get("/orders/<uuid:id>")
@page("8103", "订单的经过", NEEDS)
def show_order(id):
    principal = access.current()
    order = get_or_404(orders.find_order(principal.enterprise_id, principal.code, id))
    message = orders.message_of(order)
    state, events = events_of(order, message)
    return show_here("order.html", order=order, message=message, state=state, events=events, block=BLOCK)

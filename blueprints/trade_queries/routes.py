"""Pages 8101–8109: the lists of 交易管理, each as a workbook too, and the time line of one document."""

import io
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, request, send_file

from blueprints.common import access
from blueprints.common.access import SEE, MenuEntry, bind, get_or_404, needs_right, page
from blueprints.common.history import record
from blueprints.common.pages import show
from blueprints.common.periods import day_after, read_day
from models import orders
from models.database import session
from models.exports import BLOCK

from .lists import LISTINGS, MOST, Listing, workbook_of
from .timeline import TITLES, WORDS, customs_words, events_of

bp = Blueprint("trade_queries", __name__, url_prefix="/trade_queries")
NEEDS = needs_right("trade", SEE, verified=True, code=True)
ROWS = 10
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def endpoint_of(listing: Listing) -> str:
    return f"list_{listing.slug.replace('-', '_')}"


MENU = tuple(MenuEntry(each.number, each.title, f"trade_queries.{endpoint_of(each)}", NEEDS) for each in LISTINGS)


@dataclass(frozen=True)
class Search:
    order_no: str
    since: str
    until: str
    state: str

    @classmethod
    def from_request(cls) -> "Search":
        given = {name: request.args.get(name, "").strip() for name in ("order_no", "from", "to", "state")}
        return cls(given["order_no"], given["from"], given["to"], given["state"] if given["state"] in WORDS else "")

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
        values = {"order_no": self.order_no, "from": self.since, "to": self.until, "state": self.state}
        return {name: value for name, value in values.items() if value}


def show_here(template: str, **values):
    entries = [(entry, entry.needs.unmet(access.current())) for entry in MENU]
    return show(f"trade_queries/{template}", menu=[("交易管理", entries)], **values)


def found(listing: Listing, search: Search):
    """(query without its state, state)"""
    principal = access.current()
    query = listing.query(principal.enterprise_id, principal.code)
    query = orders.filtered(query, order_no=search.order_no, since=search.from_moment, until=search.to_moment)
    return query, search.state if listing.concluded is None else ""


def show_list(listing: Listing):
    """A document that stands in a list of customs is there: its push succeeded (M205)."""
    given, search = request.args, Search.from_request()
    query, state = found(listing, search)
    rows = orders.page_of_orders(query, given.get("after", 0, int), ROWS + 1, state)
    count = orders.count_orders(query, state)
    return show_here(
        "orders.html", listing=listing, endpoint=f"trade_queries.{endpoint_of(listing)}", rows=rows[:ROWS], search=search,
        ordinal=given.get("n", 0, int), cursor=rows[ROWS - 1].Order.serial if len(rows) > ROWS else None, states=WORDS,
        customs=customs_words(), total=f"{orders.EXACT}以上" if count > orders.EXACT else str(count), most=MOST,
        number_title="订单编号" if listing.kind == orders.ORDER else "编号", what=TITLES[listing.kind],
    )  # fmt: skip


def send_workbook(listing: Listing):
    """What the search line finds, as text cells."""
    data = workbook_of(*found(listing, Search.from_request()))
    record("下载查询结果", f"listing:{listing.slug}", access.current(), list=listing.title)
    session.commit()
    return send_file(io.BytesIO(data), XLSX, as_attachment=True, download_name=f"{listing.title}.xlsx")


def add_lists() -> None:
    for each in LISTINGS:
        path = {"open": "orders/open", "concluded": "orders/concluded"}.get(each.slug, each.slug)
        bp.add_url_rule(f"/{path}", endpoint_of(each), page(each.number, each.title, NEEDS)(bind(show_list, each)))
        save = page(None, f"{each.title}：下载", NEEDS)(bind(send_workbook, each))
        bp.add_url_rule(f"/{path}.xlsx", f"save_{endpoint_of(each)[5:]}", save)


add_lists()


@bp.get("/orders/<uuid:id>")
@page("8103", "订单的经过", NEEDS)
def show_order(id):
    principal = access.current()
    order = get_or_404(orders.find_order(principal.enterprise_id, principal.code, id))
    message = orders.message_of(order)
    state, events = events_of(order, message)
    return show_here("order.html", order=order, message=message, state=state, events=events, block=BLOCK,
                     what=TITLES[order.kind])  # fmt: skip

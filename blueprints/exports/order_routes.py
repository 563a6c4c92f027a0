"""Pages 8020–8024: 数据申报管理, pushes by card, odd answers of customs."""

from uuid import UUID

from flask import flash, redirect, request, url_for

from blueprints.common import access
from blueprints.common.access import get_or_404, page
from blueprints.common.challenges import NotAccepted, last_report, open_challenge, refusal_of
from blueprints.common.numbers import Sentence
from blueprints.common.pages import answer_unmet
from models import companions, orders, pushes, receipts
from models.challenges import challenges_of_task
from models.database import session
from models.exports import Task, task_ids_by

from . import generating, pushing, sending, signing, tasks
from .base import EDIT_NEEDS, NEEDS, PUSH_NEEDS, Search, bp, show_here
from .kinds import KINDS
from .modes import COLOURS, MODES, STATES, said_by_customs
from .progress import progress_of
from .standing import is_signed_by_itself, standing_of
from .task_routes import SCOPES

SIZES = (10, 50, 100)
SCOPES_HERE = {"order": SCOPES["order"], **{key: words for key, words in SCOPES.items() if key != "order"}}
ODD = {
    "unknown": "没有这个订单", "stranger": "订单是别的企业的，不该从您的通道来", "unsent": "订单还没有推送，海关就有了回执",
}  # fmt: skip


def filters_of(search: Search) -> dict:
    """All of the search line but the state."""
    order_no = search.text if search.scope == "order" else ""
    return {"order_no": order_no, "tasks": tasks_of(search), "since": search.from_moment, "until": search.to_moment}


def searched(search: Search, state: str | None = None):
    """The orders of the search line, of this company and code; `state` stands instead of its own."""
    principal = access.current()
    query = orders.declared_orders(principal.enterprise_id, principal.code, search.kind)
    return orders.filtered(query, state=search.state if state is None else state, **filters_of(search))


def tasks_of(search: Search):
    principal = access.current()
    if not search.text or search.scope == "order":
        return None
    return task_ids_by(principal.enterprise_id, principal.code, search.scope, search.text)


def total_of(search: Search) -> str:
    """Exact where the tasks' tallies tell it, else exact up to 10 000."""
    principal = access.current()
    is_of_tasks = search.kind == orders.ORDER and not (
        search.state or search.since or search.until or (search.text and search.scope == "order")
    )
    if is_of_tasks:
        return str(orders.tally_of_orders(principal.enterprise_id, principal.code, tasks_of(search)))
    count = orders.count_declared(
        principal.enterprise_id, principal.code, search.state, search.kind, **filters_of(search)
    )
    return tasks.total_words(count)


@bp.get("/orders")
@page("8020", "数据申报管理", NEEDS)
def list_orders():
    principal, search = access.current(), Search.from_request(SCOPES_HERE, STATES)
    size = request.args.get("size", SIZES[0], int)
    size = size if size in SIZES else SIZES[0]
    after, ordinal = request.args.get("after", 0, int), request.args.get("n", 0, int)
    rows = orders.page_of_orders(searched(search, state=""), after, size + 1, search.state)
    push = pushes.latest_push(principal.enterprise_id, principal.code)
    missing = companions.still_missing([row.Order.id for row in rows if row.state == orders.WAITING], search.kind)
    return show_here(
        "orders.html", rows=rows[:size], search=search, scopes=SCOPES_HERE, states=STATES, colours=COLOURS, modes=MODES,
        ordinal=ordinal, cursor=rows[size - 1].Order.serial if len(rows) > size else None, size=size, sizes=SIZES,
        total=total_of(search), push=push and progress_of(push),
        kind=KINDS[search.kind], kinds=[KINDS[each] for each in companions.kinds_of(principal.enterprise_id, principal.code)],
        waits={order_id: waiting_words(found) for order_id, found in missing.items()},
        has_odd=bool(receipts.odd_receipts(principal.enterprise_id, 1) or receipts.garbled_files(principal.enterprise_id, 1)),
    )  # fmt: skip


def waiting_words(kinds: list[str]) -> Sentence:
    """What a document waits for that its own company cannot hurry: 运单 are the carrier's (M179)."""
    if orders.WAYBILL in kinds:
        return Sentence("", "待物流企业传输")
    return Sentence("", "待{before}入库", before="、".join(KINDS[kind].title for kind in kinds))


@bp.post("/orders")
@page("8020", "数据申报管理", EDIT_NEEDS)
def act_on_orders():
    """`go`: push | all | delete | bill | summary, or push:<id>, delete:<id>, cancel:<id> of one row. Pushing asks for more."""
    act, _, one = request.form.get("go", "").partition(":")
    if act in ("push", "all") and (reasons := PUSH_NEEDS.unmet(access.current())):
        return answer_unmet(reasons)
    ids = read_ids([one] if one else request.form.getlist("order"))
    search = Search.from_request(SCOPES_HERE, STATES)
    if act != "all" and not ids:
        flash("请先在表里勾选订单。")
        return back_to_list(search)
    principal = access.current()
    query = (
        searched(search)
        if act == "all"
        else orders.only(orders.declared_orders(principal.enterprise_id, principal.code, search.kind), ids)
    )
    if ids:
        get_or_404(session.execute(query.limit(1)).first())
    if act in ("cancel", "return", "bill", "summary"):
        return redirect(url_for(f"exports.ask_make_{act}", order=[str(each) for each in ids]), 303)
    if act == "delete":
        return show_delete(search, query)
    if one and (answer := push_one(search, query)):
        return answer
    return push_orders(search, query)


def read_ids(texts: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts if text]
    except ValueError:
        return []


def back_to_list(search: Search):
    return redirect(url_for("exports.list_orders", **search.arguments), 303)


def push_one(search: Search, query):
    """What 推送 on one row answers when there is nothing to sign; None: it is to be signed."""
    row = session.execute(query).first()
    if sentence := pushing.what_pushing_does(row.Order, row.Message, row.state):
        flash(sentence)
    elif row.state == orders.FAILED and sending.resend(row.Message):
        session.commit()
        flash(f"订单{row.Order.order_no}已重新发送，内容和上次一样。")
    else:
        return None
    return back_to_list(search)


def push_orders(search: Search, query):
    try:
        push = pushing.start_push(query, access.current(), search.kind)
        if signing.sign_by_itself(push, access.current().name):
            session.commit()
            return redirect(url_for("exports.show_push", id=push.id), 303)
        challenge, cookie = pushing.ask_card(push, access.current())
    except (pushing.NothingToPush, NotAccepted) as refused:
        session.rollback()
        flash(refused.sentence)
        return back_to_list(search)
    session.commit()
    return open_challenge(challenge, cookie)


def show_delete(search: Search, query):
    rows = orders.page_of_orders(query, None, SIZES[-1])
    return show_here("orders_delete.html", number="8022", rows=rows, search=search, states=STATES)


@bp.post("/orders/delete")
@page("8022", "删除订单", EDIT_NEEDS)
def delete_orders():
    principal, ids = access.current(), read_ids(request.form.getlist("order"))
    search = Search.from_request(SCOPES_HERE, STATES)
    query = orders.only(orders.declared_orders(principal.enterprise_id, principal.code, search.kind), ids)
    get_or_404((ids and session.execute(query.limit(1)).first()) or None)
    try:
        count, touched = tasks.delete_orders(query, principal)
    except pushing.NothingToPush as refused:
        session.rollback()
        flash(refused.sentence)
        return back_to_list(search)
    session.commit()
    for task_id in touched:
        generating.make_missing(session.get(Task, task_id))
    kept = len(set(ids)) - count
    flash(f"已删除{count}单。" + (f"另有{kept}单已经推送，没有删。" if kept else ""))
    return back_to_list(search)


def get_push_or_404(id):
    principal = access.current()
    return get_or_404(pushes.find_push(principal.enterprise_id, principal.code, id))


@bp.get("/pushes/<uuid:id>")
@page("8024", "推送进度", NEEDS)
def show_push(id):
    push = get_push_or_404(id)
    newest = next(iter(challenges_of_task(push.id)), None)
    words = newest and (refusal_of(newest) or last_report(newest))
    return show_here(
        "push.html", push=push, progress=progress_of(push), newest=newest, report=words, first=orders.first_of(push.id),
        is_signing=bool(newest and newest.state == "released"), says=standing_of(push),
        by_itself=is_signed_by_itself(push),
    )  # fmt: skip


@bp.post("/pushes/<uuid:id>/sign")
@page(None, "用卡签名", PUSH_NEEDS)
def sign_again(id):
    """A new request over what is not signed yet; the older one ends."""
    push = get_push_or_404(id)
    try:
        challenge, cookie = pushing.ask_card(push, access.current())
    except (pushing.NothingToPush, NotAccepted) as refused:
        session.rollback()
        flash(refused.sentence)
        return redirect(url_for("exports.show_push", id=id), 303)
    session.commit()
    return open_challenge(challenge, cookie)


@bp.get("/odd-receipts")
@page("8023", "对不上的回执", NEEDS)
def list_odd_receipts():
    principal = access.current()
    return show_here(
        "odd_receipts.html", rows=receipts.odd_receipts(principal.enterprise_id), words=ODD, said=said_by_customs,
        garbled=receipts.garbled_files(principal.enterprise_id),
    )  # fmt: skip

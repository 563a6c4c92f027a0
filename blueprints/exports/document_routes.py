"""Pages 8025–8029 and 8040: 变更 and 删除 of what customs has, and what is made from 清单: 撤销, 总分单, 汇总, 退货."""

import re

from flask import abort, flash, redirect, request, url_for

from blueprints.common import access
from blueprints.common.access import bind, get_or_404, page
from blueprints.common.fields import Choice, DocumentForm, Radio, Rule, Text
from blueprints.common.plain_forms import page_form, summary_of
from models import orders
from models.database import session
from models.orders import Order

from . import code_tables, documents
from .base import EDIT_NEEDS, bp, show_here
from .checking import WORDS
from .kinds import KINDS
from .order_routes import read_ids
from .reading import COLUMNS
from .strategy_forms import district

MOST = 1000  # 清单 in one 总分单 or 汇总申请
weight = Rule("90658", "毛重要大于0，最多5位小数，单位千克", lambda text: bool(re.fullmatch(r"\d{1,13}(\.\d{1,5})?", text)) and float(text) > 0)  # fmt: skip
ZONE = [
    ("1", "水路运输"),
    ("2", "铁路运输"),
    ("3", "公路运输"),
    ("4", "航空运输"),
    ("5", "邮件运输"),
    ("6", "其他运输"),
]


class ReasonForm(DocumentForm):
    """撤销申请."""

    reason = Text("撤销原因", number="802701", limit=1000, long=True, span=True, hint="海关按这个原因审核，请写清楚")


class BillForm(DocumentForm):
    """清单总分单: the transport document."""

    traf_mode = Choice("运输方式", number="802801", options=lambda case: code_tables.transport_modes())
    traf_name = Text("运输工具名称", number="802802", limit=100)
    voyage_no = Text("航班航次号", number="802803", limit=32)
    bill_no = Text("提运单号", number="802804", limit=37)
    gross = Text("毛重（千克）", weight, number="802805", limit=20, code=True)


class SummaryForm(DocumentForm):
    """汇总申请."""

    summary_flag = Radio(
        "按什么汇总", number="802901", options=[("1", "按收发货人"), ("2", "按收发货人和生产销售单位")]
    )
    name_flag = Radio("商品怎么归并", number="802902", options=[("1", "按清单上的商品名称"), ("0", "按商品综合分类")])


class RefundForm(DocumentForm):
    """退货申请: how the goods come back."""

    reason = Text("退货原因", number="804001", limit=500, long=True, span=True)
    logistics_no = Text("退回的运单号", number="804002", limit=80)
    bill_no = Text("提运单号", number="804003", limit=37, hint="没有就填运单号")
    traf_mode = Choice("运输方式", number="804004", options=lambda case: code_tables.transport_modes())
    traf_name = Text("运输工具名称", number="804005", limit=100)
    voyage_no = Text("航班航次号", number="804006", limit=32)
    port_code = Text("进境口岸", district, number="804007", limit=4, code=True, hint="4位数字")
    country = Choice("起运国（地区）", number="804008", options=lambda case: code_tables.countries())


FORMS = {"return": ("8040", "退货申请", RefundForm), "cancel": ("8027", "申请撤销清单", ReasonForm), "bill": ("8028", "生成清单总分单", BillForm),
         "summary": ("8029", "生成汇总申请", SummaryForm)}  # fmt: skip


def own_document_or_404(id) -> Order:
    principal = access.current()
    return get_or_404(orders.find_order(principal.enterprise_id, principal.code, id))


def back_to(kind: str):
    return redirect(url_for("exports.list_orders", **({} if kind == orders.ORDER else {"kind": kind})), 303)


# -- 变更, 删除


@bp.get("/orders/<uuid:id>/change")
@page("8025", "向海关申报变更", EDIT_NEEDS)
def ask_change(id):
    order = own_document_or_404(id)
    return show_change(order, [line[:6] for line in order.lines])


def show_change(order: Order, lines: list[list[str]], problems=(), refused=None):
    said = [{"number": WORDS[each.key][0], "sentence": f"第{each.row}行{COLUMNS[each.column - 1]}{each.cause}。{WORDS[each.key][2]}",
             "href": f"#cell-{each.row}-{each.column}"} for each in problems]  # fmt: skip
    said += [{"number": refused.sentence.number, "sentence": refused.sentence, "href": "#step"}] if refused else []
    return show_here("change.html", number="8025", order=order, lines=lines, heads=COLUMNS[1:], problems=said,
                     wrong={(each.row, each.column) for each in problems})  # fmt: skip


@bp.post("/orders/<uuid:id>/change")
@page("8025", "向海关申报变更", EDIT_NEEDS)
def change(id):
    order = own_document_or_404(id)
    if order.kind not in (orders.ORDER, orders.LIST):
        abort(404)
    typed = [[request.form.get(f"cell-{row}-{column}", "").strip() for column in range(2, 8)]
             for row in range(1, len(order.lines) + 1)]  # fmt: skip
    lines, problems = documents.check_lines(order, typed)
    if problems:
        return show_change(order, typed, problems)
    try:
        documents.declare_again(order, documents.CHANGE, lines, access.current())
    except documents.NotPossible as refused:
        session.rollback()
        return show_change(own_document_or_404(id), typed, refused=refused)
    flash(f"{order.order_no}的变更已经做好，还没有推送。请在下面推送。")
    return back_to(order.kind)


@bp.get("/orders/<uuid:id>/undo")
@page("8026", "向海关申报删除", EDIT_NEEDS)
def ask_undo(id):
    return show_here("undo.html", order=(order := own_document_or_404(id)), kind=KINDS[order.kind], refused=None)


@bp.post("/orders/<uuid:id>/undo")
@page("8026", "向海关申报删除", EDIT_NEEDS)
def undo(id):
    order = own_document_or_404(id)
    try:
        documents.declare_again(order, documents.DELETE, None, access.current())
    except documents.NotPossible as refused:
        session.rollback()
        order = own_document_or_404(id)
        return show_here("undo.html", order=order, kind=KINDS[order.kind], refused=refused.sentence)
    flash(f"{order.order_no}的删除已经做好，还没有推送。请在下面推送，海关收下以后才算删除。")
    return back_to(order.kind)


# -- from 清单


def chosen_lists() -> list[Order]:
    """Those of the request; another company's or another kind's answer 404."""
    principal, ids = access.current(), request.values.getlist("order")
    if not 1 <= len(ids) <= MOST:
        abort(404)
    rows = [own_document_or_404(each) for each in read_ids(ids)]
    if len(rows) != len(ids) or any(row.kind != orders.LIST for row in rows) or not principal:
        abort(404)
    return rows


def show_make(act: str, form: DocumentForm, rows: list[Order], problems=(), refused=None):
    number, title, _ = FORMS[act]
    said = summary_of(problems)
    said += [{"number": refused.number, "sentence": refused, "href": "#step"}] if refused else []
    return show_here("make.html", number=number, act=act, title=title, form=form, rows=rows, problems=said)


def ask_make(act: str):
    return show_make(act, page_form(FORMS[act][2], act), chosen_lists())


def make(act: str):
    rows, form = chosen_lists(), page_form(FORMS[act][2], act, posted=True)
    if problems := form.check():
        return show_make(act, form, rows, problems)
    values, principal = form.values, access.current()
    try:
        if act == "cancel":
            made = documents.cancel_list(rows[0], values["reason"], principal)
        elif act == "return":
            made = documents.return_list(rows[0], dict(values), principal)
        elif act == "bill":
            made = documents.make_bill(rows, dict(values), principal)
        else:
            made = documents.make_summary(rows, values["summary_flag"], values["name_flag"], principal)
    except documents.NotPossible as refused:
        session.rollback()
        return show_make(act, form, chosen_lists(), refused=refused.sentence)
    flash(f"{KINDS[made.kind].title}{made.order_no}已经做好，还没有推送。请在下面推送。")
    return back_to(made.kind)


def add_pages() -> None:
    """A page for each act, so that each has a number of its own."""
    for act, (number, title, _) in FORMS.items():
        for view, method in ((ask_make, "GET"), (make, "POST")):
            bound = page(number, title, EDIT_NEEDS)(bind(view, act))
            bp.add_url_rule(f"/lists/{act}", f"{view.__name__}_{act}", bound, methods=[method])


add_pages()

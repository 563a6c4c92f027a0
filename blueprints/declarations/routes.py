"""Pages 8201–8209: 报关单, from the choice of orders to what the single window answered."""

import io
from uuid import UUID

from flask import flash, redirect, request, send_file, url_for

from blueprints.common import access, clock
from blueprints.common.access import get_or_404, page
from blueprints.common.history import record
from blueprints.common.numbers import Sentence
from blueprints.common.plain_forms import error_line, summary_of, typed_fields
from gateways.customs_dxp.hardened_xml import MAX_BYTES, BadXml
from gateways.customs_dxp.import_client import read_answer
from models import declarations
from models.database import session

from . import goods, handing, making, tables
from .base import EDIT_NEEDS, HAND_NEEDS, NEEDS, bp, show_here
from .forms import HeadForm
from .making import NotPossible

ROWS, MOST_SHOWN, MOST_ODD = 10, 50, 100
CHANGED = Sentence("90916", "刚刚有人改过这份报关单，下面是您填的；请看过最新的再存一次")
ODD = {
    "unknown": "没有这份报关单", "early": "报关单还没有生成，就有了回执", "old": "比已经收到的回执早",
    "late": "报关单已经有了结果",
}  # fmt: skip
KINDS = {"taken": "导入成功", "not-taken": "导入失败", "status": "状态回执", "garbled": "看不懂"}


def get_declaration_or_404(id, *, lock: bool = False):
    principal = access.current()
    return get_or_404(declarations.find_declaration(principal.enterprise_id, principal.code, id, lock=lock))


def go_to(id, endpoint: str = "show_declaration"):
    return redirect(url_for(f"declarations.{endpoint}", id=id), 303)


@bp.get("/")
@page("8201", "货物申报", NEEDS)
def list_declarations():
    principal = access.current()
    start = max(0, min(request.args.get("n", 0, int), 10**6))
    rows = declarations.page_of_declarations(principal.enterprise_id, principal.code, ROWS + 1, start)
    return show_here(
        "list.html", rows=rows[:ROWS], start=start, more=len(rows) > ROWS,
        total=declarations.count_declarations(principal.enterprise_id, principal.code),
        folder=declarations.find_folder(principal.enterprise_id),
        has_odd=bool(declarations.odd_answers(principal.enterprise_id, 1)),
    )  # fmt: skip


# -- 选订单


def chosen_strategy():
    """The one asked for, else the only one, else None; and all of them."""
    principal, asked = access.current(), request.values.get("strategy", "")
    offered = declarations.strategies_for(principal.enterprise_id, principal.code)
    found = next((row for row in offered if str(row.id) == asked), offered[0] if len(offered) == 1 else None)
    return found, offered


def show_choice(problems=()):
    principal, (strategy, offered) = access.current(), chosen_strategy()
    number = request.args.get("q", "").replace("\0", "").strip()[:60]
    rows = strategy and declarations.eligible_orders(
        principal.enterprise_id, principal.code, strategy.id, number, MOST_SHOWN
    )
    return show_here("choose.html", number="8202", strategy=strategy, offered=offered, rows=rows or [], asked=number,
                     problems=list(problems), most=MOST_SHOWN, ticked=request.form.getlist("order"))  # fmt: skip


@bp.get("/new")
@page("8202", "选订单", EDIT_NEEDS)
def choose_orders():
    return show_choice()


@bp.post("/new")
@page("8202", "选订单", EDIT_NEEDS)
def start_declaration():
    strategy = get_or_404(chosen_strategy()[0])
    try:
        made = making.start(strategy, read_ids(request.form.getlist("order")), access.current())
    except NotPossible as refused:
        session.rollback()
        return show_choice([error_line(refused.sentence, "orders")])
    session.commit()
    return go_to(made.id, "edit_head")


def read_ids(texts: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError:
        return []


# -- 表头 and 商品


def show_head(row, form: HeadForm, problems=()):
    return show_here("head.html", number="8203", row=row, form=form, problems=list(problems))


@bp.get("/<uuid:id>/head")
@page("8203", "报关单表头", EDIT_NEEDS)
def edit_head(id):
    row = get_declaration_or_404(id)
    return show_head(
        row, HeadForm(making.head_case(row), "head", suggested=making.suggested_head(row, access.current()))
    )


@bp.post("/<uuid:id>/head")
@page("8203", "报关单表头", EDIT_NEEDS)
def save_head(id):
    row = get_declaration_or_404(id, lock=True)
    form = HeadForm(making.head_case(row), "head", typed_fields())
    problems = summary_of(form.check())
    if refusal := why_not_to_save(row):
        session.rollback()
        return show_head(row, form, [refusal])
    making.save_head(row, form, access.current())
    session.commit()
    return show_head(row, form, problems) if problems else go_to(id, "edit_goods")


def why_not_to_save(row) -> dict | None:
    """Two people on one step: the second is told, and what was typed stays on the page."""
    if row.state not in (declarations.DRAFT, declarations.READY):
        return error_line(
            Sentence("90917", "报关单{number}已经交出去了，不能再改，请看最新的状态", number=row.number), "step"
        )
    if request.form.get("revision") != str(row.revision):
        return error_line(CHANGED, "step")
    return None


def show_goods(row, lines: list[dict], problems=()):
    wrong = {problem["href"].removeprefix("#") for problem in problems}
    return show_here("goods.html", number="8204", row=row, lines=lines, cells=goods.CELLS, problems=list(problems),
                     wrong=wrong, units=tables.names("unit"))  # fmt: skip


@bp.get("/<uuid:id>/goods")
@page("8204", "报关单商品", EDIT_NEEDS)
def edit_goods(id):
    row = get_declaration_or_404(id)
    return show_goods(row, row.goods)


@bp.post("/<uuid:id>/goods")
@page("8204", "报关单商品", EDIT_NEEDS)
def save_goods(id):
    row = get_declaration_or_404(id, lock=True)
    lines = goods.typed_lines(row.goods, request.form)
    problems = [error_line(words, anchor) for anchor, words in goods.problems_of(lines)]
    if refusal := why_not_to_save(row):
        session.rollback()
        return show_goods(row, lines, [refusal])
    making.save_goods(row, lines, access.current())
    session.commit()
    return show_goods(row, lines, problems) if problems else go_to(id, "compare")


# -- 核对 and 生成


@bp.get("/<uuid:id>/compare")
@page("8205", "逐行核对", NEEDS)
def compare(id):
    row = get_declaration_or_404(id)
    return show_here("compare.html", row=row, proof=making.prove(row))


@bp.post("/<uuid:id>/compare")
@page("8205", "逐行核对", EDIT_NEEDS)
def make(id):
    row = get_declaration_or_404(id)
    proof = making.prove(row)
    try:
        making.make(row, proof, access.current())
    except NotPossible as refused:
        session.rollback()
        flash(refused.sentence)
        return go_to(id, "compare")
    session.commit()
    return go_to(id)


# -- after it is made


@bp.get("/<uuid:id>")
@page("8206", "报关单", NEEDS)
def show_declaration(id):
    row = get_declaration_or_404(id)
    return show_here(
        "show.html", row=row, orders=declarations.orders_in(id), answers=declarations.answers_of(id), kinds=KINDS, odd=ODD,
        channels=tables.names("dec_channel"), folder=declarations.find_folder(row.enterprise_id),
    )  # fmt: skip


@bp.post("/<uuid:id>/hand")
@page(None, "放入导入客户端", HAND_NEEDS)
def hand_over(id):
    try:
        handing.hand_over(get_declaration_or_404(id), access.current())
    except NotPossible as refused:
        flash(refused.sentence)
    else:
        flash("已放入导入客户端，几分钟内就有导入结果。")
    return go_to(id)


@bp.post("/<uuid:id>/file")
@page(None, "下载导入文件", HAND_NEEDS)
def download(id):
    row = get_declaration_or_404(id)
    try:
        name, data = handing.zip_of(row)
    except NotPossible as refused:
        flash(refused.sentence)
        return go_to(id)
    handing.mark_handed(row, "下载报关单导入文件", access.current())
    return send_file(io.BytesIO(data), "application/zip", as_attachment=True, download_name=name)


@bp.post("/<uuid:id>/answers")
@page(None, "读回执文件", HAND_NEEDS)
def read_back(id):
    """An answer that the client wrote on the company's own PC."""
    row, file = get_declaration_or_404(id), request.files.get("file")
    name, data = (file.filename or "", file.stream.read(MAX_BYTES + 1)) if file else ("", b"")
    name = name.replace("\\", "/").rpartition("/")[2][:255]
    session.commit()
    try:
        said = read_answer(name, data)
    except BadXml:
        said = None
    if said is None or (said.number or said.seq_no) not in (row.number, row.seq_no):
        flash(Sentence("90898", "这个文件不是这份报关单的回执，请选导入客户端InBox里的Successed、Failed或Receipt文件"))
        return go_to(id)
    handing.keep(row.enterprise_id, name, data)
    handing.apply_answers()
    flash("回执已经读好。")
    return go_to(id)


@bp.post("/<uuid:id>/again")
@page(None, "改好再报", EDIT_NEEDS)
def start_again(id):
    try:
        made = making.start_again(get_declaration_or_404(id, lock=True), access.current())
    except NotPossible as refused:
        session.rollback()
        flash(refused.sentence)
        return go_to(id)
    session.commit()
    return go_to(made.id, "edit_head")


@bp.get("/<uuid:id>/delete")
@page("8207", "删除报关单", EDIT_NEEDS)
def ask_delete(id):
    return show_here("delete.html", row=get_declaration_or_404(id))


@bp.post("/<uuid:id>/delete")
@page("8207", "删除报关单", EDIT_NEEDS)
def delete(id):
    row = get_declaration_or_404(id, lock=True)
    try:
        making.delete(row, access.current())
    except NotPossible as refused:
        session.rollback()
        flash(refused.sentence)
        return go_to(id)
    session.commit()
    flash(f"报关单{row.number}已删除，里面的订单可以再选。")
    return redirect(url_for("declarations.list_declarations"), 303)


# -- the import client


@bp.get("/folder")
@page("8208", "导入客户端文件夹", NEEDS)
def show_folder():
    enterprise_id = access.current().enterprise_id
    return show_here(
        "folder.html", folder=declarations.find_folder(enterprise_id), name=handing.folder_root(enterprise_id).name
    )


@bp.post("/folder")
@page("8208", "导入客户端文件夹", HAND_NEEDS)
def switch_folder():
    """`go`: on | off. Switched off, what lies in the folder stays, and answers are not fetched."""
    principal, is_on = access.current(), request.form.get("go") == "on"
    if is_on:
        declarations.set_folder(principal.enterprise_id, principal.name, clock.now())
    elif row := declarations.find_folder(principal.enterprise_id):
        session.delete(row)
    record("打开导入客户端文件夹" if is_on else "关掉导入客户端文件夹", "declaration-folder", principal)
    session.commit()
    flash("文件夹已打开，报关单可以直接放进去。" if is_on else "文件夹已关掉，报关单请下载导入文件。")
    return redirect(url_for("declarations.show_folder"), 303)


@bp.get("/odd-answers")
@page("8209", "对不上的报关单回执", NEEDS)
def list_odd_answers():
    rows = declarations.odd_answers(access.current().enterprise_id, MOST_ODD)
    return show_here("odd.html", rows=rows, odd=ODD, kinds=KINDS, channels=tables.names("dec_channel"))

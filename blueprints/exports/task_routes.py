"""Pages 8010–8016: 基础数据导入."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote
from uuid import UUID

from flask import Response, abort, flash, redirect, request, send_file, stream_with_context, url_for

from blueprints.common import access, clock
from blueprints.common.access import get_or_404, page
from blueprints.common.fields import Problem
from blueprints.common.files import FileRefused, read_chunks
from blueprints.common.numbers import Sentence
from blueprints.common.plain_forms import page_case, page_form, summary_of, typed_fields
from models import orders
from models.database import session
from models.export_clients import client_numbered, clients_query, page_of_clients
from models.exports import (
    Import,
    count_problems,
    find_import,
    find_task,
    imports_of,
    page_of_tasks,
    problems_of,
    strategies_of,
)
from models.files import StoredFile, find_file
from models.imports import same_file

from . import generating, importing, tasks
from .base import EDIT_NEEDS, NEEDS, Search, bp, show_here
from .columns import LAYOUTS, layout_name, layout_of, letter
from .forms import MoreForm, TaskForm
from .modes import MODES, TASK_STATES
from .template_book import template_book

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SCOPES = {"task": "任务编号", "order": "订单/订仓单号", "strategy": "策略名称", "client": "客户编号"}
ROWS = 10
MOST_PROBLEMS = 100
MOST_CLIENTS = 200  # offered beside typing a number; the newest


def get_task_or_404(id):
    principal = access.current()
    return get_or_404(find_task(principal.enterprise_id, principal.code, id))


@bp.get("/tasks")
@page("8010", "基础数据导入", NEEDS)
def list_tasks():
    search = Search.from_request(SCOPES, TASK_STATES)
    ordinal, after = read_cursor(request.args.get("after", ""))
    query = tasks.find_tasks(access.current(), search)
    rows = page_of_tasks(query, after, ROWS + 1, **period(search))
    shown = [(task, next(iter(orders.orders_of(task.id, limit=1)), None)) for task in rows[:ROWS]]
    last = rows[ROWS - 1] if len(rows) > ROWS else None
    cursor = last and f"{ordinal + ROWS}|{last.changed_at.isoformat()}|{last.id}"
    return show_here(
        "tasks.html", rows=shown, search=search, scopes=SCOPES, states=TASK_STATES, modes=MODES, ordinal=ordinal,
        sheets=LAYOUTS, cursor=cursor, total=count_tasks(query, search) if ordinal or last else len(rows),
    )  # fmt: skip


def period(search: Search) -> dict:
    return {"state": search.state, "since": search.from_moment, "until": search.to_moment}


def count_tasks(query, search: Search) -> int:
    return len(page_of_tasks(query, None, orders.EXACT, **period(search)))


def read_cursor(text: str) -> tuple[int, tuple | None]:
    """(rows shown before, keyset); a cursor that is none begins at the top."""
    try:
        ordinal, moment, row_id = text.split("|")
        return int(ordinal), (datetime.fromisoformat(moment).astimezone(UTC), UUID(row_id))
    except (ValueError, OverflowError):
        return 0, None


@bp.get("/template")
@page(None, "模板下载", NEEDS)
def download_template():
    name = request.args.get("layout", "declaration")
    if name not in LAYOUTS:
        abort(404)
    title = f"{LAYOUTS[name].title}模板.xlsx"
    return send_file(io.BytesIO(template_book(name)), XLSX, as_attachment=True, download_name=title)


def task_form(typed=None) -> TaskForm:
    principal = access.current()
    company = principal.enterprise_id, principal.code
    found = strategies_of(*company, enabled=True)
    options = [(str(row.id), f"{row.name}（{MODES[row.mode].title}）") for row in found]
    suggested = {"wrong_rows": "skip"} | ({"strategy": options[0][0]} if len(options) == 1 else {})
    case = page_case(
        strategies=options, find_client=partial(client_numbered, *company),
        clients=page_of_clients(clients_query(*company, enabled=True), None, MOST_CLIENTS),
    )  # fmt: skip
    return TaskForm(case, "task", typed, suggested=suggested)


@bp.get("/tasks/new")
@page("8011", "创建申报任务", EDIT_NEEDS)
def start_task():
    return show_task_form(task_form())


@bp.post("/tasks/new")
@page("8011", "创建申报任务", EDIT_NEEDS)
def add_task():
    form = task_form(typed_fields())
    problems = form.check()
    file = take_file()
    if problems or file.sentence:
        return show_task_form(form, [*problems, *file.problems("task")], file)
    task = tasks.create_task(form.values["client_number"], form.values["strategy"], access.current())
    whole = form.values["wrong_rows"] == "whole"
    started = importing.start_import(task, file.row, access.current(), whole=whole)
    session.commit()
    return redirect(url_for("exports.show_import", id=started.id), 303)


def show_task_form(form, problems=(), file=None):
    return show_here("task_form.html", form=form, problems=summary_of(problems), chosen=file, sheets=LAYOUTS)


@dataclass(frozen=True)
class Chosen:
    """The file that came with a form: its row, or the sentence against it. `is_kept`: one more press takes it as it is."""

    row: StoredFile | None
    sentence: Sentence | None = None

    @property
    def is_kept(self) -> bool:
        return self.row is not None and self.sentence is not None

    def problems(self, place: str) -> list[Problem]:
        return [Problem(f"{place}/file", self.sentence.number, self.sentence)] if self.sentence else []


def take_file() -> Chosen:
    """A file that was imported before is kept and told; it is taken when the form comes a second time with its id."""
    upload, principal = request.files.get("file"), access.current()
    if not (upload and upload.filename):
        kept = importing.kept_upload(request.form.get("kept", ""), principal)
        return Chosen(kept, None if kept else Sentence("90671", "请选择要导入的文件（.xlsx或.csv）"))
    try:
        row = importing.keep_upload(upload, principal)
    except FileRefused as refused:
        session.rollback()
        return Chosen(None, refused.sentence)
    earlier = same_file(principal.enterprise_id, principal.code, row.sha256)
    session.commit()
    return Chosen(row, earlier and told(earlier))


def told(earlier: Import) -> Sentence:
    words = "这个文件{who}在{when}已经导入过（任务{task}）。真要再导入一次，请再点一次「导入」；传错了就重新选文件"
    when = f"{clock.local(earlier.created_at):%Y-%m-%d %H:%M}"
    return Sentence("90845", words, who=earlier.created_by, when=when, task=earlier.task.number)


@bp.get("/tasks/<uuid:id>")
@page("8012", "数据详情页", NEEDS)
def show_task(id):
    task, after = get_task_or_404(id), request.args.get("after", 0, int)
    ordinal = request.args.get("n", 0, int)
    rows = orders.orders_of(task.id, after, ROWS + 1)
    newest = tasks.newest_import(task)
    return show_here(
        "task.html", task=task, rows=rows[:ROWS], ordinal=ordinal, modes=MODES, state=TASK_STATES[task.state],
        cursor=rows[ROWS - 1].place if len(rows) > ROWS else None, says=tasks.sentences_of(task, newest),
        newest=newest, imports=imports_of(task.id),
    )  # fmt: skip


@bp.get("/tasks/<uuid:id>/more")
@page("8014", "补充导入", EDIT_NEEDS)
def start_more(id):
    return show_more(get_task_or_404(id), page_form(MoreForm, "more", suggested={"wrong_rows": "skip"}))


@bp.post("/tasks/<uuid:id>/more")
@page("8014", "补充导入", EDIT_NEEDS)
def add_more(id):
    task, form = get_task_or_404(id), page_form(MoreForm, "more", posted=True)
    problems = form.check()
    file = take_file()
    if problems or file.sentence:
        return show_more(task, form, [*problems, *file.problems("more")], file)
    whole = form.values["wrong_rows"] == "whole"
    try:
        started = importing.start_import(task, file.row, access.current(), whole=whole)
    except importing.ImportRunning:
        session.rollback()
        file = Chosen(file.row, Sentence("90672", "这个任务还在导入上一个文件，请等它导完，或先停下"))
        return show_more(get_task_or_404(id), form, file.problems("more"), file)
    session.commit()
    return redirect(url_for("exports.show_import", id=started.id), 303)


def show_more(task, form, problems=(), file=None):
    return show_here(
        "more.html", task=task, form=form, problems=summary_of(problems), chosen=file,
        sheet=layout_of(task.strategy.mode), sheet_name=layout_name(task.strategy.mode),
    )  # fmt: skip


@bp.post("/tasks/<uuid:id>/generate")
@page("8016", "生成申报数据", EDIT_NEEDS)
def generate(id):
    task = get_task_or_404(id)
    if not task.order_count:
        flash("还没有订单，请先导入。")
    elif (newest := tasks.newest_import(task)) and newest.is_running:
        flash("文件还在导入，导完再点「生成申报数据」。")
    elif not task.is_generating:
        generating.start_generating(task, access.current().name)
        session.commit()
    return redirect(url_for("exports.show_task", id=id), 303)


@bp.get("/tasks/<uuid:id>/delete")
@page("8015", "删除申报任务", EDIT_NEEDS)
def confirm_delete(id):
    return show_here("task_delete.html", task=get_task_or_404(id), problem=None)


@bp.post("/tasks/<uuid:id>/delete")
@page("8015", "删除申报任务", EDIT_NEEDS)
def delete_task(id):
    task = get_task_or_404(id)
    try:
        tasks.delete_task(task, access.current())
    except tasks.CannotDelete as reason:
        session.rollback()
        return show_here("task_delete.html", task=get_task_or_404(id), problem=str(reason))
    session.commit()
    flash(f"任务{task.number}已删除。")
    return redirect(url_for("exports.list_tasks"), 303)


def get_import_or_404(id):
    principal = access.current()
    return get_or_404(find_import(principal.enterprise_id, principal.code, id))


@bp.get("/imports/<uuid:id>")
@page("8013", "导入结果", NEEDS)
def show_import(id):
    found = get_import_or_404(id)
    layout = layout_of(found.task.strategy.mode)
    heads = ["", *(f"{letter(place)} {title}" for place, title in enumerate(layout.titles))]
    return show_here(
        "import.html", found=found, task=found.task, problems=problems_of(found.id, MOST_PROBLEMS),
        total=count_problems(found.id), heads=heads, sheet=layout,
        sheet_name=layout_name(found.task.strategy.mode), file=find_file(found.file_id),
        seconds=max(1, int((clock.now() - found.created_at).total_seconds())),
    )  # fmt: skip


@bp.post("/imports/<uuid:id>/cancel")
@page(None, "停下导入", EDIT_NEEDS)
def cancel_import(id):
    found = get_import_or_404(id)
    if found.is_running:
        found.is_cancelled = True
        session.commit()
        flash("已让导入停下，这个文件存进去的会退回来。")
    return redirect(url_for("exports.show_import", id=id), 303)


@bp.get("/imports/<uuid:id>/report")
@page(None, "标出错误的表", NEEDS)
def download_report(id):
    return send_stored(get_import_or_404(id).report_id)


@bp.get("/imports/<uuid:id>/wrong-rows")
@page(None, "只有要改的行的表", NEEDS)
def download_wrong_rows(id):
    return send_stored(get_import_or_404(id).wrong_rows_id)


def send_stored(file_id: UUID | None) -> Response:
    file = find_file(get_or_404(file_id))
    answer = Response(stream_with_context(read_chunks(file)), mimetype=XLSX)
    name = {"filename*": f"UTF-8''{quote(file.name, safe='')}"}  # a header holds no Chinese as it stands
    answer.headers.set("Content-Disposition", "attachment", **name)
    return answer

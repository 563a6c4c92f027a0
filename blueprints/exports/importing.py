"""Import jobs: a workbook becomes orders of its task; wrong rows are kept with their reasons and given back coloured."""

import io
import json
from decimal import Decimal
from uuid import UUID

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill

from blueprints.common import clock
from blueprints.common.access import Principal
from blueprints.common.files import read_file, store_upload, write_bytes
from blueprints.common.history import record
from models import orders
from models.database import session
from models.exports import (
    DRAFT,
    Import,
    Task,
    forget_problems,
    lock_task,
    note_progress,
    problems_of,
    running_import,
)
from models.files import StoredFile, find_file
from models.queue import defer

from .checking import ORDER, SEPARATOR, WORDS, Found, RowProblem, check_rows
from .reading import COLUMNS, BookRefused, open_book

SIZE_LIMIT = 50 << 20
STEP = 10_000  # rows or orders between two notes of progress
ORDER_COLUMNS = "enterprise_id, customs_code, task_id, place, order_no, total, lines, changed_at, changed_by"
WRONG = PatternFill("solid", fgColor="F7C9C4")
MAX_COMMENTS = 20_000
MANY = 5_000  # orders of one import after which the database's statistics are taken anew


class ImportRunning(Exception):
    """The task is reading another workbook now."""


def start_import(task: Task, upload, principal: Principal) -> Import:
    """Keeps the file and defers the reading. Raises `FileRefused`, `ImportRunning`."""
    task = lock_task(task.id)
    if running_import(task.id):
        raise ImportRunning
    file = store_upload(upload, ("xlsx", "csv"), SIZE_LIMIT, enterprise_id=task.enterprise_id)
    session.flush()
    started = Import(task_id=task.id, file_id=file.id, created_at=clock.now(), created_by=principal.name)
    session.add(started)
    session.flush()
    record("导入订单", f"task:{task.id}", principal, file=str(file.id))
    small = 10 if file.size < 200_000 else 0
    defer("read_import", queue="imports", lock=f"task:{task.id}", priority=small, import_id=str(started.id))
    return started


def read_import(import_id: str) -> None:
    """Job. Run again after a crash it goes on: orders that it stored already are known by their content."""
    started = session.get(Import, UUID(import_id))
    if started is None or not started.is_running:
        return
    file = find_file(started.file_id)
    session.commit()
    found = _read(started, file)
    if found is None:
        return
    _keep_problems(started, found)
    _store(started, found)


def _read(started: Import, file: StoredFile) -> Found | None:
    """Reads and checks; None when the workbook was refused or the import cancelled."""
    try:
        book = open_book(read_file(file), file.kind)
    except BookRefused as refused:
        number, words = refused.sentence.number, str(refused.sentence)
        note_progress(started.id, state="refused", number=number, problem=words, ended_at=clock.now())
        session.commit()
        return None
    found = Found()
    note_progress(started.id, state="reading", rows=book.count, rows_read=0)
    session.commit()
    while check_rows(book, found, STEP):
        goes_on = note_progress(started.id, rows_read=found.rows)
        session.commit()
        if not goes_on:
            return _cancel(started)
    note_progress(started.id, state="storing", rows=found.rows, rows_read=found.rows)
    session.commit()
    return found


def _keep_problems(started: Import, found: Found) -> None:
    forget_problems(started.id)
    _copy_problems(started, found.problems)
    session.commit()


def _copy_problems(started: Import, problems: list[RowProblem]) -> None:
    rows = {(p.row, p.column): p for p in problems}
    columns = 'import_id, row, "column", number, value, cause, fix'
    values = (
        (started.id, p.row, p.column, WORDS[p.key][0], p.value.replace("\0", ""), p.cause, WORDS[p.key][2])
        for p in rows.values()
    )
    orders.copy_rows("import_problems", columns, values)


def _store(started: Import, found: Found) -> None:
    right = found.right_orders()
    known = 0
    for start in range(0, len(right), STEP):
        task = lock_task(started.task_id)
        chunk, problems, again = _sort_out(started, task, right[start : start + STEP])
        known += again
        if chunk:
            _copy_orders(started, task, chunk)
        _copy_problems(started, problems)
        found.problems += problems
        goes_on = note_progress(started.id, orders_known=known, first_place=started.first_place, rows_wrong=found.rows_wrong,
                                orders_stored=_stored_by(started))  # fmt: skip
        session.commit()
        if not goes_on:
            _cancel(started)
            return
    note_progress(started.id, state="done", rows_wrong=found.rows_wrong, ended_at=clock.now())
    if len(right) > MANY:
        orders.refresh_statistics()
    if found.problems:
        defer("make_report", queue="imports", import_id=str(started.id))
    session.commit()


def _sort_out(started: Import, task: Task, chunk: list) -> tuple[list, list[RowProblem], int]:
    """What of a chunk is new, what is wrong because the number is taken, how many are here already, unchanged."""
    chunk = [(number, row, [line.split(SEPARATOR) for line in lines]) for number, row, lines in chunk]
    orders.lock_order_numbers(task.enterprise_id, task.customs_code)
    held = orders.known_orders(task.enterprise_id, task.customs_code, [number for number, _, _ in chunk])
    if not held:
        return chunk, [], 0
    new, problems, again = [], [], 0
    for number, first_row, lines in chunk:
        if number not in held:
            new.append((number, first_row, lines))
            continue
        task_id, kept, place = held[number]
        if task_id == task.id and kept == lines:
            again += started.first_place is None or place < started.first_place
        else:
            problems.append(RowProblem(first_row, ORDER, "known", number))
    return new, problems, again


def _copy_orders(started: Import, task: Task, chunk: list) -> None:
    place, now = task.next_place, clock.now().isoformat()
    if started.first_place is None:
        started.first_place = place
    owner = (str(task.enterprise_id), task.customs_code, str(task.id))

    def rows():
        for number, (order_no, _, lines) in enumerate(chunk, place):
            total = lines[0][3] if len(lines) == 1 else str(sum(Decimal(line[3]) for line in lines))
            yield (*owner, number, order_no, total, json.dumps(lines, ensure_ascii=False), now, started.created_by)

    orders.copy_rows("export_orders", ORDER_COLUMNS, rows())
    task.next_place += len(chunk)
    task.order_count += len(chunk)
    task.state, task.problem, task.changed_at, task.changed_by = DRAFT, "", clock.now(), started.created_by
    session.flush()


def _stored_by(started: Import) -> int:
    if started.first_place is None:
        return 0
    return session.get(Task, started.task_id).next_place - started.first_place


def _cancel(started: Import) -> None:
    """Takes back what this import stored: the user asked to stop."""
    task = lock_task(started.task_id)
    if started.first_place is not None:
        gone = orders.delete_places(task.id, started.first_place, task.next_place)
        task.order_count -= gone
        task.next_place = started.first_place
    forget_problems(started.id)
    note_progress(started.id, state="cancelled", orders_stored=0, rows_wrong=0, ended_at=clock.now())
    session.commit()


def make_report(import_id: str) -> None:
    """Job: the user's own workbook, rebuilt from values, wrong cells coloured with the reason as comment."""
    started = session.get(Import, UUID(import_id))
    if started is None or started.report_id:
        return
    file = find_file(started.file_id)
    problems = {(p.row, p.column): f"{p.cause}。{p.fix}（编号{p.number}）" for p in problems_of(started.id)}
    session.commit()
    data = coloured_workbook(read_file(file), file.kind, problems)
    name = file.name.rpartition(".")[0] or file.name
    kept = write_bytes(data, f"{name}-要改的行.xlsx", "xlsx", enterprise_id=started.task.enterprise_id)
    session.flush()
    session.get(Import, started.id).report_id = kept.id
    session.commit()


def coloured_workbook(data: bytes, kind: str, problems: dict[tuple[int, int], str]) -> bytes:
    """`problems`: {(row, column): words}. All cells are text, so nothing in them is ever computed."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("报关单模式")
    for column, width in zip("ABCDEFG", (24, 18, 40, 12, 12, 12, 12), strict=True):
        sheet.column_dimensions[column].width = width
    sheet.append([_text_cell(sheet, title) for title in COLUMNS])
    wrong_rows = {row for row, _ in problems}
    comments = 0
    for number, cells in open_book(data, kind).rows:
        values = [_text_cell(sheet, cell) for cell in list(cells[:7]) + [""] * (7 - len(cells))]
        for column in range(1, 8) if number in wrong_rows else ():
            if (number, column) in problems:
                values[column - 1].fill = WRONG
                if comments < MAX_COMMENTS:
                    values[column - 1].comment = Comment(problems[number, column], "申报系统", 90, 260)
                    comments += 1
        sheet.append(values)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def _text_cell(sheet, value) -> WriteOnlyCell:
    text = value if isinstance(value, str) else "" if value is None else _plain(value)
    cell = WriteOnlyCell(sheet, "".join(letter for letter in text if letter >= " " or letter in "\t\n"))
    cell.data_type, cell.number_format = "s", "@"
    return cell


def _plain(value) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)

"""Import jobs: a workbook becomes documents of its task; wrong rows are kept with their reasons and given back coloured."""

import json
import time
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

from werkzeug.datastructures import FileStorage

from blueprints.common import clock
from blueprints.common.access import Principal
from blueprints.common.files import FileRefused, read_file, store_upload, write_bytes
from blueprints.common.history import record
from blueprints.common.numbers import Sentence
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
from models.imports import copy_new, held_documents, take_back
from models.queue import defer

from .checking import ORDER, Found, RowProblem, check_rows
from .columns import SEPARATOR, WORDS, Layout, layout_of
from .reading import BookRefused, open_book
from .report_book import plain_text, report_books

SIZE_LIMIT = 50 << 20
KINDS = ("xlsx", "csv")
LOOK = 2_000  # rows between two looks at the clock
OFTEN = 1.0  # seconds between two notes of progress
STEP = 5_000  # documents stored in one transaction
BLOCK = 500  # of them sent at once, so that the database works while the next are written
COLUMNS = "enterprise_id, customs_code, task_id, kind, changed_at, changed_by, place, order_no, total, lines, data"
MANY = 5_000  # orders of one import after which the database's statistics are taken anew


class ImportRunning(Exception):
    """The task is reading another workbook now."""


def keep_upload(upload: FileStorage, principal: Principal) -> StoredFile:
    """Raises `FileRefused`; nothing is kept then."""
    _refuse_by_kind(upload)
    return store_upload(upload, KINDS, SIZE_LIMIT, enterprise_id=principal.enterprise_id)


def _refuse_by_kind(upload: FileStorage) -> None:
    """What people try often is told in its own words; all else by `store_upload`."""
    head, ending = upload.stream.read(8), upload.filename.rpartition(".")[2].lower()
    upload.stream.seek(0)
    if head == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        words = "文件「{name}」是旧的.xls格式或者加了密码，请用Excel另存为.xlsx，不要加密码，再传"
        raise FileRefused(Sentence("90848", words, name=upload.filename))
    if ending in ("xlsm", "xltm") or (head.startswith(b"PK") and _has_macros(upload)):
        raise FileRefused(
            Sentence("90847", "文件「{name}」里带有宏，不收；请用Excel另存为.xlsx再传", name=upload.filename)
        )


def _has_macros(upload: FileStorage) -> bool:
    try:
        with zipfile.ZipFile(upload.stream) as archive:
            return any("vbaproject" in name.lower() for name in archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return False  # told as what it is by those who read it
    finally:
        upload.stream.seek(0)


def kept_upload(text: str, principal: Principal) -> StoredFile | None:
    """A file that this company uploaded before, by its id."""
    try:
        file = find_file(UUID(text))
    except ValueError:
        return None
    is_own = file and file.enterprise_id == principal.enterprise_id and file.document_id is None and file.kind in KINDS
    return file if is_own else None


def start_import(task: Task, upload: FileStorage | StoredFile, principal: Principal, *, whole: bool = False) -> Import:
    """Keeps the file and defers the reading. `whole`: one wrong row and nothing is stored.

    Raises `FileRefused`, `ImportRunning`.
    """
    task = lock_task(task.id)
    if running_import(task.id):
        raise ImportRunning
    file = upload if isinstance(upload, StoredFile) else keep_upload(upload, principal)
    session.flush()
    started = Import(
        task_id=task.id, file_id=file.id, is_whole=whole, created_at=clock.now(), created_by=principal.name
    )
    session.add(started)
    session.flush()
    record("导入订单", f"task:{task.id}", principal, file=str(file.id), whole=whole)
    small = 10 if file.size < 200_000 else 0
    defer("read_import", queue="imports", lock=f"task:{task.id}", priority=small, import_id=str(started.id))
    return started


def read_import(import_id: str) -> None:
    """Job. Run again after a crash it goes on: orders that it stored already are known by their content."""
    started = session.get(Import, UUID(import_id))
    if started is None or not started.is_running:
        return
    file, layout = find_file(started.file_id), layout_of(started.task.strategy.mode)
    found = _read(started, file, layout)
    if found is None:
        return
    right = found.right_orders()
    if started.is_whole:
        found.problems += _taken(started, found, right, layout)
    forget_problems(started.id)
    _copy_problems(started, found.problems)
    session.commit()
    if started.is_whole and found.problems:
        _refuse_whole(started, found, layout)
    else:
        _store(started, found, right, layout)


def _read(started: Import, file: StoredFile, layout: Layout) -> Found | None:
    """Reads and checks; None when the workbook was refused or the import cancelled."""
    note_progress(started.id, state="reading", rows=0, rows_read=0)
    session.commit()
    found, noted = Found(), time.monotonic()
    try:
        book = open_book(read_file(file), file.kind, layout)
        goes_on = note_progress(started.id, rows=book.count, hidden=plain_text("、".join(book.hidden))[:500])
        session.commit()
        while goes_on and check_rows(book, found, LOOK):
            if time.monotonic() - noted >= OFTEN:
                noted, goes_on = time.monotonic(), note_progress(started.id, rows_read=found.rows)
                session.commit()
    except BookRefused as refused:
        session.rollback()
        _end(started, "refused", number=refused.sentence.number, problem=str(refused.sentence))
        return None
    if not note_progress(started.id, state="storing", rows=found.rows, rows_read=found.rows) or not goes_on:
        _cancel(started, layout)
        return None
    session.commit()
    return found


def _end(started: Import, state: str, **values) -> None:
    note_progress(started.id, state=state, ended_at=clock.now(), **values)
    session.commit()


def _copy_problems(started: Import, problems: list[RowProblem]) -> None:
    rows, import_id = {(p.row, p.column): p for p in problems}, started.id  # loaded before COPY has the connection
    columns = 'import_id, row, "column", number, value, cause, fix'
    values = (
        (import_id, p.row, p.column, WORDS[p.key][0], plain_text(p.value), p.cause, WORDS[p.key][2])
        for p in rows.values()
    )
    orders.copy_rows("import_problems", columns, values)


def _taken(started: Import, found: Found, right: list, layout: Layout) -> list[RowProblem]:
    """Of all the right ones, those whose number is taken."""
    problems = []
    orders.refresh_statistics()
    for start in range(0, len(right), STEP):
        problems += _sort_out(started, started.task, found, right[start : start + STEP], layout)[1]
    session.commit()
    return problems


def _store(started: Import, found: Found, right: list, layout: Layout) -> None:
    known, is_known = 0, False
    for start in range(0, len(right), STEP):
        task, chunk, problems, again = lock_task(started.task_id), right[start : start + STEP], [], 0
        orders.lock_order_numbers(task.enterprise_id, task.customs_code)
        if not _copy_documents(started, task, found, chunk, layout):  # most are new: the index itself is asked first
            if not is_known and len(right) > MANY:
                orders.refresh_statistics()
            is_known = True
            chunk, problems, again = _sort_out(started, task, found, chunk, layout)
            if not (started.is_whole and problems):
                _copy_documents(started, task, found, chunk, layout)
        if started.is_whole and problems:  # somebody took a number since it was looked at
            found.problems += problems
            session.rollback()
            _copy_problems(started, problems)
            _refuse_whole(started, found, layout)
            return
        known += again
        _copy_problems(started, problems)
        found.problems += problems
        goes_on = note_progress(started.id, orders_known=known, first_place=started.first_place, rows_wrong=found.rows_wrong,
                                orders_stored=started.orders_stored + len(chunk))  # fmt: skip
        session.commit()
        if not goes_on:
            _cancel(started, layout)
            return
    _finish(started, found, right, layout)


def _finish(started: Import, found: Found, right: list, layout: Layout) -> None:
    if not note_progress(started.id, state="done", rows_wrong=found.rows_wrong, ended_at=clock.now()):
        _cancel(started, layout)
        return
    if len(right) > MANY:
        orders.refresh_statistics()
    if found.problems:
        defer("make_report", queue="imports", import_id=str(started.id))
    session.commit()


def _sort_out(started: Import, task: Task, found: Found, chunk: list, layout: Layout):
    """What of a chunk is new, what is wrong because its number is taken, how many are here already, unchanged."""
    numbers = [number for number, _, _ in chunk]
    held = held_documents(task.enterprise_id, task.customs_code, layout.kind, numbers)
    if not held:
        return chunk, [], 0
    new, problems, again = [], [], 0
    for number, first_row, lines in chunk:
        if number not in held:
            new.append((number, first_row, lines))
            continue
        kept = held[number]
        is_same = kept.lines == [line.split(SEPARATOR) for line in lines]
        if kept.task_id == task.id and is_same and kept.data == layout.data_of(found.heads.get(number, "")):
            again += started.first_place is None or kept.place < started.first_place
        else:
            problems.append(RowProblem(first_row, ORDER, "known", number))
    return new, problems, again


def _copy_documents(started: Import, task: Task, found: Found, chunk: list, layout: Layout) -> bool:
    """False, and none stored, where the number of one is taken."""
    place, now = task.next_place, clock.now()
    owner = "\t".join(map(_copied, (str(task.enterprise_id), task.customs_code, str(task.id), layout.kind, now.isoformat(),
                                    started.created_by)))  # fmt: skip
    if not copy_new("export_orders", COLUMNS, _blocks(owner, place, found, chunk, layout)):
        return False
    if chunk:
        started.first_place = place if started.first_place is None else started.first_place
        task.next_place += len(chunk)
        task.order_count += len(chunk)
        task.state, task.problem, task.changed_at, task.changed_by = DRAFT, "", now, started.created_by
        session.flush()
    return True


def _blocks(owner: str, place: int, found: Found, chunk: list, layout: Layout) -> Iterator[str]:
    """Documents in COPY's own form, `BLOCK` of them in a text."""
    heads, has_head = found.heads, bool(layout.head_places)
    for start in range(0, len(chunk), BLOCK):
        rows = []
        for number, (order_no, _, lines) in enumerate(chunk[start : start + BLOCK], place + start):
            data = _copied(_as_json(layout.data_of(heads[order_no]))) if has_head else "{}"
            rows.append(f"{owner}\t{number}\t{order_no}\t{_total(lines)}\t{_lines(lines)}\t{data}\n")
        yield "".join(rows)


def _total(lines: list[str]) -> str:
    totals = [line.split(SEPARATOR, 4)[3] for line in lines]
    return totals[0] if len(totals) == 1 else str(sum(map(Decimal, totals)))


def _lines(lines: list[str]) -> str:
    """JSON of the lines' cells. They hold no control characters, so quotes and backslashes alone need more than joining."""
    joined = '"],["'.join(lines)
    if "\\" in joined or joined.count('"') > 2 * (len(lines) - 1):
        return _copied(_as_json([line.split(SEPARATOR) for line in lines]))
    cells = joined.replace(SEPARATOR, '","')
    return f'[["{cells}"]]' if lines else "[]"


def _as_json(value) -> str:
    return json.dumps(value, ensure_ascii=False)


def _copied(text: str) -> str:
    """As COPY's text form takes it; there is no tab and no line end in what was checked."""
    return text.replace("\\", "\\\\")


def _take_back(started: Import, layout: Layout) -> None:
    if started.first_place is not None:
        task = lock_task(started.task_id)
        task.order_count -= take_back(task.id, layout.kind, started.first_place)


def _cancel(started: Import, layout: Layout) -> None:
    """Takes back what this import stored: the user asked to stop."""
    _take_back(started, layout)
    forget_problems(started.id)
    _end(started, "cancelled", orders_stored=0, rows_wrong=0)


def _refuse_whole(started: Import, found: Found, layout: Layout) -> None:
    """All or nothing was asked for, so it is nothing."""
    _take_back(started, layout)
    wrong = found.rows_wrong
    says = Sentence("90846", "有{count}行要改，照您选的，一单都没有存；改好以后再传一次", count=wrong)
    defer("make_report", queue="imports", import_id=str(started.id))
    _end(started, "refused", number=says.number, problem=str(says), orders_stored=0, rows_wrong=wrong)


def make_report(import_id: str) -> None:
    """Job: the user's own workbook with its wrong cells coloured and their reasons as comments, and only its wrong rows."""
    started = session.get(Import, UUID(import_id))
    if started is None or started.report_id:
        return
    file, layout = find_file(started.file_id), layout_of(started.task.strategy.mode)
    problems = {(p.row, p.column): f"{p.cause}。{p.fix}（编号{p.number}）" for p in problems_of(started.id)}
    session.commit()
    whole, wrong = report_books(read_file(file), file.kind, problems, layout)
    name, owner = file.name.rpartition(".")[0] or file.name, {"enterprise_id": started.task.enterprise_id}
    report = write_bytes(whole, f"{name}-标出错误.xlsx", "xlsx", **owner)
    rows = write_bytes(wrong, f"{name}-要改的行.xlsx", "xlsx", **owner)
    session.flush()
    started = session.get(Import, started.id)
    started.report_id, started.wrong_rows_id = report.id, rows.id
    session.commit()

"""What programs may do here over the API (area 83): the same checks, jobs and limits as on the pages."""

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID, uuid4

from werkzeug.datastructures import FileStorage

from blueprints.common import clock, programs
from blueprints.common.access import Principal
from blueprints.common.files import FileRefused
from blueprints.common.numbers import Sentence
from blueprints.common.programs import MOST_TROUBLES, Batch, Look, NotTaken, Trouble
from gateways.customs_dxp import envelope
from gateways.customs_dxp.messages.ceb303 import BadOrder
from models import orders, pushes
from models.export_clients import client_numbered
from models.exports import BLOCK, Import, Strategy, Task, running_import
from models.imports import held_documents
from models.orders import Order, Push
from models.programs import waiting_pushes

from . import generating, importing, pushing, receiving, signing, tasks
from .checking import ORDER, Found, RowProblem, check_rows
from .columns import SEPARATOR, WORDS, Layout, layout_of
from .forms import client_number_shape
from .kinds import Maker, build
from .modes import MODES
from .reading import Book, BookRefused, open_book

STEP = 10_000  # rows, or orders that the database is asked about at once


def columns(strategy: Strategy) -> tuple[str, ...]:
    """The keys of a row's cells, in the order of the workbook's columns; the first one is the document's number."""
    return tuple(column.key for column in layout_of(strategy.mode).columns)


def kind_of(task: Task) -> str:
    return MODES[task.strategy.mode].kind


def look(principal: Principal, strategy: Strategy, task: Task | None, batch: Batch, deep: bool = False) -> Look:
    """Checks all and keeps nothing; `deep`: the messages of the documents are made too. Raises `NotTaken`."""
    found, layout = Found(), layout_of(strategy.mode)
    try:
        book = _book(batch, layout)
        while check_rows(book, found, STEP):
            pass
    except BookRefused as refused:
        raise NotTaken(422, refused.sentence) from refused
    right = found.right_orders()
    known = list(_known(principal, task, found, right, layout))
    taken = {problem.value for problem in known}
    right = [each for each in right if each[0] not in taken]
    numbers = {number for number, _, _ in right}
    troubles = sorted(found.problems + known, key=lambda problem: (problem.row, problem.column))
    return Look(
        len(right), [row for row in batch.rows if row[0].strip() in numbers],
        [_trouble(each, layout) for each in troubles[:MOST_TROUBLES]], len(troubles),
        _blocked(strategy, principal, found, right) if deep else [],
    )  # fmt: skip


def _book(batch: Batch, layout: Layout) -> Book:
    if batch.kind:
        return open_book(batch.data, batch.kind, layout)
    return Book(len(batch.rows), enumerate(batch.rows), layout=layout)


def _known(principal: Principal, task: Task | None, found: Found, right: list, layout: Layout) -> Iterator[RowProblem]:
    """Numbers that are in the house already; the same document in the same task is none of them."""
    for start in range(0, len(right), STEP):
        step = right[start : start + STEP]
        numbers = [number for number, _, _ in step]
        held = held_documents(principal.enterprise_id, principal.code, layout.kind, numbers)
        for number, row, lines in step:
            if number in held:
                kept = held[number]
                given = [line.split(SEPARATOR) for line in lines], layout.data_of(found.heads.get(number, ""))
                if task is None or (kept.task_id, kept.lines, kept.data) != (task.id, *given):
                    yield RowProblem(row, ORDER, "known", number)


def _trouble(problem: RowProblem, layout: Layout) -> Trouble:
    number, cause, fix = WORDS[problem.key]
    return Trouble(problem.row, layout.columns[problem.column - 1].key, number, problem.value, cause, fix)


def _blocked(strategy: Strategy, principal: Principal, found: Found, right: list) -> list[str]:
    """Why the right ones could not be declared today."""
    problems = generating.problems_of_strategy(strategy, principal.code)
    try:
        _make_messages(strategy, found, right)
    except BadOrder as error:
        problems.append(f"订单{error.number}的内容海关不收（{error.element}），请改好再传")
    return problems


def _make_messages(strategy: Strategy, found: Found, right: list) -> None:
    """Only to see whether they can be made. Raises `BadOrder`."""
    now, kind, layout = clock.local(clock.now()), MODES[strategy.mode].kind, layout_of(strategy.mode)
    maker = Maker(strategy, f"{now:%Y%m%d%H%M%S}", f"{now:%Y%m%d}")
    for start in range(0, len(right), BLOCK):
        step = enumerate(right[start : start + BLOCK], 1)
        build(kind, [_raw(place, *each, kind, layout.data_of(found.heads.get(each[0], ""))) for place, each in step], maker, str(uuid4()).upper())  # fmt: skip


def _raw(place: int, number: str, row: int, lines: list[str], kind: str, head: dict) -> tuple:
    """As `models.orders.raw_orders` would give it."""
    cells = [line.split(SEPARATOR) for line in lines]
    return uuid4(), place, number, sum((Decimal(line[3]) for line in cells), Decimal(0)), cells, kind, 1, head


def open_task(principal: Principal, strategy: Strategy, client_number: str) -> Task:
    """Raises `NotTaken`."""
    if not client_number_shape.holds(client_number):
        raise NotTaken(422, client_number_shape.sentence)
    client = client_numbered(principal.enterprise_id, principal.code, client_number)
    if client and not client.is_enabled:
        words = "客户{number}已停用，请先在“客户资料维护”里启用，或换一个"
        raise NotTaken(422, Sentence("90811", words, number=client.number))
    if not strategy.is_enabled:
        raise NotTaken(422, Sentence("90865", "业务策略{number}已停用，请先启用，或换一个", number=strategy.number))
    return tasks.create_task(client_number, str(strategy.id), principal)


def take(principal: Principal, task: Task, batch: Batch, whole: bool) -> Import:
    """Keeps what came and defers the reading, as an upload on the page does. Raises `NotTaken`."""
    data = batch.data if batch.kind else _as_csv(batch.rows, layout_of(task.strategy.mode))
    try:
        return importing.start_import(task, FileStorage(io.BytesIO(data), batch.name), principal, whole=whole)
    except FileRefused as refused:
        raise NotTaken(422, refused.sentence) from refused
    except importing.ImportRunning as running:
        raise NotTaken(409, Sentence("90672", "这个任务还在导入上一个文件，请等它导完，或先停下")) from running


def _as_csv(rows: list[list[str]], layout: Layout) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([layout.titles, *rows])
    return out.getvalue().encode()


def generate(principal: Principal, task: Task) -> None:
    """Raises `NotTaken`."""
    if running_import(task.id):
        raise NotTaken(409, Sentence("90876", "任务{number}还在导入，请等它导完再生成申报数据", number=task.number))
    if not task.order_count:
        raise NotTaken(409, Sentence("90876", "任务{number}还没有订单，请先导入", number=task.number))
    if not task.is_generating:
        generating.start_generating(task, principal.name)


def push(principal: Principal, task: Task, kind: str) -> tuple[Push, bool]:
    """(the push, whether it is signed without a card). Asked again while a card is awaited it is the same push.

    Commits once before messages are made anew. Raises `NotTaken`.
    """
    query = orders.declared_orders(principal.enterprise_id, principal.code, kind).where(Order.task_id == task.id)
    before = waiting_pushes(query)
    try:
        if len(before) == 1 and None not in before:
            found = pushes.find_push(principal.enterprise_id, principal.code, before.pop())
        else:
            found = pushing.start_push(query, principal, kind)
    except pushing.NothingToPush as nothing:
        raise NotTaken(409, nothing.sentence) from nothing
    return found, signing.sign_by_itself(found, principal.name)


def guids_in(content: bytes) -> list[UUID] | None:
    """The documents that a file of customs speaks of; None where it holds no receipts that can be read."""
    try:
        parsed = envelope.parse(content)
        found, _ = receiving.read_receipts(parsed.data) if isinstance(parsed, envelope.DxpMsg) else ([], [])
    except (envelope.BadEnvelope, receiving.ceb304.BadReceipt):
        return None
    return [UUID(row[0]) for row in found] or None


programs.offer(programs.Exports(columns, kind_of, look, open_task, take, generate, push, guids_in))

"""Orders of the demonstration in every state (①), two open tasks (③) and a locked account (⑩).

Tasks, imports, messages, pushes and receipts are made by the portal's own functions on the clock of that hour; the
receipts are customs' bytes, read as any others. Only the signature is missing: no card can sign while data is seeded.
So `signed` stays empty, and what is said of the signing and the sending is written here. Such a message goes from
unsigned to sent in one transaction; the worker takes only what is ready or sending, and a message without signed bytes
is never sent again. Customs has not seen them: its counters and the customs folder stay as they are.
"""

import hashlib
import io
from datetime import datetime, timedelta
from uuid import UUID

from werkzeug.datastructures import FileStorage

from blueprints.auth.services import BY_ACCOUNT, strangers
from blueprints.common import clock
from blueprints.common.access import Principal
from blueprints.exports import generating, importing, pushing, receiving, tasks
from models import orders, pushes, receipts
from models.accounts import User, find_user
from models.database import session
from models.exports import Strategy, Task, strategies_of
from models.orders import Order
from sandbox.customs import envelope
from sandbox.customs.kinds import KINDS
from sandbox.downloads import BAD, GOOD, workbook

SIGNED_BY = "周一诺 8600000000101"  # ①的法人卡
TAKEN = (3, "发送海关成功")
STORED = (120, "海关入库")
SILENT = {"DEMO101": (), "DEMO102": (TAKEN,)}
ANSWERED = {
    "DEMO103": (TAKEN, STORED),
    "DEMO104": (TAKEN, STORED, (399, "海关审结")),
    "DEMO105": (TAKEN, (100, "商品名称与商品货号不符，请核对后重新申报")),
    "DEMO106": ((-301010, "已存在相同编号的订单"),),
    "DEMO107": (TAKEN, STORED),
}
TWICE = "DEMO107"  # customs sent its last receipt in two files


def add_orders() -> None:
    """What ① has declared and has not; the push that waits for customs is older than the one that is over."""
    exporter = principal_of(find_user("demo01"))
    strategy = strategy_of(exporter, "9710-1")
    declare(exporter, strategy, SILENT, minutes=130)
    declare(exporter, strategy, ANSWERED, minutes=60)
    with ago(minutes=20):
        generate(import_rows(exporter, strategy, numbered("DEMO005", "DEMO006", "DEMO007")))


def add_open_tasks() -> None:
    """③ under its old code: one task with wrong rows, one whose declaration data cannot be made."""
    company = principal_of(find_user("demo03"))
    with ago(days=2):
        import_rows(company, strategy_of(company, "9810-1"), BAD)
    stopped = strategy_of(company, "9810-2")
    with ago(days=1):
        task = import_rows(company, stopped, numbered("OLD001", "OLD002", "OLD003"))
        stopped.is_enabled = False
        generate(task)


def lock_account(name: str = "demo10") -> None:
    """As many wrong passwords as it takes, just now: the login says how many minutes it waits."""
    for _ in range(BY_ACCOUNT.count + 4):  # each past the fifth doubles the wait, up to 15 minutes
        BY_ACCOUNT.add(strangers(name))
    session.commit()


def ago(**span):
    return clock.stopped_at(clock.now() - timedelta(**span))


def principal_of(user: User) -> Principal:
    company = user.enterprise
    return Principal(user.id, user.shown_name, user.role, company.id, company.name, company.uscc, company.active_code)


def strategy_of(principal: Principal, number: str) -> Strategy:
    return strategies_of(principal.enterprise_id, principal.code, "number", number)[0]


def numbered(*numbers: str) -> list[tuple]:
    """The goods of the sandbox's good workbook, one row to an order."""
    return [(number, *GOOD[index % len(GOOD)][1:]) for index, number in enumerate(numbers)]


def import_rows(principal: Principal, strategy: Strategy, rows) -> Task:
    task = tasks.create_task("demo", str(strategy.id), principal)
    upload = FileStorage(io.BytesIO(workbook(rows)), f"{task.number}.xlsx")
    started = importing.start_import(task, upload, principal)
    importing.read_import(str(started.id))
    return task


def generate(task: Task) -> None:
    generating.generate_task(str(task.id))


def declare(principal: Principal, strategy: Strategy, answers: dict, *, minutes: int) -> None:
    """Imported so many minutes ago, generated, pushed, and answered by customs as `answers` says for each order."""
    with ago(minutes=minutes):
        task = import_rows(principal, strategy, numbered(*answers))
        generate(task)
        push_unsigned(principal, task)
        sent_at = clock.now()
    numbers = {order.order_no: order for order in orders.orders_of(task.id)}
    for stage in range(max(map(len, answers.values()))):
        said = {numbers[number]: rows[stage] for number, rows in answers.items() if len(rows) > stage}
        hear(principal.enterprise_id, strategy, said, sent_at + timedelta(minutes=2 + 10 * stage))
    if TWICE in answers:
        said = {numbers[TWICE]: answers[TWICE][-1]}
        hear(principal.enterprise_id, strategy, said, sent_at + timedelta(minutes=10 * len(answers[TWICE]) - 8))


def push_unsigned(principal: Principal, task: Task) -> None:
    """One transaction: nobody ever sees the messages on their way."""
    query = orders.declared_orders(principal.enterprise_id, principal.code).where(Order.task_id == task.id)
    push, now = pushing.start_push(query, principal), clock.now()
    for message in pushes.messages_of_push(push.id):
        message.signed_at, message.signed_by, message.state = now, SIGNED_BY, "ready"
    session.flush()
    pushes.mark_sent(pushes.take_ready(push.id, now, pushing.MOST_MESSAGES), now)
    session.commit()


def hear(enterprise_id: UUID, strategy: Strategy, said: dict[Order, tuple[int, str]], moment: datetime) -> None:
    """One file of customs comes at `moment`, is stored as it is, and read a little later."""
    seller, platform = strategy.seller.customs_code, strategy.platform.customs_code
    time = envelope.return_time(moment.timestamp())
    rows = [(o.guid, (platform, seller, o.order_no), status, time, words) for o, (status, words) in said.items()]
    name, content = envelope.receipt(KINDS["303"], rows, strategy.seller.dxp_id)
    receipts.keep_files(enterprise_id, [(name, hashlib.sha256(content).digest(), content)], moment)
    with clock.stopped_at(moment + 2 * receiving.LEFT_OVER):
        receiving.read_left_over()

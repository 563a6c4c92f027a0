"""申报任务: made, emptied, deleted; the list's query and what a task's page says."""

from uuid import UUID

from blueprints.common import clock
from blueprints.common.access import Principal
from blueprints.common.history import record
from models import companions, orders, pushes
from models.database import session
from models.documents import next_serial
from models.exports import (
    BLOCK,
    FAILED,
    GENERATED,
    Import,
    Task,
    delete_imports,
    imports_of,
    lock_task,
    running_import,
    task_ids_by,
    tasks_query,
)

from .base import Search
from .modes import MODES


class CannotDelete(Exception):
    """The text says why."""


def create_task(client_number: str, strategy_id: str, principal: Principal) -> Task:
    """任务编号 = 客户编号 + yyyyMMdd + 3-digit serial of that client and day, without gaps."""
    start = f"{client_number}{clock.today():%Y%m%d}"
    serial = next_serial(f"task {principal.enterprise_id} {start}")
    now = clock.now()
    task = Task(
        enterprise_id=principal.enterprise_id, customs_code=principal.code, number=f"{start}{serial:03d}",
        client_number=client_number, strategy_id=UUID(strategy_id), user_id=principal.user_id, created_at=now,
        changed_at=now, changed_by=principal.name,
    )  # fmt: skip
    session.add(task)
    session.flush()
    record("创建申报任务", f"task:{task.id}", principal, number=task.number)
    return task


def find_tasks(principal: Principal, search: Search):
    query = tasks_query(principal.enterprise_id, principal.code)
    if not search.text:
        return query
    if search.scope == "order":
        found = orders.tasks_with_order(principal.enterprise_id, principal.code, search.text)
    else:
        found = task_ids_by(principal.enterprise_id, principal.code, search.scope, search.text)
    return query.where(Task.id.in_(found))


def delete_task(task: Task, principal: Principal) -> None:
    """Only while nothing of it was signed: what customs may know is never forgotten. Raises `CannotDelete`."""
    task = lock_task(task.id)
    if running_import(task.id) or task.is_generating:
        raise CannotDelete("这个任务还在导入或生成，请等它做完，或先停下")
    if pushes.is_declared(task.id):
        raise CannotDelete("这个任务里有订单已经推送，不能整个删除；待推送的可以在数据申报管理里删")
    orders.delete_task_rows(task.id)
    delete_imports(task.id)
    session.delete(task)
    record("删除申报任务", f"task:{task.id}", principal, number=task.number)
    session.flush()


def delete_orders(query, principal: Principal) -> tuple[int, list[UUID]]:
    """Deletes those that wait or failed; gives how many, and the tasks whose messages must be made anew."""
    rows = [row for row in session.execute(query) if row.state in (orders.WAITING, orders.FAILED)]
    rows = [row for row in rows if row.state == orders.FAILED or row.Message.state == "unsigned"]
    unsigned = {row.Message.id for row in rows if row.Message.state == "unsigned"}
    if unsigned:
        from .pushing import take_apart

        take_apart(list(unsigned))
    for task_id in {row.Order.task_id for row in rows}:
        task = lock_task(task_id)
        gone = [row.Order for row in rows if row.Order.task_id == task_id]
        orders.delete_orders(companions.companions_of([order.id for order in gone]) + [order.id for order in gone])
        own = sum(order.kind == MODES[task.strategy.mode].kind and order.app_type == 1 for order in gone)
        task.order_count -= own
        task.generated_count -= own
        record("删除订单", f"task:{task_id}", principal, orders=len(gone))
    session.flush()
    return len(rows), sorted({row.Order.task_id for row in rows if row.Message.id in unsigned})


def sentences_of(task: Task, newest: Import | None) -> list[tuple[str, str, str]]:
    """Where the task stands, who acts next: (icon, tone, words)."""
    says = []
    if newest and newest.is_running:
        said = f"正在导入，已经存好{newest.orders_stored}单。导完再生成申报数据，关掉这一页也会接着导。"
        return [("pencil", "todo", said)]
    if newest and newest.state == "refused":
        says.append(("warn", "bad", f"文件没有导入：{newest.problem}"))
    elif newest and newest.rows_wrong:
        says.append(("warn", "bad", f"有{newest.rows_wrong}行要改，对的订单已经存好，改好后点「补充导入」。"))
    if task.is_generating:
        made, wanted = pushes.count_messages(task.id), max(1, -(-task.order_count // BLOCK))
        says.append(("pencil", "todo", f"正在生成申报数据，{made}份报文，一共约{wanted}份。关掉这一页也会接着做。"))
    elif task.state == FAILED:
        says.append(("warn", "bad", f"申报数据生成失败：{task.problem}。"))
    elif task.state == GENERATED:
        says.append(("tick", "ok", f"{task.generated_count}单的申报数据已生成，下一步：到「数据申报管理」推送。"))
    elif task.order_count:
        says.append(("tick", "ok", f"已存好{task.order_count}单，轮到您了：核对后点「生成申报数据」。"))
    else:
        says.append(("pencil", "todo", "还没有订单，请点「补充导入」选文件。"))
    return says


def newest_import(task: Task) -> Import | None:
    return next(iter(imports_of(task.id)), None)


def total_words(count: int) -> str:
    return f"{orders.EXACT}以上" if count > orders.EXACT else str(count)

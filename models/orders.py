"""Orders (订单, for 出口海外仓 订仓单), the customs messages they are declared in, and pushes (推送) of messages.

An order's place in its task says which message holds it: the one of the same block of 100 whose places span it. So
making messages changes no order, and until a receipt comes an order's state *is* its message's.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    UniqueConstraint,
    and_,
    case,
    delete,
    func,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .database import Base, Row, session
from .exports import BLOCK, Strategy, Task
from .types import Fixed, UtcDateTime

WAITING, DECLARING, SUCCESS, FAILED = "waiting", "declaring", "success", "failed"  # 待推送 申报中 成功 失败
DELETED = "deleted"  # customs has taken the 删除 of it
ORDER, PAYMENT, WAYBILL, LIST, CANCELLATION, BILL, SUMMARY = "303", "403", "505", "603", "605", "607", "701"
REFUND = "213"
DOCUMENT_KINDS = (ORDER, PAYMENT, WAYBILL, LIST, CANCELLATION, BILL, SUMMARY, REFUND)
CONCLUDED = 399  # 海关审结
EXACT = 10_000  # list totals are counted up to here


class Order(Base):
    """One business document (单证), most often an order. `id` is its guid at customs.

    `kind`: 303 订单, 403 收款单, 505 运单, 603 清单, 605 撤销申请, 607 总分单, 701 汇总申请,
    213 退货申请; `order_no` its own number (订单号, 运单号, …).
    `app_type`: 1 新增, 2 变更, 3 删除, each a row of its own. `lines`: [[item_no, item_name, qty, total, price, unit, …], …] as
    text; what stands once in the document is in `data`, by the names of blueprints/exports/kinds.py.
    """

    __tablename__ = "export_orders"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    serial: Mapped[int] = mapped_column(BigInteger, Identity())
    enterprise_id: Mapped[UUID]
    customs_code: Mapped[str]
    task_id: Mapped[UUID] = mapped_column(ForeignKey("export_tasks.id"))
    place: Mapped[int]
    kind: Mapped[str] = mapped_column(server_default=ORDER, default=ORDER)
    app_type: Mapped[int] = mapped_column(SmallInteger, server_default="1", default=1)
    order_no: Mapped[str]
    total: Mapped[Decimal] = mapped_column(Fixed(19, 2))
    lines: Mapped[list] = mapped_column(JSONB)
    data: Mapped[dict] = mapped_column(JSONB, server_default="{}", default=dict)
    state: Mapped[str | None]  # by its newest receipt; None: see its message
    return_status: Mapped[int | None]
    return_time: Mapped[str | None]  # of that receipt, yyyyMMddHHmmssSSS
    return_info: Mapped[str | None]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str]

    __table_args__ = (
        Index(  # text_pattern_ops: for the beginning of a number too
            "uq_export_orders_order_no", "enterprise_id", "customs_code", "kind", "order_no", unique=True,
            postgresql_ops={"order_no": "text_pattern_ops"}, postgresql_where=text("app_type = 1"),
        ),
        Index("ix_export_orders_list", "enterprise_id", "customs_code", "kind", "serial"),
        Index("ix_export_orders_place", "task_id", "place"),
        Index("ix_export_orders_repeats", "id", postgresql_where=text("app_type > 1")),
        Index(
            "ix_export_orders_repeated_no", "enterprise_id", "customs_code", "kind", "order_no",
            postgresql_ops={"order_no": "text_pattern_ops"}, postgresql_where=text("app_type > 1"),
        ),
        Index("ix_export_orders_waybill", "order_no", postgresql_where=text("kind = '505'")),  # of whatever carrier
        Index(
            "ix_export_orders_open", "enterprise_id", "customs_code", "kind", "state", "serial",
            postgresql_where=text("state IS DISTINCT FROM 'success'"),
        ),
        Index(
            "ix_export_orders_concluded", "enterprise_id", "customs_code", "kind", "serial",
            postgresql_where=text("return_status = 399"),
        ),
    )  # fmt: skip

    @property
    def guid(self) -> str:
        return str(self.id).upper()


class Push(Row):
    """推送: what one card signs under one PIN. Its messages name it."""

    __tablename__ = "pushes"

    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"), index=True)
    customs_code: Mapped[str]
    label: Mapped[str]  # the task's number, or how many tasks
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str]


class Message(Row):
    """One message of customs (CEB<kind>). `id` is its guid and CopMsgId. state: unsigned → ready → sending → sent | refused by the platform.

    `signed` stays from the first signature on; a resend is byte-identical.
    """

    __tablename__ = "customs_messages"

    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"))
    customs_code: Mapped[str]
    task_id: Mapped[UUID] = mapped_column(ForeignKey("export_tasks.id"))
    push_id: Mapped[UUID | None] = mapped_column(ForeignKey("pushes.id"), index=True)
    kind: Mapped[str] = mapped_column(server_default=ORDER, default=ORDER)
    block: Mapped[int]
    first_place: Mapped[int]
    last_place: Mapped[int]
    order_count: Mapped[int]
    total: Mapped[Decimal] = mapped_column(Fixed(19, 2))
    currency: Mapped[str]
    dxp_id: Mapped[str]
    canonical: Mapped[bytes] = mapped_column(deferred=True)
    sha256: Mapped[bytes]
    signed: Mapped[bytes | None] = mapped_column(deferred=True)
    state: Mapped[str] = mapped_column(default="unsigned")
    problem: Mapped[str] = mapped_column(default="")  # what the platform said against it
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    signed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    signed_by: Mapped[str] = mapped_column(default="")  # holder and card number
    wrapped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # first sending: the envelope's time of creation
    sending_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # last sending
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # how many of its documents stand where by their receipts: a push is counted without looking at 100 000 documents
    declaring: Mapped[int] = mapped_column(server_default="0", default=0)
    success: Mapped[int] = mapped_column(server_default="0", default=0)
    failed: Mapped[int] = mapped_column(server_default="0", default=0)

    task: Mapped[Task] = relationship()

    __table_args__ = (
        UniqueConstraint("task_id", "block", "first_place"),
        Index("ix_customs_messages_sending", "sending_at", postgresql_where=text("state IN ('ready', 'sending')")),
    )

    @property
    def guid(self) -> str:
        return str(self.id).upper()


IS_HELD = and_(
    Message.task_id == Order.task_id,
    Message.block == (Order.place - 1) // BLOCK,
    Order.place.between(Message.first_place, Message.last_place),
)
STATE = case(
    (Order.state.isnot(None), Order.state),
    (Message.state == "refused", FAILED),
    (Message.state.in_(("sending", "sent")), DECLARING),
    else_=WAITING,
)
# Each state by the order's receipts, or where it has none by its message. One query for each, since an index gives the
# newest of either, but not of both together.
_BY_RECEIPT = {DECLARING: DECLARING, SUCCESS: SUCCESS, FAILED: FAILED, DELETED: DELETED}
_BY_MESSAGE = {WAITING: ("unsigned", "ready"), DECLARING: ("sending", "sent"), FAILED: ("refused",)}
# Conditions as the partial indexes have them: a parameter in their place would hide the index.
IS_OPEN = text("export_orders.state IS DISTINCT FROM 'success'")
IS_FIRST, IS_REPEATED = text("export_orders.app_type = 1"), text("export_orders.app_type > 1")


def _branches(state: str) -> list:
    """(condition, whether it asks the message) of each way to be in the state; of no state one that is always true."""
    if not state:
        return [(true(), True)]
    found = []
    if state in _BY_RECEIPT:
        by_receipt = Order.state == _BY_RECEIPT[state]
        found.append((by_receipt if state == SUCCESS else and_(by_receipt, IS_OPEN), False))
    if state in _BY_MESSAGE:
        found.append((and_(Order.state.is_(None), IS_OPEN, Message.state.in_(_BY_MESSAGE[state])), True))
    return found


def numbered(condition):
    """`condition` on the number, of documents and of their 变更 and 删除: so that it finds the index of either."""
    return or_(and_(IS_FIRST, condition), and_(IS_REPEATED, condition))


def declared_orders(enterprise_id: UUID, code: str, kind: str = ORDER):
    """Query of the documents of a kind whose declaration data is made, with (Order, Message, Task, state)."""
    return (
        select(Order, Message, Task, STATE.label("state"))
        .join(Message, IS_HELD)
        .join(Task, Task.id == Order.task_id)
        .where(Order.enterprise_id == enterprise_id, Order.customs_code == code, Order.kind == kind)
    )


def at_customs(enterprise_id: UUID, code: str, is_concluded: bool, kind: str = ORDER):
    """The same of those that customs has taken: 已审结 or 未审结."""
    query = declared_orders(enterprise_id, code, kind).where(Order.state == SUCCESS)
    return query.where(
        text("export_orders.return_status = 399" if is_concluded else "export_orders.return_status <> 399")
    )


def of_modes(query, codes: tuple[str, ...]):
    """Only those of strategies whose 监管方式 is one of `codes`."""
    strategies = select(Strategy.id).where(or_(*(Strategy.mode.startswith(code) for code in codes)))
    return query.where(Order.task_id.in_(select(Task.id).where(Task.strategy_id.in_(strategies))))


def filtered(query, *, state="", order_no="", tasks=None, since=None, until=None):
    """`order_no`: beginning of it; `tasks`: a query for task ids; `since`, `until`: moments, the second not included."""
    if state:
        query = query.where(or_(*(condition for condition, _ in _branches(state))))
    if order_no:
        query = query.where(numbered(Order.order_no.startswith(order_no, autoescape=True)))
    if tasks is not None:
        query = query.where(Order.task_id.in_(tasks))
    if since:
        query = query.where(Order.changed_at >= since)
    return query.where(Order.changed_at < until) if until else query


def page_of_orders(query, after: int | None, limit: int, state: str = ""):
    """Newest first, by keyset: `after` is the serial of the last row shown."""
    if after:
        query = query.where(Order.serial < after)
    found = []
    for condition, _ in _branches(state):
        found += session.execute(query.where(condition).order_by(Order.serial.desc()).limit(limit))
    return sorted(found, key=lambda row: -row.Order.serial)[:limit]


def count_orders(query, state: str = "") -> int:
    """Exact up to `EXACT`; one more means: or more."""
    return min(sum(_count(query.where(condition)) for condition, _ in _branches(state)), EXACT + 1)


def _count(query) -> int:
    inner = query.with_only_columns(Order.serial).order_by(None).limit(EXACT + 1)
    return session.scalar(select(func.count()).select_from(inner.subquery()))


def count_declared(enterprise_id: UUID, code: str, state: str = "", kind: str = ORDER, **filters) -> int:
    """The same of the documents whose declaration data is made; `filters` as in `filtered`."""
    total, query = 0, select(Order.serial).where(Order.enterprise_id == enterprise_id, Order.customs_code == code)
    for condition, asks_message in _branches(state):
        each = filtered(query.where(Order.kind == kind, condition), **filters)
        total += _count(each.join(Message, IS_HELD) if asks_message else each)
    return min(total, EXACT + 1)


def tally_of_orders(enterprise_id: UUID, code: str, tasks=None) -> int:
    """From the tasks' own tallies, so it costs the same however many orders there are."""
    query = select(func.coalesce(func.sum(Task.generated_count), 0))
    query = query.where(Task.enterprise_id == enterprise_id, Task.customs_code == code)
    return int(session.scalar(query.where(Task.id.in_(tasks)) if tasks is not None else query))


def tasks_with_order(enterprise_id: UUID, code: str, order_no: str):
    """A query for the tasks that hold an order whose number begins so."""
    query = select(Order.task_id).where(
        Order.enterprise_id == enterprise_id, Order.customs_code == code, Order.kind == ORDER, IS_FIRST
    )
    return query.where(Order.order_no.startswith(order_no, autoescape=True))


def delete_orders(order_ids: list[UUID]) -> None:
    session.execute(delete(Order).where(Order.id.in_(order_ids)).execution_options(synchronize_session=False))


def find_order(enterprise_id: UUID, code: str, order_id: UUID) -> Order | None:
    query = select(Order).where(Order.id == order_id, Order.enterprise_id == enterprise_id, Order.customs_code == code)
    return session.scalar(query)


def orders_of(task_id: UUID, after: int = 0, limit: int = 10) -> list[Order]:
    """What was imported, in the order of the workbook; `after` is the place of the last row shown."""
    query = select(Order).where(Order.task_id == task_id, Order.place > after, Order.kind.in_((ORDER, WAYBILL)))
    query = query.where(Order.app_type == 1)
    return list(session.scalars(query.order_by(Order.place).limit(limit)))


def message_of(order: Order) -> Message | None:
    return session.scalar(select(Message).join(Order, IS_HELD).where(Order.id == order.id))


def refresh_statistics() -> None:
    """After many rows at once: until autovacuum comes by, plans would be made for the tables as they were."""
    session.execute(text("ANALYZE export_orders (enterprise_id, customs_code, kind, task_id, place, serial, state)"))
    session.execute(text("ANALYZE customs_messages"))


def lock_order_numbers(enterprise_id: UUID, code: str) -> None:
    """Until the transaction ends nobody else adds orders of this company and code."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"orders {enterprise_id} {code}", 0))))


def copy_rows(table: str, columns: str, rows) -> None:
    """COPY in the session's own transaction; `rows` are tuples in the order of `columns`."""
    cursor = session.connection().connection.cursor()
    with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    cursor.close()


def delete_places(task_id: UUID, first: int, before: int) -> int:
    """Deletes the orders of the places first … before - 1; gives how many."""
    statement = delete(Order).where(Order.task_id == task_id, Order.place >= first, Order.place < before)
    return session.execute(statement.execution_options(synchronize_session=False)).rowcount


def raw_orders(task_id: UUID, first: int, last: int) -> list[tuple]:
    """(id, place, number, total, lines, kind, app_type, data) of the places first … last, without mapped rows' weight."""
    query = select(
        Order.id, Order.place, Order.order_no, Order.total, Order.lines, Order.kind, Order.app_type, Order.data
    )
    query = query.where(Order.task_id == task_id, Order.place.between(first, last)).order_by(Order.place)
    return [tuple(row) for row in session.execute(query)]


def blocks_without_message(task_id: UUID) -> list[int]:
    """Blocks that hold an order but have no message yet, in order."""
    block = (Order.place - 1) // BLOCK
    query = select(block).distinct().where(Order.task_id == task_id).order_by(block)
    made = set(session.scalars(select(Message.block).where(Message.task_id == task_id)))
    return [each for each in session.scalars(query) if each not in made]


def count_generated(task_id: UUID, kind: str) -> int:
    """Documents of the task's own kind that stand in messages."""
    query = select(func.count()).select_from(Order).join(Message, IS_HELD)
    return session.scalar(query.where(Order.task_id == task_id, Order.kind == kind))


def waiting_messages(query) -> list[tuple[UUID, int, int]]:
    """(message, its orders, those of them that the query finds), of the unsigned ones among what it finds."""
    query = query.with_only_columns(Message.id, Message.order_count, func.count(Order.id)).order_by(None)
    query = query.where(Message.state == "unsigned").group_by(Message.id, Message.order_count)
    return [tuple(row) for row in session.execute(query)]


def orders_in(query, message_ids: list[UUID]) -> list[Order]:
    """The orders that the query finds in these messages, as they stand in them."""
    query = query.with_only_columns(Order).where(Message.id.in_(message_ids)).order_by(None)
    return list(session.scalars(query.order_by(Order.task_id, Order.place)))


def first_of(push_id: UUID) -> Order | None:
    """The first order of a push, for a look at its time line."""
    message = select(Message).where(Message.push_id == push_id).order_by(Message.task_id, Message.block).limit(1)
    found = session.scalar(message)
    if found is None:
        return None
    query = select(Order).where(Order.task_id == found.task_id, Order.place >= found.first_place)
    return session.scalar(query.order_by(Order.place).limit(1))


def only(query, order_ids: list[UUID]):
    return query.where(Order.id.in_(order_ids))


def delete_task_rows(task_id: UUID) -> None:
    """All orders and messages of a task."""
    for model in (Order, Message):
        session.execute(delete(model).where(model.task_id == task_id).execution_options(synchronize_session=False))


def failed_orders(enterprise_id: UUID, code: str, limit: int = 1) -> bool:
    return bool(page_of_orders(declared_orders(enterprise_id, code), None, limit, FAILED))

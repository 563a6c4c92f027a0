"""What programs did over the API (their Idempotency-Keys with the answers), and what they read: documents by change."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKey, Index, case, delete, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from .database import Base, session
from .exports import Import, Strategy, Task, page_of_tasks, tasks_query
from .orders import IS_HELD, IS_OPEN, STATE, Message, Order, filtered
from .types import UtcDateTime


class ProgramRequest(Base):
    """One writing request under its Idempotency-Key. `digest`: SHA-256 of what was asked; `answer`: what was said.

    `orders`: how many it brought (0: a workbook, its import tells).
    """

    __tablename__ = "program_requests"

    client_id: Mapped[UUID] = mapped_column(ForeignKey("import_clients.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[bytes]
    status: Mapped[int | None]
    answer: Mapped[dict | None] = mapped_column(JSONB)
    orders: Mapped[int] = mapped_column(default=0)
    import_id: Mapped[UUID | None]
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_program_requests_at", "at"),)


# Of a table as large as this one an index by time that costs next to nothing when rows are written.
Index(
    "ix_export_orders_changed", Order.changed_at, postgresql_using="brin",
    postgresql_with={"pages_per_range": 16, "autosummarize": "on"},
)  # fmt: skip
Index("ix_imports_ended_at", Import.ended_at)


SETTLING = timedelta(seconds=2)  # between the moment that a row names and the beginning of its transaction


def take_key(client_id: UUID, key: str, digest: bytes, now: datetime) -> tuple[ProgramRequest, bool]:
    """(its row, whether it is new). Waits for another request with the same key to end."""
    values = {"client_id": client_id, "key": key, "digest": digest, "orders": 0, "at": now}
    statement = insert(ProgramRequest).values(**values).on_conflict_do_nothing().returning(ProgramRequest.key)
    is_new = session.scalar(statement) is not None
    return session.get(ProgramRequest, (client_id, key), populate_existing=True), is_new


def find_key(client_id: UUID, key: str) -> ProgramRequest | None:
    """One whose answer is there."""
    query = select(ProgramRequest).where(ProgramRequest.client_id == client_id, ProgramRequest.key == key)
    return session.scalar(query.where(ProgramRequest.status.isnot(None)).execution_options(populate_existing=True))


def orders_since(client_id: UUID, since: datetime) -> int:
    """How many orders a program brought; of a workbook that is being read its rows count."""
    of_import = case((Import.ended_at.is_(None), Import.rows), else_=Import.orders_stored + Import.orders_known)
    count = func.greatest(ProgramRequest.orders, func.coalesce(of_import, 0))
    query = select(func.coalesce(func.sum(count), 0)).outerjoin(Import, Import.id == ProgramRequest.import_id)
    return int(session.scalar(query.where(ProgramRequest.client_id == client_id, ProgramRequest.at >= since)))


def forget_requests(before: datetime) -> None:
    session.execute(delete(ProgramRequest).where(ProgramRequest.at < before))


# -- what is read


def settled_until(now: datetime) -> datetime:
    """What was changed before this moment is there for everybody to see: no transaction that began earlier still writes."""
    oldest = text(
        "SELECT min(xact_start) FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL"
        " AND pid <> pg_backend_pid()"
    )
    began = session.scalar(oldest)
    return (min(now, began) if began else now) - SETTLING


def documents(enterprise_id: UUID, code: str, kind: str = ""):
    """Query of the documents of a company and code, imported ones too, with (Order, Message | None, Task, state)."""
    query = (
        select(Order, Message, Task, STATE.label("state"))
        .outerjoin(Message, IS_HELD)
        .join(Task, Task.id == Order.task_id)
        .where(Order.enterprise_id == enterprise_id, Order.customs_code == code)
    )
    return query.where(Order.kind == kind) if kind else query


IMPORTED = "imported"  # 暂存: stored, its declaration data is not made


def of_state(query, state: str):
    """The condition on `Order.state` is there for the index of what is open."""
    if state != IMPORTED:
        return filtered(query, state=state)
    return query.where(Message.id.is_(None), Order.state.is_(None), IS_OPEN)


def changed_between(query, since: datetime, until: datetime):
    return query.where(Order.changed_at >= since, Order.changed_at < until)


def page_by_serial(query, after: int, limit: int) -> list:
    """In the order in which they were imported; `after` is the serial of the last row."""
    return list(session.execute(query.where(Order.serial > after).order_by(Order.serial).limit(limit)))


def page_by_change(query, after: tuple[datetime, int] | None, limit: int) -> list:
    """Oldest change first, by keyset: `after` is (changed_at, serial) of the last row."""
    if after:
        query = query.where(tuple_(Order.changed_at, Order.serial) > tuple_(*after))
    return list(session.execute(query.order_by(Order.changed_at, Order.serial).limit(limit)))


def task_numbered(enterprise_id: UUID, code: str, number: str) -> Task | None:
    query = select(Task).where(Task.enterprise_id == enterprise_id, Task.customs_code == code, Task.number == number)
    return session.scalar(query)


def task_page(enterprise_id: UUID, code: str, after: tuple[datetime, UUID] | None, limit: int) -> list[Task]:
    """Newest change first."""
    return page_of_tasks(tasks_query(enterprise_id, code), after, limit)


def strategy_numbered(enterprise_id: UUID, code: str, number: str) -> Strategy | None:
    query = select(Strategy).where(Strategy.enterprise_id == enterprise_id, Strategy.customs_code == code)
    return session.scalar(query.where(Strategy.number == number))


def tasks_between(enterprise_id: UUID, code: str, since: datetime, until: datetime, limit: int) -> list[Task]:
    query = select(Task).where(Task.enterprise_id == enterprise_id, Task.customs_code == code)
    query = query.where(Task.changed_at >= since, Task.changed_at < until)
    return list(session.scalars(query.order_by(Task.changed_at, Task.id).limit(limit)))


def imports_between(enterprise_id: UUID, code: str, since: datetime, until: datetime, limit: int) -> list[Import]:
    query = select(Import).join(Task, Task.id == Import.task_id)
    query = query.where(Task.enterprise_id == enterprise_id, Task.customs_code == code)
    query = query.where(Import.ended_at >= since, Import.ended_at < until)
    return list(session.scalars(query.order_by(Import.ended_at, Import.id).limit(limit)))


def find_own_message(enterprise_id: UUID, code: str, message_id: UUID) -> Message | None:
    query = select(Message).where(Message.enterprise_id == enterprise_id, Message.customs_code == code)
    return session.scalar(query.where(Message.id == message_id))


def are_own(enterprise_id: UUID, code: str, guids: list[UUID]) -> bool:
    """Whether all of these are documents of the company and code."""
    query = select(func.count()).where(
        Order.id.in_(guids), Order.enterprise_id == enterprise_id, Order.customs_code == code
    )
    return session.scalar(query) == len(set(guids))


def waiting_pushes(query) -> set[UUID | None]:
    """Which pushes the unsigned messages of what the query finds belong to; None among them: some to none."""
    query = query.with_only_columns(Message.push_id).where(Message.state == "unsigned").order_by(None).distinct()
    return set(session.scalars(query))

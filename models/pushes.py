"""Queries about messages on their way: made, signed, taken for sending, sent; and how far a push is."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from .database import session
from .orders import DECLARING, FAILED, SUCCESS, Message, Push


def add_messages(rows: list[dict]) -> None:
    """A block that somebody else made in the meantime stays as it is."""
    if rows:
        session.execute(insert(Message).on_conflict_do_nothing(), rows)


def count_messages(task_id: UUID) -> int:
    return session.scalar(select(func.count()).where(Message.task_id == task_id))


def lock_messages(message_ids: list[UUID]) -> list[Message]:
    """Read afresh under their row locks, in one order for everybody."""
    query = select(Message).where(Message.id.in_(message_ids)).order_by(Message.id).with_for_update(of=Message)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def delete_messages(message_ids: list[UUID]) -> None:
    session.execute(delete(Message).where(Message.id.in_(message_ids)).execution_options(synchronize_session=False))


def is_declared(task_id: UUID) -> bool:
    """True when a message of the task was signed, or more."""
    return (
        session.scalar(select(Message.id).where(Message.task_id == task_id, Message.state != "unsigned").limit(1))
        is not None
    )


def find_message(message_id: UUID) -> Message | None:
    return session.get(Message, message_id)


def canonical_of(message_id: UUID) -> bytes | None:
    return session.scalar(select(Message.canonical).where(Message.id == message_id))


def canonicals_of(message_ids: list[UUID]) -> dict[UUID, bytes]:
    query = select(Message.id, Message.canonical).where(Message.id.in_(message_ids))
    return dict(tuple(row) for row in session.execute(query))


def messages_of_push(push_id: UUID, *states: str) -> list[Message]:
    query = select(Message).where(Message.push_id == push_id)
    if states:
        query = query.where(Message.state.in_(states))
    return list(session.scalars(query.order_by(Message.task_id, Message.block, Message.first_place)))


def find_push(enterprise_id: UUID, code: str, push_id: UUID) -> Push | None:
    push = session.get(Push, push_id)
    return push if push and (push.enterprise_id, push.customs_code) == (enterprise_id, code) else None


def progress_of(push_id: UUID) -> dict[str, int]:
    """How many orders of a push are where: {message state or order state: orders}, and messages by state."""
    counts: dict[str, int] = {}
    query = select(Message.state, func.count(), func.sum(Message.order_count)).where(Message.push_id == push_id)
    for state, messages, orders in session.execute(query.group_by(Message.state)):
        counts[f"messages {state}"], counts[f"orders {state}"] = messages, int(orders)
    tallies = (Message.declaring, Message.success, Message.failed)
    sums = session.execute(
        select(*(func.coalesce(func.sum(each), 0) for each in tallies)).where(Message.push_id == push_id)
    )
    counts |= {name: int(count) for name, count in zip((DECLARING, SUCCESS, FAILED), sums.one(), strict=True) if count}
    return counts


def latest_signatures(push_id: UUID, limit: int = 50) -> list[datetime]:
    """When the newest ones were made, newest first."""
    query = select(Message.signed_at).where(Message.push_id == push_id, Message.signed_at.isnot(None))
    return list(session.scalars(query.order_by(Message.signed_at.desc()).limit(limit)))


def latest_push(enterprise_id: UUID, code: str) -> Push | None:
    query = select(Push).where(Push.enterprise_id == enterprise_id, Push.customs_code == code)
    return session.scalar(query.order_by(Push.created_at.desc()).limit(1))


def take_ready(push_id: UUID, now: datetime, limit: int) -> list[UUID]:
    """Marks messages as `sending`; to be committed before the channel is written."""
    chosen = select(Message.id).where(Message.push_id == push_id, Message.state == "ready")
    chosen = chosen.order_by(Message.block).limit(limit).with_for_update(skip_locked=True)
    values = {"state": "sending", "sending_at": now, "wrapped_at": func.coalesce(Message.wrapped_at, now)}
    statement = update(Message).where(Message.id.in_(chosen)).values(values).returning(Message.id)
    return list(session.scalars(statement.execution_options(synchronize_session=False)))


def to_send(message_ids: list[UUID]) -> list[tuple]:
    """(id, kind, dxp_id, wrapped_at, signed) of messages in `sending`."""
    query = select(Message.id, Message.kind, Message.dxp_id, Message.wrapped_at, Message.signed)
    return [tuple(row) for row in session.execute(query.where(Message.id.in_(message_ids)))]


def mark_sent(message_ids: list[UUID], now: datetime) -> None:
    statement = update(Message).where(Message.id.in_(message_ids), Message.state == "sending")
    session.execute(statement.values(state="sent", sent_at=now).execution_options(synchronize_session=False))

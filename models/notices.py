"""Notices that leave by mail: written in the transaction of the act, sent by the worker."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, select
from sqlalchemy.orm import Mapped, mapped_column

from .database import Row, session
from .types import Encrypted, UtcDateTime


class Notice(Row):
    __tablename__ = "notices"

    _content: Mapped[bytes] = mapped_column("content", LargeBinary)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    content = Encrypted("_content")  # {to, subject, text}

    __table_args__ = (Index("ix_notices_waiting", "at", postgresql_where="sent_at IS NULL"),)


def notices_waiting(since: datetime, limit: int = 50) -> list[UUID]:
    """Unsent ones made before `since`, oldest first."""
    query = select(Notice.id).where(Notice.sent_at.is_(None), Notice.at < since).order_by(Notice.at).limit(limit)
    return list(session.scalars(query))


def find_notice(notice_id: UUID) -> Notice | None:
    return session.get(Notice, notice_id)

"""银行UKEY认证 under way: what was asked of which bank for whom, and what ended it."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKey, delete, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from .database import Row, session
from .types import UtcDateTime

OPEN, FINISHED, ENDED = "open", "finished", "ended"


class BankVisit(Row):
    """One way to a bank and back; `id` is the request's number there. The cookie is kept as SHA-256 only.

    state: open → finished | ended, with `refusal` {"number", "template", "parts"}. `nonce`: 43 characters of base64url.
    """

    __tablename__ = "bank_visits"

    cookie_hash: Mapped[bytes] = mapped_column(unique=True)
    bank: Mapped[str]
    nonce: Mapped[str]
    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    state: Mapped[str] = mapped_column(default=OPEN)
    refusal: Mapped[dict | None] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    until: Mapped[datetime] = mapped_column(UtcDateTime)


def find_visit(visit_id: UUID, *, lock: bool = False) -> BankVisit | None:
    """`lock` waits for the row and reads it anew."""
    query = select(BankVisit).where(BankVisit.id == visit_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)


def lock_open_visits(user_id: UUID) -> list[BankVisit]:
    """The newest first."""
    query = select(BankVisit).where(BankVisit.user_id == user_id, BankVisit.state == OPEN)
    query = query.order_by(BankVisit.at.desc()).with_for_update().execution_options(populate_existing=True)
    return list(session.scalars(query))


def last_visit(user_id: UUID) -> BankVisit | None:
    query = select(BankVisit).where(BankVisit.user_id == user_id)
    return session.scalar(query.order_by(BankVisit.at.desc()).limit(1))


def visit_of_cookies(cookie_hashes: list[bytes], bank: str) -> BankVisit | None:
    """The newest open one of this bank that one of the cookies began."""
    query = select(BankVisit).where(BankVisit.cookie_hash.in_(cookie_hashes), BankVisit.bank == bank)
    return session.scalar(query.where(BankVisit.state == OPEN).order_by(BankVisit.at.desc()).limit(1))


def sweep_visits(now: datetime) -> None:
    """Removes those older than 30 days; what came of them stands with the verifications."""
    session.execute(delete(BankVisit).where(BankVisit.at < now - timedelta(days=30)))

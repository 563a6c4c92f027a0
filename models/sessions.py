"""Logins as server rows, POSTs kept for their senders, and counters that limit attempts."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, delete, func, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .accounts import User
from .database import Base, Row, session
from .types import Encrypted, UtcDateTime


class Login(Row):
    """A logged-in browser. The cookie holds a random token, this row its hash; `level` is that of the login (M70)."""

    __tablename__ = "logins"

    token_hash: Mapped[bytes] = mapped_column(unique=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    medium: Mapped[str]  # password | 法人卡 | 操作员卡
    card_number: Mapped[str | None]
    card_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    level: Mapped[int]
    code: Mapped[str | None]  # active 海关注册编码 at login
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    _place: Mapped[bytes | None] = mapped_column("place", LargeBinary)
    tabs: Mapped[list] = mapped_column(JSONB, default=list)  # open tabs of the workspace: [[number, title, path], …]

    place = Encrypted("_place")  # {agent, address}

    user: Mapped[User] = relationship(lazy="joined")


class KeptPost(Row):
    """What was sent by a POST that could not be accepted: given back to the same user for 24 hours."""

    __tablename__ = "kept_posts"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    path: Mapped[str]
    page: Mapped[str]  # number of the page it came from, for words
    _fields: Mapped[bytes] = mapped_column("fields", LargeBinary)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)

    fields = Encrypted("_fields")  # [[name, value], …]


class Attempt(Base):
    """One counted attempt; limits ask how many there were lately."""

    __tablename__ = "attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[str]
    subject: Mapped[bytes] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


def find_login(token_hash: bytes) -> Login | None:
    return session.scalar(select(Login).where(Login.token_hash == token_hash))


def live_logins_of(user_id: UUID, since: datetime) -> list[Login]:
    """Not ended, and seen since; the newest first."""
    query = select(Login).where(Login.user_id == user_id, Login.ended_at.is_(None), Login.seen_at > since)
    return list(session.scalars(query.order_by(Login.seen_at.desc())))


def end_logins(user_id: UUID, now: datetime, but: UUID | None = None) -> int:
    """Ends all logins of a user, or all but one; gives how many."""
    query = update(Login).where(Login.user_id == user_id, Login.ended_at.is_(None)).values(ended_at=now)
    return session.execute(query.where(Login.id != but) if but else query).rowcount


def last_seen(user_ids: list[UUID]) -> list[tuple[UUID, datetime]]:
    """When each was last seen, of those who ever logged in."""
    query = select(Login.user_id, func.max(Login.seen_at)).where(Login.user_id.in_(user_ids)).group_by(Login.user_id)
    return [(user_id, at) for user_id, at in session.execute(query)]


def keep_tabs(login_id: UUID, tabs: list) -> None:
    session.execute(update(Login).where(Login.id == login_id).values(tabs=tabs))


def touch_login(login_id: UUID, now: datetime) -> None:
    session.execute(update(Login).where(Login.id == login_id).values(seen_at=now))


def kept_posts_of(user_id: UUID, since: datetime) -> list[KeptPost]:
    query = select(KeptPost).where(KeptPost.user_id == user_id, KeptPost.at > since).order_by(KeptPost.at.desc())
    return list(session.scalars(query))


def count_attempts(scope: str, subject: bytes, since: datetime) -> int:
    query = select(func.count()).where(Attempt.scope == scope, Attempt.subject == subject, Attempt.at > since)
    return session.scalar(query)


def last_attempt(scope: str, subject: bytes, since: datetime) -> datetime | None:
    query = select(func.max(Attempt.at)).where(Attempt.scope == scope, Attempt.subject == subject, Attempt.at > since)
    return session.scalar(query)


def first_attempt(scope: str, subject: bytes, since: datetime) -> datetime | None:
    query = select(func.min(Attempt.at)).where(Attempt.scope == scope, Attempt.subject == subject, Attempt.at > since)
    return session.scalar(query)


def forget_attempts(scope: str, subject: bytes) -> None:
    session.execute(delete(Attempt).where(Attempt.scope == scope, Attempt.subject == subject))


def sweep(now: datetime) -> None:
    """Removes what nobody may ask for any more."""
    session.execute(delete(KeptPost).where(KeptPost.at < now - timedelta(hours=24)))
    session.execute(delete(Attempt).where(Attempt.at < now - timedelta(hours=24)))
    session.execute(delete(Login).where(Login.seen_at < now - timedelta(days=30)))

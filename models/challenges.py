"""Card challenges (签名请求): what a card was asked, what came back, and signatures stored; captchas used; cards lost."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, delete, func, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from .database import Base, Row, session
from .types import Encrypted, UtcDateTime

WAITING = ("new", "claimed", "quarantined")  # before the right browser came back
OPEN = (*WAITING, "released")


class Challenge(Row):
    """One request to a card. Cookie, request id, post key and code are kept as SHA-256 only.

    state: new → claimed → quarantined → released (batch: messages are being signed) → finished; or killed, with
    `refusal` {"key", "number", "words"}.
    """

    __tablename__ = "challenges"

    id_hash: Mapped[bytes] = mapped_column(unique=True)
    cookie_hash: Mapped[bytes] = mapped_column(unique=True)
    code_hash: Mapped[bytes | None] = mapped_column(unique=True)
    post_key_hash: Mapped[bytes | None]
    purpose: Mapped[str]  # login | bind | real-name | batch
    payload: Mapped[bytes]  # JSON, UTF-8, as served
    nonce: Mapped[bytes]
    state: Mapped[str] = mapped_column(default="new")
    refusal: Mapped[dict | None] = mapped_column(JSONB)
    _answer: Mapped[bytes | None] = mapped_column("answer", LargeBinary)
    certificate: Mapped[bytes | None]  # DER, once verified
    enterprise_id: Mapped[UUID | None] = mapped_column(ForeignKey("enterprises.id"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    task_id: Mapped[UUID | None] = mapped_column(index=True)
    items: Mapped[list] = mapped_column(JSONB, default=list)  # the asking area's ids of the messages, in order
    message_count: Mapped[int] = mapped_column(default=0)
    signed_count: Mapped[int] = mapped_column(default=0)
    next_path: Mapped[str]  # where the browser goes on
    again_path: Mapped[str]  # where a new request is started
    report_page: Mapped[str | None]
    report_outcome: Mapped[int | None]  # the bridge's number
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    progress_at: Mapped[datetime] = mapped_column(UtcDateTime)

    answer = Encrypted("_answer")  # quarantine: {certificate, algorithm, signature}, base64 as it came

    @property
    def is_waiting(self) -> bool:
        return self.state in WAITING

    @property
    def is_complete(self) -> bool:
        return self.signed_count >= self.message_count


class StoredSignature(Base):
    """That a message of a batch is signed; the signature itself stands with the message, in the area that asked."""

    __tablename__ = "stored_signatures"

    challenge_id: Mapped[UUID] = mapped_column(ForeignKey("challenges.id", ondelete="CASCADE"), primary_key=True)
    index: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class UsedCaptcha(Base):
    """A captcha that was answered, right or wrong: it counts once."""

    __tablename__ = "used_captchas"

    key: Mapped[bytes] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class LostCard(Base):
    """挂失: a card number, or a certificate's serial number in lower-case hexadecimal, that no longer counts."""

    __tablename__ = "lost_cards"

    mark: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


def find_challenge(*, lock: bool = False, **values) -> Challenge | None:
    """By one unique column (id, id_hash, cookie_hash, code_hash); `lock` waits for the row and reads it anew."""
    query = select(Challenge).filter_by(**values)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)


def newest_challenge(cookie_hashes: list[bytes]) -> Challenge | None:
    query = select(Challenge).where(Challenge.cookie_hash.in_(cookie_hashes))
    return session.scalar(query.order_by(Challenge.created_at.desc()).limit(1))


def challenges_of_task(task_id: UUID) -> list[Challenge]:
    """Newest first."""
    return list(
        session.scalars(select(Challenge).where(Challenge.task_id == task_id).order_by(Challenge.created_at.desc()))
    )


def lock_open_challenges(task_id: UUID) -> list[Challenge]:
    query = select(Challenge).where(Challenge.task_id == task_id, Challenge.state.in_(OPEN))
    return list(session.scalars(query.with_for_update().execution_options(populate_existing=True)))


def is_signed(challenge_id: UUID, index: int) -> bool:
    return session.get(StoredSignature, (challenge_id, index)) is not None


def use_captcha(key: bytes, now: datetime) -> bool:
    """False when it was used before."""
    session.execute(delete(UsedCaptcha).where(UsedCaptcha.at < now - timedelta(hours=1)))
    used = insert(UsedCaptcha).values(key=key, at=now).on_conflict_do_nothing().returning(UsedCaptcha.key)
    return session.scalar(used) is not None


def lost_marks(*marks: str) -> set[str]:
    """Those of the marks that were reported lost."""
    return set(session.scalars(select(LostCard.mark).where(LostCard.mark.in_(marks))))


def report_lost(mark: str, now: datetime) -> None:
    session.execute(insert(LostCard).values(mark=mark, at=now).on_conflict_do_nothing())


def sweep_challenges(now: datetime) -> int:
    """Removes requests older than 30 days; what came of them stands with the areas. Gives how many."""
    old = delete(Challenge).where(func.greatest(Challenge.created_at, Challenge.progress_at) < now - timedelta(days=30))
    return session.execute(old).rowcount

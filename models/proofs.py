"""Proofs (验证): codes and links that were sent to a mailbox or a phone, and what hangs on them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from .database import Row, session
from .types import Encrypted, UtcDateTime


class Proof(Row):
    """One code or link. `user_id` None with `is_sent` False: nobody was written to, though the page says the same.

    way: mail | sms. `secret_hash`: of the token in a link; of id and digits for a code. `used_at`: it counts once.
    """

    __tablename__ = "proofs"

    purpose: Mapped[str]
    way: Mapped[str]
    secret_hash: Mapped[bytes] = mapped_column(unique=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    _data: Mapped[bytes] = mapped_column("data", LargeBinary)
    is_sent: Mapped[bool]
    tries: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    until: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    data = Encrypted("_data")  # {to, …}: the address, and what the asking page keeps with it


def lock_proof(proof_id: UUID) -> Proof | None:
    query = select(Proof).where(Proof.id == proof_id).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def find_proof(secret_hash: bytes) -> Proof | None:
    return session.scalar(select(Proof).where(Proof.secret_hash == secret_hash))


def forget_proofs(user_id: UUID) -> None:
    """What was sent before counts no more; only the right to object to a recovery stays."""
    mine = Proof.user_id == user_id, Proof.used_at.is_(None)
    session.execute(delete(Proof).where(*mine, Proof.purpose != "objection"))


def forget_recoveries(user_id: UUID) -> None:
    """Ways to a new password that were sent to a mailbox or phone, or asked for, before the owner changed something."""
    mine = Proof.user_id == user_id, Proof.used_at.is_(None)
    session.execute(delete(Proof).where(*mine, Proof.purpose.in_(("recover-mail", "recover-sms"))))


def sweep_proofs(before: datetime) -> None:
    session.execute(delete(Proof).where(Proof.until < before))

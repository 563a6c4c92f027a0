"""印章 (electronic seals) of a company and each time that one was put on a print."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, select
from sqlalchemy.orm import Mapped, mapped_column

from .database import Base, Row, session
from .types import UtcDateTime


class Seal(Row):
    """A seal image. `origin`: uploaded | generated; `purpose`: 公章 | 报关专用章 …; an image never changes once used."""

    __tablename__ = "seals"

    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"), index=True)
    name: Mapped[str]
    purpose: Mapped[str]
    origin: Mapped[str]
    file_id: Mapped[UUID] = mapped_column(ForeignKey("files.id"))
    is_enabled: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str]


class SealUse(Base):
    """Who put a seal on what, and when."""

    __tablename__ = "seal_uses"

    id: Mapped[int] = mapped_column(primary_key=True)
    seal_id: Mapped[UUID] = mapped_column(ForeignKey("seals.id"))
    by: Mapped[str]
    subject: Mapped[str]  # what it stands on, in words
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_seal_uses_seal", "seal_id", "id"),)


def seals_of(enterprise_id: UUID, enabled: bool = False) -> list[Seal]:
    query = select(Seal).where(Seal.enterprise_id == enterprise_id).order_by(Seal.created_at)
    return list(session.scalars(query.where(Seal.is_enabled) if enabled else query))


def find_seal(enterprise_id: UUID, seal_id: UUID) -> Seal | None:
    seal = session.get(Seal, seal_id)
    return seal if seal and seal.enterprise_id == enterprise_id else None


def uses_of(seal_id: UUID, limit: int = 100) -> list[SealUse]:
    """Newest first."""
    query = select(SealUse).where(SealUse.seal_id == seal_id).order_by(SealUse.id.desc()).limit(limit)
    return list(session.scalars(query))


def count_uses(seal_id: UUID) -> int:
    return session.scalar(select(func.count()).where(SealUse.seal_id == seal_id))

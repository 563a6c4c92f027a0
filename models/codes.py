"""海关注册编码 and 电商身份 of a company, as the company register said last; never typed by anybody."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint, delete, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from .database import Row, session
from .types import UtcDateTime


class HeldCode(Row):
    """One 10-digit code of a company with its validity and 跨境电子商务企业类型."""

    __tablename__ = "held_codes"

    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"), index=True)
    code: Mapped[str]
    category: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date]  # 2099-12-31: 长期
    ecommerce_types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    revision: Mapped[str]
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (UniqueConstraint("enterprise_id", "code"),)


def codes_of(enterprise_id: UUID, on: date | None = None) -> list[HeldCode]:
    """All, or those valid on a day."""
    query = select(HeldCode).where(HeldCode.enterprise_id == enterprise_id).order_by(HeldCode.code)
    if on:
        query = query.where(HeldCode.valid_from <= on, HeldCode.valid_to >= on)
    return list(session.scalars(query))


def replace_codes(enterprise_id: UUID, rows: list[HeldCode]) -> None:
    session.execute(delete(HeldCode).where(HeldCode.enterprise_id == enterprise_id))
    session.add_all(rows)
    session.flush()

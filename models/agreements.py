"""通关无纸化三方协议 and 报关代理委托 of a company: each stands under one customs code (M145, M147)."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from .database import Row, session
from .types import UtcDateTime

SENT, RECEIVED, APPROVED, RETURNED, ENDED = "sent", "received", "approved", "returned", "ended"
PENDING, ACTIVE, DECLINED = "pending", "active", "declined"


class Agreement(Row):
    """三方协议 of company, customs district (直属关区) and e-port under one 海关编码.

    state: sent 签约已发往海关 → received 海关入库成功 → approved 签约海关审批通过 | returned; ended 已解约.
    """

    __tablename__ = "agreements"

    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"))
    customs_code: Mapped[str]
    district: Mapped[str]  # 直属关区, as text
    state: Mapped[str]
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_to: Mapped[date]  # 2099-12-31: 长期
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("enterprise_id", "customs_code", "district", name="uq_agreements_party"),
        Index("ix_agreements_company", "enterprise_id", "customs_code"),
    )


class Entrustment(Row):
    """报关代理委托: the client (委托方) entrusts an agent (被委托方), each under one of its codes.

    state: pending 待确认 → active 生效 | declined; ended 已终止.
    """

    __tablename__ = "entrustments"

    client_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"))
    client_code: Mapped[str]
    agent_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"))
    agent_code: Mapped[str]
    state: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_to: Mapped[date]
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_entrustments_client", "client_id", "client_code"),
        Index("ix_entrustments_agent", "agent_id", "agent_code"),
    )


def agreements_of(enterprise_id: UUID, code: str | None) -> list[Agreement]:
    """Under one code only: another code's agreements are not seen."""
    query = select(Agreement).where(Agreement.enterprise_id == enterprise_id, Agreement.customs_code == code)
    return list(session.scalars(query.order_by(Agreement.signed_at)))


def has_agreement(enterprise_id: UUID, code: str | None, on: date) -> bool:
    """One that customs approved and that is valid on the day."""
    query = select(Agreement.id).where(
        Agreement.enterprise_id == enterprise_id, Agreement.customs_code == code, Agreement.state == APPROVED,
        Agreement.valid_to >= on,
    )  # fmt: skip
    return session.scalar(query.limit(1)) is not None


def entrustments_of(enterprise_id: UUID, code: str | None) -> list[Entrustment]:
    """As client or as agent, under one code only."""
    mine = or_(
        (Entrustment.client_id == enterprise_id) & (Entrustment.client_code == code),
        (Entrustment.agent_id == enterprise_id) & (Entrustment.agent_code == code),
    )
    return list(session.scalars(select(Entrustment).where(mine).order_by(Entrustment.started_at)))

"""通关无纸化三方协议 and 报关代理委托 of a company: each stands under one customs code (M145, M147)."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, or_, select, tuple_
from sqlalchemy.orm import Mapped, aliased, mapped_column

from .accounts import Enterprise
from .database import Row, session
from .types import UtcDateTime

EXACT = 10_000  # list totals are counted up to here
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


def count_agreements(enterprise_id: UUID, code: str | None, on: date) -> int:
    """Those under way or approved, and not run out on the day."""
    query = select(func.count()).where(
        Agreement.enterprise_id == enterprise_id, Agreement.customs_code == code,
        Agreement.state.in_((SENT, RECEIVED, APPROVED)), Agreement.valid_to >= on,
    )  # fmt: skip
    return session.scalar(query)


def _as_client(enterprise_id: UUID, code: str | None):
    return (Entrustment.client_id == enterprise_id) & (Entrustment.client_code == code)


def _as_agent(enterprise_id: UUID, code: str | None):
    return (Entrustment.agent_id == enterprise_id) & (Entrustment.agent_code == code)


def _of(enterprise_id: UUID, code: str | None):
    return or_(_as_client(enterprise_id, code), _as_agent(enterprise_id, code))


def page_of_entrustments(
    enterprise_id: UUID, code: str | None, after: tuple[datetime, UUID] | None, limit: int
) -> list:
    """(Entrustment, name of the client, name of the agent), as either, under one code only; newest first by keyset."""
    client, agent = aliased(Enterprise), aliased(Enterprise)
    query = (
        select(Entrustment, client.name, agent.name)
        .join(client, client.id == Entrustment.client_id)
        .join(agent, agent.id == Entrustment.agent_id)
        .where(_of(enterprise_id, code))
    )
    if after:
        query = query.where(tuple_(Entrustment.started_at, Entrustment.id) < tuple_(*after))
    order = (Entrustment.started_at.desc(), Entrustment.id.desc())
    return list(session.execute(query.order_by(*order).limit(limit)))


def count_entrustments(enterprise_id: UUID, code: str | None) -> int:
    """All that `page_of_entrustments` pages through, counted up to `EXACT`; one more means: or more."""
    found = select(Entrustment.id).where(_of(enterprise_id, code)).limit(EXACT + 1).subquery()
    return session.scalar(select(func.count()).select_from(found))


def count_valid_entrustments(enterprise_id: UUID, code: str | None, on: date) -> int:
    """Those that wait to be confirmed or are active on the day; counted as above."""
    found = select(Entrustment.id).where(
        _of(enterprise_id, code), Entrustment.state.in_((PENDING, ACTIVE)), Entrustment.valid_to >= on
    )
    return session.scalar(select(func.count()).select_from(found.limit(EXACT + 1).subquery()))


def agreements_to_sign_again(enterprise_id: UUID, code: str | None, on: date, limit: int) -> list[Agreement]:
    """Approved and valid under another code of the company, while under this one none with the same district is."""
    other = aliased(Agreement)
    counterpart = select(other.id).where(
        other.enterprise_id == enterprise_id, other.customs_code == code, other.district == Agreement.district,
        other.state.in_((SENT, RECEIVED, APPROVED)), other.valid_to >= on,
    )  # fmt: skip
    query = select(Agreement).where(
        Agreement.enterprise_id == enterprise_id, Agreement.customs_code != code, Agreement.state == APPROVED,
        Agreement.valid_to >= on, ~counterpart.exists(),
    )  # fmt: skip
    return list(session.scalars(query.order_by(Agreement.signed_at, Agreement.id).limit(limit)))


def entrustments_to_sign_again(enterprise_id: UUID, code: str | None, on: date, limit: int) -> list[tuple]:
    """(Entrustment, name of the other party): active under another code, and none with that party under this one."""
    found = []
    for mine, party in (("client", "agent"), ("agent", "client")):
        other, partner = aliased(Entrustment), aliased(Enterprise)
        my_id, my_code = getattr(Entrustment, f"{mine}_id"), getattr(Entrustment, f"{mine}_code")
        party_id = getattr(Entrustment, f"{party}_id")
        counterpart = select(other.id).where(
            getattr(other, f"{mine}_id") == enterprise_id, getattr(other, f"{mine}_code") == code,
            getattr(other, f"{party}_id") == party_id, other.state.in_((PENDING, ACTIVE)), other.valid_to >= on,
        )  # fmt: skip
        query = select(Entrustment, partner.name).join(partner, partner.id == party_id)
        query = query.where(my_id == enterprise_id, my_code != code, Entrustment.state == ACTIVE)
        query = query.where(Entrustment.valid_to >= on, ~counterpart.exists())
        found += session.execute(query.order_by(Entrustment.started_at, Entrustment.id).limit(limit)).all()
    return found[:limit]

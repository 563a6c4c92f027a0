"""报障: what the checks of a stuck push found, and the tickets that companies made of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, Text, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .channels import Refusal
from .database import Row, session
from .exports import Strategy
from .orders import (
    DECLARING,
    FAILED,
    IS_HELD,
    SUCCESS,
    WAITING,
    Message,
    Order,
    declared_orders,
    filtered,
    numbered,
    page_of_orders,
)
from .receipts import Receipt, receipts_of
from .types import Encrypted, UtcDateTime

OPEN, SOLVED = "open", "solved"


class Diagnosis(Row):
    """One run of the checks. `findings`: [{check, standing (ok | bad | unknown), sentence: {number, template, parts},
    endpoint, values}]. `order_id` has no foreign key: an order may be deleted afterwards."""

    __tablename__ = "push_diagnoses"

    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"), index=True)
    customs_code: Mapped[str]
    order_id: Mapped[UUID | None]
    order_no: Mapped[str] = mapped_column(default="")
    dxp_ids: Mapped[list[str]] = mapped_column(ARRAY(Text))  # 传输ID that the checks were about
    findings: Mapped[list] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str]


class Ticket(Row):
    """报障单. `evidence`: [[label, value], …], fixed when it is made. `told`: {story, contact, phone}."""

    __tablename__ = "tickets"

    number: Mapped[str] = mapped_column(unique=True)
    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"))
    customs_code: Mapped[str]
    company: Mapped[str]  # 公司名称
    dxp_id: Mapped[str]  # 传输ID号
    diagnosis_id: Mapped[UUID] = mapped_column(ForeignKey("push_diagnoses.id"), unique=True)
    evidence: Mapped[list] = mapped_column(JSONB)
    _told: Mapped[bytes] = mapped_column("told", LargeBinary)
    mailed_to: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default=OPEN)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str]
    solved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    told = Encrypted("_told")
    diagnosis: Mapped[Diagnosis] = relationship(lazy="joined")

    __table_args__ = (Index("ix_tickets_list", "enterprise_id", "customs_code", "at"),)


def find_diagnosis(enterprise_id: UUID, code: str, diagnosis_id: UUID) -> Diagnosis | None:
    found = session.get(Diagnosis, diagnosis_id)
    return found if found and (found.enterprise_id, found.customs_code) == (enterprise_id, code) else None


def find_ticket(enterprise_id: UUID, code: str, ticket_id: UUID, *, lock: bool = False) -> Ticket | None:
    query = select(Ticket).where(Ticket.id == ticket_id, Ticket.enterprise_id == enterprise_id)
    query = query.where(Ticket.customs_code == code)
    return session.scalar(query.with_for_update(of=Ticket) if lock else query)


def ticket_of(diagnosis_id: UUID) -> Ticket | None:
    return session.scalar(select(Ticket).where(Ticket.diagnosis_id == diagnosis_id))


def tickets_of(enterprise_id: UUID, code: str, limit: int) -> list[Ticket]:
    """The newest first."""
    query = select(Ticket).where(Ticket.enterprise_id == enterprise_id, Ticket.customs_code == code)
    return list(session.scalars(query.order_by(Ticket.at.desc(), Ticket.id).limit(limit)))


# -- what the checks look at


def order_numbered(enterprise_id: UUID, code: str, number: str):
    """(Order, Message, Task, state) of the order of exactly this number; of 变更 and 删除 the newest. None: none, or one
    without declaration data."""
    query = declared_orders(enterprise_id, code).where(numbered(Order.order_no == number))
    return session.execute(query.order_by(Order.serial.desc()).limit(1)).first()


def stuck_order(enterprise_id: UUID, code: str):
    """The same of the newest order that did not get through: 失败 before 申报中 before 待推送."""
    query = declared_orders(enterprise_id, code)
    for state in (FAILED, DECLARING, WAITING):
        if rows := page_of_orders(query, None, 1, state):
            return rows[0]
    return None


def has_success(enterprise_id: UUID, code: str) -> bool:
    query = filtered(declared_orders(enterprise_id, code), state=SUCCESS)
    return bool(session.execute(query.limit(1)).first())


def newest_strategy(enterprise_id: UUID, code: str) -> Strategy | None:
    query = select(Strategy).where(Strategy.enterprise_id == enterprise_id, Strategy.customs_code == code)
    return session.scalar(query.where(Strategy.is_enabled).order_by(Strategy.changed_at.desc()).limit(1))


def newest_signed(enterprise_id: UUID, dxp_id: str) -> bytes | None:
    """The message of a 传输ID that was signed last."""
    query = select(Message.signed).where(Message.enterprise_id == enterprise_id, Message.dxp_id == dxp_id)
    return session.scalar(query.where(Message.signed_at.isnot(None)).order_by(Message.signed_at.desc()).limit(1))


def traces_of(
    enterprise_id: UUID, order_id: UUID
) -> tuple[Order, Message | None, Refusal | None, list[Receipt]] | None:
    """Everything that is kept of an order's way, for the evidence of a ticket."""
    order = session.scalar(select(Order).where(Order.id == order_id, Order.enterprise_id == enterprise_id))
    if order is None:
        return None
    message = session.scalar(select(Message).join(Order, IS_HELD).where(Order.id == order_id))
    refusal = message and session.get(Refusal, message.id)
    return order, message, refusal, receipts_of(order_id, enterprise_id)

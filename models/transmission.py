"""传输ID: what the data centre granted to a company under one customs code."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, func, select
from sqlalchemy.orm import Mapped, mapped_column

from .database import Row, session
from .types import UtcDateTime


class TransmissionId(Row):
    """`value`: DXP…, 16 characters; `node` is the code of the transmission node, `device` of the signing device."""

    __tablename__ = "transmission_ids"

    value: Mapped[str] = mapped_column(unique=True)
    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"), index=True)
    customs_code: Mapped[str]
    node: Mapped[str]
    device: Mapped[str]
    document_id: Mapped[UUID | None] = mapped_column(ForeignKey("documents.id"))
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime)


def transmission_ids_of(enterprise_id: UUID) -> list[TransmissionId]:
    query = select(TransmissionId).where(TransmissionId.enterprise_id == enterprise_id)
    return list(session.scalars(query.order_by(TransmissionId.granted_at)))


def count_transmission_ids(enterprise_id: UUID, code: str | None) -> int:
    query = select(func.count()).where(TransmissionId.enterprise_id == enterprise_id)
    return session.scalar(query.where(TransmissionId.customs_code == code))


def find_transmission_id(value: str) -> TransmissionId | None:
    return session.scalar(select(TransmissionId).where(TransmissionId.value == value))

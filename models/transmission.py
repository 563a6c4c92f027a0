"""传输ID: what the data centre granted to a company under one customs code."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, select
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


def find_transmission_id(value: str) -> TransmissionId | None:
    return session.scalar(select(TransmissionId).where(TransmissionId.value == value))

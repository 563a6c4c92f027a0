"""客户资料: on whose behalf a company declares its exports."""

import unicodedata
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, func, select, tuple_
from sqlalchemy.orm import Mapped, mapped_column

from .database import Row, session
from .types import Encrypted, UtcDateTime, blind


class ExportClient(Row):
    """客户: on whose behalf the company declares, under one of its codes. What is personal is encrypted."""

    __tablename__ = "export_clients"

    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"))
    customs_code: Mapped[str]
    number: Mapped[str]  # 客户编号, the company's own; task numbers begin with it
    name: Mapped[str]
    uscc: Mapped[str] = mapped_column(default="")
    remark: Mapped[str] = mapped_column(default="")
    is_enabled: Mapped[bool] = mapped_column(default=True)
    _person: Mapped[bytes] = mapped_column("person", LargeBinary)
    phone_index: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str]

    person = Encrypted("_person")  # 联系人: {contact, phone, email, address}

    __table_args__ = (
        UniqueConstraint("enterprise_id", "customs_code", "number"),
        Index("ix_export_clients_list", "enterprise_id", "customs_code", "created_at", "id"),
        Index("ix_export_clients_phone", "enterprise_id", "phone_index"),
    )

    def keep_person(self, person: dict) -> None:
        """Sets what is personal, with the blind index of the telephone."""
        self.person, self.phone_index = person, phone_key(person["phone"])


def phone_key(phone: str) -> bytes:
    """Blind index of a telephone number: its digits alone count, of either width."""
    digits = "".join(letter for letter in unicodedata.normalize("NFKC", phone) if letter.isdigit())
    return blind("export_clients.phone", digits)


def clients_query(enterprise_id: UUID, code: str, column: str = "", text: str = "", *, enabled=None, since=None,
                  until=None):  # fmt: skip
    """`column`: number | name, searched for `text`, or phone, which must be the whole number."""
    query = _of(enterprise_id, code)
    if column == "phone" and text:
        query = query.where(ExportClient.phone_index == phone_key(text))
    elif column and text:
        query = query.where(getattr(ExportClient, column).contains(text, autoescape=True))
    if enabled is not None:
        query = query.where(ExportClient.is_enabled == enabled)
    if since:
        query = query.where(ExportClient.created_at >= since)
    return query.where(ExportClient.created_at < until) if until else query


def page_of_clients(query, after: tuple | None, limit: int) -> list[ExportClient]:
    """Newest first; keyset `after`: (created_at, id) of the last row shown."""
    if after:
        query = query.where(tuple_(ExportClient.created_at, ExportClient.id) < tuple_(*after))
    order = (ExportClient.created_at.desc(), ExportClient.id.desc())
    return list(session.scalars(query.order_by(*order).limit(limit)))


def count_clients(query, most: int) -> int:
    """Counted up to `most`."""
    found = query.with_only_columns(ExportClient.id).limit(most).subquery()
    return session.scalar(select(func.count()).select_from(found))


def find_export_client(enterprise_id: UUID, code: str, client_id: UUID) -> ExportClient | None:
    return session.scalar(_of(enterprise_id, code).where(ExportClient.id == client_id))


def client_numbered(enterprise_id: UUID, code: str, number: str) -> ExportClient | None:
    """By 客户编号, in any case."""
    return session.scalar(_of(enterprise_id, code).where(func.lower(ExportClient.number) == number.lower()).limit(1))


def _of(enterprise_id: UUID, code: str):
    return select(ExportClient).where(ExportClient.enterprise_id == enterprise_id, ExportClient.customs_code == code)

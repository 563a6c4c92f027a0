"""自动导入客户端: programs of a company that fetch and bring files by a token of their own."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from .database import Row, session
from .types import UtcDateTime


class ImportClient(Row):
    """One registered program. The token is shown once and kept by hash; it acts under `customs_code` and no other.

    `scopes`: what it may do over the API (orders:read | orders:write | push). `addresses`: networks that it may come from
    (192.0.2.0/24, 2001:db8::/32); none: from anywhere.
    """

    __tablename__ = "import_clients"

    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"), index=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)  # who registered it
    customs_code: Mapped[str]
    name: Mapped[str]
    send_folder: Mapped[str]  # on the company's PC: files to send
    receive_folder: Mapped[str]  # files that come back
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    addresses: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    seen_version: Mapped[str] = mapped_column(default="")
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def works_at(self, now: datetime) -> bool:
        return self.revoked_at is None and self.expires_at > now


def clients_of(enterprise_id: UUID) -> list[ImportClient]:
    query = select(ImportClient).where(ImportClient.enterprise_id == enterprise_id)
    return list(session.scalars(query.order_by(ImportClient.created_at)))


def find_client(token_hash: bytes) -> ImportClient | None:
    """Only one that was not revoked."""
    query = select(ImportClient).where(ImportClient.token_hash == token_hash, ImportClient.revoked_at.is_(None))
    return session.scalar(query)


def revoke_clients_of(user_id: UUID, now: datetime) -> int:
    """All that this user registered; gives how many."""
    query = update(ImportClient).where(ImportClient.user_id == user_id, ImportClient.revoked_at.is_(None))
    return session.execute(query.values(revoked_at=now)).rowcount


def find_own_client(enterprise_id: UUID, client_id: UUID) -> ImportClient | None:
    client = session.get(ImportClient, client_id)
    return client if client and client.enterprise_id == enterprise_id else None

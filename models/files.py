"""Uploaded files: a row each; the bytes lie encrypted in the file store."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, func, select
from sqlalchemy.orm import Mapped, mapped_column

from .database import Row, session
from .types import Encrypted, UtcDateTime


class StoredFile(Row):
    """`name` as uploaded (personal data may stand in it); `kind` by content: jpg, pdf, xlsx …"""

    __tablename__ = "files"

    kind: Mapped[str]
    size: Mapped[int]  # bytes
    sha256: Mapped[bytes]
    document_id: Mapped[UUID | None] = mapped_column(ForeignKey("documents.id"), index=True)
    enterprise_id: Mapped[UUID | None] = mapped_column(ForeignKey("enterprises.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    _name: Mapped[bytes] = mapped_column("name", LargeBinary)

    name = Encrypted("_name")


def find_file(file_id: UUID) -> StoredFile | None:
    return session.get(StoredFile, file_id)


def size_of_files(document_id: UUID) -> int:
    """Bytes of all that was ever uploaded into a document, still used or not."""
    return session.scalar(
        select(func.coalesce(func.sum(StoredFile.size), 0)).where(StoredFile.document_id == document_id)
    )


def files_of(document_id: UUID) -> list[StoredFile]:
    return list(session.scalars(select(StoredFile).where(StoredFile.document_id == document_id)))

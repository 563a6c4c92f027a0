"""Reports of the device doctor (检查报告) that users sent to the helpdesk."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint, delete, select, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .accounts import Enterprise, User
from .database import Row, session
from .types import Encrypted, UtcDateTime


class DeviceReport(Row):
    """Numbers of what was found, spoken ones as text. `version`: of the card bridge, "" where it was not heard."""

    __tablename__ = "device_reports"

    day: Mapped[date]
    ordinal: Mapped[int]  # of that day, from 1
    found: Mapped[list] = mapped_column(JSONB)
    version: Mapped[str]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    enterprise_id: Mapped[UUID | None] = mapped_column(ForeignKey("enterprises.id"))
    _told: Mapped[bytes] = mapped_column("told", LargeBinary)
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    told = Encrypted("_told")  # {agent, story, phone}
    user: Mapped[User | None] = relationship(lazy="joined")
    enterprise: Mapped[Enterprise | None] = relationship(lazy="joined")

    __table_args__ = (UniqueConstraint("day", "ordinal"),)

    @property
    def number(self) -> str:
        """As it is said aloud: JC-0423-17, the 17th of 23 April."""
        return f"JC-{self.day:%m%d}-{self.ordinal:02d}"


def find_device_report(report_id: UUID) -> DeviceReport | None:
    return session.get(DeviceReport, report_id)


def device_reports_called(days: list[date], ordinal: int) -> list[DeviceReport]:
    """Those with this number on one of the days, newest first: the number itself names no year."""
    query = select(DeviceReport).where(DeviceReport.day.in_(days), DeviceReport.ordinal == ordinal)
    return list(session.scalars(query.order_by(DeviceReport.day.desc())))


def page_of_device_reports(before: tuple[date, int] | None, limit: int) -> list[DeviceReport]:
    """Newest first. `before`: (day, ordinal) of the row before."""
    query = select(DeviceReport).order_by(DeviceReport.day.desc(), DeviceReport.ordinal.desc()).limit(limit)
    if before:
        query = query.where(tuple_(DeviceReport.day, DeviceReport.ordinal) < tuple_(*before))
    return list(session.scalars(query))


def sweep_device_reports(before: datetime) -> None:
    session.execute(delete(DeviceReport).where(DeviceReport.at < before))

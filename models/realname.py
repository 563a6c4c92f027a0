"""单位实名认证: passed verifications with their evidence, and the case of the legal representative's way while it runs."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, select, update
from sqlalchemy.orm import Mapped, mapped_column

from .accounts import MIGRATED, Enterprise
from .database import Row, session
from .types import Encrypted, UtcDateTime


class Verification(Row):
    """One passed verification. `ended_at`: it counts no more (需重新认证); the evidence is kept all the same.

    method: card | representative | representative-by-name | bank-<slug>. `certificate`: DER where a card or UKEY gave one.
    """

    __tablename__ = "verifications"

    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"), index=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    method: Mapped[str]
    level: Mapped[int]
    certificate: Mapped[bytes | None] = mapped_column("evidence", LargeBinary)
    _evidence: Mapped[bytes | None] = mapped_column("details", LargeBinary)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    evidence = Encrypted("_evidence")  # what was checked by whom, under which number; see each method


class VerificationCase(Row):
    """法定代表人身份认证 under way, one a company. state: open | done | ended.

    company_at, person_at, manager_at: when 企业信息, 法定代表人 and 账号归属人 were found right. `handover_*`: the second of
    them may be done by the 法定代表人 himself on his telephone; the code opens that page and is kept by keyed hash.
    """

    __tablename__ = "verification_cases"

    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"), index=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    state: Mapped[str] = mapped_column(default="open")
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime] = mapped_column(UtcDateTime)
    company_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    person_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    manager_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    handover_hash: Mapped[bytes | None] = mapped_column(unique=True)
    handover_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    handover_opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    _data: Mapped[bytes | None] = mapped_column("data", LargeBinary)

    data = Encrypted("_data")  # {typed, person, evidence, phones, …}: see blueprints/realname/cases.py

    __table_args__ = (
        Index("uq_verification_cases_open", "enterprise_id", unique=True, postgresql_where="state = 'open'"),
    )


def verifications_of(enterprise_id: UUID) -> list[Verification]:
    """The newest first, those that ended too."""
    query = select(Verification).where(Verification.enterprise_id == enterprise_id)
    return list(session.scalars(query.order_by(Verification.at.desc())))


def last_verification(enterprise_id: UUID) -> Verification | None:
    """The newest that counts."""
    query = select(Verification).where(Verification.enterprise_id == enterprise_id, Verification.ended_at.is_(None))
    return session.scalar(query.order_by(Verification.at.desc()).limit(1))


def open_case(enterprise_id: UUID, *, lock: bool = False) -> VerificationCase | None:
    return _one_case(VerificationCase.enterprise_id == enterprise_id, lock)


def case_by_handover(handover_hash: bytes, *, lock: bool = False) -> VerificationCase | None:
    return _one_case(VerificationCase.handover_hash == handover_hash, lock)


def _one_case(which, lock: bool) -> VerificationCase | None:
    query = select(VerificationCase).where(which, VerificationCase.state == "open")
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)


def ask_anew(company: Enterprise, why: str, at: datetime) -> None:
    """需重新认证: a company that had to prove itself (M91) proves itself again after `why` changed.

    The company is locked first and its level read anew, as everybody does who verifies: company, account, case.
    """
    with session.no_autoflush:
        session.refresh(company, ["level"], with_for_update=True)
    cases = update(VerificationCase).where(VerificationCase.enterprise_id == company.id)
    session.execute(cases.where(VerificationCase.state == "open").values(state="ended", _data=None))
    if company.origin != MIGRATED or not company.level:
        return
    company.level, company.renew_since, company.renew_why = 0, at, why
    counts = Verification.enterprise_id == company.id, Verification.ended_at.is_(None)
    session.execute(update(Verification).where(*counts).values(ended_at=at))


def end_old_cases(now: datetime) -> None:
    """What was typed in a case that nobody finished is forgotten."""
    old = VerificationCase.state == "open", VerificationCase.until < now
    session.execute(update(VerificationCase).where(*old).values(state="ended", _data=None, handover_hash=None))

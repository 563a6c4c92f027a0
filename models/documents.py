"""What is stored of a document: answers, submissions, decisions, one end. Everything else is computed from these."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    delete,
    func,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.orm import Mapped, attribute_keyed_dict, mapped_column, relationship

from .database import Base, Row, session
from .types import Encrypted, UtcDateTime


class Answer(Row):
    """Answers of one place (`step` or `step/item`) as typed, right or wrong. `typed` None: the item was removed."""

    __tablename__ = "answers"

    document_id: Mapped[UUID] = mapped_column(ForeignKey("documents.id"))
    place: Mapped[str]
    _typed: Mapped[bytes | None] = mapped_column("typed", LargeBinary)
    revision: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str]
    writer: Mapped[str] = mapped_column(default="")  # the page instance that wrote last: it never conflicts with itself

    typed = Encrypted("_typed")

    __table_args__ = (UniqueConstraint("document_id", "place"),)


class Submission(Row):
    """Submission n opens round n: the frozen snapshot that review, print, history and difference read."""

    __tablename__ = "submissions"

    document_id: Mapped[UUID] = mapped_column(ForeignKey("documents.id"))
    number: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str]
    edition: Mapped[str]
    revisions: Mapped[dict] = mapped_column(JSONB)  # of the answers, by place on the path
    _lines: Mapped[bytes] = mapped_column("lines", LargeBinary)
    _facts: Mapped[bytes] = mapped_column("facts", LargeBinary)

    lines_data = Encrypted("_lines")
    facts_data = Encrypted("_facts")

    __table_args__ = (UniqueConstraint("document_id", "number"), Index("ix_submissions_at", "at"))


class Decision(Row):
    """approved | returned | refused by one stage in one round."""

    __tablename__ = "decisions"

    document_id: Mapped[UUID] = mapped_column(ForeignKey("documents.id"))
    round: Mapped[int]
    stage: Mapped[str]
    stage_title: Mapped[str]  # kept: an old print must read right after the kind has dropped the stage
    outcome: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    _lines: Mapped[bytes] = mapped_column("lines", LargeBinary)  # what the decider supplied
    _reasons: Mapped[bytes] = mapped_column("reasons", LargeBinary)

    lines_data = Encrypted("_lines")
    reasons = Encrypted("_reasons")  # [[path, reason], …]

    __table_args__ = (UniqueConstraint("document_id", "round", "stage"), Index("ix_decisions_at", "at"))


class Document(Row):
    """One application. `applicant` is the principal of its start; None before an account exists."""

    __tablename__ = "documents"

    kind: Mapped[str]
    number: Mapped[str | None] = mapped_column(unique=True)  # 受理编号, 16 digits, from the first submission on
    title: Mapped[str] = mapped_column(default="")  # what lists call it
    applicant_user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    applicant_enterprise_id: Mapped[UUID | None] = mapped_column(ForeignKey("enterprises.id"), index=True)
    applicant_data: Mapped[dict | None] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    end_outcome: Mapped[str | None]  # approved | refused | withdrawn
    end_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    _secrets: Mapped[bytes | None] = mapped_column("secrets", LargeBinary)
    _given: Mapped[bytes | None] = mapped_column("given", LargeBinary)

    secrets = Encrypted("_secrets")  # {place: {field: [bond, kept]}}; gone at the end
    given = Encrypted("_given")  # what the draft was begun with and nobody typed: the data of a card's certificate

    answers: Mapped[dict[str, Answer]] = relationship(
        collection_class=attribute_keyed_dict("place"), lazy="selectin", order_by=Answer.place
    )
    submissions: Mapped[list[Submission]] = relationship(lazy="selectin", order_by=Submission.number)
    decisions: Mapped[list[Decision]] = relationship(lazy="selectin", order_by=Decision.at)
    participants: Mapped[list["Participation"]] = relationship(lazy="selectin", cascade="all, delete-orphan")

    __table_args__ = (Index("ix_documents_created_at_id", "created_at", "id"),)


class Participation(Base):
    """A company's part in a document; who sees it is a join on these rows."""

    __tablename__ = "participations"

    document_id: Mapped[UUID] = mapped_column(ForeignKey("documents.id"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    enterprise_id: Mapped[UUID] = mapped_column(ForeignKey("enterprises.id"), index=True)
    code: Mapped[str | None]
    may: Mapped[list[str]] = mapped_column(ARRAY(Text))


class OpenStage(Base):
    """What waits for a decision: the desks' queue. Rewritten from the document after every act."""

    __tablename__ = "open_stages"

    document_id: Mapped[UUID] = mapped_column(ForeignKey("documents.id"), primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    desk: Mapped[str]  # name of a desk, or role of a party with "party:" before it
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due: Mapped[date | None] = mapped_column(Date)
    kind: Mapped[str]  # these three as the document has them, so that the queue is searched without it
    title: Mapped[str] = mapped_column(String(collation="C"))
    tail: Mapped[str]  # the last 4 digits of the 受理编号
    claimed_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    document: Mapped[Document] = relationship()

    __table_args__ = (
        Index("ix_open_stages_queue", "desk", "due", "opened_at", "document_id"),
        Index("ix_open_stages_kind", "desk", "kind", "due", "opened_at", "document_id"),
        Index("ix_open_stages_title", "desk", "title"),
        Index("ix_open_stages_tail", "tail"),
    )


class Claim(Base):
    """At most so many documents hold (scope, key): one row a seat, one unique constraint."""

    __tablename__ = "claims"

    scope: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    seat: Mapped[int] = mapped_column(Integer, primary_key=True)
    document_id: Mapped[UUID] = mapped_column(ForeignKey("documents.id"), index=True)
    stays: Mapped[bool] = mapped_column(Boolean)


class ResumeCode(Base):
    """Keyed hash of the code by which a draft without account is found again from anywhere."""

    __tablename__ = "resume_codes"

    code_hash: Mapped[bytes] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(ForeignKey("documents.id"), unique=True)
    until: Mapped[datetime] = mapped_column(UtcDateTime)


class SerialNumber(Base):
    """Gapless counters, one row a series, incremented under its row lock."""

    __tablename__ = "serial_numbers"

    series: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]


class HistoryEvent(Base):
    """Audit: inserted unsealed in the transaction of the act; a leased job chains them per company."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    enterprise_id: Mapped[UUID | None]
    user_name: Mapped[str]
    act: Mapped[str]
    subject: Mapped[str]
    details: Mapped[dict] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    seal: Mapped[bytes | None]

    __table_args__ = (
        Index("ix_events_unsealed", "id", postgresql_where="seal IS NULL"),
        Index("ix_events_subject", "subject"),
        Index("ix_events_company", "enterprise_id", "id"),
    )


class RegisterCheck(Base):
    """What the company register said of a submission, asked by the worker. outcome: found | unknown | off | unavailable."""

    __tablename__ = "register_checks"

    id: Mapped[UUID] = mapped_column(ForeignKey("documents.id"), primary_key=True)
    outcome: Mapped[str]
    _record: Mapped[bytes | None] = mapped_column("record", LargeBinary)
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    record = Encrypted("_record")  # {path of an answer: what the register has}


def lock_document(document_id: UUID) -> Document | None:
    """The document under a row lock, read afresh: two acts on one document follow one another."""
    query = select(Document).where(Document.id == document_id).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def find_document(document_id: UUID) -> Document | None:
    return session.get(Document, document_id)


def documents_of(enterprise_id: UUID, code: str | None, limit: int = 100) -> list[Document]:
    """What a company takes part in, under its active code, and its drafts; newest first."""
    parts = select(Participation.document_id).where(
        Participation.enterprise_id == enterprise_id,
        Participation.code.is_(None) | (Participation.code == code),
    )
    mine = (Document.applicant_enterprise_id == enterprise_id) & ~Document.submissions.any()
    query = select(Document).where(Document.id.in_(parts) | mine)
    return list(session.scalars(query.order_by(Document.created_at.desc(), Document.id).limit(limit)))


def queue(desks: frozenset[str], after: tuple | None, limit: int) -> list[OpenStage]:
    """What waits at these desks, overdue first (no promise last), by keyset: `after` is (due or 9999, opened, id)."""
    far = date(9999, 12, 31)
    order = (func.coalesce(OpenStage.due, far), OpenStage.opened_at, OpenStage.document_id)
    query = select(OpenStage).where(OpenStage.desk.in_(desks)).order_by(*order).limit(limit)
    if after:
        query = query.where(tuple_(*order) > tuple_(*after))
    return list(session.scalars(query))


def claim_seats(document_id: UUID, claims) -> list:
    """Hold exactly `claims` for the document; gives those whose seats others hold. Call under the document's lock."""
    wanted = {(claim.scope, claim.key) for claim in claims}
    held = {(row.scope, row.key) for row in session.scalars(select(Claim).where(Claim.document_id == document_id))}
    for scope, key in held - wanted:
        session.execute(delete(Claim).where(Claim.document_id == document_id, Claim.scope == scope, Claim.key == key))
    return [claim for claim in claims if (claim.scope, claim.key) not in held and not _take_seat(document_id, claim)]


def _take_seat(document_id: UUID, claim) -> bool:
    for seat in range(claim.capacity):
        row = {"scope": claim.scope, "key": claim.key, "seat": seat, "document_id": document_id, "stays": claim.stays}
        taken = session.execute(insert(Claim).values(row).on_conflict_do_nothing().returning(Claim.seat))
        if taken.first():
            return True
    return False


def release_seats(document_id: UUID, approved: bool) -> None:
    """At the end: all of them, or after approval those that do not stay."""
    query = delete(Claim).where(Claim.document_id == document_id)
    session.execute(query.where(~Claim.stays) if approved else query)


def free_claim(scope: str, key: str) -> None:
    """The company that held it for good has ended."""
    session.execute(delete(Claim).where(Claim.scope == scope, Claim.key == key))


def is_claimed(scope: str, key: str) -> bool:
    return session.scalar(select(Claim.seat).where(Claim.scope == scope, Claim.key == key).limit(1)) is not None


def replace_open_stages(document_id: UUID, rows: list[dict]) -> None:
    """What stays open stays claimed by whom it was."""
    gone = delete(OpenStage).where(OpenStage.document_id == document_id).returning(OpenStage)
    before = {(row.stage, row.opened_at): row for row in session.scalars(gone)}
    none = {"document_id": document_id, "claimed_by": None, "claimed_at": None}
    for row in rows:
        old = before.get((row["stage"], row["opened_at"]))
        kept = {"claimed_by": old.claimed_by, "claimed_at": old.claimed_at} if old else {}
        session.execute(insert(OpenStage).values(none | row | kept))


def next_serial(series: str) -> int:
    """Gapless: the row stays locked until the transaction that used the number has ended."""
    statement = insert(SerialNumber).values(series=series, last=1)
    statement = statement.on_conflict_do_update(
        index_elements=["series"], set_={"last": SerialNumber.last + 1}
    ).returning(SerialNumber.last)
    return session.scalar(statement)


EXACT_EVENTS = 10_000  # totals are counted up to here


def company_events(enterprise_id: UUID, *, acts=(), text: str = "", name: str = "", since=None, until=None):
    """A query for a company's own events, newest first. `acts`: codes; `text` begins the user name, `name` is all of it."""
    conditions = [
        HistoryEvent.act.in_(acts) if acts else None,
        HistoryEvent.user_name.startswith(text, autoescape=True) if text else None,
        HistoryEvent.user_name == name if name else None,
        HistoryEvent.at >= since if since else None,
        HistoryEvent.at < until if until else None,
    ]
    query = select(HistoryEvent).where(HistoryEvent.enterprise_id == enterprise_id)
    return query.where(*(each for each in conditions if each is not None)).order_by(HistoryEvent.id.desc())


def page_of_events(enterprise_id: UUID, before: int | None, limit: int, **search) -> list[HistoryEvent]:
    """As `company_events`, `limit` of them; `before`: id of the row before."""
    query = company_events(enterprise_id, **search)
    return list(session.scalars((query.where(HistoryEvent.id < before) if before else query).limit(limit)))


def count_events(enterprise_id: UUID, **search) -> int:
    """Exact up to `EXACT_EVENTS`; one more means: or more."""
    query = company_events(enterprise_id, **search).with_only_columns(HistoryEvent.id).order_by(None)
    return session.scalar(select(func.count()).select_from(query.limit(EXACT_EVENTS + 1).subquery()))


def names_of_documents(ids) -> dict[UUID, tuple[str, str | None]]:
    """{id: (kind, 受理编号)}."""
    query = select(Document.id, Document.kind, Document.number).where(Document.id.in_(ids))
    return {id: (kind, number) for id, kind, number in session.execute(query)} if ids else {}


def last_events_about(subject: str, acts: tuple[str, ...], limit: int) -> list[HistoryEvent]:
    """The newest first."""
    query = select(HistoryEvent).where(HistoryEvent.subject == subject, HistoryEvent.act.in_(acts))
    return list(session.scalars(query.order_by(HistoryEvent.id.desc()).limit(limit)))


def events_about(subject: str) -> list[HistoryEvent]:
    return list(session.scalars(select(HistoryEvent).where(HistoryEvent.subject == subject).order_by(HistoryEvent.id)))

"""What the officials' desk asks: its queue and its claims, the numbers of each day, what a company has handed in."""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import (
    Date,
    DateTime,
    Integer,
    Time,
    cast,
    extract,
    false,
    func,
    or_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from .accounts import User
from .database import session
from .documents import Decision, Document, OpenStage, Participation, Submission

EXACT = 10_000  # list totals are counted up to here
ZONE = "Asia/Shanghai"


@dataclass(frozen=True)
class Wanted:
    """What of the queue is looked for. Times and days come from the caller's clock."""

    desks: frozenset[str]
    kind: str = ""
    due_before: date | None = None
    due_on: date | None = None
    claimed_by: UUID | None = None
    free_since: datetime | None = None  # claimed by nobody, or before this moment
    text: str = ""  # a whole 受理编号 or its last 4 digits, or the beginning of a title

    def asked_of(self) -> list:
        """Conditions on the stage alone, and on its document."""
        pairs = [
            (self.kind, lambda: OpenStage.kind == self.kind),
            (self.due_before, lambda: OpenStage.due < self.due_before),
            (self.due_on, lambda: OpenStage.due == self.due_on),
            (self.claimed_by, lambda: OpenStage.claimed_by == self.claimed_by),
            (self.free_since, lambda: or_(OpenStage.claimed_by.is_(None), OpenStage.claimed_at <= self.free_since)),
            (self.text, lambda: _called(self.text)),
        ]
        return [make() for given, make in pairs if given]

    @property
    def readings(self) -> list[frozenset[str]]:
        """Desks that are read together: all at once for digits, which few have; else each in the order of the index."""
        if self.text.replace(" ", "").isdigit():
            return [self.desks]
        return [frozenset({desk}) for desk in sorted(self.desks)]

    @property
    def needs_document(self) -> bool:
        return is_number(self.text)


def is_number(text: str) -> bool:
    """A whole 受理编号."""
    digits = text.replace(" ", "")
    return digits.isdigit() and len(digits) == 16


def _called(text: str):
    digits = text.replace(" ", "")
    begins = OpenStage.title.startswith(text, autoescape=True)
    if is_number(text):
        return Document.number == digits
    return or_(OpenStage.tail == digits, begins) if digits.isdigit() and len(digits) == 4 else begins


def _waiting(wanted: Wanted, *columns):
    query = select(*columns)
    if wanted.needs_document:
        query = query.join(Document, Document.id == OpenStage.document_id)
    return query.where(*wanted.asked_of())


def page_of_queue(wanted: Wanted, after: tuple | None, limit: int) -> list:
    """What waits at these desks, overdue first (no promise last): (stage, kind, number, title, rounds, claimer's name).

    `after`: (due or None, opened, document, stage) of the row before. Each desk is read in the order of the index and
    no further than `limit`, so that the page costs the same however long the queue is.
    """
    order = (OpenStage.due, OpenStage.opened_at, OpenStage.document_id, OpenStage.stage)
    parts = [
        _waiting(wanted, *order).where(OpenStage.desk.in_(desks), *further).order_by(*order).limit(limit)
        for desks in wanted.readings
        for further in _branches(after)
    ]
    if not parts:
        return []
    found = union_all(*parts).subquery()
    rounds = select(func.count()).where(Submission.document_id == Document.id).scalar_subquery()
    query = (
        select(OpenStage, Document.kind, Document.number, Document.title, rounds.label("rounds"), User.shown_name.label("claimer"))
        .join(found, (OpenStage.document_id == found.c.document_id) & (OpenStage.stage == found.c.stage))
        .join(Document, Document.id == OpenStage.document_id)
        .outerjoin(User, User.id == OpenStage.claimed_by)
    )  # fmt: skip
    return list(session.execute(query.order_by(*order).limit(limit)))


def _branches(after: tuple | None) -> list[list]:
    """The rest of the queue as conditions that an index can start at: rows with a promise, then those without."""
    if after is None:
        return [[]]
    due, *rest = after
    without = OpenStage.due.is_(None)
    if due:
        return [[tuple_(OpenStage.due, OpenStage.opened_at, OpenStage.document_id, OpenStage.stage) > tuple_(*after)], [without]]  # fmt: skip
    return [[without, tuple_(OpenStage.opened_at, OpenStage.document_id, OpenStage.stage) > tuple_(*rest)]]


def count_waiting(wanted: Wanted) -> int:
    """Exact up to `EXACT`; one more means: or more."""
    inner = _waiting(wanted, OpenStage.document_id).where(OpenStage.desk.in_(wanted.desks)).limit(EXACT + 1)
    return session.scalar(select(func.count()).select_from(inner.subquery()))


def find_open_stage(document_id: UUID, stage: str) -> OpenStage | None:
    return session.get(OpenStage, (document_id, stage), populate_existing=True)


@dataclass
class Day:
    """What came and what was decided on one day in China."""

    day: date
    submitted: int = 0
    decided: dict[str, int] = field(default_factory=dict)  # by outcome


def days_of(kinds: list[str], stages: list[tuple[str, str]], since: datetime) -> dict[date, Day]:
    """By local day from `since` on: submissions of these kinds, decisions of these (kind, stage)."""
    days: dict[date, Day] = {}
    local = func.date(func.timezone(ZONE, Submission.at))
    query = select(local, func.count()).join(Document, Document.id == Submission.document_id)
    query = query.where(Submission.at >= since, Document.kind.in_(kinds)).group_by(local)
    for day, count in session.execute(query):
        days.setdefault(day, Day(day)).submitted = count
    local = func.date(func.timezone(ZONE, Decision.at))
    query = select(local, Decision.outcome, func.count()).join(Document, Document.id == Decision.document_id)
    query = query.where(Decision.at >= since, _of_stages(stages)).group_by(local, Decision.outcome)
    for day, outcome, count in session.execute(query):
        days.setdefault(day, Day(day)).decided[outcome] = count
    return days


def _of_stages(stages):
    """Kinds whose stages are called alike are asked for at once."""
    slugs: dict[str, list[str]] = {}
    for kind, stage in stages:
        slugs.setdefault(kind, []).append(stage)
    alike: dict[tuple, list[str]] = {}
    for kind, names in slugs.items():
        alike.setdefault(tuple(sorted(names)), []).append(kind)
    return or_(false(), *(Document.kind.in_(kinds) & Decision.stage.in_(names) for names, kinds in alike.items()))


def open_and_overdue(desks: frozenset[str], today: date) -> tuple[int, int]:
    query = select(func.count(), func.count().filter(OpenStage.due < today)).where(OpenStage.desk.in_(desks))
    return tuple(session.execute(query).one())


def median_working_seconds(
    stages: list[tuple[str, str]], since: datetime, calendar: list[tuple[date, int, bool]], hours: tuple[time, time]
) -> float | None:
    """Of working time between a round's submission and its decision, over the decisions from `since` on.

    `calendar`: (day, working days before it, whether it is one), without gaps; what lies before it counts from its
    first day. `hours`: when a working day begins and ends.
    """
    began, ended = ((each.hour * 60 + each.minute) * 60 for each in hours)
    first = calendar[0][0]
    lists = select(
        cast([count for _, count, _ in calendar], ARRAY(Integer)).label("before"),
        cast([int(each) for _, _, each in calendar], ARRAY(Integer)).label("works"),
    )
    days = lists.cte("days").prefix_with("MATERIALIZED")  # else each row casts both lists anew

    def worked(at):
        """Seconds worked from the beginning of the calendar until that moment."""
        moment = func.greatest(func.timezone(ZONE, at), datetime.combine(first, time()), type_=DateTime)
        place = cast(func.date(moment), Date) - first + 1
        of_day = cast(extract("epoch", cast(moment, Time)), Integer) - began
        return days.c.before[place] * (ended - began) + days.c.works[place] * func.least(
            func.greatest(of_day, 0), ended - began
        )

    query = (
        select(func.percentile_cont(0.5).within_group(worked(Decision.at) - worked(Submission.at)))
        .select_from(Decision)
        .join(Submission, (Submission.document_id == Decision.document_id) & (Submission.number == Decision.round))
        .join(Document, Document.id == Decision.document_id)
        .join(days, true())
        .where(Decision.at >= since, _of_stages(stages))
    )
    return session.scalar(query)


def papers_of(enterprise_id: UUID, limit: int) -> list[Document]:
    """What a company handed in or takes part in, under any of its codes; newest first."""
    parts = select(Participation.document_id).where(Participation.enterprise_id == enterprise_id)
    query = select(Document).where(Document.id.in_(parts), Document.number.isnot(None))
    return list(session.scalars(query.order_by(Document.created_at.desc(), Document.id).limit(limit)))

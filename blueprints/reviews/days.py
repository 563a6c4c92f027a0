"""The numbers of each day, their sums, and where the bars stand."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from blueprints.common import clock
from blueprints.common.wizard_base import office
from models.desks import Day, days_of, median_working_seconds

DAYS = 30
BEFORE = 180  # days before those, on which what is decided now may have been handed in
BEGINS, ENDS = time(8, 30), time(17, 30)  # of a working day
OUTCOMES = {"approved": "通过", "returned": "退回", "refused": "不予通过"}
SLOT, BAR, HEIGHT = 20, 7, 100


def stages_of(desks: frozenset[str]) -> list[tuple[str, str]]:
    """(kind, stage) of all that these desks decide."""
    return [
        (kind.slug, stage.slug) for kind in office().kinds.values() for stage in kind.stages if stage.by.tray in desks
    ]


def first_day() -> date:
    return clock.today() - timedelta(days=DAYS - 1)


def first_moment() -> datetime:
    return datetime.combine(first_day(), time(), clock.SHANGHAI)


def last_days(stages: list[tuple[str, str]]) -> list[Day]:
    """One for each of the last days, oldest first, also where nothing happened."""
    kinds = sorted({kind for kind, _ in stages})
    found = days_of(kinds, stages, first_moment())
    return [found.get(day, Day(day)) for day in (first_day() + timedelta(days=n) for n in range(DAYS))]


def totals_of(days: list[Day]) -> dict[str, int]:
    sums = {outcome: sum(day.decided.get(outcome, 0) for day in days) for outcome in OUTCOMES}
    return sums | {"submitted": sum(day.submitted for day in days)}


def median_hours(stages: list[tuple[str, str]]) -> float | None:
    """Of working time from a submission to its decision; None without decisions."""
    start = first_day() - timedelta(days=BEFORE)
    calendar, count = [], 0
    for day in (start + timedelta(days=n) for n in range(BEFORE + DAYS)):
        works = clock.is_working_day(day)[0]
        calendar.append((day, count, works))
        count += works
    seconds = median_working_seconds(stages, first_moment(), calendar, (BEGINS, ENDS))
    return None if seconds is None else seconds / 3600


@dataclass(frozen=True)
class Bar:
    tone: str  # class that colours it
    is_hollow: bool
    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Plot:
    """Bars in a box of `width` × `height`; `most` is what the full height stands for."""

    width: int
    height: int
    most: int
    groups: list[tuple[Day, list[Bar]]]


def plot(days: list[Day]) -> Plot:
    """Two bars a day: what came in (hollow), and what was decided, one outcome upon the other."""
    most = max([1, *(day.submitted for day in days), *(sum(day.decided.values()) for day in days)])
    groups = [(day, bars_of(day, place * SLOT, HEIGHT / most)) for place, day in enumerate(days)]
    return Plot(len(days) * SLOT, HEIGHT, most, groups)


def bars_of(day: Day, left: int, scale: float) -> list[Bar]:
    came = day.submitted * scale
    bars, top = [Bar("soft", True, left + 2, round(HEIGHT - came, 1), round(came, 1))], HEIGHT
    for outcome, tone in (("approved", "ok"), ("returned", "todo"), ("refused", "bad")):
        height = day.decided.get(outcome, 0) * scale
        top -= height
        bars.append(Bar(tone, False, left + 2 + BAR + 2, round(top, 1), round(height, 1)))
    return [bar for bar in bars if bar.height]

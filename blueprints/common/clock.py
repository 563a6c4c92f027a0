"""The only clock, and the working days of the People's Republic of China (with 调休)."""

from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
CLOSE_OF_DAY = "17:30"


class _Clock:
    frozen: datetime | None = None


def now() -> datetime:
    """Aware, UTC."""
    return _Clock.frozen or datetime.now(UTC)


def local(moment: datetime) -> datetime:
    return moment.astimezone(SHANGHAI)


def today() -> date:
    """The date in China, where the users are."""
    return local(now()).date()


@contextmanager
def stopped_at(moment: datetime):
    """For tests and seeding: the clock stands still at `moment` (aware)."""
    before, _Clock.frozen = _Clock.frozen, moment.astimezone(UTC)
    try:
        yield
    finally:
        _Clock.frozen = before


def is_working_day(day: date) -> tuple[bool, bool]:
    """(working day?, provisional?). Beyond the published calendar Monday to Friday is assumed, and said so."""
    try:
        return chinese_calendar.is_workday(day), False
    except NotImplementedError:
        return day.weekday() < 5, True


def working_day_after(day: date, count: int) -> tuple[date, bool]:
    """The `count`-th working day after `day` (day 0), and whether any day of the way was beyond the calendar."""
    provisional = False
    while count:
        day += timedelta(days=1)
        works, guessed = is_working_day(day)
        provisional = provisional or guessed
        count -= works
    return day, provisional

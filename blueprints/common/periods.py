"""Days as people type them in search lines."""

from datetime import datetime, timedelta

from . import clock


def read_day(text: str) -> datetime | None:
    """20261121, 2026-11-21 or 2026/11/21: the beginning of that day in China; None for anything else."""
    digits = text.replace("-", "").replace("/", "")
    try:
        return datetime.strptime(digits, "%Y%m%d").replace(tzinfo=clock.SHANGHAI) if len(digits) == 8 else None
    except ValueError:
        return None


def day_after(text: str) -> datetime | None:
    """The beginning of the day after, for searches up to and including a day."""
    day = read_day(text)
    return day and day + timedelta(days=1)

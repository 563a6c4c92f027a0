"""Cursors of lists: where the next page begins, as a text that means nothing to its reader."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from .base import Parameter, Refused, wrong_parameter

AFTER = Parameter("after", "`next` of the page before")
LIMIT = Parameter("limit", "how many", {"type": "integer", "minimum": 1})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = re.compile(r"([0-9a-f]{1,13})-([0-9a-f]{1,32})")
_SERIAL = re.compile(r"[0-9]{1,18}")


def write_cursor(at: datetime, number: int) -> str:
    """Of a row by its moment and number (a serial, or a UUID's)."""
    return f"{(at - EPOCH) // timedelta(microseconds=1):x}-{number:x}"


def read_pair(text: str) -> tuple[datetime, int] | None:
    """Raises `Refused` for what no answer gave."""
    if not text:
        return None
    found = _CURSOR.fullmatch(text)
    if not found:
        raise wrong_cursor()
    try:
        return EPOCH + timedelta(microseconds=int(found[1], 16)), int(found[2], 16)
    except OverflowError as error:
        raise wrong_cursor() from error


def read_moment_cursor(text: str) -> tuple[datetime, UUID] | None:
    found = read_pair(text)
    return found and (found[0], UUID(int=found[1]))


def read_change_cursor(text: str) -> tuple[datetime, int] | None:
    found = read_pair(text)
    if found and found[1] >= 1 << 63:
        raise wrong_cursor()
    return found


def read_serial(text: str) -> int:
    if text and not _SERIAL.fullmatch(text):
        raise wrong_cursor()
    return int(text or 0)


def wrong_cursor() -> Refused:
    return wrong_parameter("after", "上一页答复里的next")

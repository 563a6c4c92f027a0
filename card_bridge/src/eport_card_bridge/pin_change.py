"""修改卡密码, 用解锁码解锁: pages of this program alone. No portal asks for them, and none is told what was typed."""

import asyncio
import re
import time
from dataclasses import dataclass, field

from .cards import NEW_PIN
from .outcomes import Outcome, Stop

PIN_FORMAT = re.compile(r"[!-~]{4,16}\Z")
UNLOCK_CODE = re.compile(r"[0-9]{8}\Z")
FACTORY_PIN = "88888888"
SAME_CLICK_SECONDS = 2
KEEP_SECONDS = 600


@dataclass
class TypedPins:
    """The form as it was sent; `serial` is the card that the page showed or the user chose, `old` what the card wants to
    see before it takes a new PIN."""

    agreed: bool
    serial: str
    old: str = field(repr=False)
    new: str = field(repr=False)
    again: str = field(repr=False)

    def check(self) -> None:
        """Raises Stop for all that can be seen without the card, so that it costs no try."""
        if not self.agreed:
            raise Stop(Outcome.PIN_KEPT)
        if not PIN_FORMAT.match(self.old):
            raise Stop(Outcome.PIN_FORMAT)
        self.check_new()
        if self.new == self.old:
            raise Stop(Outcome.NEW_PIN_SAME)

    def check_new(self) -> None:
        if not NEW_PIN.match(self.new):
            raise Stop(Outcome.NEW_PIN_FORMAT)
        if self.new != self.again:
            raise Stop(Outcome.NEW_PIN_DIFFERS)

    @property
    def success(self) -> Stop:
        return Stop(Outcome.PIN_CHANGED_TO_KNOWN if self.new == FACTORY_PIN else Outcome.PIN_CHANGED)


class TypedCode(TypedPins):
    """The same of page 9608 (用解锁码解锁): `old` is the unlock code."""

    def check(self) -> None:
        if not self.agreed:
            raise Stop(Outcome.UNLOCK_KEPT)
        if not UNLOCK_CODE.match(self.old):
            raise Stop(Outcome.UNLOCK_CODE_FORMAT)
        self.check_new()

    @property
    def success(self) -> Stop:
        return Stop(Outcome.PIN_CHANGED_TO_KNOWN if self.new == FACTORY_PIN else Outcome.UNLOCKED)


class PinChanges:
    """What came of each PIN change or unlocking, by the used-up token of its form: a reload shows it again and sends nothing."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[asyncio.Task[Stop], float]] = {}

    def add(self, token: str, task: asyncio.Task[Stop]) -> None:
        now = time.monotonic()
        self._rows = {key: row for key, row in self._rows.items() if now < row[1] + KEEP_SECONDS or not row[0].done()}
        self._rows[token] = (task, now)

    def is_same_click(self, token: str) -> bool:
        """True for the second half of a double click: the user must see what came of the first, not that the page is
        out of date. Later the same token is refused, for other PINs may have been typed meanwhile."""
        if token not in self._rows:
            return False
        task, began = self._rows[token]
        return not task.done() or time.monotonic() < began + SAME_CLICK_SECONDS

    async def outcome(self, token: str) -> Stop | None:
        """Waits for the end of the change; None if there is none by this token."""
        if token not in self._rows:
            return None
        task, _ = self._rows[token]
        await asyncio.wait([task])
        return task.result()

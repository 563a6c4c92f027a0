"""Limits on attempts, counted in rows so that every portal process knows them."""

import hashlib
import math
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from models.database import session
from models.sessions import Attempt, count_attempts, first_attempt, forget_attempts, last_attempt

from . import clock


@dataclass(frozen=True)
class Limit:
    """At most `count` attempts in `minutes` for one subject."""

    scope: str
    count: int
    minutes: int

    def minutes_left_growing(self, subject: str, most: int = 15) -> int:
        """As `minutes_left`, but each failure past `count` doubles the wait since the last one: 1, 2, 4 … `most`."""
        key, since = self._key(subject), self._since()
        over = count_attempts(self.scope, key, since) - self.count
        if over < 0:
            return 0
        left = min(2**over, most) - (clock.now() - last_attempt(self.scope, key, since)).total_seconds() / 60
        return max(0, math.ceil(left))

    def _key(self, subject: str) -> bytes:
        return hashlib.sha256(f"{self.scope}|{subject.casefold()}".encode()).digest()

    def _since(self):
        return clock.now() - timedelta(minutes=self.minutes)

    def add(self, subject: str) -> Attempt:
        attempt = Attempt(scope=self.scope, subject=self._key(subject), at=clock.now())
        session.add(attempt)
        session.flush()
        return attempt

    def lock(self, subject: str) -> None:
        """Until the transaction ends nobody else counts this subject: what asks and then adds cannot be overtaken."""
        number = int.from_bytes(self._key(subject)[:8], signed=True)
        session.execute(select(func.pg_advisory_xact_lock(number)))

    def so_far(self, subject: str) -> int:
        return count_attempts(self.scope, self._key(subject), self._since())

    def clear(self, subject: str) -> None:
        forget_attempts(self.scope, self._key(subject))

    def minutes_left(self, subject: str) -> int:
        """0: go on. Else how many minutes until the oldest counted attempt is forgotten."""
        key, since = self._key(subject), self._since()
        if count_attempts(self.scope, key, since) < self.count:
            return 0
        waited = (clock.now() - first_attempt(self.scope, key, since)).total_seconds() / 60
        return max(1, round(self.minutes - waited))

"""The rule of PIN tries: after 2 wrong PINs, and before the last try, the card must be taken out and put back."""

from typing import NamedTuple

from .outcomes import Outcome, Stop


class Insertion(NamedTuple):
    """One stay of a card in a reader. `removable`: False for a token that is built in."""

    reader: str
    counter: int
    removable: bool = True


class PinTries:
    """A program that drives the browser cannot take the card out, so it can burn two tries, not the card.

    A token that is built in cannot come out: instead the bridge must be started again after 2 wrong PINs, and after the
    one that left a last try. Kept in memory only; the card's own counter is the truth. `blocked` and `reinsert` are what
    is said of a secret that is used up, and before the card has been taken out.
    """

    def __init__(self, blocked: Outcome = Outcome.PIN_BLOCKED, reinsert: Outcome = Outcome.PIN_REINSERT) -> None:
        self._blocked, self._reinsert = blocked, reinsert
        self._wrong: dict[str, tuple[Insertion, int]] = {}
        self._wait: dict[str, Insertion] = {}

    def check(self, serial: str, insertion: Insertion, left: int | None) -> None:
        """Call before VERIFY; `left` is what the card says, None if it does not tell."""
        if left == 0:
            raise Stop(self._blocked, 0)
        if left == 1 and serial not in self._wait and insertion.removable:
            self._wait[serial] = insertion
        if self._wait.get(serial) != insertion:
            return
        if not insertion.removable:
            raise Stop(Outcome.RESTART_NEEDED)
        untold = left is None and self._reinsert is Outcome.PIN_REINSERT
        raise Stop(Outcome.PIN_REINSERT_UNTOLD if untold else self._reinsert, left)

    def wrong(self, serial: str, insertion: Insertion, left: int | None) -> None:
        seen_at, count = self._wrong.get(serial, (insertion, 0))
        count = count + 1 if seen_at == insertion else 1
        self._wrong[serial] = (insertion, count)
        if count >= 2 or left == 1:
            self._wait[serial] = insertion

    def right(self, serial: str) -> None:
        self._wrong.pop(serial, None)
        self._wait.pop(serial, None)

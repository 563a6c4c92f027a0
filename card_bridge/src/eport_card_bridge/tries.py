"""The rule of PIN tries: after 2 wrong PINs, and before the last try, the card must be taken out and put back."""

from .outcomes import Outcome, Stop

Insertion = tuple[str, int]  # reader name and its insertion counter


class PinTries:
    """A program that drives the browser cannot take the card out, so it can burn two tries, not the card.

    Kept in memory only; the card's own counter is the truth.
    """

    def __init__(self) -> None:
        self._wrong: dict[str, tuple[Insertion, int]] = {}
        self._wait: dict[str, Insertion] = {}

    def check(self, serial: str, insertion: Insertion, left: int) -> None:
        """Call before VERIFY; `left` is what the card says."""
        if left == 0:
            raise Stop(Outcome.PIN_BLOCKED, 0)
        if left == 1 and serial not in self._wait:
            self._wait[serial] = insertion
        if self._wait.get(serial) == insertion:
            raise Stop(Outcome.PIN_REINSERT, left)

    def wrong(self, serial: str, insertion: Insertion, left: int) -> None:
        seen_at, count = self._wrong.get(serial, (insertion, 0))
        count = count + 1 if seen_at == insertion else 1
        self._wrong[serial] = (insertion, count)
        if count >= 2 or left == 1:
            self._wait[serial] = insertion

    def right(self, serial: str) -> None:
        self._wrong.pop(serial, None)
        self._wait.pop(serial, None)

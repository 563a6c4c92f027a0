"""Commands and status words of ISO 7816-4, as far as the APDU profiles share them."""

from collections.abc import Callable

from .outcomes import Outcome, Stop, wrong_pin

Transmit = Callable[[bytes], tuple[bytes, int]]

OK, BLOCKED, NOT_ALLOWED, CONDITIONS, BAD_OFFSET = 0x9000, 0x6983, 0x6982, 0x6985, 0x6B00
BAD_DATA, MEMORY_TROUBLE = 0x6A80, 0x65  # the latter is a first byte: what was written is not known
NO_SUCH_COMMAND = {0x6D00, 0x6A81, 0x6A86, 0x6A88}  # nor such a PIN, or such data
LONGEST, CHAINED = 255, 0x10  # bytes of a short command, bit of CLA that says that more follows


class Commands:
    """Sends commands and reads their status; what a card answers beyond that is the profile's matter."""

    def __init__(self, transmit: Transmit) -> None:
        self._transmit = transmit

    def send(self, apdu: bytes) -> tuple[bytes, int]:
        """Gives the whole answer, with its rest after 61xx, and the status."""
        data, status = self._transmit(apdu)
        while status >> 8 == 0x61:
            more, status = self._transmit(bytes([0, 0xC0, 0, 0, status & 255]))
            data += more
        return data, status

    def run(self, apdu: bytes, otherwise: Outcome = Outcome.STOPPED) -> bytes:
        data, status = self.send(apdu)
        if status != OK:
            raise refusal(status, otherwise)
        return data

    def run_long(self, head: bytes, data: bytes) -> bytes:
        """As `run`, for `data` of any length: command chaining (ISO 7816-4 §5.3.3). `head`: CLA, INS, P1, P2."""
        while len(data) > LONGEST:
            self.run(bytes([head[0] | CHAINED]) + head[1:] + bytes([LONGEST]) + data[:LONGEST])
            data = data[LONGEST:]
        return self.run(head + bytes([len(data)]) + data + b"\0")

    def select(self, aid: bytes) -> bool:
        """False if the card has no such application."""
        return self.send(bytes([0, 0xA4, 4, 0, len(aid)]) + aid + b"\0")[1] == OK

    def send_pin(self, apdu: bytes) -> None:
        """VERIFY, sent once; raises Stop with the tries that are left."""
        status = self.send(apdu)[1]
        if status != OK:
            raise pin_refusal(status)

    def change_pin(self, apdu: bytes) -> None:
        """CHANGE REFERENCE DATA, sent once; raises Stop."""
        status = self._write(apdu, Outcome.PIN_UNSURE)
        if status != OK:
            raise pin_refusal(status)

    def unlock(self, apdu: bytes) -> None:
        """RESET RETRY COUNTER, sent once; raises Stop with the tries that are left to the unlock code (解锁码)."""
        status = self._write(apdu, Outcome.UNLOCK_UNSURE)
        if status != OK:
            raise code_refusal(status)

    def _write(self, apdu: bytes, unsure: Outcome) -> int:
        """Gives the status. `unsure`: the new PIN may have been written, but the answer is lost."""
        try:
            _, status = self.send(apdu)
        except Stop as stop:
            raise Stop(unsure) from stop
        if status >> 8 == MEMORY_TROUBLE:
            raise Stop(unsure)
        if status == BAD_DATA:
            raise Stop(Outcome.NEW_PIN_REFUSED)
        return status


def tries_in(status: int) -> int | None:
    """The tries that a status word tells: 63Cx or 6983; None if it tells none."""
    if status == BLOCKED:
        return 0
    return status & 15 if status & 0xFFF0 == 0x63C0 else None


def refusal(status: int, otherwise: Outcome) -> Stop:
    """Without PIN state or selection somebody has reset the card."""
    return Stop(Outcome.CARD_RESET if status in (NOT_ALLOWED, CONDITIONS) else otherwise)


def pin_refusal(status: int) -> Stop:
    left = tries_in(status)
    if left is None:
        return refusal(status, Outcome.STOPPED)
    return wrong_pin(left) if left else Stop(Outcome.PIN_BLOCKED, 0)


def code_refusal(status: int) -> Stop:
    left = tries_in(status)
    if left is None:
        return Stop(Outcome.UNLOCK_NOT_HERE if status in NO_SUCH_COMMAND else Outcome.NOT_UNLOCKED)
    return Stop(Outcome.UNLOCK_CODE_WRONG if left else Outcome.UNLOCK_CODE_BLOCKED, left)

"""Commands and status words of ISO 7816-4, as far as the APDU profiles share them."""

from collections.abc import Callable

from .outcomes import Outcome, Stop, wrong_pin

Transmit = Callable[[bytes], tuple[bytes, int]]

OK, BLOCKED, NOT_ALLOWED, CONDITIONS, BAD_OFFSET = 0x9000, 0x6983, 0x6982, 0x6985, 0x6B00
BAD_DATA, MEMORY_TROUBLE = 0x6A80, 0x65  # the latter is a first byte: what was written is not known


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
        if status == OK:
            return data
        # PIN state or selection is gone: somebody reset the card.
        raise Stop(Outcome.CARD_RESET if status in (NOT_ALLOWED, CONDITIONS) else otherwise)

    def select(self, aid: bytes) -> bool:
        """False if the card has no such application."""
        return self.send(bytes([0, 0xA4, 4, 0, len(aid)]) + aid + b"\0")[1] == OK

    def write_pin(self, apdu: bytes, unsure: Outcome) -> None:
        """A command that changes the PIN, sent once. `unsure`: it may have been done, and the answer is lost."""
        try:
            _, status = self.send(apdu)
        except Stop as stop:
            raise Stop(unsure) from stop
        if status >> 8 == MEMORY_TROUBLE:
            raise Stop(unsure)
        if status == BAD_DATA:
            raise Stop(Outcome.NEW_PIN_REFUSED)
        check_pin_status(status)


def check_pin_status(status: int) -> None:
    if status == BLOCKED:
        raise Stop(Outcome.PIN_BLOCKED, 0)
    if status & 0xFFF0 == 0x63C0:
        raise wrong_pin(status & 15)
    if status != OK:
        raise Stop(Outcome.STOPPED)

"""Readers through PC/SC, with pyscard's low-level calls so that sharing and disposition are ours."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .apdu import Transmit
from .outcomes import Outcome, Stop
from .profiles import ApduReader

try:
    from smartcard import scard
except ImportError:  # the PC/SC library is not on this machine: every page then says that the service is missing
    scard = None


class PcscReaders:
    """The readers that the service knows, by name; `name_part` narrows them (`--reader`)."""

    def __init__(self, name_part: str = "") -> None:
        self._part = name_part
        self._known: dict[str, PcscReader] = {}

    def readers(self) -> list["PcscReader"]:
        with _context() as context:
            _, names = scard.SCardListReaders(context, [])
        names = [name for name in names or [] if self._part in name]
        if not names:
            raise Stop(Outcome.NO_READER)
        return [self._known.setdefault(name, PcscReader(name)) for name in names]

    def close(self) -> None:
        self._known.clear()


class PcscReader(ApduReader):
    """Every call makes its own context: pcsclite locks a context while one of its calls waits."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = threading.Lock()

    def presence(self) -> tuple[bool, int]:
        with _context() as context:
            code, states = scard.SCardGetStatusChange(context, 0, [(self.name, scard.SCARD_STATE_UNAWARE)])
        if code != scard.SCARD_S_SUCCESS:
            return False, 0
        state = states[0][1]
        return bool(state & scard.SCARD_STATE_PRESENT), state >> 16

    @contextmanager
    def transaction(self, reset: bool = True) -> Iterator[Transmit]:
        both = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1 if scard else 0
        with _context() as context:
            code, card, protocol = scard.SCardConnect(context, self.name, scard.SCARD_SHARE_SHARED, both)
            _check(code)
            try:
                # Another program may have reset the card between connect and begin: nothing was verified yet.
                code = scard.SCardBeginTransaction(card)
                if code == scard.SCARD_W_RESET_CARD:
                    code, protocol = scard.SCardReconnect(card, scard.SCARD_SHARE_SHARED, both, scard.SCARD_LEAVE_CARD)
                    _check(code)
                    code = scard.SCardBeginTransaction(card)
                _check(code)
                try:
                    yield _transmitter(card, protocol)
                finally:
                    scard.SCardEndTransaction(card, scard.SCARD_RESET_CARD if reset else scard.SCARD_LEAVE_CARD)
            finally:
                scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)


def _transmitter(card: Any, protocol: int) -> Transmit:
    pci = scard.SCARD_PCI_T1 if protocol == scard.SCARD_PROTOCOL_T1 else scard.SCARD_PCI_T0

    def transmit(apdu: bytes) -> tuple[bytes, int]:
        code, answer = scard.SCardTransmit(card, pci, list(apdu))
        _check(code, pulled=Outcome.REMOVED)
        if len(answer) < 2:  # a card pulled during a command: success with an empty answer (seen with pcscd and vpcd)
            raise Stop(Outcome.REMOVED)
        return bytes(answer[:-2]), answer[-2] << 8 | answer[-1]

    return transmit


@contextmanager
def _context() -> Iterator[Any]:
    if scard is None:
        raise Stop(Outcome.NO_SERVICE)
    code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    if code != scard.SCARD_S_SUCCESS:
        raise Stop(Outcome.NO_SERVICE)
    try:
        yield context
    finally:
        scard.SCardReleaseContext(context)


def _check(code: int, pulled: Outcome = Outcome.NO_CARD) -> None:
    if code == scard.SCARD_S_SUCCESS:
        return
    known = {
        scard.SCARD_W_RESET_CARD: Outcome.CARD_RESET,
        scard.SCARD_E_NO_SERVICE: Outcome.NO_SERVICE,
        scard.SCARD_E_SHARING_VIOLATION: Outcome.HELD,
        scard.SCARD_E_READER_UNAVAILABLE: Outcome.NO_READER,
        scard.SCARD_E_UNKNOWN_READER: Outcome.NO_READER,
    }
    raise Stop(known.get(code, pulled))

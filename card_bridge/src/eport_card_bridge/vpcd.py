"""A virtual reader for machines without pcscd: listens as vpcd does, a connected card program is a card put in."""

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .apdu import Transmit
from .outcomes import Outcome, Stop
from .peer import is_same_user
from .profiles import ApduReader

POWER_ON, RESET, GET_ATR = b"\x01", b"\x02", b"\x04"
SECONDS = 30  # a slow card takes 5 s for a signature


class VirtualReader(ApduReader):
    """Speaks the reader's side of the vpcd protocol on 127.0.0.1:`port` (0 = any). One slot, one card at a time."""

    def __init__(self, port: int = 35963) -> None:
        self.name = "Virtual PCD"
        self.lock = threading.Lock()
        self._state = threading.Lock()
        self._card: socket.socket | None = None
        self._counter = 0
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def readers(self) -> list["VirtualReader"]:
        return [self]

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        if self._card:
            self._card.close()

    def _accept(self) -> None:
        while True:
            try:
                card, peer = self._listener.accept()
            except OSError:  # closed
                return
            if not is_same_user(peer, card.getsockname()) or self.presence()[0]:
                card.close()
                continue
            card.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            card.settimeout(SECONDS)
            with self._state:
                self._card, self._counter = card, self._counter + 1
                send(card, POWER_ON)

    def presence(self) -> tuple[bool, int]:
        with self._state:
            if self._card and is_closed(self._card):
                self._card.close()
                self._card, self._counter = None, self._counter + 1
            return self._card is not None, self._counter

    @contextmanager
    def transaction(self, reset: bool = True) -> Iterator[Transmit]:
        present, counter = self.presence()
        card = self._card
        if not present or card is None:
            raise Stop(Outcome.NO_CARD)

        def transmit(apdu: bytes) -> tuple[bytes, int]:
            try:
                send(card, apdu)
                answer = receive(card)
            except OSError as error:
                card.close()
                raise Stop(Outcome.REMOVED) from error
            if len(answer) < 2 or self._counter != counter:
                raise Stop(Outcome.REMOVED)
            return answer[:-2], int.from_bytes(answer[-2:], "big")

        try:
            yield transmit
        finally:
            if reset:
                with contextlib.suppress(OSError):
                    send(card, RESET)
                    send(card, GET_ATR)  # answered: the reset has been done when the transaction ends
                    receive(card)


def send(card: socket.socket, payload: bytes) -> None:
    card.sendall(struct.pack(">H", len(payload)) + payload)


def receive(card: socket.socket) -> bytes:
    """Reads one frame; raises OSError when the card is gone."""

    def exactly(length: int) -> bytes:
        data = b""
        while len(data) < length:
            part = card.recv(length - len(data))
            if not part:
                raise ConnectionResetError("card pulled")
            data += part
        return data

    return exactly(int.from_bytes(exactly(2), "big"))


def is_closed(card: socket.socket) -> bool:
    """True if the card program has gone; looks without taking bytes that belong to an answer."""
    if card.fileno() < 0:
        return True
    readable, _, _ = select.select([card], [], [], 0)
    if not readable:
        return False
    try:
        return not card.recv(1, socket.MSG_PEEK)
    except OSError:
        return True

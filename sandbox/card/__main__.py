"""Puts a virtual card into a reader: `python -m sandbox.card --state FILE [--port 35963]`; ending it pulls the card."""

import argparse
import signal
import socket
import struct
import sys
from pathlib import Path

from .applet import Applet
from .iso7816 import VirtualCard
from .piv import PivCard
from .state import read_state

PROFILES = {"eport": Applet, "piv": PivCard}
POWER_OFF, POWER_ON, RESET, GET_ATR = 0, 1, 2, 4


def receive(sock: socket.socket, length: int) -> bytes:
    """Reads exactly `length` bytes; raises EOFError when the reader is gone.

    Debian's vpcd sends length and body in two segments; unless each is acknowledged at once, Nagle's algorithm costs
    40 ms an APDU.
    """
    data = b""
    while len(data) < length:
        if hasattr(socket, "TCP_QUICKACK"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        part = sock.recv(length - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def open_card(path: Path) -> VirtualCard:
    """The card of a state file, with the commands of its profile."""
    return PROFILES[read_state(path)["profile"]](path)


def serve(card: VirtualCard, sock: socket.socket) -> None:
    """Answers the reader until it closes the connection."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        (length,) = struct.unpack(">H", receive(sock, 2))
        message = receive(sock, length)
        if length == 1:
            if message[0] in (POWER_OFF, POWER_ON, RESET):
                card.reset()
                continue
            answer = card.atr
        else:
            answer = card.answer(message)
        sock.sendall(struct.pack(">H", len(answer)) + answer)


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m sandbox.card")
    options.add_argument("--state", type=Path, required=True, help="the card's state file (sandbox/card/state.py)")
    options.add_argument("--port", type=int, default=35963, help="port of vpcd, or of eport-card-bridge --virtual-card")
    chosen = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    card = open_card(chosen.state)
    try:
        sock = socket.create_connection(("127.0.0.1", chosen.port))
    except OSError as error:
        sys.exit(f"no virtual reader on 127.0.0.1:{chosen.port}: {error}")
    with sock:
        try:
            serve(card, sock)
        except (EOFError, ConnectionError, KeyboardInterrupt):
            sys.exit(0)


if __name__ == "__main__":
    main()

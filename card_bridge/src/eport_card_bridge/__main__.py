"""Starts the bridge: `eport-card-bridge` or `python -m eport_card_bridge`."""

import argparse
import logging
import socket
import sys
from pathlib import Path

from aiohttp import web

from . import VERSION
from .app import create_app
from .bridge import Options
from .origins import BadOrigin, parse_origin
from .outcome_list import list_outcomes
from .outcomes import Outcome
from .pcsc import PcscReaders
from .readers import ReaderList
from .vpcd import VirtualReader


def bind_exclusively(port: int) -> socket.socket:
    """Binds 127.0.0.1 only; a taken port is said with its number, because it may be an impostor."""
    sock = socket.socket()
    if sys.platform == "win32":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
        sock.listen(128)
    except OSError:
        sock.close()
        say_taken(port)
    return sock


def say_taken(port: int) -> None:
    outcome = Outcome.PORT_TAKEN
    raise SystemExit(f"{outcome.sentence.format(port=port)}编号{outcome.shown}")


def open_source(virtual_port: int | None, reader: str) -> ReaderList:
    if virtual_port is None:
        return PcscReaders(reader)
    try:
        return VirtualReader(virtual_port)
    except OSError:
        say_taken(virtual_port)


def read_options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="eport-card-bridge", description=f"Card bridge (读卡程序) {VERSION}")
    options.add_argument("--port", type=int, default=61230)
    options.add_argument("--data", type=Path, default=Path.home() / ".eport-card-bridge", help="folder of the settings")
    options.add_argument("--reader", default="", help="use only readers whose name contains this")
    options.add_argument("--virtual-card", type=int, metavar="PORT", help="no PC/SC: listen as vpcd does on this port")
    options.add_argument("--signing-origin", action="append", default=[], help="may ask for message signatures")
    options.add_argument("--allow-http-loopback", action="store_true", help="accept portals at http://127.0.0.1")
    options.add_argument("--hotline", default="95198", help="telephone number in the foot of each page")
    options.add_argument("--list-outcomes", action="store_true", help="print all outcomes as JSON and end")
    chosen = options.parse_args()
    for origin in chosen.signing_origin:
        try:
            parse_origin(origin, chosen.allow_http_loopback)
        except BadOrigin as error:
            options.error(f"--signing-origin {origin}: {error}")
    return chosen


def main() -> None:
    chosen = read_options()
    if chosen.list_outcomes:
        sys.stdout.buffer.write(list_outcomes().encode())
        return
    logging.basicConfig(level=logging.INFO)
    sock = bind_exclusively(chosen.port)
    app = create_app(
        Options(
            open_source(chosen.virtual_card, chosen.reader),
            chosen.data,
            port=chosen.port,
            signing_origins=frozenset(chosen.signing_origin),
            allow_http_loopback=chosen.allow_http_loopback,
            hotline=chosen.hotline,
        )
    )
    web.run_app(app, sock=sock, access_log=None, print=None)


if __name__ == "__main__":
    main()

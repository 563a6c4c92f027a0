"""Starts the bridge: `eport-card-bridge` or `python -m eport_card_bridge`."""

import argparse
import logging
import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from aiohttp import web

from . import VERSION
from .app import create_app
from .bridge import Options
from .client_control.options import ControlOptions, add_options, check_options
from .health import is_running
from .install import BY_ADDRESS, change_registration, without_address
from .origins import BadOrigin, parse_origin
from .outcome_list import list_outcomes
from .outcomes import Outcome
from .pcsc import PcscReaders
from .pkcs11 import BadModule, Pkcs11Module
from .readers import AllReaders, ReaderList
from .vpcd import VirtualReader

SWITCH_SECONDS = 0.0005  # the card's thread must not wait 5 ms for the event loop to hand over


def bind_exclusively(port: int) -> socket.socket:
    """Binds 127.0.0.1 only; raises OSError if the port is taken."""
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
        raise
    return sock


def take_port(port: int, by_address: bool = False) -> socket.socket:
    """A taken port is said with its number, because it may be an impostor. The bridge's own port, held by the bridge
    itself, is no trouble to a user who only followed a website's link."""
    try:
        return bind_exclusively(port)
    except OSError:
        if by_address and is_running(port):
            print(f"{Outcome.ALREADY_RUNNING.sentence}编号{Outcome.ALREADY_RUNNING.shown}")
            raise SystemExit from None
        say_taken(port)


def say_taken(port: int) -> NoReturn:
    outcome = Outcome.PORT_TAKEN
    raise SystemExit(f"{outcome.sentence.format(port=port)}编号{outcome.shown}")


def open_client_control(chosen: argparse.Namespace) -> ControlOptions | None:
    if not chosen.client_control:
        return None
    origins = (frozenset(chosen.client_control_origin), frozenset(chosen.client_control_raw_origin))
    return ControlOptions(take_port(chosen.client_control_port), *origins)


def open_source(chosen: argparse.Namespace) -> ReaderList:
    """PC/SC (or the virtual reader) first, then the vendors' modules in the order of the command line."""
    modules = [open_module(path) for path in chosen.pkcs11_module]
    if chosen.virtual_card is None:
        return AllReaders(PcscReaders(chosen.reader), *modules)
    try:
        return AllReaders(VirtualReader(chosen.virtual_card), *modules)
    except OSError:
        say_taken(chosen.virtual_card)


def open_module(path: str) -> Pkcs11Module:
    try:
        return Pkcs11Module(path)
    except BadModule as error:
        outcome = Outcome.NO_MODULE
        raise SystemExit(f"{outcome.sentence}编号{outcome.shown}\n{path}: {error}") from error


def read_options() -> argparse.Namespace:
    options = argparse.ArgumentParser(
        prog="eport-card-bridge", description=f"Card bridge (读卡程序) {VERSION}", allow_abbrev=False
    )
    options.add_argument("--port", type=int, default=61230)
    options.add_argument("--data", type=Path, default=Path.home() / ".eport-card-bridge", help="folder of the settings")
    options.add_argument("--reader", default="", help="use only readers whose name contains this")
    options.add_argument("--virtual-card", type=int, metavar="PORT", help="no PC/SC: listen as vpcd does on this port")
    options.add_argument("--pkcs11-module", action="append", default=[], metavar="PATH", help="a vendor's module")
    options.add_argument("--signing-origin", action="append", default=[], help="may ask for message signatures")
    options.add_argument("--allow-http-loopback", action="store_true", help="accept portals at http://127.0.0.1")
    options.add_argument("--hotline", default="95198", help="telephone number in the foot of each page")
    options.add_argument("--list-outcomes", action="store_true", help="print all outcomes as JSON and end")
    options.add_argument("--register", action="store_true", help="start with the desktop and by eport-card-bridge:")
    options.add_argument("--unregister", action="store_true", help="take that back")
    options.add_argument(BY_ADDRESS, action="store_true", help="a website's link started it; what follows is not read")
    add_options(options)
    chosen = options.parse_args(without_address(sys.argv[1:]))
    check_options(options, chosen)
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
    if chosen.register or chosen.unregister:
        change_registration(sys.argv[1:], os.environ, Path.home())
        return
    logging.basicConfig(level=logging.INFO)
    sys.setswitchinterval(SWITCH_SECONDS)
    sock = take_port(chosen.port, chosen.by_address)
    app = create_app(
        Options(
            open_source(chosen),
            chosen.data,
            port=chosen.port,
            signing_origins=frozenset(chosen.signing_origin),
            allow_http_loopback=chosen.allow_http_loopback,
            hotline=chosen.hotline,
            client_control=open_client_control(chosen),
        )
    )
    web.run_app(app, sock=sock, access_log=None, print=None)


if __name__ == "__main__":
    main()

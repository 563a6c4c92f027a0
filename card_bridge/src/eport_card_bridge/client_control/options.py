"""What the command line says of the client control; without `--client-control` nothing listens on its port."""

import argparse
import socket
from dataclasses import dataclass

from ..origins import BadOrigin, parse_origin

PORT = 61232


@dataclass(frozen=True)
class ControlOptions:
    """`socket` is bound to 127.0.0.1; `raw_origins`, some of `origins`, may use the methods that sign a bare digest."""

    socket: socket.socket
    origins: frozenset[str]
    raw_origins: frozenset[str] = frozenset()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.socket.getsockname()[1]}"


def add_options(options: argparse.ArgumentParser) -> None:
    group = options.add_argument_group("client control (客户端控件), for software that was written for it")
    group.add_argument("--client-control", action="store_true", help="answer on ws://127.0.0.1, off without this")
    group.add_argument("--client-control-port", type=int, default=PORT)
    group.add_argument("--client-control-origin", action="append", default=[], help="website that may connect")
    group.add_argument("--client-control-raw-origin", action="append", default=[], help="one of them, for NoHash too")


def check_options(options: argparse.ArgumentParser, chosen: argparse.Namespace) -> None:
    """Ends the program with a message when an origin is misspelt. Plain http is taken: the control's pages are http."""
    for origin in chosen.client_control_origin:
        try:
            parse_origin(origin, allow_http=True)
        except BadOrigin as error:
            options.error(f"--client-control-origin {origin}: {error}")
    unknown = set(chosen.client_control_raw_origin) - set(chosen.client_control_origin)
    if unknown:
        options.error(f"--client-control-raw-origin {sorted(unknown)[0]}: not a --client-control-origin")

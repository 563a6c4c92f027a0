"""Finds out whether the other end of a loopback connection belongs to the OS user who runs the bridge."""

import os
import socket
import sys

Address = tuple[str, int]


def is_same_user(peer: Address, own: Address) -> bool:
    """True if the socket `peer` → `own` belongs to the user that runs this process.

    Other users of the machine (terminal server, second desktop session) must not reach this user's card. Fails closed.
    """
    if sys.platform == "win32":
        from .peer_windows import is_same_user_on_windows

        return is_same_user_on_windows(peer, own)
    wanted = (_entry(peer), _entry(own))
    with open("/proc/net/tcp", encoding="ascii") as table:
        next(table)
        for line in table:
            fields = line.split()
            if (fields[1], fields[2]) == wanted:
                return int(fields[7]) == os.getuid()
    return False


def _entry(address: Address) -> str:
    """An address as /proc/net/tcp writes it: the four bytes in the machine's order, in hexadecimal."""
    return f"{int.from_bytes(socket.inet_aton(address[0]), sys.byteorder):08X}:{address[1]:04X}"

"""One POST to a company's address: to the IP that was checked, with TLS for the name that was typed, in limited time."""

import hashlib
import hmac
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException

from requests.certs import where

from ..outcomes import Unavailable
from .address import Target, check_address

TIMEOUT = 10.0  # seconds, from the first packet to the head of the answer


def sign(secret: str, moment: int, body: bytes) -> str:
    """The header Eport-Signature: HMAC-SHA-256 over `moment` (Unix seconds), a point and the body."""
    value = hmac.digest(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hex()
    return f"t={moment},v1={value}"


def post(url: str, body: bytes, headers: dict[str, str], allowed: str = "", timeout: float = TIMEOUT) -> int:
    """The status of the answer, of which no more is read. Raises BadAddress, Unresolved, Unavailable."""
    target = check_address(url, allowed)
    sent = {**headers, "Host": _host_of(target), "Content-Type": "application/json", "Connection": "close"}
    try:
        with _connected(target, timeout) as connected:
            connection = HTTPConnection(target.host, target.port)
            connection.sock = connected
            connection.request("POST", target.path, body, sent)
            return connection.getresponse().status
    except (HTTPException, OSError) as error:
        raise Unavailable(type(error).__name__) from error


def _host_of(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.port == (443 if target.is_https else 80) else f"{host}:{target.port}"


@contextmanager
def _connected(target: Target, timeout: float) -> Iterator[socket.socket]:
    """A connection that is shut after `timeout` seconds whatever happens: who answers byte by byte holds nobody up."""
    held = [socket.create_connection((target.address, target.port), timeout)]
    end = threading.Timer(timeout, lambda: _shut(held[0]))
    end.daemon = True
    end.start()
    try:
        if target.is_https:
            held[0] = authorities().wrap_socket(held[0], server_hostname=target.host, do_handshake_on_connect=False)
            held[0].do_handshake()
        yield held[0]
    finally:
        end.cancel()
        held[0].close()


def _shut(connected: socket.socket) -> None:
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)


def authorities() -> ssl.SSLContext:
    """Those that browsers trust."""
    return ssl.create_default_context(cafile=where())

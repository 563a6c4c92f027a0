"""Where a company's address leads: https, to a host on the public internet, resolved once and then connected to as it is.

So that nobody makes the portal speak to its own neighbours (SSRF): what is private, loopback, link-local, multicast or
reserved is refused, as are the IPv6 forms that carry an IPv4 address, and a name that means something else a
moment later (DNS rebinding) changes nothing.
"""

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

LONGEST = 500
_HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")


class BadAddress(ValueError):
    """reason: form | https | port | private."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unresolved(Exception):
    """The name has no address now."""


@dataclass(frozen=True)
class Target:
    """Where to connect: `address` (IP) and `port`; `host` as typed, for TLS and the Host header; `path` with query."""

    host: str
    address: str
    port: int
    path: str
    is_https: bool = True


def check_address(url: str, allowed: str = "") -> Target:
    """Resolves the host. `allowed`: an origin (scheme://host:port) that may be http and anywhere, for a sandbox.

    Raises BadAddress, Unresolved.
    """
    parts, port = _split(url)
    is_allowed = bool(allowed) and f"{parts.scheme}://{parts.netloc}" == allowed
    if parts.scheme != "https" and not is_allowed:
        raise BadAddress("https")
    if port not in (80, 443) and port < 1024:
        raise BadAddress("port")
    host, path = parts.hostname or "", (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    addresses = _resolve(host, port)
    if not is_allowed and not all(is_public(each) for each in addresses):
        raise BadAddress("private")
    return Target(host, addresses[0], port, path, parts.scheme == "https")


def _split(url: str):
    """The parts and the port. A URL that two readers could take for two addresses is none."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url or len(url) > LONGEST:
        raise BadAddress("form")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadAddress("form") from error
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or parts.fragment or "@" in parts.netloc or port == 0:
        raise BadAddress("form")
    if not (_HOST.fullmatch(host) or _is_ip(host)) or len(host) > 253:
        raise BadAddress("form")
    return parts, port or (443 if parts.scheme == "https" else 80)


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def _resolve(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unresolved(host) from error
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def is_public(text: str) -> bool:
    """Whether an IP address is one of the public internet. IPv6 forms that carry an IPv4 address are none."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if address.version == 6 and (address.ipv4_mapped or address.sixtofour or address.teredo or address.is_site_local):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)

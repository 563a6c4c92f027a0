"""One POST to a company's address: to the IP that was checked, with TLS for the name that was typed."""

import hashlib
import hmac
import ssl

import urllib3
from requests.certs import where

from ..outcomes import Unavailable
from .address import Target, check_address

TIMEOUT = 10.0  # seconds, for connecting and for the head of the answer


def sign(secret: str, moment: int, body: bytes) -> str:
    """The header Eport-Signature: HMAC-SHA-256 over `moment` (Unix seconds), a point and the body."""
    value = hmac.digest(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hex()
    return f"t={moment},v1={value}"


def post(url: str, body: bytes, headers: dict[str, str], allowed: str = "", timeout: float = TIMEOUT) -> int:
    """The status of the answer, of which no more is read. Raises BadAddress, Unresolved, Unavailable."""
    target = check_address(url, allowed)
    sent = {**headers, "Host": _host_of(target), "Content-Type": "application/json", "Accept-Encoding": "identity"}
    pool = _pool(target, timeout)
    try:
        answer = pool.urlopen(
            "POST", target.path, body, sent, retries=False, redirect=False, preload_content=False, assert_same_host=False
        )  # fmt: skip
        status = answer.status
        answer.close()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Unavailable(type(error).__name__) from error
    finally:
        pool.close()
    return status


def _host_of(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.port == (443 if target.is_https else 80) else f"{host}:{target.port}"


def _pool(target: Target, timeout: float) -> urllib3.HTTPConnectionPool:
    if not target.is_https:
        return urllib3.HTTPConnectionPool(target.address, target.port, timeout=timeout)
    return urllib3.HTTPSConnectionPool(
        target.address, target.port, timeout=timeout, ssl_context=authorities(), server_hostname=target.host,
        assert_hostname=target.host,
    )  # fmt: skip


def authorities() -> ssl.SSLContext:
    """Those that browsers trust."""
    return ssl.create_default_context(cafile=where())

"""Builds the 146-byte statement M and the check number; the portal has its own, separate implementation."""

import hashlib
import re

VERSION = b"eport-portal/v1\0"
PURPOSES = {"login": 1, "bind": 2, "real-name": 4, "batch": 5}  # 3 unbind and 6 device report are reserved
HASHES = {"sha256": 1, "sm3": 2}
NONCE_BYTES = 32
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{43}\Z")


def build_statement(
    purpose: str, hash_name: str, *, origin: str, nonce: bytes, certificate: bytes, payload: bytes
) -> bytes:
    """Returns M (146 bytes).

    `origin` is the one the bridge itself connected to, never one named by the portal's answer; `payload` is the
    UTF-8 text exactly as it was served. Fixed lengths, so no field can run into the next.
    """
    if len(nonce) != NONCE_BYTES:
        raise ValueError("nonce must be 32 bytes")

    def digest(data: bytes) -> bytes:
        return hashlib.new(hash_name, data).digest()

    return (
        VERSION
        + bytes([PURPOSES[purpose], HASHES[hash_name]])
        + digest(origin.encode("ascii"))
        + nonce
        + digest(certificate)
        + digest(payload)
    )


def check_number(request_id: str) -> str:
    """Four digits (核对号) shown on both sides.

    Computed from the request id, not sent by the portal: so the consent page can show it before any connection, and
    a portal cannot choose it.
    """
    digest = hashlib.sha256(b"eport-check/v1\0" + request_id.encode("ascii")).digest()
    return f"{int.from_bytes(digest[:8], 'big') % 10000:04d}"

"""Checks what a card answered through the card bridge (docs/protocols/card-bridge.md): certificate, then signature.

    request = request_id(cookie); number = check_number(request)      # shown on both pages
    question = Question("login", origin, nonce, payload)              # from the portal's own row
    card = check_answer(Answer(der, algorithm, signature), question, authorities, lost, now)

Every failure is a NotVerified with a `reason`. Written without a line of the bridge.
"""

import base64
import hashlib
import struct
from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from .certificates import (
    CardCertificate,
    NotVerified,
    check_certificate,
    read_authorities,
    read_certificate,
    verify_signature,
)

__all__ = [
    "PURPOSES",
    "Answer",
    "CardCertificate",
    "NotVerified",
    "Question",
    "check_answer",
    "check_certificate",
    "check_number",
    "read_authorities",
    "read_certificate",
    "request_id",
    "statement",
]

PURPOSES = {"login": 1, "bind": 2, "unbind": 3, "real-name": 4, "batch": 5, "device-report": 6}
_HASHES = {"sha256": 1, "sm3": 2}
_AUTHENTICATED = b"EPORT-AUTH\0"  # put before H(M) by a card that has an authentication command
_ALGORITHMS = {  # name in the answer → (key, scheme, made by the authentication command)
    "rsa-sha256": ("rsa", "rsa-sha256", False),
    "ecdsa-sha256": ("ec", "ecdsa-sha256", False),
    "sm2-sm3": ("sm2", "sm2-sm3", False),
    "eport-auth-rsa-sha256": ("rsa", "rsa-sha256", True),
    "eport-auth-sm2-sm3": ("sm2", "sm2-sm3", True),
}


@dataclass(frozen=True)
class Question:
    """What was asked, from the portal's own row and PUBLIC_ORIGIN; nothing of it comes with the answer."""

    purpose: str
    origin: str
    nonce: bytes
    payload: bytes  # as served


@dataclass(frozen=True)
class Answer:
    """What the bridge sent; `algorithm` is only a choice within what the certificate's key allows."""

    certificate: bytes
    algorithm: str
    signature: bytes


def request_id(cookie: str) -> str:
    """43 characters, derived one-way from the challenge's cookie, so that a page can show its link again."""
    digest = hashlib.sha256(b"eport-request-id/v1\0" + cookie.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def check_number(request: str) -> str:
    """核对号: four digits computed from the request id by each side."""
    digest = hashlib.sha256(b"eport-check/v1\0" + request.encode()).digest()
    return f"{int.from_bytes(digest[:8], 'big') % 10_000:04d}"


def statement(question: Question, certificate: bytes, hash_name: str) -> bytes:
    """M, the 146 bytes that a card signs; `hash_name` is "sha256", or "sm3" for SM2 cards."""
    if len(question.nonce) != 32:
        raise ValueError("the nonce has 32 bytes")

    def h(data: bytes) -> bytes:
        return hashlib.new(hash_name, data).digest()

    return struct.pack(
        "16sBB32s32s32s32s",
        b"eport-portal/v1",
        PURPOSES[question.purpose],
        _HASHES[hash_name],
        h(question.origin.encode("ascii")),
        question.nonce,
        h(certificate),
        h(question.payload),
    )


def check_answer(
    answer: Answer,
    question: Question,
    authorities: Iterable[x509.Certificate],
    revoked: Container[str],
    now: datetime,
) -> CardCertificate:
    """The card that answered `question`. Raises NotVerified."""
    card = check_certificate(answer.certificate, authorities, revoked, now)
    key, scheme, is_authenticated = _ALGORITHMS.get(answer.algorithm, ("", "", False))
    if key != card.algorithm:
        raise NotVerified("algorithm", f"{answer.algorithm} does not fit the key")
    hash_name = "sm3" if key == "sm2" else "sha256"
    m = statement(question, answer.certificate, hash_name)
    signed = _AUTHENTICATED + hashlib.new(hash_name, m).digest() if is_authenticated else m
    verify_signature(answer.certificate, scheme, answer.signature, signed)
    return card

"""The state file of one virtual card, and how a new card is made."""

import base64
import json
import os
import secrets
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from . import sm2

ALGORITHMS = {"eport": ("rsa", "sm2"), "piv": ("rsa", "ec")}  # by profile: RSA-2048, SM2, P-256
UNLOCK_TRIES = 10
SM2_SPKI_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")


def new_card(
    path: Path | str,
    algorithm: str,
    card_number: str,
    *,
    profile: str = "eport",
    pin: str = "88888888",
    tries: int = 6,
    delay_ms: int = 0,
) -> bytes:
    """Writes the state of a new card without a certificate and returns its public key (SubjectPublicKeyInfo, PEM).

    `profile` is "eport" (our applet; RSA-2048 or SM2) or "piv" (RSA-2048 or P-256: "ec"); `delay_ms` is the time one
    signature takes (5000 = IC卡, 300 = Ikey). The unlock code (解锁码, the PUK of PIV) is 8 digits of chance.
    Raises FileExistsError: a card's key is never overwritten.
    """
    if algorithm not in ALGORITHMS[profile]:
        raise ValueError(f"a card of the profile {profile} has no key {algorithm!r}")
    if Path(path).exists():
        raise FileExistsError(path)
    key, spki = _new_key(algorithm)
    state = {
        "profile": profile,
        "serial": card_number,
        "algorithm": algorithm,
        "pin": pin,
        "tries": tries,
        "max_tries": tries,
        "unlock_code": f"{secrets.randbelow(10**8):08}",
        "unlock_tries": UNLOCK_TRIES,
        "max_unlock_tries": UNLOCK_TRIES,
        "delay_ms": delay_ms,
        "key": key,
        "certificate": None,
    }
    write_state(path, state)
    return b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(spki) + b"-----END PUBLIC KEY-----\n"


def _new_key(algorithm: str) -> tuple[str, bytes]:
    """(private key as the state file keeps it, SubjectPublicKeyInfo in DER)."""
    if algorithm == "sm2":
        scalar = sm2.new_key()
        return f"{scalar:064x}", SM2_SPKI_HEAD + sm2.public_point(scalar)
    if algorithm == "rsa":
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    else:
        private = ec.generate_private_key(ec.SECP256R1())
    key = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return key, private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def put_certificate(path: Path | str, der: bytes) -> None:
    """Puts the certificate (DER) on the card, as the card centre (制卡中心) does."""
    change_state(path, certificate=base64.b64encode(der).decode())


def change_state(path: Path | str, **values: Any) -> None:
    """Changes single values, e.g. `delay_ms=300` or `tries=6`; the card reads them at its next SELECT."""
    write_state(path, {**read_state(path), **values})


def read_state(path: Path | str) -> dict[str, Any]:
    return json.loads(Path(path).read_text("utf-8"))


def write_state(path: Path | str, state: dict[str, Any]) -> None:
    """Replaces the file whole, readable by its owner only."""
    part = Path(f"{path}.part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        json.dump(state, out)
    part.replace(path)

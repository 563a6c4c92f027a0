"""The one interface for every card, whatever reads it: the rest of the bridge knows no command of any of them."""

import re
from typing import Protocol

from .certificate import CardCertificate

NEW_PIN = re.compile(r"[0-9]{6,8}\Z")  # what a user may choose; the card may ask for more


class Card(Protocol):
    """A card inside one transaction of its own. Every method raises Stop (removed, reset by another program, …).

    `serial` is the card number (13 digits), `algorithm` the certificate's: "rsa", "ec" (P-256) or "sm2".
    """

    serial: str
    certificate_der: bytes
    certificate: CardCertificate
    algorithm: str

    def tries_left(self) -> int | None:
        """None: the card does not tell. Also the harmless command that keeps a transaction alive."""

    def verify_pin(self, pin: str) -> None:
        """Sent once, never repeated. Raises Stop with the tries that are left, if the card tells them."""

    def change_pin(self, old: str, new: str) -> None:
        """Sent once, never repeated. Raises Stop; PIN_UNSURE means that either PIN may hold now."""

    def unlock_tries_left(self) -> int | None:
        """Of the unlock code (解锁码); None: the card does not tell. Raises Stop if it cannot be unlocked here."""

    def unlock(self, code: str, new: str) -> None:
        """Gives a card, blocked or not, a new PIN and all its tries. Sent once, never repeated. Raises Stop."""

    def sign_statement(self, statement: bytes) -> tuple[str, bytes]:
        """Signs M (146 bytes); gives the algorithm's name and the signature as docs/protocols/card-bridge.md has them."""

    def sign_message(self, signed_info: bytes) -> bytes:
        """Signs the canonical SignedInfo of a customs message with the card's own profile (messages.PROFILE_OF)."""

    def sign_digest(self, sha1: bytes) -> bytes:
        """Signs a SHA-1 that the caller made (PKCS#1 v1.5); raises Stop for a key that is not RSA, above all SM2: there
        the same 32 bytes could be those of a login."""

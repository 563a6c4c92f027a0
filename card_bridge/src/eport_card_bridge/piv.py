"""APDU profile of a PIV card (NIST SP 800-73-4 part 2): certificate and key 9A, RSA-2048 or P-256, PIN and PUK."""

import hashlib
import zlib

from .apdu import OK, Commands, pin_refusal, tries_in
from .certificate import BadCertificate, items, read_certificate
from .digest_info import SHA1_PREFIX, SHA256_PREFIX
from .outcomes import Outcome, Stop

AID = bytes.fromhex("A000000308000010000100")
GET_CERTIFICATE = bytes.fromhex("00CB3FFF055C035FC10500")  # X.509 Certificate for PIV Authentication
KEY = 0x9A
ALGORITHM_BYTE = {("rsa", 256): 0x07, ("ec", 32): 0x11}  # SP 800-78-4 table 6-2, by key and its bytes
SECRET_BYTES = 8
OBJECT, CERTIFICATE, CERTIFICATE_INFO, COMPRESSED = 0x53, 0x70, 0x71, 0x01
TEMPLATE, RESPONSE, CHALLENGE = 0x7C, 0x82, 0x81
LARGEST_CERTIFICATE = 32767


class PivCard:
    """A card whose PIV application is selected. The card number comes from the certificate: PIV has none of its own."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        try:
            self.certificate_der = read_object(commands.run(GET_CERTIFICATE, Outcome.UNKNOWN_CARD))
            self.certificate = read_certificate(self.certificate_der)
        except (BadCertificate, ValueError, IndexError, zlib.error) as error:
            raise Stop(Outcome.UNKNOWN_CARD) from error
        self.serial, self.algorithm = self.certificate.card_number, self.certificate.algorithm
        key = (self.algorithm, self.certificate.key_bytes)
        if not self.serial or key not in ALGORITHM_BYTE:
            raise Stop(Outcome.UNKNOWN_CARD)
        self._head = bytes([0, 0x87, ALGORITHM_BYTE[key], KEY])

    def tries_left(self) -> int | None:
        """An empty VERIFY; a verified card answers 9000 and does not tell."""
        _, status = self._commands.send(bytes.fromhex("0020008000"))
        left = tries_in(status)
        if left is None and status != OK:
            raise pin_refusal(status)
        return left

    def verify_pin(self, pin: str) -> None:
        self._commands.send_pin(bytes([0, 0x20, 0, 0x80, SECRET_BYTES]) + _padded(pin))

    def change_pin(self, old: str, new: str) -> None:
        self._commands.change_pin(bytes([0, 0x24, 0, 0x80, 2 * SECRET_BYTES]) + _padded(old) + _padded(new))

    def unlock_tries_left(self) -> None:
        """No command asks for the tries of the PUK."""

    def unlock(self, code: str, new: str) -> None:
        """The unlock code is the PUK."""
        self._commands.unlock(bytes([0, 0x2C, 0, 0x80, 2 * SECRET_BYTES]) + _padded(code) + _padded(new))

    def sign_statement(self, statement: bytes) -> tuple[str, bytes]:
        """9A is the card's authentication key; it signs M itself, which no customs message can be."""
        digest = hashlib.sha256(statement).digest()
        if self.algorithm == "ec":
            return "ecdsa-sha256", self._authenticate(digest)
        return "rsa-sha256", self._sign_rsa(SHA256_PREFIX + digest)

    def sign_message(self, signed_info: bytes) -> bytes:
        """RSA-SHA1; the customs have no profile for P-256."""
        return self.sign_digest(hashlib.sha1(signed_info).digest())

    def sign_digest(self, sha1: bytes) -> bytes:
        if self.algorithm != "rsa":
            raise Stop(Outcome.ALGORITHM)
        return self._sign_rsa(SHA1_PREFIX + sha1)

    def _sign_rsa(self, info: bytes) -> bytes:
        """The card does the bare RSA operation: the block of PKCS#1 v1.5 (RFC 8017 §9.2) is built here."""
        return self._authenticate(b"\0\1" + b"\xff" * (self.certificate.key_bytes - len(info) - 3) + b"\0" + info)

    def _authenticate(self, block: bytes) -> bytes:
        """GENERAL AUTHENTICATE: 7C { 82 (empty), 81 block } gives 7C { 82 signature }."""
        data = tlv(TEMPLATE, tlv(RESPONSE, b"") + tlv(CHALLENGE, block))
        try:
            ((_, template),) = items(self._commands.run_long(self._head, data))
            return dict(items(template))[RESPONSE]
        except (ValueError, IndexError, KeyError) as error:
            raise Stop(Outcome.STOPPED) from error


def read_object(data: bytes) -> bytes:
    """The certificate (DER) in a PIV data object (SP 800-73-4 part 1, table 10); raises ValueError, zlib.error."""
    ((tag, value),) = items(data)
    if tag != OBJECT:
        raise ValueError("not a data object")
    parts = dict(items(value))
    certificate = parts.get(CERTIFICATE, b"")
    if parts.get(CERTIFICATE_INFO, b"\0")[:1] != bytes([COMPRESSED]):
        return certificate
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(certificate, LARGEST_CERTIFICATE)


def tlv(tag: int, value: bytes) -> bytes:
    """BER-TLV with a tag of one byte."""
    size = len(value)
    length = bytes([size]) if size < 0x80 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + value


def _padded(secret: str) -> bytes:
    """Raises Stop for one that no PIV card can have, so that it costs no try."""
    if len(secret) > SECRET_BYTES:
        raise Stop(Outcome.PIN_TOO_LONG)
    return secret.encode("ascii").ljust(SECRET_BYTES, b"\xff")

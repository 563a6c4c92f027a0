"""APDU profile of the e-port applet: select, certificate, PIN, authentication, signature of a customs message."""

import hashlib
import re
from collections.abc import Callable

from .certificate import BadCertificate, CardCertificate, read_certificate
from .outcomes import Outcome, Stop, wrong_pin

Transmit = Callable[[bytes], tuple[bytes, int]]

AID = bytes.fromhex("F0455031434152440001")
SHA1_PREFIX = bytes.fromhex("3021300906052b0e03021a05000414")
SM2_A = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC
SM2_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
SM2_G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
SM2_ID = b"1234567812345678"
ALGORITHM_BYTE = {"rsa": 1, "sm2": 2}
LARGEST_CERTIFICATE = 32767
PIN_BYTES = 16  # of each PIN in CHANGE REFERENCE DATA, padded with FF
NEW_PIN = re.compile(r"[0-9]{6,8}\Z")  # what a user may choose; the card itself asks for 6 characters at least
OK, BLOCKED, NOT_ALLOWED, CONDITIONS, BAD_OFFSET = 0x9000, 0x6983, 0x6982, 0x6985, 0x6B00
BAD_DATA, MEMORY_TROUBLE = 0x6A80, 0x65  # the latter is a first byte: what was written is not known


def sm2_digest(point: bytes, data: bytes) -> bytes:
    """SM3(Z_A ‖ data) with the default user id (GB/T 32918.2); `point` is 04‖x‖y."""
    z = (len(SM2_ID) * 8).to_bytes(2, "big") + SM2_ID
    z += b"".join(number.to_bytes(32, "big") for number in (SM2_A, SM2_B, *SM2_G)) + point[1:]
    return hashlib.new("sm3", hashlib.new("sm3", z).digest() + data).digest()


class EportApplet:
    """One card inside one transaction. Selects the applet and reads number and certificate; the key follows from it."""

    def __init__(self, transmit: Transmit) -> None:
        self._transmit = transmit
        self._run(bytes([0, 0xA4, 4, 0, len(AID)]) + AID + b"\0", otherwise=Outcome.UNKNOWN_CARD)
        self.serial = self._run(bytes.fromhex("00CA010100")).decode("ascii", "replace")
        self.certificate_der = self._read_certificate()
        try:
            self.certificate: CardCertificate = read_certificate(self.certificate_der)
        except BadCertificate as error:
            raise Stop(Outcome.UNKNOWN_CARD) from error
        self.algorithm = self.certificate.algorithm
        self._run(bytes([0, 0x22, 0x41, 0xB6, 3, 0x80, 1, ALGORITHM_BYTE[self.algorithm]]))

    def _send(self, apdu: bytes) -> tuple[bytes, int]:
        data, status = self._transmit(apdu)
        while status >> 8 == 0x61:
            more, status = self._transmit(bytes([0, 0xC0, 0, 0, status & 255]))
            data += more
        return data, status

    def _run(self, apdu: bytes, otherwise: Outcome = Outcome.STOPPED) -> bytes:
        data, status = self._send(apdu)
        if status == OK:
            return data
        # PIN state or selection is gone: somebody reset the card.
        raise Stop(Outcome.CARD_RESET if status in (NOT_ALLOWED, CONDITIONS) else otherwise)

    def _read_certificate(self) -> bytes:
        data = b""
        while len(data) <= LARGEST_CERTIFICATE:
            part, status = self._send(bytes([0, 0xB0, len(data) >> 8, len(data) & 255, 0]))
            if status == BAD_OFFSET or (status == OK and not part):
                break
            if status != OK:
                raise Stop(Outcome.UNKNOWN_CARD)
            data += part
            if len(part) < 256:
                break
        return data

    def tries_left(self) -> int:
        """Also the harmless command that keeps a transaction alive."""
        return self._run(bytes.fromhex("00CA010200"))[0]

    def verify_pin(self, pin: str) -> None:
        """One VERIFY, never repeated. Raises Stop with the tries that are left."""
        data = pin.encode("ascii")
        _, status = self._send(bytes([0, 0x20, 0, 0x81, len(data)]) + data)
        _check_pin_status(status)

    def change_pin(self, old: str, new: str) -> None:
        """One CHANGE REFERENCE DATA, never repeated. Raises Stop; PIN_UNSURE means that either PIN may hold now."""
        data = b"".join(pin.encode("ascii").ljust(PIN_BYTES, b"\xff") for pin in (old, new))
        try:
            _, status = self._send(bytes([0, 0x24, 0, 0x81, len(data)]) + data)
        except Stop as stop:
            raise Stop(Outcome.PIN_UNSURE) from stop
        if status >> 8 == MEMORY_TROUBLE:
            raise Stop(Outcome.PIN_UNSURE)
        if status == BAD_DATA:
            raise Stop(Outcome.NEW_PIN_REFUSED)
        _check_pin_status(status)

    def authenticate(self, digest: bytes) -> bytes:
        """INTERNAL AUTHENTICATE: the card itself prefixes "EPORT-AUTH\\0" and hashes, so this can never yield a
        signature over a customs message, nor a customs signature a login."""
        return self._run(bytes([0, 0x88, 0, 0, len(digest)]) + digest + b"\0")

    def sign_message(self, signed_info: bytes) -> bytes:
        """PSO: COMPUTE DIGITAL SIGNATURE over SignedInfo: RSA-SHA1, or SM2 over SM3(Z_A ‖ SignedInfo)."""
        if self.algorithm == "sm2":
            block = sm2_digest(self.certificate.point, signed_info)
        else:
            block = SHA1_PREFIX + hashlib.sha1(signed_info).digest()
        return self._run(bytes([0, 0x2A, 0x9E, 0x9A, len(block)]) + block + b"\0")


def _check_pin_status(status: int) -> None:
    if status == BLOCKED:
        raise Stop(Outcome.PIN_BLOCKED, 0)
    if status & 0xFFF0 == 0x63C0:
        raise wrong_pin(status & 15)
    if status != OK:
        raise Stop(Outcome.STOPPED)

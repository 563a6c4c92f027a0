"""APDU profile of the e-port applet: select, certificate, PIN, authentication, signature of a customs message."""

import hashlib

from .apdu import BAD_OFFSET, NO_SUCH_COMMAND, OK, Commands
from .certificate import BadCertificate, read_certificate
from .digest_info import SHA1_PREFIX
from .outcomes import Outcome, Stop

AID = bytes.fromhex("F0455031434152440001")
SM2_A = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC
SM2_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
SM2_G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
SM2_ID = b"1234567812345678"
ALGORITHM_BYTE = {"rsa": 1, "sm2": 2}
STATEMENT_ALGORITHM = {"rsa": "eport-auth-rsa-sha256", "sm2": "eport-auth-sm2-sm3"}
LARGEST_CERTIFICATE = 32767
PIN_BYTES = 16  # of each PIN in CHANGE REFERENCE DATA, padded with FF


def sm2_digest(point: bytes, data: bytes) -> bytes:
    """SM3(Z_A ‖ data) with the default user id (GB/T 32918.2); `point` is 04‖x‖y."""
    z = (len(SM2_ID) * 8).to_bytes(2, "big") + SM2_ID
    z += b"".join(number.to_bytes(32, "big") for number in (SM2_A, SM2_B, *SM2_G)) + point[1:]
    return hashlib.new("sm3", hashlib.new("sm3", z).digest() + data).digest()


class EportApplet:
    """A card whose applet is selected. Reads number and certificate; the key follows from it."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self.serial = commands.run(bytes.fromhex("00CA010100")).decode("ascii", "replace")
        self.certificate_der = self._read_certificate()
        try:
            self.certificate = read_certificate(self.certificate_der)
        except BadCertificate as error:
            raise Stop(Outcome.UNKNOWN_CARD) from error
        self.algorithm = self.certificate.algorithm
        if self.algorithm not in ALGORITHM_BYTE:
            raise Stop(Outcome.UNKNOWN_CARD)
        commands.run(bytes([0, 0x22, 0x41, 0xB6, 3, 0x80, 1, ALGORITHM_BYTE[self.algorithm]]))

    def _read_certificate(self) -> bytes:
        data = b""
        while len(data) <= LARGEST_CERTIFICATE:
            part, status = self._commands.send(bytes([0, 0xB0, len(data) >> 8, len(data) & 255, 0]))
            if status == BAD_OFFSET or (status == OK and not part):
                break
            if status != OK:
                raise Stop(Outcome.UNKNOWN_CARD)
            data += part
            if len(part) < 256:
                break
        return data

    def tries_left(self) -> int:
        return self._commands.run(bytes.fromhex("00CA010200"))[0]

    def verify_pin(self, pin: str) -> None:
        data = pin.encode("ascii")
        self._commands.send_pin(bytes([0, 0x20, 0, 0x81, len(data)]) + data)

    def change_pin(self, old: str, new: str) -> None:
        data = _padded(old) + _padded(new)
        self._commands.change_pin(bytes([0, 0x24, 0, 0x81, len(data)]) + data)

    def unlock_tries_left(self) -> int:
        data, status = self._commands.send(bytes.fromhex("00CA010400"))
        if status in NO_SUCH_COMMAND:  # a card from before there were unlock codes
            raise Stop(Outcome.UNLOCK_NOT_HERE)
        if status != OK or not data:
            raise Stop(Outcome.NOT_UNLOCKED)
        return data[0]

    def unlock(self, code: str, new: str) -> None:
        data = _padded(code) + _padded(new)
        self._commands.unlock(bytes([0, 0x2C, 0, 0x81, len(data)]) + data)

    def sign_statement(self, statement: bytes) -> tuple[str, bytes]:
        """INTERNAL AUTHENTICATE over H(M): the card itself prefixes "EPORT-AUTH\\0" and hashes, so this can never yield
        a signature over a customs message, nor a customs signature a login."""
        digest = hashlib.new("sm3" if self.algorithm == "sm2" else "sha256", statement).digest()
        signature = self._commands.run(bytes([0, 0x88, 0, 0, len(digest)]) + digest + b"\0")
        return STATEMENT_ALGORITHM[self.algorithm], signature

    def sign_message(self, signed_info: bytes) -> bytes:
        """Over SignedInfo: RSA-SHA1, or SM2 over SM3(Z_A ‖ SignedInfo)."""
        if self.algorithm == "sm2":
            return self._sign(sm2_digest(self.certificate.point, signed_info))
        return self.sign_digest(hashlib.sha1(signed_info).digest())

    def sign_digest(self, sha1: bytes) -> bytes:
        if self.algorithm != "rsa":
            raise Stop(Outcome.ALGORITHM)
        return self._sign(SHA1_PREFIX + sha1)

    def _sign(self, block: bytes) -> bytes:
        """PSO: COMPUTE DIGITAL SIGNATURE."""
        return self._commands.run(bytes([0, 0x2A, 0x9E, 0x9A, len(block)]) + block + b"\0")


def _padded(pin: str) -> bytes:
    return pin.encode("ascii").ljust(PIN_BYTES, b"\xff")

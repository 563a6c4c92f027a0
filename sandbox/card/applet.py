"""The e-port applet: our own commands of an e-port card (电子口岸卡). docs/protocols/virtual-card.md lists them."""

import base64
import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, utils

from . import sm2
from .iso7816 import (
    BAD_DATA,
    BAD_LENGTH,
    BAD_OFFSET,
    BAD_P1P2,
    NO_DATA_OBJECT,
    NOT_ALLOWED,
    NOT_FOUND,
    OK,
    PIN,
    UNLOCK_CODE,
    Answer,
    Command,
    Secret,
    VirtualCard,
    load_key,
)

AID = bytes.fromhex("F0455031434152440001")  # F0 = proprietary, then "EP1CARD" 00 01
DIGEST_INFO = {
    bytes.fromhex("3021300906052b0e03021a05000414"): hashes.SHA1(),
    bytes.fromhex("3031300d060960864801650304020105000420"): hashes.SHA256(),
}
SHA256_PREFIX = list(DIGEST_INFO)[1]
ALGORITHM_BYTE = {"rsa": 1, "sm2": 2}
SECRET_BYTES = 16  # of each half when a PIN is set


class Applet(VirtualCard):
    """One e-port card with an RSA or SM2 key."""

    historical = b"EPORT-VCARD01"

    def _profile_commands(self) -> dict[int, Command]:
        return {
            0xCA: self._get_data,
            0xB0: self._read_certificate,
            0x20: self._verify,
            0x24: self._change_pin,
            0x2C: self._unlock,
            0x22: self._choose_key,
            0x2A: self._sign,
            0x88: self._authenticate,
        }

    def _load_key(self) -> None:
        key = self._state["key"]
        if self._state["algorithm"] == "sm2":
            self._key = int(key, 16)
            self._point = sm2.public_point(self._key)
        else:
            self._key = load_key(key)

    def _selected_by(self, data: bytes) -> bytes:
        return b"\x6f\x0c\x84\x0a" + AID if data == AID else b""

    def _get_data(self, p1: int, p2: int, data: bytes, expected: int) -> Answer:
        found = {
            (1, 1): self._state["serial"].encode(),
            (1, 2): bytes([self._state["tries"]]),
            (1, 3): self._point if self._state["algorithm"] == "sm2" else b"",
            (1, 4): bytes([self._state["unlock_tries"]]),
        }.get((p1, p2))
        return (found, OK) if found else (b"", NO_DATA_OBJECT)

    def _read_certificate(self, p1: int, p2: int, data: bytes, expected: int) -> Answer:
        if self._state["certificate"] is None:
            return b"", NOT_FOUND
        certificate = base64.b64decode(self._state["certificate"])
        offset = p1 << 8 | p2
        if offset >= len(certificate):
            return b"", BAD_OFFSET
        return certificate[offset : offset + (expected or 256)], OK

    def _verify(self, p1: int, p2: int, data: bytes, expected: int) -> Answer:
        if (p1, p2) != (0, 0x81):
            return b"", BAD_P1P2
        if not data:
            return b"", self._ask_tries()
        status = self._compare(data)
        self._verified = status == OK
        return b"", status

    def _change_pin(self, p1: int, p2: int, data: bytes, expected: int) -> Answer:
        return self._new_pin(p1, p2, data, PIN)

    def _unlock(self, p1: int, p2: int, data: bytes, expected: int) -> Answer:
        """RESET RETRY COUNTER by the code that the card centre gives (解锁码)."""
        return self._new_pin(p1, p2, data, UNLOCK_CODE)

    def _new_pin(self, p1: int, p2: int, data: bytes, secret: Secret) -> Answer:
        if (p1, p2) != (0, 0x81):
            return b"", BAD_P1P2
        return b"", self._set_pin(data, secret) if len(data) == 2 * SECRET_BYTES else BAD_LENGTH

    def _choose_key(self, p1: int, p2: int, data: bytes, expected: int) -> Answer:
        if (p1, p2) != (0x41, 0xB6):
            return b"", BAD_P1P2
        return b"", OK if data == bytes([0x80, 1, ALGORITHM_BYTE[self._state["algorithm"]]]) else BAD_DATA

    def _sign(self, p1: int, p2: int, data: bytes, expected: int) -> Answer:
        if (p1, p2) != (0x9E, 0x9A):
            return b"", BAD_P1P2
        return self._signature(data, expected)

    def _authenticate(self, p1: int, p2: int, data: bytes, expected: int) -> Answer:
        """The card adds a prefix and hashes, so no authentication is ever the signature of a document."""
        message = b"EPORT-AUTH\0" + data
        if self._state["algorithm"] == "sm2":
            return self._signature(sm2.digest(self._point, message), expected)
        return self._signature(SHA256_PREFIX + hashlib.sha256(message).digest(), expected)

    def _signature(self, block: bytes, expected: int) -> Answer:
        if not self._verified:
            return b"", NOT_ALLOWED
        self._take_time()
        signature = self._compute(block)
        return self._give(signature, expected) if signature else (b"", BAD_DATA)

    def _compute(self, block: bytes) -> bytes:
        if self._state["algorithm"] == "sm2":
            return sm2.sign_digest(self._key, block) if len(block) == 32 else b""
        for prefix, algorithm in DIGEST_INFO.items():
            if block.startswith(prefix) and len(block) == len(prefix) + algorithm.digest_size:
                return self._key.sign(block[len(prefix) :], padding.PKCS1v15(), utils.Prehashed(algorithm))
        return b""

"""A PIV card (NIST SP 800-73-4, part 2): the subset that a login and a signature need, with one key, 9A.

docs/protocols/virtual-card.md lists it. Key and certificate are those of an e-port card; only the commands differ.
"""

import base64
import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from .iso7816 import (
    BAD_DATA,
    BAD_P1P2,
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

AID = bytes.fromhex("A000000308000010000100")
SHORTEST_AID = 9  # the version at its end may be left away
AUTHENTICATION_KEY = 0x9A
ALGORITHM_BYTE = {"rsa": 0x07, "ec": 0x11}  # SP 800-78-4, table 6-2: RSA-2048, P-256
SECRET_BYTES = 8
CERTIFICATE, CHUID, DISCOVERY = bytes.fromhex("5FC105"), bytes.fromhex("5FC102"), b"\x7e"
# FASC-N of issuers outside of the US government: agency, system and credential are nines and zeros.
FASC_N = bytes.fromhex("D4E739DA739CED39CE739D836858210842108421C84210C3EB")


class PivCard(VirtualCard):
    """One PIV card whose key 9A is RSA-2048 or P-256; PUK is the unlock code (解锁码)."""

    historical = b"EPORT-VPIV01"

    def _profile_commands(self) -> dict[int, Command]:
        return {
            0xCB: self._get_data,
            0x20: self._verify,
            0x24: self._change_pin,
            0x2C: self._unlock,
            0x87: self._authenticate,
        }

    def _load_key(self) -> None:
        self._key = load_key(self._state["key"])

    def _selected_by(self, data: bytes) -> bytes:
        if not (len(data) >= SHORTEST_AID and AID.startswith(data)):
            return b""
        return tlv(0x61, tlv(0x4F, AID[5:]) + tlv(0x79, tlv(0x4F, AID[:5])))

    def _get_data(self, p1: int, p2: int, data: bytes, expected: int) -> Answer:
        if (p1, p2) != (0x3F, 0xFF):
            return b"", BAD_P1P2
        tag = fields(data).get(0x5C)
        if tag is None:
            return b"", BAD_DATA
        found = self._object(tag)
        return self._give(found, expected) if found else (b"", NOT_FOUND)

    def _object(self, tag: bytes) -> bytes:
        if tag == DISCOVERY:  # the PIN of this application, no other
            return tlv(0x7E, tlv(0x4F, AID) + b"\x5f\x2f\x02\x40\x00")
        if tag == CHUID:
            guid = hashlib.sha256(self._state["serial"].encode()).digest()[:16]
            values = tlv(0x30, FASC_N) + tlv(0x34, guid) + tlv(0x35, b"20991231") + tlv(0x3E, b"") + tlv(0xFE, b"")
            return tlv(0x53, values)
        if tag == CERTIFICATE and self._state["certificate"]:
            certificate = base64.b64decode(self._state["certificate"])
            return tlv(0x53, tlv(0x70, certificate) + tlv(0x71, b"\0") + tlv(0xFE, b""))
        return b""

    def _verify(self, p1: int, p2: int, data: bytes, expected: int) -> Answer:
        """With P1 = FF and no data it forgets that the PIN was verified."""
        if (p1, p2, data) == (0xFF, 0x80, b""):
            self._verified = False
            return b"", OK
        if (p1, p2) != (0, 0x80):
            return b"", BAD_P1P2
        if not data:
            return b"", self._ask_tries()
        if not is_pin(data):
            return b"", BAD_DATA
        status = self._compare(data)
        self._verified = status == OK
        return b"", status

    def _change_pin(self, p1: int, p2: int, data: bytes, expected: int) -> Answer:
        """As SP 800-73-4 has it the right PIN counts as verified afterwards."""
        answer, status = self._new_pin(p1, p2, data, PIN)
        self._verified = status == OK
        return answer, status

    def _unlock(self, p1: int, p2: int, data: bytes, expected: int) -> Answer:
        return self._new_pin(p1, p2, data, UNLOCK_CODE)

    def _new_pin(self, p1: int, p2: int, data: bytes, secret: Secret) -> Answer:
        """A new PIN of a wrong form costs no try, for it is looked at first."""
        if (p1, p2) != (0, 0x80):
            return b"", BAD_P1P2
        is_good = len(data) == 2 * SECRET_BYTES and is_pin(data[SECRET_BYTES:])
        return b"", self._set_pin(data, secret) if is_good else BAD_DATA

    def _authenticate(self, p1: int, p2: int, data: bytes, expected: int) -> Answer:
        """GENERAL AUTHENTICATE: 7C { 82 (empty), 81 block } gives 7C { 82 signature }."""
        algorithm = self._state["algorithm"]
        if (p1, p2) != (ALGORITHM_BYTE[algorithm], AUTHENTICATION_KEY):
            return b"", BAD_P1P2
        if not self._verified:
            return b"", NOT_ALLOWED
        block = fields(fields(data).get(0x7C, b"")).get(0x81, b"")
        self._take_time()
        signature = self._sign_digest(block) if algorithm == "ec" else self._raw_rsa(block)
        return self._give(tlv(0x7C, tlv(0x82, signature)), expected) if signature else (b"", BAD_DATA)

    def _sign_digest(self, digest: bytes) -> bytes:
        if len(digest) != 32:
            return b""
        return self._key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))

    def _raw_rsa(self, block: bytes) -> bytes:
        """The bare RSA operation: padding is the business of whoever asks (RFC 8017 §5.1.2, with the CRT numbers)."""
        numbers = self._key.private_numbers()
        value, modulus = int.from_bytes(block, "big"), numbers.public_numbers.n
        if len(block) != 256 or value >= modulus:
            return b""
        first, second = pow(value, numbers.dmp1, numbers.p), pow(value, numbers.dmq1, numbers.q)
        return (second + numbers.q * (numbers.iqmp * (first - second) % numbers.p)).to_bytes(256, "big")


def is_pin(data: bytes) -> bool:
    """SP 800-73-4 §2.4.3: 6 to 8 digits, padded with FF to 8 bytes."""
    digits = data.rstrip(b"\xff")
    return len(data) == SECRET_BYTES and len(digits) >= 6 and digits.isdigit()


def tlv(tag: int, value: bytes) -> bytes:
    """BER-TLV (ISO 7816-4 §5.2.2) with a tag of one byte."""
    length = len(value)
    if length < 0x80:
        return bytes([tag, length]) + value
    size = length.to_bytes(1 if length < 0x100 else 2, "big")
    return bytes([tag, 0x80 | len(size)]) + size + value


def fields(data: bytes) -> dict[int, bytes]:
    """The values of BER-TLV data by their tags of one byte; none if one runs over the end."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        tag, length, start = data[at], data[at + 1 : at + 2], at + 2
        if length and length[0] >= 0x80:
            start += length[0] & 0x7F
            length = data[at + 2 : start]
        at = start + int.from_bytes(length, "big")
        if not length or at > len(data):
            return {}
        found[tag] = data[start:at]
    return found

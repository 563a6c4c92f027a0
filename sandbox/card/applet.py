"""The card applet: ISO 7816-4 commands in, answers and status words out. docs/protocols/virtual-card.md lists them."""

import base64
import hashlib
import hmac
import struct
import time
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, utils
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from . import sm2
from .state import read_state, write_state

AID = bytes.fromhex("F0455031434152440001")  # F0 = proprietary, then "EP1CARD" 00 01
DIGEST_INFO = {
    bytes.fromhex("3021300906052b0e03021a05000414"): hashes.SHA1(),
    bytes.fromhex("3031300d060960864801650304020105000420"): hashes.SHA256(),
}
SHA256_PREFIX = list(DIGEST_INFO)[1]
ALGORITHM_BYTE = {"rsa": 1, "sm2": 2}
OK, NOT_FOUND, NOT_ALLOWED, BLOCKED, CONDITIONS = 0x9000, 0x6A82, 0x6982, 0x6983, 0x6985
BAD_LENGTH, BAD_P1P2, BAD_INS, BAD_CLASS, BAD_DATA = 0x6700, 0x6A86, 0x6D00, 0x6E00, 0x6A80
NO_DATA_OBJECT, BAD_OFFSET = 0x6A88, 0x6B00
Answer = tuple[bytes, int]


class Applet:
    """One card in one reader. What `reset` clears is lost at power off; the rest is in the state file."""

    def __init__(self, path: Path | str) -> None:
        self._path = path
        self._commands = {
            0xA4: self._select,
            0xCA: self._get_data,
            0xB0: self._read_certificate,
            0x20: self._verify,
            0x24: self._change_pin,
            0x22: self._choose_key,
            0x2A: self._sign,
            0x88: self._authenticate,
        }
        self.reset()

    def reset(self) -> None:
        self._selected = self._verified = False
        self._rest = b""
        self._load()

    def _load(self) -> None:
        self._state = read_state(self._path)
        key = self._state["key"]
        if self._state["algorithm"] == "sm2":
            self._key = int(key, 16)
            self._point = sm2.public_point(self._key)
        else:
            self._key = load_pem_private_key(key.encode(), None)

    def answer(self, command: bytes) -> bytes:
        """Takes a command APDU and gives the answer APDU."""
        data, status = self._run(command)
        return data + struct.pack(">H", status)

    def _run(self, command: bytes) -> Answer:
        if len(command) < 4:
            return b"", BAD_LENGTH
        cla, ins, p1, p2 = command[:4]
        body = split_body(command[4:])
        if body is None:
            return b"", BAD_LENGTH
        data, expected = body
        if cla not in (0x00, 0x10):
            return b"", BAD_CLASS
        if ins == 0xC0:
            return self._next_part(expected)
        if ins not in self._commands:
            return b"", BAD_INS
        if ins != 0xA4 and not self._selected:
            return b"", CONDITIONS
        return self._commands[ins](p1, p2, data, expected)

    def _select(self, p1: int, p2: int, data: bytes, expected: int) -> Answer:
        self.reset()
        self._selected = p1 == 4 and data == AID
        return (b"\x6f\x0c\x84\x0a" + AID, OK) if self._selected else (b"", NOT_FOUND)

    def _get_data(self, p1: int, p2: int, data: bytes, expected: int) -> Answer:
        found = {
            (1, 1): self._state["serial"].encode(),
            (1, 2): bytes([self._state["tries"]]),
            (1, 3): self._point if self._state["algorithm"] == "sm2" else b"",
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
        if not data:  # asks for the state without a try
            left = self._state["tries"]
            return b"", OK if self._verified else (0x63C0 | left if left else BLOCKED)
        status = self._compare(data)
        self._verified = status == OK
        return b"", status

    def _compare(self, pin: bytes) -> int:
        """The counter goes down before the comparison, in the file: pulling the card wins no free try."""
        if self._state["tries"] == 0:
            return BLOCKED
        self._state["tries"] -= 1
        write_state(self._path, self._state)
        if not hmac.compare_digest(pin.rstrip(b"\xff"), self._state["pin"].encode()):
            self._verified = False
            return 0x63C0 | self._state["tries"] if self._state["tries"] else BLOCKED
        self._state["tries"] = self._state["max_tries"]
        write_state(self._path, self._state)
        return OK

    def _change_pin(self, p1: int, p2: int, data: bytes, expected: int) -> Answer:
        """Old and new PIN, 16 bytes each, padded with FF."""
        if len(data) != 32:
            return b"", BAD_LENGTH
        status = self._compare(data[:16])
        if status == OK:
            new = data[16:].rstrip(b"\xff")
            if len(new) < 6 or not new.isascii():
                return b"", BAD_DATA
            self._state["pin"] = new.decode("ascii")
            write_state(self._path, self._state)
            self._verified = False
        return b"", status

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
        time.sleep(self._state["delay_ms"] / 1000)
        self._rest = self._compute(block)
        return self._next_part(expected) if self._rest else (b"", BAD_DATA)

    def _compute(self, block: bytes) -> bytes:
        if self._state["algorithm"] == "sm2":
            return sm2.sign_digest(self._key, block) if len(block) == 32 else b""
        for prefix, algorithm in DIGEST_INFO.items():
            if block.startswith(prefix) and len(block) == len(prefix) + algorithm.digest_size:
                return self._key.sign(block[len(prefix) :], padding.PKCS1v15(), utils.Prehashed(algorithm))
        return b""

    def _next_part(self, expected: int) -> Answer:
        if not self._rest:
            return b"", CONDITIONS
        part, self._rest = self._rest[: expected or 256], self._rest[expected or 256 :]
        return part, 0x6100 | min(len(self._rest), 255) if self._rest else OK


def split_body(body: bytes) -> tuple[bytes, int] | None:
    """Splits what follows CLA INS P1 P2 into (data, expected length): ISO 7816-4 cases 1–4, short and extended."""
    if not body:
        return b"", 0
    if len(body) == 1:
        return b"", body[0] or 256
    extended = body[0] == 0 and len(body) >= 3
    if extended and len(body) == 3:
        return b"", struct.unpack(">H", body[1:])[0] or 65536
    head = 3 if extended else 1
    length = struct.unpack(">H", body[1:3])[0] if extended else body[0]
    data, rest = body[head : head + length], body[head + length :]
    if not length or len(data) != length or len(rest) not in (0, 2 if extended else 1):
        return None
    return data, (int.from_bytes(rest, "big") or (65536 if extended else 256)) if rest else 0

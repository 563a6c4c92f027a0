"""What every card program here shares (ISO 7816-4): APDUs, chaining, GET RESPONSE, secrets with counters, state file."""

import functools
import hmac
import operator
import struct
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from .state import read_state, write_state

OK, NOT_FOUND, NOT_ALLOWED, BLOCKED, CONDITIONS = 0x9000, 0x6A82, 0x6982, 0x6983, 0x6985
BAD_LENGTH, BAD_P1P2, BAD_INS, BAD_CLASS, BAD_DATA = 0x6700, 0x6A86, 0x6D00, 0x6E00, 0x6A80
NO_DATA_OBJECT, BAD_OFFSET = 0x6A88, 0x6B00
SELECT, GET_RESPONSE, CHAINED = 0xA4, 0xC0, 0x10
LARGEST_CHAIN = 4096  # bytes of data that a chain of commands may carry
Answer = tuple[bytes, int]
Command = Callable[[int, int, bytes, int], Answer]  # (P1, P2, data, expected length)


@dataclass(frozen=True)
class Secret:
    """The fields of the state file that hold a secret, its tries left, and how many there are when it is right."""

    value: str
    left: str
    limit: str


PIN = Secret("pin", "tries", "max_tries")
UNLOCK_CODE = Secret("unlock_code", "unlock_tries", "max_unlock_tries")


class VirtualCard(ABC):
    """One card in one reader. What `reset` clears is lost at power off; the rest is in the state file."""

    historical: bytes  # of the ATR

    def __init__(self, path: Path | str) -> None:
        self._path = path
        self._commands: dict[int, Command] = self._profile_commands() | {SELECT: self._select}
        self.reset()

    @abstractmethod
    def _profile_commands(self) -> dict[int, Command]:
        """What the application understands, by INS."""

    @abstractmethod
    def _load_key(self) -> None:
        """Takes the key out of the state that was just read."""

    @abstractmethod
    def _selected_by(self, data: bytes) -> bytes:
        """The FCI, or nothing when `data` is not the name of this application."""

    @property
    def atr(self) -> bytes:
        body = bytes([0x80 | len(self.historical), 0x80, 0x01]) + self.historical  # T=0 and T=1
        return b"\x3b" + body + bytes([functools.reduce(operator.xor, body)])

    def reset(self) -> None:
        self._selected = self._verified = False
        self._rest, self._chain = b"", (b"", b"")
        self._state = read_state(self._path)
        self._load_key()

    def answer(self, command: bytes) -> bytes:
        """Takes a command APDU and gives the answer APDU."""
        data, status = self._run(command)
        return data + struct.pack(">H", status)

    def _run(self, command: bytes) -> Answer:
        body = split_body(command[4:]) if len(command) >= 4 else None
        if body is None:
            return b"", BAD_LENGTH
        data, expected = body
        cla, ins, p1, p2 = command[:4]
        if cla not in (0, CHAINED):
            return b"", BAD_CLASS
        if ins == GET_RESPONSE:
            return self._next_part(expected)
        if ins not in self._commands:
            return b"", BAD_INS
        if ins != SELECT and not self._selected:
            return b"", CONDITIONS
        self._rest = b""
        data = self._gather(command[1:4], data, goes_on=cla == CHAINED)
        if len(data) > LARGEST_CHAIN:
            return b"", BAD_LENGTH
        return (b"", OK) if cla == CHAINED else self._commands[ins](p1, p2, data, expected)

    def _gather(self, head: bytes, data: bytes, *, goes_on: bool) -> bytes:
        """Puts the data of a chain together; a command with another INS, P1 or P2 begins anew."""
        before = self._chain[1] if self._chain[0] == head else b""
        whole = before + data
        self._chain = (head, whole) if goes_on and len(whole) <= LARGEST_CHAIN else (b"", b"")
        return whole

    def _select(self, p1: int, p2: int, data: bytes, expected: int) -> Answer:
        self.reset()
        found = self._selected_by(data) if p1 == 4 else b""
        self._selected = bool(found)
        return (found, OK) if found else (b"", NOT_FOUND)

    def _ask_tries(self) -> int:
        """Status of an empty VERIFY, which costs no try."""
        left = self._state["tries"]
        return OK if self._verified else (0x63C0 | left if left else BLOCKED)

    def _compare(self, given: bytes, secret: Secret = PIN) -> int:
        """The counter goes down before the comparison, in the file: pulling the card wins no free try."""
        if self._state[secret.left] == 0:
            return BLOCKED
        self._keep(**{secret.left: self._state[secret.left] - 1})
        if not hmac.compare_digest(given.rstrip(b"\xff"), self._state[secret.value].encode()):
            self._verified = False
            left = self._state[secret.left]
            return 0x63C0 | left if left else BLOCKED
        self._keep(**{secret.left: self._state[secret.limit]})
        return OK

    def _set_pin(self, data: bytes, secret: Secret) -> int:
        """CHANGE REFERENCE DATA (by the PIN) and RESET RETRY COUNTER (by the unlock code): `data` is the secret and the
        new PIN, of equal length, padded with FF."""
        half = len(data) // 2
        status = self._compare(data[:half], secret)
        if status != OK:
            return status
        new = data[half:].rstrip(b"\xff")
        if len(new) < 6 or not new.isascii():
            return BAD_DATA
        self._keep(pin=new.decode("ascii"), tries=self._state["max_tries"])
        self._verified = False
        return OK

    def _keep(self, **values: int | str) -> None:
        self._state |= values
        write_state(self._path, self._state)

    def _take_time(self) -> None:
        """The time that a real card needs for one signature."""
        time.sleep(self._state["delay_ms"] / 1000)

    def _give(self, data: bytes, expected: int) -> Answer:
        """The first part of an answer; GET RESPONSE fetches the others."""
        self._rest = data
        return self._next_part(expected)

    def _next_part(self, expected: int) -> Answer:
        if not self._rest:
            return b"", CONDITIONS
        part, self._rest = self._rest[: expected or 256], self._rest[expected or 256 :]
        return part, 0x6100 | min(len(self._rest), 255) if self._rest else OK


def load_key(pem: str) -> PrivateKeyTypes:
    """Our own key: checking it again would cost 50 ms at every reset."""
    return load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)


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

"""Block framing (BLOCKTXT) of the client-control protocol: one long text that comes in numbered, checked blocks.

The client is a page's script, so sizes and check codes count UTF-16 code units, and the check code sees only the low
byte of each. A block is confirmed by asking for the next one; a damaged one is asked for again.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

MARK = "BLOCKTXT"
HEADER_SIZE = 128
HEADER = re.compile(
    MARK + r"(?P<check>[0-9A-Fa-f]{4})(?P<block_check>[0-9A-Fa-f]{4})(?P<size>[0-9]{16})(?P<block_size>[0-9]{8})"
    r"(?P<count>[0-9]{4})(?P<group>[0-9A-Za-z-]{36})(?P<number>[0-9]{4})[ -~]{44}"
)
LARGEST_TEXT = 4 << 20  # code units of one text, and of all texts that one connection has under way
MOST_GROUPS = 4
GROUP_SECONDS = 60  # a group without a new block for so long is forgotten
TRIES_PER_BLOCK = 3


def make_table() -> list[int]:
    """CRC-16/MODBUS, reflected polynomial A001."""
    table = list(range(256))
    for _ in range(8):
        table = [value >> 1 ^ (0xA001 if value & 1 else 0) for value in table]
    return table


TABLE = make_table()


def units(text: str) -> bytes:
    """The low byte of each UTF-16 code unit; its length is what a script calls the text's length."""
    return text.encode("utf-16-le", "surrogatepass")[::2]


def checksum(data: bytes, start: int = 0xFFFF) -> int:
    for byte in data:
        start = start >> 8 ^ TABLE[(start ^ byte) & 255]
    return start


def check_code(value: int) -> str:
    """Four digits as they stand in a header: the low byte of the CRC first."""
    return f"{value & 255:02X}{value >> 8:02X}"


@dataclass
class Progress:
    """What the client is told of its block: which one is wanted next, or that the group is at its end.

    `text` is the whole text once it is complete; `error` says in Chinese why a group was given up.
    """

    group: str
    number: int
    wanted: int = 0
    is_good: bool = True
    text: str | None = None
    error: str = ""

    @property
    def is_finished(self) -> bool:
        return self.text is not None or bool(self.error)


@dataclass
class Group:
    """The blocks of one text so far; `size` in code units, `checksum` over all that came."""

    check: str
    size: int
    count: int
    blocks: list[str] = field(default_factory=list)
    received: int = 0
    checksum: int = 0xFFFF
    damaged: int = 0
    touched: float = 0.0


class Assembler:
    """Puts the texts of one connection together, within bounds of size, number and time."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._groups: dict[str, Group] = {}
        self._now = now

    def take(self, frame: str) -> Progress | None:
        """Takes one frame that begins with MARK; None if its header cannot be read."""
        header = HEADER.fullmatch(frame[:HEADER_SIZE])
        if header is None:
            return None
        part = header.groupdict()
        progress = Progress(part["group"], int(part["number"]))
        group = self._find(part, progress)
        if group is None:
            self._groups.pop(part["group"], None)
            return progress
        group.touched = self._now()
        self._add(group, frame[HEADER_SIZE:], part, progress)
        if progress.is_finished:
            del self._groups[progress.group]
        return progress

    def _find(self, part: dict[str, str], progress: Progress) -> Group | None:
        """The block's group, begun if it is new; None and an error if it is one that will not be taken."""
        self._forget_old()
        check, size, count = part["check"].upper(), int(part["size"]), int(part["count"])
        group = self._groups.get(progress.group)
        if group is None:
            under_way = sum(other.size for other in self._groups.values())
            if not 1 <= count <= size:
                progress.error = "分块的说明不对。"
            elif len(self._groups) >= MOST_GROUPS or under_way + size > LARGEST_TEXT:
                progress.error = "要传的内容太大。"
            else:
                self._groups[progress.group] = Group(check, size, count)
        elif (group.check, group.size, group.count) != (check, size, count):
            progress.error = "同一组分块的说明前后不一样。"
        return None if progress.error else self._groups[progress.group]

    def _forget_old(self) -> None:
        oldest = self._now() - GROUP_SECONDS
        self._groups = {name: group for name, group in self._groups.items() if group.touched >= oldest}

    def _add(self, group: Group, block: str, part: dict[str, str], progress: Progress) -> None:
        data = units(block)
        progress.wanted = len(group.blocks)
        is_whole = len(data) == int(part["block_size"]) and check_code(checksum(data)) == part["block_check"].upper()
        if not is_whole or progress.number != progress.wanted or group.received + len(data) > group.size:
            progress.is_good = False
            group.damaged += 1
            if group.damaged > TRIES_PER_BLOCK * group.count:
                progress.error = "分块多次没有传对。"
            return
        group.blocks.append(block)
        group.received += len(data)
        group.checksum = checksum(data, group.checksum)
        progress.wanted += 1
        if progress.wanted < group.count:
            return
        if group.received == group.size and check_code(group.checksum) == group.check:
            progress.text = "".join(group.blocks)
        else:
            progress.is_good, progress.error = False, "分块合起来和校验码不一样。"

"""The customs office: takes files from every enterprise's OutBox, decides each order, puts receipts into the InBox."""

import hashlib
import logging
import os
import threading
import time
from collections import Counter
from pathlib import Path

from sandbox.customs import envelope, message
from sandbox.customs.envelope import BadEnvelope
from sandbox.customs.judge import Judge
from sandbox.customs.ledger import Ledger, Taken
from sandbox.moods import Mood, get_mood
from sandbox.store import Store

PAUSE = 0.2  # seconds between two looks into the folders
BATCH = 32  # files of one enterprise at a time
log = logging.getLogger(__name__)


class Office:
    """`look()` does one round; `start()` does rounds in a thread of its own until `stop()`."""

    def __init__(self, root: Path, store: Store, ledger: Ledger, judge: Judge):
        self.root, self.store, self.ledger, self.judge = root, store, ledger, judge
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="customs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.is_set():
            if not self.look():
                self._end.wait(PAUSE)

    def look(self) -> bool:
        """One round through all folders. True if there was something to do."""
        mood = get_mood(self.store, "customs")
        if mood.name == "down":
            return False
        done = False
        for folder in self.folders():
            try:
                done |= self._take(folder, mood)
            except OSError:
                log.exception("customs: folder %s", folder.name)
        due = self.ledger.list_due(time.time())
        self._answer(due)
        return done or bool(due)

    def folders(self) -> list[Path]:
        """One folder for each enterprise id."""
        try:
            return sorted(Path(entry.path) for entry in os.scandir(self.root) if entry.is_dir())
        except FileNotFoundError:
            return []

    def _take(self, folder: Path, mood: Mood) -> bool:
        try:
            entries = [entry for entry in os.scandir(folder / "OutBox") if entry.name.endswith(".xml")]
        except FileNotFoundError:
            return False
        if not entries:
            return False
        entries.sort(key=lambda entry: (entry.stat().st_mtime_ns, entry.name))
        answers, refused = [], []
        with self.ledger.transaction():
            for entry in entries[:BATCH]:
                try:
                    answers.append(self._read(Path(entry.path), folder.name, mood))
                except BadEnvelope as error:
                    refused.append((entry, error))
        # Everything is decided and stored before a file moves: after a crash it is still in OutBox and is known.
        gone = {entry.name for entry, _ in refused}
        for entry in entries[:BATCH]:
            _move(entry, folder / ("FailBox" if entry.name in gone else "SentBox"))
        for entry, error in refused:
            self._reject(folder, entry.name, error)
        self._answer([taken for taken in answers if taken.due <= time.time()])
        return True

    def _read(self, path: Path, folder: str, mood: Mood) -> Taken:
        """Decides one message and stores that. Raises BadEnvelope when it cannot be delivered."""
        raw = path.read_bytes()
        digest = hashlib.sha256(raw).digest()
        outer = envelope.read(raw)
        known = self.ledger.find_message(outer.sender, outer.cop_msg_id)
        if known and known.digest == digest:
            self.ledger.count(resent=1)
            known.manner, known.due = mood.name, _due(mood)
            self.ledger.run(
                "UPDATE messages SET answered = ?, manner = ?, due = ? WHERE id = ?",
                mood.name == "silent", known.manner, known.due, known.id,
            )  # fmt: skip
            return known
        if known:
            raise BadEnvelope("CopMsgId已用于另一份内容")
        verdicts = self.judge.decide(message.read(outer.data), outer.sender, folder, mood)
        taken = Taken(
            0, outer.sender, outer.cop_msg_id, folder, digest, time.time(), mood.name, _due(mood),
            mood.name == "silent", verdicts,
        )  # fmt: skip
        self.ledger.add_message(taken)
        self.ledger.count(messages=1, orders=len(verdicts), rejected_orders=sum(row[4] < 0 for row in verdicts))
        return taken

    def _reject(self, folder: Path, name: str, error: BadEnvelope) -> None:
        sender, cop_msg_id = _guess(folder / "FailBox" / name)
        _drop(folder / "InBox", [envelope.reply(str(error), error.code, sender, cop_msg_id)])
        self.ledger.count(rejected_files=1, receipts=1)
        self.ledger.note("rejected", folder.name, name, str(error))

    def _answer(self, messages: list[Taken]) -> None:
        """Writes the receipts of messages that are due."""
        if not messages:
            return
        written = 0
        for taken in messages:
            files = receipts(taken)
            _drop(self.root / taken.folder / "InBox", files)
            written += len(files)
        with self.ledger.transaction():
            self.ledger.mark_answered(messages)
            self.ledger.count(receipts=written)


def receipts(taken: Taken) -> list[tuple[str, bytes]]:
    """The receipt files of a message in the order of writing: at most one file per stage, as its manner wants."""
    first, last = envelope.return_time(taken.taken), envelope.return_time(taken.taken + 0.001)
    sent = [
        (*row[:4], 3, first, f"发送海关成功[{row[0]}]") for row in taken.verdicts if row[4] in (100, 120)
    ]  # 3 is said only of what went on to customs
    ends = [(*row[:5], last, f"{row[5]}[{row[0]}]") for row in taken.verdicts]
    if taken.manner == "garbled":
        return envelope.garbled(taken.sender)
    stages = [stage for stage in (sent, ends) if stage]
    if taken.manner == "reversed":
        stages.reverse()
    times = 2 if taken.manner == "twice" else 1
    return [envelope.receipt(stage, taken.sender) for stage in stages for _ in range(times)]


def _due(mood: Mood) -> float:
    if mood.name == "silent":
        return float("inf")
    return time.time() + (mood.seconds if mood.name == "late" else 0)


def _guess(path: Path) -> tuple[str, str]:
    """Sender and CopMsgId of a file that may be unreadable: from its content, else from its name."""
    try:
        outer = envelope.read(path.read_bytes())
    except BadEnvelope:
        parts = path.stem.split("_", 3)
        return (parts[1], parts[3]) if len(parts) == 4 else ("", path.stem)
    return outer.sender, outer.cop_msg_id


def _move(entry: os.DirEntry, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    os.replace(entry.path, folder / entry.name)


def _drop(folder: Path, files: list[tuple[str, bytes]]) -> None:
    """Puts files into a box so that nobody ever sees half of one."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files:
        part = folder / f"{name}.tmp"
        part.write_bytes(content)
        part.rename(folder / name)


def send_by_hand(office: Office, folder: str, guid: str, status: int, words: str, *, moment: float) -> None:
    """A stray receipt into one enterprise's InBox: for any guid, known or not, its own or another company's."""
    rows = office.ledger.run("SELECT ebp, ebc, order_no FROM orders WHERE guid = ?", guid)
    ebp, ebc, number = rows[0] if rows else ("无", "0000000000", "UNKNOWN")
    channel = office.ledger.run("SELECT sender FROM channels WHERE folder = ?", folder)
    receiver = channel[0][0] if channel else "UNKNOWN"
    when = envelope.return_time(moment)
    _drop(office.root / folder / "InBox", [envelope.receipt([(guid, ebp, ebc, number, status, when, words)], receiver)])
    office.ledger.count(receipts=1)
    office.ledger.note("by-hand", folder, guid, f"{status} {words}")


def waiting(office: Office) -> Counter:
    """How many files lie in each kind of box, over all enterprises."""
    found: Counter = Counter()
    for folder in office.folders():
        for box in ("OutBox", "SentBox", "FailBox", "InBox", "ReadBox"):
            if (folder / box).is_dir():
                found[box] += sum(name.endswith(".xml") for name in os.listdir(folder / box))
    return found

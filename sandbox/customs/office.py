"""The customs office: takes files from each enterprise's OutBox, decides each document, puts receipts into the InBox."""

import hashlib
import logging
import os
import threading
import time
from collections import Counter
from pathlib import Path

from sandbox.customs import codes, envelope, message
from sandbox.customs.envelope import BadEnvelope
from sandbox.customs.judge import Judge
from sandbox.customs.kinds import KINDS, Kind
from sandbox.customs.ledger import Filed, Ledger, Taken
from sandbox.moods import Mood, get_mood
from sandbox.store import Store

PAUSE = 0.2  # seconds between two looks into the folders
BATCH = 32  # files of one enterprise at a time
LONGEST_WAY = 3  # states of a document from 3 on
log = logging.getLogger(__name__)


class Office:
    """`look()` does one round; `start()` does rounds in a thread of its own until `stop()`."""

    def __init__(self, root: Path, store: Store, ledger: Ledger, judge: Judge):
        self.root, self.store, self.ledger, self.judge = root, store, ledger, judge
        self._listed: dict[Path, list[os.DirEntry]] = {}
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
        """Up to BATCH files, the oldest first; a listing is used up before the next is made."""
        listed = self._listed.pop(folder, None) or self._list(folder)
        entries = [entry for entry in listed[:BATCH] if os.path.exists(entry.path)]
        if listed[BATCH:]:
            self._listed[folder] = listed[BATCH:]
        if not entries:
            return False
        answers, refused = [], []
        with self.ledger.transaction():
            for entry in entries:
                try:
                    answers.append(self._read(Path(entry.path), folder.name, mood))
                except BadEnvelope as error:
                    refused.append((entry, error))
        # Everything is decided and stored before a file moves: after a crash it is still in OutBox and is known.
        gone = {entry.name for entry, _ in refused}
        for entry in entries:
            _move(entry, folder / ("FailBox" if entry.name in gone else "SentBox"))
        for entry, error in refused:
            self._reject(folder, entry.name, error)
        self._answer([taken for taken in answers if taken.due <= time.time()])
        return True

    def _list(self, folder: Path) -> list[os.DirEntry]:
        try:
            entries = [entry for entry in os.scandir(folder / "OutBox") if entry.name.endswith(".xml")]
        except FileNotFoundError:
            return []
        return sorted(entries, key=lambda entry: (entry.stat().st_mtime_ns, entry.name))

    def _read(self, path: Path, folder: str, mood: Mood) -> Taken:
        """Decides one message and stores that. Raises BadEnvelope when it cannot be delivered."""
        with open(path, "rb") as file:
            raw = file.read()
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
        read = message.read(outer.data, outer.kind)
        verdicts = self.judge.decide(read, outer.sender, folder, mood)
        taken = Taken(
            0, outer.sender, outer.cop_msg_id, folder, digest, time.time(), mood.name, _due(mood),
            mood.name == "silent", read.kind.code, verdicts,
        )  # fmt: skip
        self.ledger.add_message(taken)
        self.ledger.count(messages=1)
        self.ledger.count(taken.kind, documents=len(verdicts), rejected=sum(row[1] < 0 for row in verdicts))
        return taken

    def _reject(self, folder: Path, name: str, error: BadEnvelope) -> None:
        _drop(folder / "InBox", [envelope.reply(str(error), error.code, *_guess(folder / "FailBox" / name))])
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
    kind = KINDS[taken.kind]
    if taken.manner == "garbled":
        return envelope.garbled(kind, taken.sender)
    stages: list[list[tuple]] = [[] for _ in range(LONGEST_WAY)]
    moments = [envelope.return_time(taken.taken + stage / 1000) for stage in range(LONGEST_WAY)]
    ways = {status: way_to(kind, status) for status in {row[1] for row in taken.verdicts}}
    for guid, status, words, said, _ in taken.verdicts:
        for stage, reached in enumerate(ways[status]):
            if reached:
                info = f"{words if reached == status else codes.WORDS[reached]}[{guid}]"
                stages[stage].append((guid, said, reached, moments[stage], info))
    stages = [stage for stage in stages if stage]
    if taken.manner == "reversed":
        stages.reverse()
    times = 2 if taken.manner == "twice" else 1
    files = [envelope.receipt(kind, stage, taken.sender) for stage in stages for _ in range(times)]
    results = [(guid, result) for guid, status, _, _, result in taken.verdicts if result and status != codes.REFUSED]
    return files + [envelope.result(*each, taken.taken + 0.01, taken.sender) for each in results for _ in range(times)]


def way_to(kind: Kind, status: int) -> tuple[int, ...]:
    """The states that lead to this one. 3 is said only of what went on to customs: 0 stands where nothing is said."""
    if status < 0 or status == codes.SAVED:
        return (0, status)
    if status in kind.way:
        return (codes.SENT, *kind.way[: kind.way.index(status) + 1])
    return (codes.SENT, status) if status == codes.REFUSED else (codes.SENT, kind.way[0], status)


def _due(mood: Mood) -> float:
    if mood.name == "silent":
        return float("inf")
    return time.time() + (mood.seconds if mood.name == "late" else 0)


def _guess(path: Path) -> tuple[str, str, str]:
    """Sender, CopMsgId and MsgType of a file that may be unreadable: from its content, else from its name."""
    try:
        outer = envelope.read(path.read_bytes())
    except BadEnvelope:
        parts = path.stem.split("_", 3)
        return (parts[1], parts[3], parts[0]) if len(parts) == 4 else ("", path.stem, "")
    return outer.sender, outer.cop_msg_id, outer.kind


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
    paper = office.ledger.find_documents([guid]).get(guid)
    kind, said = (KINDS[paper.kind], paper.said) if paper else (KINDS["303"], ["无", "0000000000", "UNKNOWN"])
    info = (guid, said, status, envelope.return_time(moment), words)
    _drop(office.root / folder / "InBox", [envelope.receipt(kind, [info], office.ledger.channel_of(folder))])
    office.ledger.count(receipts=1)
    office.ledger.note("by-hand", folder, guid, f"{status} {words}")


def send_format_receipt(office: Office, folder: str, cop_msg_id: str, words: str) -> None:
    """CEB900 for one message of the enterprise: its format is wrong."""
    rows = office.ledger.run("SELECT kind FROM messages WHERE cop_msg_id = ? AND folder = ?", cop_msg_id, folder)
    root = KINDS[rows[0][0]].root if rows else "Unknown"
    file = envelope.format_receipt(cop_msg_id, root, words, office.ledger.channel_of(folder))
    _drop(office.root / folder / "InBox", [file])
    office.ledger.count(receipts=1)
    office.ledger.note("by-hand", folder, cop_msg_id, f"格式校验回执 {words}")


def advance(office: Office, papers: list[Filed], status: int, words: str) -> None:
    """Brings documents into another state, for good, and sends the receipts of it."""
    with office.ledger.transaction():
        for paper in papers:
            office.ledger.set_status(paper.guid, status)
    for paper in papers:
        send_by_hand(office, paper.folder, paper.guid, status, words, moment=time.time())


def waiting(office: Office) -> Counter:
    """How many files lie in each kind of box, over all enterprises."""
    found: Counter = Counter()
    for folder in office.folders():
        for box in ("OutBox", "SentBox", "FailBox", "InBox", "ReadBox"):
            if (folder / box).is_dir():
                found[box] += sum(name.endswith(".xml") for name in os.listdir(folder / box))
    return found

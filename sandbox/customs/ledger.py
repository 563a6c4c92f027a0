"""What customs remembers: messages with their verdicts, order guids and numbers, violations, counters."""

import json
import sqlite3
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY, sender TEXT, cop_msg_id TEXT, folder TEXT, digest BLOB, taken REAL, manner TEXT,
    due REAL, answered INTEGER, verdicts TEXT, UNIQUE (sender, cop_msg_id));
CREATE INDEX IF NOT EXISTS messages_open ON messages (due) WHERE NOT answered;
CREATE TABLE IF NOT EXISTS orders (
    guid TEXT PRIMARY KEY, digest BLOB, folder TEXT, sender TEXT, ebp TEXT, ebc TEXT, order_no TEXT, status INTEGER,
    live INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS orders_by_number ON orders (ebp, order_no) WHERE live;
CREATE TABLE IF NOT EXISTS channels (sender TEXT PRIMARY KEY, folder TEXT, uscc TEXT);
CREATE TABLE IF NOT EXISTS incidents (id INTEGER PRIMARY KEY, at REAL, kind TEXT, folder TEXT, subject TEXT, words TEXT);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER);
"""
COUNTERS = (
    "messages",
    "orders",
    "distinct_guids",
    "violations",
    "resent",
    "rejected_orders",
    "rejected_files",
    "receipts",
)
TABLES = ("messages", "orders", "channels", "incidents", "counters")


@dataclass(slots=True)
class Taken:
    """A message that customs has taken. `verdicts`: [guid, ebpCode, ebcCode, orderNo, status, words] each."""

    id: int
    sender: str
    cop_msg_id: str
    folder: str
    digest: bytes
    taken: float
    manner: str  # how its receipts go out: a mood's name
    due: float
    answered: bool
    verdicts: list[list]


class Ledger:
    """One SQLite file. Many threads may read; the office alone writes orders."""

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;" + SCHEMA
        )
        self._lock = threading.RLock()

    @contextmanager
    def transaction(self):
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def run(self, statement: str, *values) -> list[tuple]:
        with self._lock:
            return self._database.execute(statement, values).fetchall()

    # messages

    def find_message(self, sender: str, cop_msg_id: str) -> Taken | None:
        rows = self.run("SELECT * FROM messages WHERE sender = ? AND cop_msg_id = ?", sender, cop_msg_id)
        return _taken(rows[0]) if rows else None

    def add_message(self, message: Taken) -> None:
        verdicts = json.dumps(message.verdicts, ensure_ascii=False)
        with self._lock:
            message.id = self._database.execute(
                "INSERT INTO messages VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (message.sender, message.cop_msg_id, message.folder, message.digest, message.taken, message.manner,
                 message.due, message.answered, verdicts),
            ).lastrowid  # fmt: skip

    def list_due(self, now: float) -> list[Taken]:
        return [
            _taken(row) for row in self.run("SELECT * FROM messages WHERE NOT answered AND due <= ? LIMIT 200", now)
        ]

    def mark_answered(self, messages: list[Taken]) -> None:
        with self._lock:
            self._database.executemany("UPDATE messages SET answered = 1 WHERE id = ?", [(m.id,) for m in messages])

    # orders

    def find_orders(self, guids: list[str]) -> dict[str, tuple[bytes, str, int]]:
        """(digest, folder, status) by guid."""
        marks = ",".join("?" * len(guids))
        rows = self.run(f"SELECT guid, digest, folder, status FROM orders WHERE guid IN ({marks})", *guids)
        return {guid: (digest, folder, status) for guid, digest, folder, status in rows}

    def find_live(self, ebp: str, numbers: list[str]) -> dict[str, str]:
        """The guid that holds each order number on the platform."""
        marks = ",".join("?" * len(numbers))
        statement = f"SELECT order_no, guid FROM orders WHERE live AND ebp = ? AND order_no IN ({marks})"
        return dict(self.run(statement, ebp, *numbers))

    def add_orders(self, rows: list[tuple]) -> None:
        with self._lock:
            self._database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def end_orders(self, guids: list[str]) -> None:
        """Their numbers are free again: changed, deleted or replaced."""
        with self._lock:
            self._database.executemany("UPDATE orders SET live = 0 WHERE guid = ?", [(guid,) for guid in guids])

    # channels, incidents, counters

    def channel_owner(self, sender: str, folder: str, uscc: str) -> str:
        """The USCC that first used this 传输ID; learnt now if nobody did."""
        self.run(
            "INSERT INTO channels VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET folder = excluded.folder"
            " WHERE folder <> excluded.folder",
            sender, folder, uscc,
        )  # fmt: skip
        return self.run("SELECT uscc FROM channels WHERE sender = ?", sender)[0][0]

    def note(self, kind: str, folder: str, subject: str, words: str) -> None:
        statement = "INSERT INTO incidents VALUES (NULL, ?, ?, ?, ?, ?)"
        self.run(statement, time.time(), kind, folder, subject, words)

    def count(self, **amounts: int) -> None:
        with self._lock:
            self._database.executemany(
                "INSERT INTO counters VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
                [(name, amount) for name, amount in amounts.items() if amount],
            )

    def statistics(self) -> dict[str, int]:
        kept = dict(self.run("SELECT name, value FROM counters"))
        return {name: kept.get(name, 0) for name in COUNTERS}

    def clear(self) -> None:
        with self.transaction():
            for table in TABLES:
                self._database.execute(f"DELETE FROM {table}")

    def close(self) -> None:
        self._database.close()


def _taken(row: tuple) -> Taken:
    return Taken(*row[:8], bool(row[8]), json.loads(row[9]))

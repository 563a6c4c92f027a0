"""What customs remembers: messages with their verdicts, documents by guid and number, violations, counters."""

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
    due REAL, answered INTEGER, kind TEXT, verdicts TEXT, UNIQUE (sender, cop_msg_id));
CREATE INDEX IF NOT EXISTS messages_open ON messages (due) WHERE NOT answered;
CREATE TABLE IF NOT EXISTS documents (
    guid TEXT PRIMARY KEY, kind TEXT, digest BLOB, folder TEXT, sender TEXT, scope TEXT, number TEXT, status INTEGER,
    live INTEGER, sort TEXT, said TEXT, customs_number TEXT, facts TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS documents_by_number ON documents (kind, scope, number) WHERE live;
CREATE INDEX IF NOT EXISTS documents_by_customs_number ON documents (customs_number) WHERE customs_number IS NOT NULL;
CREATE TABLE IF NOT EXISTS uses (kind TEXT, scope TEXT, number TEXT, guid TEXT);
CREATE INDEX IF NOT EXISTS uses_by_number ON uses (kind, scope, number);
CREATE TABLE IF NOT EXISTS channels (sender TEXT PRIMARY KEY, folder TEXT, uscc TEXT);
CREATE TABLE IF NOT EXISTS incidents (id INTEGER PRIMARY KEY, at REAL, kind TEXT, folder TEXT, subject TEXT, words TEXT);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER);
"""
COUNTERS = ("messages", "violations", "resent", "rejected_files", "receipts")
COUNTED = ("documents", "distinct_guids", "rejected")  # of each kind; kept as "303 documents" and so on
TABLES = ("messages", "documents", "uses", "channels", "incidents", "counters")
OLD = "orders"  # the table of version 1: an older ledger is thrown away


@dataclass(slots=True)
class Taken:
    """A message that customs has taken. `verdicts`: [guid, status, words, what the receipt repeats, result or None]."""

    id: int
    sender: str
    cop_msg_id: str
    folder: str
    digest: bytes
    taken: float
    manner: str  # how its receipts go out: a mood's name
    due: float
    answered: bool
    kind: str
    verdicts: list[list]


@dataclass(slots=True)
class Filed:
    """A document in the ledger. `sort`: 订单类型 of an order; `said`: what its receipts repeat; `facts`: see judge.py."""

    guid: str
    kind: str
    digest: bytes
    folder: str
    sender: str
    scope: str
    number: str
    status: int
    live: bool
    sort: str
    said: list[str]
    customs_number: str | None = None  # invtNo of a list
    facts: dict | None = None


class Ledger:
    """One SQLite file. Many threads may read; the office alone writes orders."""

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        if self._database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (OLD,)).fetchall():
            self._database.executescript("".join(f"DROP TABLE IF EXISTS {table};" for table in (*TABLES, OLD)))
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
                "INSERT INTO messages VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (message.sender, message.cop_msg_id, message.folder, message.digest, message.taken, message.manner,
                 message.due, message.answered, message.kind, verdicts),
            ).lastrowid  # fmt: skip

    def list_due(self, now: float) -> list[Taken]:
        return [
            _taken(row) for row in self.run("SELECT * FROM messages WHERE NOT answered AND due <= ? LIMIT 200", now)
        ]

    def mark_answered(self, messages: list[Taken]) -> None:
        with self._lock:
            self._database.executemany("UPDATE messages SET answered = 1 WHERE id = ?", [(m.id,) for m in messages])

    # documents

    def find_documents(self, guids: list[str]) -> dict[str, Filed]:
        marks = ",".join("?" * len(guids))
        found = self.run(f"SELECT * FROM documents WHERE guid IN ({marks})", *guids)
        return {row[0]: _filed(row) for row in found}

    def find_live(self, kind: str, keys: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The guid of the live document of each key (scope, number)."""
        by_scope: dict[str, list[str]] = {}
        for scope, number in keys:
            by_scope.setdefault(scope, []).append(number)
        found = {}
        for scope, numbers in by_scope.items():
            marks = ",".join("?" * len(numbers))
            statement = (
                f"SELECT number, guid FROM documents WHERE live AND kind = ? AND scope = ? AND number IN ({marks})"
            )
            found |= {(scope, number): guid for number, guid in self.run(statement, kind, scope, *numbers)}
        return found

    def find_one(self, kind: str, scope: str, number: str) -> Filed | None:
        """The live document of that key."""
        statement = "SELECT * FROM documents WHERE live AND kind = ? AND scope = ? AND number = ?"
        found = self.run(statement, kind, scope, number)
        return _filed(found[0]) if found else None

    def find_list(self, customs_number: str) -> Filed | None:
        """The live 清单 of that 清单编号."""
        found = self.run("SELECT * FROM documents WHERE live AND customs_number = ?", customs_number)
        return _filed(found[0]) if found else None

    def find_all(self, kind: str, number: str) -> list[Filed]:
        """The live documents of the kind that customs took; those of that number (ours or theirs), or all."""
        statement = (
            "SELECT * FROM documents WHERE live AND kind = ? AND status > 1 AND ? IN ('', number, customs_number)"
        )
        return [_filed(row) for row in self.run(statement, kind, number)]

    def find_user(self, kind: str, scope: str, number: str) -> Filed | None:
        """The live document that refers to this one."""
        statement = (
            "SELECT documents.* FROM uses JOIN documents ON documents.guid = uses.guid"
            " WHERE live AND uses.kind = ? AND uses.scope = ? AND uses.number = ?"
        )
        found = self.run(statement, kind, scope, number)
        return _filed(found[0]) if found else None

    def find_lists(self, scope: str, status: int) -> list[Filed]:
        """The live 清单 of a declaring company in that state."""
        statement = "SELECT * FROM documents WHERE live AND kind = '603' AND scope = ? AND status = ?"
        return [_filed(row) for row in self.run(statement, scope, status)]

    def add_documents(self, documents: list[Filed]) -> None:
        rows = [
            (
                d.guid, d.kind, d.digest, d.folder, d.sender, d.scope, d.number, d.status, d.live, d.sort, "\x1f".join(d.said),
                d.customs_number, d.facts and json.dumps(d.facts, ensure_ascii=False),
            )
            for d in documents
        ]  # fmt: skip
        with self._lock:
            self._database.executemany("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def add_uses(self, rows: list[tuple[str, str, str, str]]) -> None:
        """(kind, scope, number) of the document referred to, and the guid that refers to it."""
        with self._lock:
            self._database.executemany("INSERT INTO uses VALUES (?, ?, ?, ?)", rows)

    def end_documents(self, guids: list[str]) -> None:
        """Their numbers are free again: changed, deleted, cancelled or replaced."""
        with self._lock:
            self._database.executemany("UPDATE documents SET live = 0 WHERE guid = ?", [(guid,) for guid in guids])

    def set_status(self, guid: str, status: int) -> None:
        self.run("UPDATE documents SET status = ?, live = live AND ? <> 100 WHERE guid = ?", status, status, guid)

    def next_serial(self) -> int:
        """1, 2, 3 …: the serial of 预录入编号, 清单编号 and 汇总申请编号."""
        self.count(serial=1)
        return self.run("SELECT value FROM counters WHERE name = 'serial'")[0][0]

    # channels, incidents, counters

    def channel_owner(self, sender: str, folder: str, uscc: str) -> str:
        """The USCC that first used this 传输ID; learnt now if nobody did."""
        self.run(
            "INSERT INTO channels VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET folder = excluded.folder"
            " WHERE folder <> excluded.folder",
            sender, folder, uscc,
        )  # fmt: skip
        return self.run("SELECT uscc FROM channels WHERE sender = ?", sender)[0][0]

    def channel_of(self, folder: str) -> str:
        rows = self.run("SELECT sender FROM channels WHERE folder = ?", folder)
        return rows[0][0] if rows else "UNKNOWN"

    def note(self, kind: str, folder: str, subject: str, words: str) -> None:
        statement = "INSERT INTO incidents VALUES (NULL, ?, ?, ?, ?, ?)"
        self.run(statement, time.time(), kind, folder, subject, words)

    def count(self, kind: str = "", **amounts: int) -> None:
        with self._lock:
            self._database.executemany(
                "INSERT INTO counters VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
                [(f"{kind} {name}".strip(), amount) for name, amount in amounts.items() if amount],
            )

    def statistics(self) -> dict[str, int | dict]:
        """Counters over everything, of orders alone (`orders`, `distinct_guids`, `rejected_orders`), and of each kind."""
        kept = dict(self.run("SELECT name, value FROM counters"))
        kinds = {
            kind: {name: kept.get(f"{kind} {name}", 0) for name in COUNTED}
            for kind in sorted({name.split()[0] for name in kept if " " in name})
        }
        orders = kinds.get("303", dict.fromkeys(COUNTED, 0))
        return {name: kept.get(name, 0) for name in COUNTERS} | {
            "orders": orders["documents"], "distinct_guids": orders["distinct_guids"],
            "rejected_orders": orders["rejected"], "kinds": kinds,
        }  # fmt: skip

    def clear(self) -> None:
        with self.transaction():
            for table in TABLES:
                self._database.execute(f"DELETE FROM {table}")

    def close(self) -> None:
        self._database.close()


def _taken(row: tuple) -> Taken:
    return Taken(*row[:8], bool(row[8]), row[9], json.loads(row[10]))


def _filed(row: tuple) -> Filed:
    return Filed(
        *row[:8], bool(row[8]), row[9], row[10].split("\x1f"), row[11], json.loads(row[12]) if row[12] else None
    )

"""What the outside parties remember: one SQLite file of named JSON documents, plus the log of what came in."""

import json
import sqlite3
import threading
import time
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (kind TEXT, key TEXT, body TEXT, revision INTEGER, PRIMARY KEY (kind, key));
CREATE TABLE IF NOT EXISTS arrivals (id INTEGER PRIMARY KEY, kind TEXT, recipient TEXT, visible REAL, body TEXT);
CREATE INDEX IF NOT EXISTS arrivals_by_recipient ON arrivals (kind, recipient, id);
"""


class Store:
    """Documents are kept by (kind, key): ("company", USCC), ("person", ID number), ("mood", party), ("card", number)."""

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;" + SCHEMA)
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

    def _run(self, statement: str, *values) -> list[tuple]:
        with self._lock:
            return self._database.execute(statement, values).fetchall()

    def put(self, kind: str, key: str, body: dict) -> None:
        """Stores the document; its revision goes up by one each time."""
        self._run(
            "INSERT INTO documents VALUES (?, ?, ?, 1)"
            " ON CONFLICT DO UPDATE SET body = excluded.body, revision = revision + 1",
            kind, key, json.dumps(body, ensure_ascii=False),
        )  # fmt: skip

    @property
    def changes(self) -> int:
        """Grows with every change; who keeps a copy compares it."""
        return self._database.total_changes

    def find(self, kind: str, key: str) -> dict | None:
        """The document with its `revision`, or None."""
        rows = self._run("SELECT body, revision FROM documents WHERE kind = ? AND key = ?", kind, key)
        return json.loads(rows[0][0]) | {"revision": str(rows[0][1])} if rows else None

    def all(self, kind: str) -> list[dict]:
        rows = self._run("SELECT body, revision FROM documents WHERE kind = ? ORDER BY key", kind)
        return [json.loads(body) | {"revision": str(revision)} for body, revision in rows]

    def arrive(self, kind: str, recipient: str, body: dict, delay: float = 0) -> None:
        """Something came in (a mail, an SMS, a check); it is shown `delay` seconds from now."""
        self._run(
            "INSERT INTO arrivals (kind, recipient, visible, body) VALUES (?, ?, ?, ?)",
            kind, recipient, time.time() + delay, json.dumps(body, ensure_ascii=False),
        )  # fmt: skip

    def arrivals(self, kind: str, recipient: str = "", limit: int = 200) -> list[dict]:
        """The newest first, each with `number` and `received` (Unix seconds); all recipients when none is named."""
        rows = self._run(
            "SELECT id, recipient, visible, body FROM arrivals WHERE kind = ? AND (? = '' OR recipient = ?)"
            " AND visible <= ? ORDER BY visible DESC, id DESC LIMIT ?",
            kind, recipient, recipient, time.time(), limit,
        )  # fmt: skip
        return [json.loads(body) | {"number": n, "to": to, "received": seen} for n, to, seen, body in rows]

    def has_arrived(self, kind: str, body_id: str) -> bool:
        """True if something with this `id` in its body came in before."""
        statement = "SELECT 1 FROM arrivals WHERE kind = ? AND json_extract(body, '$.id') = ? LIMIT 1"
        return bool(self._run(statement, kind, body_id))

    def clear(self) -> None:
        self._run("DELETE FROM documents")
        self._run("DELETE FROM arrivals")

    def close(self) -> None:
        self._database.close()

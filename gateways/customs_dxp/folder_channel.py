"""The channel of a customs client that watches folders (docs/protocols/customs-folder.md).

OutBox ours to fill, SentBox taken by customs, FailBox refused, InBox answers, ReadBox answers that we have stored.
A file is complete under its own name or absent: temporary name, fsync, rename, fsync of the folder.
"""

import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from .hardened_xml import MAX_BYTES
from .port import ContentDiffers

FOLDERS = ("OutBox", "SentBox", "FailBox", "InBox", "ReadBox")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,240}\.xml")
_STALE_SECONDS = 3600.0


DIFFERS = "a file of this name was sent before with other bytes"


class FolderChannel:
    """`root` is the folder of one company; it and its five folders are made where they are missing."""

    step = 50

    def __init__(self, root: Path) -> None:
        self._out, self._sent, self._fail, self._in, self._read = (root / name for name in FOLDERS)
        for name in FOLDERS:
            (root / name).mkdir(parents=True, exist_ok=True)

    def send(self, name: str, data: bytes) -> None:
        """On return the file is safe on disk in OutBox. Raises ContentDiffers, ValueError (name), OSError."""
        if self.send_all([(name, data)]):
            raise ContentDiffers(name)

    def send_all(self, files: Iterable[tuple[str, bytes]]) -> dict[str, str]:
        """Like `send` for each file, with one fsync of the folder at the end; {name: why} of those that differ."""
        refused = {}
        for name, data in files:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not a file name for customs")
            if self._was_other(name, data):
                refused[name] = DIFFERS
            else:
                self._place(name, data)
        _sync(self._out)
        return refused

    def _was_other(self, name: str, data: bytes) -> bool:
        for folder in (self._out, self._sent, self._fail):
            try:
                known = (folder / name).read_bytes()
            except FileNotFoundError:
                continue
            if known != data:
                return True
        return False

    def _place(self, name: str, data: bytes) -> None:
        # The temporary name is this call's own: two workers that send the same file cannot cut each other's short.
        temporary = self._out / f"{name}.{secrets.token_hex(4)}.tmp"
        try:
            with open(temporary, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._out / name)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise

    def receive(self) -> Iterator[tuple[str, bytes]]:
        """Complete files in InBox, oldest first; of one that is too large just more than any parser takes."""
        found = []
        with os.scandir(self._in) as entries:
            for entry in entries:
                if entry.name.endswith(".xml") and entry.is_file(follow_symlinks=False):
                    try:
                        found.append((entry.stat().st_mtime_ns, entry.name))
                    except FileNotFoundError:
                        continue
        for _, name in sorted(found):
            try:
                with open(self._in / name, "rb") as file:
                    data = file.read(MAX_BYTES + 1)
            except FileNotFoundError:  # another worker has acknowledged it
                continue
            yield name, data

    def acknowledge(self, name: str) -> None:
        """Moves an answer to ReadBox; again does nothing. Call it when the raw bytes are committed."""
        self.acknowledge_all([name])

    def acknowledge_all(self, names: Iterable[str]) -> None:
        """Like `acknowledge` for each name, with one fsync of each folder at the end."""
        for name in names:
            if os.path.basename(name) != name or not name.endswith(".xml"):
                raise ValueError(f"{name!r} is not a file of InBox")
            try:
                os.replace(self._in / name, self._read / name)
            except FileNotFoundError:
                if not (self._read / name).exists():
                    raise
        _sync(self._read)
        _sync(self._in)

    def check(self) -> None:
        """Writes and removes a file. Raises OSError."""
        path = self._out / f"check.{secrets.token_hex(4)}.tmp"
        try:
            path.write_bytes(b"check")
        finally:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """There is nothing to close."""

    def sweep(self) -> int:
        """Removes what a crash left in OutBox under a temporary name an hour ago or more; returns how many files."""
        count = 0
        for path in self._out.glob("*.tmp"):
            try:
                if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                    path.unlink()
                    count += 1
            except FileNotFoundError:
                continue
        return count


def _sync(folder: Path) -> None:
    """fsync of a folder, where the system has it (Windows does not open folders)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

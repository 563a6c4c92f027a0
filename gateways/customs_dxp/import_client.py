"""The folders of the single window's import client (导入客户端, docs/protocols/import-client-folder.md) and its answers.

OutBox ours to fill with zips, SentBox taken, FailBox/<day> not taken, InBox answers, ReadBox answers that we have stored.
"""

import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from .hardened_xml import MAX_BYTES, BadXml, parse
from .port import ContentDiffers

FOLDERS = ("OutBox", "SentBox", "FailBox", "InBox", "ReadBox")
TAKEN, NOT_TAKEN, STATUS = "taken", "not-taken", "status"
_ZIP = re.compile(r"[0-9A-Z]{18}\.zip")
_ANSWER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,240}\.xml")
_FAILED = re.compile(r"Failed_([0-9A-Z]{18})_\w*\.xml")
_LONGEST = 1000  # characters of a reason


class ImportFolder:
    """`root`: the client's folder of one company; its five folders are made where they are missing."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._out, self._in, self._read = root / "OutBox", root / "InBox", root / "ReadBox"
        for name in FOLDERS:
            (root / name).mkdir(parents=True, exist_ok=True)

    def put(self, name: str, data: bytes) -> None:
        """Written as `*.zip.temp`, fsync, renamed. The same bytes again do nothing where they lie or were taken.
        Raises ContentDiffers, ValueError (name), OSError."""
        if not _ZIP.fullmatch(name):
            raise ValueError(f"{name!r} is not a zip for the import client")
        if self._is_known(name, data):
            return
        # The temporary name is this call's own: two workers that put the same zip cannot cut each other's short.
        temporary = self._out / f"{name.removesuffix('.zip')}.{secrets.token_hex(4)}.zip.temp"
        try:
            with open(temporary, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._out / name)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        _sync(self._out)

    def _is_known(self, name: str, data: bytes) -> bool:
        for path in (self._out / name, self._root / "SentBox" / name, *self._root.glob(f"FailBox/*/{name}")):
            try:
                known = path.read_bytes()
            except FileNotFoundError:
                continue
            if known != data:
                raise ContentDiffers(name)
            return True
        return False

    def receive(self) -> Iterator[tuple[str, bytes]]:
        """Complete answers in InBox, oldest first; of one that is too large just more than any parser takes."""
        with os.scandir(self._in) as entries:
            found = [each for each in entries if _ANSWER.fullmatch(each.name) and each.is_file(follow_symlinks=False)]
        for entry in sorted(found, key=_moment):
            try:
                with open(entry.path, "rb") as file:
                    data = file.read(MAX_BYTES + 1)
            except FileNotFoundError:  # another worker has acknowledged it
                continue
            yield entry.name, data

    def acknowledge(self, name: str) -> None:
        """Moves an answer to ReadBox under a name of its own; again does nothing. Call it when the bytes are committed."""
        if not _ANSWER.fullmatch(name):
            raise ValueError(f"{name!r} is not an answer")
        target = self._read / name
        if target.exists():
            target = self._read / f"{secrets.token_hex(4)}-{name}"
        try:
            os.replace(self._in / name, target)
        except FileNotFoundError:
            return
        _sync(self._read)
        _sync(self._in)


def _moment(entry: os.DirEntry) -> tuple[int, str]:
    try:
        return entry.stat().st_mtime_ns, entry.name
    except FileNotFoundError:
        return 0, entry.name


def _sync(folder: Path) -> None:
    """fsync of a folder, where the system has it (Windows does not open folders)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class Answer:
    """kind: taken (导入成功: `number`, `seq_no`) | not-taken (`number`, `note`) | status (回执 by `seq_no`: `entry_id`,
    `channel`, `note`, `time`). `number`: ClientSeqNo, `seq_no`: 统一编号, `time`: digits, yyyyMMddHHmmss or shorter."""

    kind: str
    number: str = ""
    seq_no: str = ""
    entry_id: str = ""
    channel: str = ""
    note: str = ""
    time: str = ""


def read_answer(name: str, data: bytes) -> Answer:
    """By its content: DecImportResponse, a client's own error (Root/failInfo, its number only in the file name), or
    DEC_DATA. Raises BadXml."""
    root = parse(data)
    match etree.QName(root).localname:
        case "DecImportResponse":
            return _response(root)
        case "Root" if _find(root, "failInfo"):
            named = _FAILED.fullmatch(name)
            if not named:
                raise BadXml("an error of no file")
            words = f"{_find(root, 'failCode')} {_find(root, 'failInfo')}"
            return Answer(NOT_TAKEN, number=named[1], note=words.strip()[:_LONGEST])
        case "DEC_DATA":
            return _status(root)
    raise BadXml("not an answer of the import client")


def _response(root: etree._Element) -> Answer:
    number, said = _find(root, "ClientSeqNo"), _find(root, "ErrorMessage")[:_LONGEST]
    if not re.fullmatch("[0-9A-Z]{18}", number):
        raise BadXml("no ClientSeqNo")
    if _find(root, "ResponseCode") != "0":
        return Answer(NOT_TAKEN, number=number, note=f"{_find(root, 'ResponseCode')[:20]} {said}".strip())
    seq_no = _find(root, "SeqNo")
    if not re.fullmatch("[0-9A-Z]{18}", seq_no):
        raise BadXml("no SeqNo")
    return Answer(TAKEN, number=number, seq_no=seq_no, note=said)


def _status(root: etree._Element) -> Answer:
    seq_no, channel = _find(root, "CUS_CIQ_NO") or _find(root, "SEQ_NO"), _find(root, "CHANNEL")
    time, entry_id = re.sub(r"\D", "", _find(root, "NOTICE_DATE"))[:17], _find(root, "ENTRY_ID")
    if not (re.fullmatch("[0-9A-Z]{18}", seq_no) and re.fullmatch("[0-9A-Za-z]", channel) and len(time) >= 8):
        raise BadXml("a receipt without number, channel or time")
    if entry_id and not re.fullmatch(r"\d{18}", entry_id):
        raise BadXml("not an ENTRY_ID")
    return Answer(
        STATUS, seq_no=seq_no, entry_id=entry_id, channel=channel, note=_find(root, "NOTE")[:_LONGEST], time=time
    )


def _find(root: etree._Element, name: str) -> str:
    """The text of the first element of that name, in whatever namespace."""
    return (root.findtext(f".//{{*}}{name}") or "").strip()

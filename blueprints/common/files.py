"""The file store: type by content, size while streaming, encrypted at rest; temp, fsync, rename, then the row."""

import hashlib
import os
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO
from uuid import UUID, uuid4

from flask import current_app, g, has_request_context

from models.database import session
from models.files import StoredFile, find_file, size_of_files
from models.types import keyring

from . import clock
from .numbers import Sentence

CHUNK = 1 << 20
MOST_OF_DOCUMENT = 512 << 20  # bytes of all uploads of one document, replaced ones too

_MAGIC = (
    (b"\xff\xd8\xff", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF8", "gif"),
    (b"BM", "bmp"),
    (b"%PDF-", "pdf"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "doc"),  # also .xls: told apart by the name
)
_SAME = {"jpeg": "jpg"}


class FileRefused(Exception):
    """The upload was not kept; `sentence` says why and what to do."""

    def __init__(self, sentence: Sentence):
        super().__init__(sentence)
        self.sentence = sentence


def kind_of(head: bytes, name: str, path: Path | None = None) -> str | None:
    """The type by content (first bytes, for zip containers their members); None if it is none that we take."""
    ending = name.rpartition(".")[2].lower()
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return ending if kind == "doc" and ending in ("doc", "xls") else kind
    if head.startswith(b"PK\x03\x04") and path:
        return _office_kind(path)
    return "csv" if ending == "csv" and b"\0" not in head else None


def _office_kind(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except zipfile.BadZipFile:
        return None
    if any("vbaProject" in name for name in names):
        return None  # macros
    return "docx" if "word/document.xml" in names else "xlsx" if "xl/workbook.xml" in names else None


def store_upload(upload, types, limit: int, *, document_id: UUID | None = None, enterprise_id: UUID | None = None):
    """Keeps one uploaded file (werkzeug `FileStorage`); gives its row. Raises `FileRefused`; nothing is kept then.

    `types`: kinds taken; `limit`: bytes, counted while streaming.
    """
    name = Path(upload.filename.replace("\\", "/")).name[:120]
    names = "、".join(types)
    if document_id and size_of_files(document_id) > MOST_OF_DOCUMENT:
        raise FileRefused(
            Sentence("90285", "这份申请传过的文件太多，「{name}」没有存；请打客服热线，已经传的都留着", name=name)
        )
    with closing(upload), tempfile.TemporaryDirectory(dir=_incoming()) as folder:
        plain = Path(folder) / "upload"
        size, digest, head = _receive(upload.stream, plain, limit)
        if size == 0:
            raise FileRefused(Sentence("90021", "文件「{name}」是空的，请重新选择", name=name))
        kind = kind_of(head, name, plain)
        wanted = {_SAME.get(each, each) for each in types}
        if kind is None or kind not in wanted:
            raise FileRefused(Sentence("90003", "文件「{name}」不是{types}格式，请换一个", name=name, types=names))
        row = StoredFile(kind=kind, size=size, sha256=digest, at=clock.now(), name=name)
        row.document_id, row.enterprise_id = document_id, enterprise_id
        _encrypt(plain, row.id)
    session.add(row)
    return row


def _receive(stream: BinaryIO, target: Path, limit: int) -> tuple[int, bytes, bytes]:
    size, digest, head = 0, hashlib.sha256(), b""
    with open(target, "wb") as out:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > limit:
                raise FileRefused(Sentence("90004", "单个文件不能超过{size}M，请压缩后再传", size=limit // 2**20))
            digest.update(chunk)
            head = head or chunk[:512]
            out.write(chunk)
    return size, digest.digest(), head


def _encrypt(plain: Path, file_id: UUID) -> None:
    """Sealed chunk by chunk (length, sealed bytes); the chunk's place is authenticated, so none can be swapped."""
    target = _path(file_id)
    target.parent.mkdir(parents=True, exist_ok=True)
    temp = target.with_suffix(".tmp")
    with open(plain, "rb") as source, open(temp, "wb") as out:
        for index, chunk in enumerate(iter(lambda: source.read(CHUNK), b"")):
            sealed = keyring().seal(chunk, f"file|{file_id}|{index}")
            out.write(struct.pack(">I", len(sealed)) + sealed)
        out.flush()
        os.fsync(out.fileno())
    os.rename(temp, target)


def read_chunks(file: StoredFile) -> Iterator[bytes]:
    """The plain bytes, chunk by chunk. Raises FileNotFoundError, `InvalidTag` if altered."""
    with open(_path(file.id), "rb") as source:
        index = 0
        while length := source.read(4):
            sealed = source.read(struct.unpack(">I", length)[0])
            yield keyring().open(sealed, f"file|{file.id}|{index}")
            index += 1


def read_file(file: StoredFile) -> bytes:
    return b"".join(read_chunks(file))


def write_bytes(data: bytes, name: str, kind: str, **owner) -> StoredFile:
    """Keeps a file that the portal itself made (a row report, a signed message)."""
    row = StoredFile(
        kind=kind, size=len(data), sha256=hashlib.sha256(data).digest(), at=clock.now(), name=name, **owner
    )
    temp = _incoming() / uuid4().hex
    temp.write_bytes(data)
    _encrypt(temp, row.id)
    temp.unlink()
    session.add(row)
    return row


def look_up_upload(text: str) -> StoredFile | None:
    """By what an `Upload` field holds; one look per request and file."""
    try:
        file_id = UUID(text)
    except ValueError:
        return None
    if not has_request_context():
        return find_file(file_id)
    known = g.setdefault("files", {})
    if file_id not in known:
        known[file_id] = find_file(file_id)
    return known[file_id]


def _root() -> Path:
    return Path(current_app.config["SETTINGS"].file_store)


def _incoming() -> Path:
    folder = _root() / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _path(file_id: UUID) -> Path:
    return _root() / file_id.hex[:2] / file_id.hex

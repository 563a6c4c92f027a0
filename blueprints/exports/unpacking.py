"""What an uploaded .xlsx holds, looked through before a library opens it: bombs, document types, formulas, merged cells.

Every part is unpacked once, by its own length and not by the one that the archive claims. The library afterwards makes
a rectangle of all cells, each with a copy of its text: two cells at far corners, or one long text named a million
times, would fill the memory of the machine.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from xml.etree import ElementTree
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile, ZipInfo

UNPACKED_LIMIT = 512 << 20  # bytes; 1 000 000 rows need about 300 MB
INDEX_LIMIT = 4 << 20  # of the parts that name the sheets
MOST_CELLS = 30_000_000  # in the rectangle: 26 columns of the tallest sheet there can be
CHUNK = 1 << 20
MAX_FORMULAS = 10_000
BOOK, RELATIONS, TEXTS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/sharedstrings.xml"  # lower case
_PIECE = 1 << 16  # packed bytes at a time: may become 64 MB
_OVERLAP = 4096
_DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
_FORMULA_CELL = re.compile(rb'<(?:\w+:)?c [^>]*?r="([A-Z]{1,3})([0-9]{1,7})"[^>]*>\s*<(?:\w+:)?f[ />]')
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell ")
# A cell that is not within A1 … Z1049999, or not written as spreadsheet programs write it.
_ODD_CELL = re.compile(rb'<c(?! r="[A-Z](?:[0-9]{1,6}|10[0-4][0-9]{4})")[\s>/]')
_PREFIXED_CELL = re.compile(rb":c[\s>/]")
_REFERENCE = re.compile(r"([A-Za-z]{1,7})([0-9]{1,10})")


class Broken(Exception):
    """No archive, or one that contradicts itself."""


class Refused(Exception):
    """`reason`: large | doctype | merged | hidden."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


@dataclass
class Sheet:
    """The first visible sheet: its name and part, the (row, column) with formulas; `hidden`: names of those hidden."""

    name: str
    part: str
    hidden: list[str]
    formulas: set[tuple[int, int]] = field(default_factory=set)


def look_into(data: bytes) -> Sheet:
    """Raises `Broken`, `Refused`."""
    try:
        with ZipFile(BytesIO(data)) as archive:
            parts = {part.filename.lower(): part for part in archive.infolist()}
            if len(parts) != len(archive.infolist()):
                raise Broken
    except (BadZipFile, NotImplementedError, ValueError, EOFError, OSError) as error:
        raise Broken from error
    if sum(part.file_size for part in parts.values()) > UNPACKED_LIMIT:
        raise Refused("large")
    view = memoryview(data)
    sheet = _first_visible(_index(view, parts, BOOK), _index(view, parts, RELATIONS))
    if sheet.part.lower() not in parts:
        raise Broken
    _Look(view, parts, sheet).through()
    return sheet


def unpack(data: memoryview, part: ZipInfo) -> Iterator[bytes]:
    """The part in pieces. Raises `Broken` where it is not as long as the archive says."""
    start = part.header_offset
    if data[start : start + 4] != b"PK\x03\x04" or part.flag_bits & 1 or part.compress_type not in (0, 8):
        raise Broken
    name, extra = struct.unpack_from("<HH", data, start + 26)
    packed = data[start + 30 + name + extra :][: part.compress_size]
    size = 0
    for chunk in _inflated(packed) if part.compress_type else [bytes(packed)]:
        size += len(chunk)
        if size > part.file_size:
            raise Broken
        yield chunk
    if size != part.file_size:
        raise Broken


def _inflated(packed: memoryview) -> Iterator[bytes]:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for start in range(0, len(packed), _PIECE):
            piece = packed[start : start + _PIECE]
            while piece and not inflate.eof:
                yield inflate.decompress(piece, CHUNK)
                piece = inflate.unconsumed_tail
    except zlib.error as error:
        raise Broken from error
    if not inflate.eof:
        raise Broken


def _index(data: memoryview, parts: dict[str, ZipInfo], name: str) -> ElementTree.Element:
    part = parts.get(name)
    if part is None:
        raise Broken
    if part.file_size > INDEX_LIMIT:
        raise Refused("large")
    text = b"".join(unpack(data, part))
    if _DOCTYPE.search(text):
        raise Refused("doctype")
    try:
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise Broken from error


def _first_visible(book: ElementTree.Element, relations: ElementTree.Element) -> Sheet:
    targets = {relation.get("Id"): relation for relation in relations}
    hidden, visible = [], []
    for node in book.iter():
        if _local(node.tag) != "sheet":
            continue
        relation = targets.get(next((value for name, value in node.items() if _local(name) == "id"), None))
        if relation is None or not relation.get("Type", "").endswith("/worksheet"):
            continue  # a chart
        target, name = relation.get("Target", ""), node.get("name", "")
        is_seen = node.get("state", "visible") == "visible"
        (visible if is_seen else hidden).append((name, target[1:] if target.startswith("/") else f"xl/{target}"))
    if not visible:
        raise Refused("hidden") if hidden else Broken
    return Sheet(*visible[0], [name for name, _ in hidden])


def _local(name: str) -> str:
    return name.rpartition("}")[2]


class _Look:
    """Goes through the parts once; the sheet alone a second time where its cells are not as programs write them."""

    def __init__(self, data: memoryview, parts: dict[str, ZipInfo], sheet: Sheet):
        self.data, self.parts, self.sheet = data, parts, sheet
        self.cells = self.longest = 0
        self.is_odd = False

    def through(self) -> None:
        for name, part in self.parts.items():
            is_sheet, rest, tail = name == self.sheet.part.lower(), 0, b""
            for chunk in unpack(self.data, part):
                window = tail + chunk
                if b"<!" in window and not name.startswith("xl/media/") and _DOCTYPE.search(window):
                    raise Refused("doctype")
                if is_sheet:
                    self._look_at_cells(window, len(tail))
                elif name == TEXTS:
                    rest = self._look_at_texts(chunk, rest)
                tail = window[-_OVERLAP:]
        if self.is_odd or self.longest * self.cells > UNPACKED_LIMIT:
            self._measure()

    def _look_at_cells(self, window: bytes, overlap: int) -> None:
        if b"mergeCell " in window and _MERGED.search(window):
            raise Refused("merged")
        formulas = self.sheet.formulas
        if len(formulas) < MAX_FORMULAS and (b"<f" in window or b":f" in window) and _FORMULA.search(window):
            formulas |= {(int(row), column_number(name.decode())) for name, row in _FORMULA_CELL.findall(window)}
        self.cells += window.count(b"<c ", max(0, overlap - 2))
        if not self.is_odd:
            end = window.rfind(b"<")  # the last element may be cut; the next window has it whole
            end = end if len(window) - end < _OVERLAP else len(window)
            self.is_odd = bool(_ODD_CELL.search(window, 0, end) or (b":c" in window and _PREFIXED_CELL.search(window)))

    def _look_at_texts(self, chunk: bytes, rest: int) -> int:
        """Shared texts end in `</si>`; `rest`: bytes since the last end. Only the longest one is kept."""
        first, *others = chunk.split(b"si>")
        self.longest = max(self.longest, rest + len(first), *map(len, others))
        return len(others[-1]) if others else rest + len(first)

    def _measure(self) -> None:
        """Exactly, by an XML parser: the rectangle of the cells, and the texts that they name."""
        texts = self._text_sizes()
        measured = _Measure(texts)
        _parse(unpack(self.data, self.parts[self.sheet.part.lower()]), measured)
        if measured.columns * measured.rows > MOST_CELLS or measured.bytes > UNPACKED_LIMIT:
            raise Refused("large")

    def _text_sizes(self) -> list[int]:
        part, sizes = self.parts.get(TEXTS), _Sizes()
        if part:
            _parse(unpack(self.data, part), sizes)
        return sizes.sizes


class _Sizes:
    """Characters of each shared text."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def start(self, name: str, _: dict) -> None:
        if name.rpartition(":")[2] == "si":
            self.sizes.append(0)

    def text(self, text: str) -> None:
        if self.sizes:
            self.sizes[-1] += len(text)


class _Measure:
    """Extent of the cells, and characters of the shared texts that they name."""

    def __init__(self, texts: list[int]) -> None:
        self.texts = texts
        self.rows = self.columns = self.bytes = self._row = self._column = 0
        self._is_shared, self._number = False, ""

    def start(self, name: str, attributes: dict) -> None:
        local = name.rpartition(":")[2]
        if local == "row":
            given = attributes.get("r", "")
            self._row, self._column = int(given) if given.isdigit() else self._row + 1, 0
        elif local == "c":
            self._weigh()
            found = _REFERENCE.fullmatch(attributes.get("r", ""))
            self._column = column_number(found[1].upper()) if found else self._column + 1
            self._row = int(found[2]) if found else self._row
            self.columns, self.rows = max(self.columns, self._column), max(self.rows, self._row)
            self._is_shared = attributes.get("t") == "s"

    def text(self, text: str) -> None:
        if self._is_shared:
            self._number += text

    def _weigh(self) -> None:
        number = self._number.strip()
        if self._is_shared and number.isdigit() and int(number) < len(self.texts):
            self.bytes += self.texts[int(number)]
        self._number = ""


def _parse(chunks: Iterator[bytes], taker) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.CharacterDataHandler = taker.start, taker.text
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError) as error:
        raise Broken from error


def column_number(name: str) -> int:
    """A → 1, AA → 27."""
    number = 0
    for each in name:
        number = number * 26 + ord(each) - 64
    return number

"""Reads the workbook or CSV that a company uploaded: refuses hostile files, gives rows of cells as they stand."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from python_calamine import CalamineError, CalamineWorkbook

from blueprints.common.numbers import Sentence

COLUMNS = ("订单号", "商品货号", "商品名称", "数量", "总额", "单价", "计量单位")  # A–G
UNPACKED_LIMIT = 512 << 20  # bytes; 1 000 000 rows need about 300 MB
CHUNK = 1 << 20
_OVERLAP = 4096
_DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
_FORMULA_CELL = re.compile(rb'<(?:\w+:)?c [^>]*?r="([A-Z]{1,3})([0-9]{1,7})"[^>]*>\s*<(?:\w+:)?f[ />]')
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell ")
MAX_FORMULAS = 10_000


class BookRefused(Exception):
    """The file as a whole cannot be read; `sentence` says why and what to do."""

    def __init__(self, number: str, template: str, **parts):
        self.sentence = Sentence(number, template, **parts)
        super().__init__(self.sentence)


@dataclass
class Book:
    """`rows` gives (row number, cells) below the heading; `formulas` the (row, column) that hold formulas."""

    count: int
    rows: Iterator[tuple[int, list]]
    formulas: frozenset[tuple[int, int]] = frozenset()


def open_book(data: bytes, kind: str) -> Book:
    """`kind`: xlsx | csv, by content. Raises `BookRefused`."""
    return _open_csv(data) if kind == "csv" else _open_xlsx(data)


def _open_xlsx(data: bytes) -> Book:
    formulas = _look_into(data)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheet = workbook.get_sheet_by_index(0)
    except (CalamineError, OSError) as error:
        raise BookRefused("90601", "这个文件打不开，可能没有存完整，请用Excel另存为.xlsx再传") from error
    if sheet.height == 0:
        raise BookRefused("90602", "第一张表是空的，请把订单填在第一张表里")
    first_row, first_column = sheet.start
    rows = enumerate(sheet.iter_rows(), first_row + 1)
    _check_heading([""] * first_column + next(rows)[1])
    return Book(sheet.height - 1, rows, formulas)


def _look_into(data: bytes) -> frozenset[tuple[int, int]]:
    """Unpacks every part once, counting: zip bombs, document types, merged cells; gives the cells with formulas."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(part.file_size for part in archive.infolist()) > UNPACKED_LIMIT:
                raise BookRefused("90603", "这个文件解开以后太大，不收；请分成几个文件再传")
            sheet = _first_sheet(archive)
            formulas: set[tuple[int, int]] = set()
            for part in archive.infolist():
                if part.filename.endswith((".xml", ".rels", ".vml")):
                    formulas |= _scan(archive, part, part.filename == sheet)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise BookRefused("90601", "这个文件打不开，可能没有存完整，请用Excel另存为.xlsx再传") from error
    return frozenset(formulas)


def _scan(archive: zipfile.ZipFile, part: zipfile.ZipInfo, is_sheet: bool) -> set[tuple[int, int]]:
    formulas, size, tail = set(), 0, b""
    with archive.open(part) as stream:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > UNPACKED_LIMIT:
                raise BookRefused("90603", "这个文件解开以后太大，不收；请分成几个文件再传")
            window = tail + chunk
            if _DOCTYPE.search(window):
                raise BookRefused("90604", "这个文件里有不该有的内容（文档类型声明），不收；请用Excel另存为.xlsx再传")
            if is_sheet and _MERGED.search(window):
                raise BookRefused("90605", "表里有合并的单元格，请取消合并、每一格都填上，再传一次")
            if is_sheet and len(formulas) < MAX_FORMULAS and _FORMULA.search(window):
                formulas |= {(int(row), _column(name)) for name, row in _FORMULA_CELL.findall(window)}
            tail = window[-_OVERLAP:]
    return formulas


def _first_sheet(archive: zipfile.ZipFile) -> str:
    """The part of the first sheet; all sheets are scanned alike if the workbook hides which it is."""
    book = archive.read("xl/workbook.xml") if "xl/workbook.xml" in archive.namelist() else b""
    relations = (
        archive.read("xl/_rels/workbook.xml.rels") if "xl/_rels/workbook.xml.rels" in archive.namelist() else b""
    )
    named = re.search(rb'<(?:\w+:)?sheet [^>]*?r:id="([^"]+)"', book)
    for relation in re.findall(rb"<Relationship [^>]+>", relations):
        if named and b'Id="' + named[1] + b'"' in relation:
            target = re.search(rb'Target="([^"]+)"', relation)[1].decode()
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return "xl/worksheets/sheet1.xml"


def _column(name: bytes) -> int:
    """A → 1, AA → 27."""
    number = 0
    for letter in name:
        number = number * 26 + letter - 64
    return number


def _open_csv(data: bytes) -> Book:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise BookRefused("90606", "CSV文件的编码认不出，请存成UTF-8或GBK再传")
    head = text.partition("\n")[0]
    try:
        found = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in head else ","))
    except csv.Error as error:
        raise BookRefused("90607", "CSV文件的格式不对，请用Excel另存为CSV再传") from error
    if not found:
        raise BookRefused("90602", "第一张表是空的，请把订单填在第一张表里")
    rows = iter(enumerate(found, 1))
    _check_heading(next(rows)[1])
    return Book(len(found) - 1, rows)


def _check_heading(cells: list) -> None:
    given = [str(cell).strip().strip("*") for cell in cells]
    for place, wanted in enumerate(COLUMNS):
        if place >= len(given) or given[place] != wanted:
            raise BookRefused(
                "90608", "第一行第{letter}列应是「{wanted}」，请下载报关单模式模板，照模板填",
                letter="ABCDEFG"[place], wanted=wanted,
            )  # fmt: skip

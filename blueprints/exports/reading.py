"""Reads the workbook or CSV that a company uploaded: refuses hostile files, gives rows of cells as they stand."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from python_calamine import CalamineError, CalamineWorkbook

from blueprints.common.numbers import Sentence

from . import unpacking
from .columns import DECLARATION, Layout, letter

COLUMNS = DECLARATION.titles  # A–G
SEPARATORS = ",;\t；，"
REFUSED = {  # reason of `unpacking.Refused` → number, words
    "large": ("90603", "这个文件解开以后太大，不收；请分成几个文件再传"),
    "doctype": ("90604", "这个文件里有不该有的内容（文档类型声明），不收；请用Excel另存为.xlsx再传"),
    "merged": ("90605", "表里有合并的单元格，请取消合并、每一格都填上，再传一次"),
}
EMPTY = ("90602", "第一张表是空的，请把订单填在第一张表里")
BROKEN = ("90601", "这个文件打不开，可能没有存完整，请用Excel另存为.xlsx再传")
BAD_CSV = ("90607", "CSV文件的格式不对，请用Excel另存为CSV再传")


class BookRefused(Exception):
    """The file as a whole cannot be read; `sentence` says why and what to do."""

    def __init__(self, number: str, template: str, **parts):
        self.sentence = Sentence(number, template, **parts)
        super().__init__(self.sentence)


@dataclass
class Book:
    """`rows` gives (row number, cells) below the heading; `formulas` the (row, column) that hold formulas.

    `hidden`: names of sheets that were not looked at, because they are hidden.
    """

    count: int
    rows: Iterator[tuple[int, list]]
    formulas: frozenset[tuple[int, int]] = frozenset()
    layout: Layout = DECLARATION
    hidden: tuple[str, ...] = ()


def open_book(data: bytes, kind: str, layout: Layout = DECLARATION) -> Book:
    """`kind`: xlsx | csv, by content. Raises `BookRefused`, of a CSV also while its rows are taken."""
    return _open_csv(data, layout) if kind == "csv" else _open_xlsx(data, layout)


def _open_xlsx(data: bytes, layout: Layout) -> Book:
    try:
        first = unpacking.look_into(data)
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name(first.name)
    except unpacking.Refused as refused:
        raise BookRefused(*REFUSED.get(refused.reason, EMPTY)) from refused
    except (unpacking.Broken, CalamineError, OSError) as error:
        raise BookRefused(*BROKEN) from error
    if sheet.height == 0:
        raise BookRefused(*EMPTY)
    first_row, first_column = sheet.start
    rows = enumerate(sheet.iter_rows(), first_row + 1)
    _check_heading([""] * first_column + next(rows)[1], layout)
    return Book(sheet.height - 1, rows, frozenset(first.formulas), layout, tuple(first.hidden))


def _open_csv(data: bytes, layout: Layout) -> Book:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise BookRefused("90606", "CSV文件的编码认不出，请存成UTF-8或GBK再传")
    head = text.partition("\n")[0]
    separator = max(SEPARATORS, key=head.count)
    rows = enumerate(_csv_rows(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)), 1)
    first = next(rows, None)
    if first is None:
        raise BookRefused(*EMPTY)
    _check_heading(first[1], layout)
    return Book(max(0, text.count("\n") + (not text.endswith("\n")) - 1), rows, layout=layout)


def _csv_rows(reader) -> Iterator[list]:
    try:
        yield from reader
    except csv.Error as error:
        raise BookRefused(*BAD_CSV) from error


def _check_heading(cells: list, layout: Layout) -> None:
    given = [str(cell).strip().strip("*") for cell in cells]
    for place, wanted in enumerate(layout.titles):
        if place >= len(given) or given[place] != wanted:
            raise BookRefused(
                "90608", "第一行第{letter}列应是「{wanted}」，请下载{title}模板，照模板填",
                letter=letter(place), wanted=wanted, title=layout.title,
            )  # fmt: skip


def shown(value) -> str:
    """A cell as its user saw it, as far as that can be known."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return "" if value is None else str(value)

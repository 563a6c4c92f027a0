"""What an import gives back as workbooks: all rows with the wrong cells coloured, and only the rows that must be mended."""

import io
import re

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill

from .columns import DECLARATION, Layout, letter
from .reading import open_book, shown

WRONG = PatternFill("solid", fgColor="F7C9C4")
MAX_COMMENTS = 20_000
REASONS = "错在哪里"  # a column behind the table: reading it again, nobody looks there
_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
Problems = dict[tuple[int, int], str]  # (row, column) → words


def report_books(data: bytes, kind: str, problems: Problems, layout: Layout = DECLARATION) -> tuple[bytes, bytes]:
    """(all rows, only those to mend). All cells are text, so nothing in them is ever computed.

    A document waits as a whole, so all its rows stand in the second, also those that are right.
    """
    rows = {row for row, _ in problems}
    held = {_number(cells) for row, cells in open_book(data, kind, layout).rows if row in rows} - {""}
    whole, wrong = _Report(layout, problems), _Report(layout, problems, with_reasons=True)
    for row, cells in open_book(data, kind, layout).rows:
        whole.add(row, cells)
        if row in rows or _number(cells) in held:
            wrong.add(row, cells)
    return whole.saved(), wrong.saved()


def _number(cells: list) -> str:
    return shown(cells[0]).strip() if cells else ""


class _Report:
    def __init__(self, layout: Layout, problems: Problems, with_reasons: bool = False):
        self.problems, self.width, self.with_reasons, self.comments = problems, len(layout.columns), with_reasons, 0
        self.wrong_rows = {row for row, _ in problems}
        self.layout, self.workbook = layout, Workbook(write_only=True)
        self.sheet = self.workbook.create_sheet(layout.title)
        for place, column in enumerate(layout.columns):
            self.sheet.column_dimensions[letter(place)].width = column.width
        self.sheet.append([self._cell(title) for title in (*layout.titles, *([REASONS] if with_reasons else []))])

    def add(self, row: int, cells: list) -> None:
        values = [self._cell(cell) for cell in [*cells[: self.width], *[""] * (self.width - len(cells))]]
        if row in self.wrong_rows:
            self._colour(row, values)
        self.sheet.append(values)

    def _colour(self, row: int, values: list[WriteOnlyCell]) -> None:
        reasons = []
        for place in range(self.width):
            words = self.problems.get((row, place + 1))
            if words is None:
                continue
            values[place].fill = WRONG
            reasons.append(f"{self.layout.titles[place]}：{words}")
            if self.comments < MAX_COMMENTS:
                values[place].comment = Comment(words, "申报系统", 90, 260)
                self.comments += 1
        if self.with_reasons:
            values.append(self._cell("；".join(reasons)))

    def _cell(self, value) -> WriteOnlyCell:
        cell = WriteOnlyCell(self.sheet, plain_text(shown(value)))
        cell.data_type, cell.number_format = "s", "@"
        return cell

    def saved(self) -> bytes:
        out = io.BytesIO()
        self.workbook.save(out)
        return out.getvalue()


def plain_text(text: str) -> str:
    """Without what neither XML nor the database can hold: control characters, lone surrogates, U+FFFE, U+FFFF."""
    return _NOT_XML.sub("", text)

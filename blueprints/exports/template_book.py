"""Templates of workbooks (M193, M194): text columns, drop-down lists of codes, a sheet that explains, sheets of codes."""

import io
from functools import cache

from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation

from .columns import LAYOUTS, Layout, countries, letter, units

TEXT_ROWS = 1000
LISTS = {units: ("计量单位", "A"), countries: ("国家地区", "B")}  # table → its sheet, and the column to choose from
HEAD = PatternFill("solid", fgColor="E9F0F7")


@cache
def template_book(name: str = "declaration") -> bytes:
    """`name`: of `columns.LAYOUTS`."""
    layout = LAYOUTS[name]
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = layout.title
    sheet.append(layout.titles)
    for cell in sheet[1]:
        cell.font, cell.fill = Font(bold=True), HEAD
    for row in sheet.iter_rows(min_row=2, max_row=TEXT_ROWS, max_col=len(layout.columns)):
        for cell in row:
            cell.number_format = "@"
    for place, column in enumerate(layout.columns):
        sheet.column_dimensions[letter(place)].width = column.width
        sheet.column_dimensions[letter(place)].number_format = "@"
    _add_notes(workbook, layout)
    _add_lists(workbook, layout)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def _add_notes(workbook: Workbook, layout: Layout) -> None:
    notes = workbook.create_sheet("说明", 1)
    for line in layout.notes:
        notes.append([line])
    notes["A1"].font = Font(bold=True)
    notes.append([])
    notes.append(["列", "标题", "要不要填", "怎么填"])
    for place, column in enumerate(layout.columns):
        notes.append([letter(place), column.title, "必填" if column.required else "可以空着", column.note])
    notes.append([])
    notes.append(["例子"])
    for row in (layout.titles, *layout.examples):
        notes.append(row)
    for place, width in enumerate((24, 18, 40, 60)):
        notes.column_dimensions[letter(place)].width = width


def _add_lists(workbook: Workbook, layout: Layout) -> None:
    """A sheet of codes for each table, at the end, where it may be hidden; each of its columns may be chosen from."""
    first = workbook.worksheets[0]
    for table, (title, chosen) in LISTS.items():
        places = [place for place, column in enumerate(layout.columns) if column.rule.table is table]
        if not places:
            continue
        sheet = workbook.create_sheet(title)
        sheet.append(("代码", "名称"))
        for name, code in table().items():
            if name != code:
                sheet.append((code, name))
                sheet.cell(sheet.max_row, 1).number_format = "@"
        formula = f"{title}!${chosen}$2:${chosen}${sheet.max_row}"
        choice = DataValidation(type="list", formula1=formula, allow_blank=True, showErrorMessage=False)
        first.add_data_validation(choice)
        for place in places:
            choice.add(f"{letter(place)}2:{letter(place)}{TEXT_ROWS}")

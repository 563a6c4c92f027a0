"""报关单模式模板 (M193, M194): seven text columns, 计量单位 as a drop-down list, and a sheet that explains."""

import io
from functools import cache

from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation

from .checking import units
from .reading import COLUMNS

TEXT_ROWS = 1000
NOTES = (
    "重要说明",
    "导入模板中的内容和数据应为文本格式",
    "“数量”最多保留5位小数",
    "“总额”中小数点最多保留2位",
    "录入的内容与顺序必须与单一窗口申报的内容和顺序保持一致",
    "订单号：电商平台成交后的订单号，最多60位字母、数字和 _ . / # -；9810填海外仓订仓单编号",
    "同一个订单有几种商品，就写几行，每行订单号一样，一个订单最多100行",
    "单价可以空着，由系统用总额除以数量算出来；填了的话，单价×数量要等于总额",
    "计量单位填代码（像011，前面的0不能丢）或名称（像件），可在表里选，全部代码见第三张表",
    "不要合并单元格，不要用公式，不要改第一行的标题",
)
EXAMPLES = (
    ("TYDH005", "8711100010", "微马力摩托车及脚踏两用车", "10", "25", "2.5", "011"),
    ("TYDH006", "8135000000", "本章的什锦坚果或干果", "10", "25", "2.5", "011"),
    ("TYDH007", "6804301000", "手用琢磨油石", "10", "25", "2.5", "011"),
)


@cache
def template_book() -> bytes:
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = "报关单模式"
    sheet.append(COLUMNS)
    for cell in sheet[1]:
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="E9F0F7")
    for row in sheet.iter_rows(min_row=2, max_row=TEXT_ROWS, max_col=len(COLUMNS)):
        for cell in row:
            cell.number_format = "@"
    for letter, width in zip("ABCDEFG", (24, 18, 40, 12, 12, 12, 12), strict=True):
        sheet.column_dimensions[letter].width = width
        sheet.column_dimensions[letter].number_format = "@"
    names = _add_units(workbook)
    choice = DataValidation(
        type="list", formula1=f"计量单位!$A$2:$A${names + 1}", allow_blank=True, showErrorMessage=False
    )
    sheet.add_data_validation(choice)
    choice.add(f"G2:G{TEXT_ROWS}")
    _add_notes(workbook)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def _add_notes(workbook: Workbook) -> None:
    notes = workbook.create_sheet("说明", 1)
    for line in NOTES:
        notes.append([line])
    notes["A1"].font = Font(bold=True)
    notes.append([])
    notes.append(["例子", *[""] * 6])
    for row in (COLUMNS, *EXAMPLES):
        notes.append(row)
    notes.column_dimensions["A"].width = 24
    notes.column_dimensions["C"].width = 40


def _add_units(workbook: Workbook) -> int:
    sheet = workbook.create_sheet("计量单位")
    sheet.append(("代码", "名称"))
    pairs = [(code, name) for name, code in units().items() if name != code]
    for code, name in pairs:
        sheet.append((code, name))
        sheet.cell(sheet.max_row, 1).number_format = "@"
    return len(pairs)

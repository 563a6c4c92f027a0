"""Workbooks: every row rule says row, column, value, cause and fix; hostile files are refused and nothing is stored."""

import io
import zipfile
from datetime import date

import openpyxl
import pytest
from openpyxl import Workbook

from blueprints.common.files import FileRefused
from blueprints.exports.checking import Found, check_rows
from blueprints.exports.importing import start_import
from blueprints.exports.reading import COLUMNS, BookRefused, open_book
from blueprints.exports.report_book import report_books
from blueprints.exports.template_book import template_book
from models import orders
from models.database import session
from models.exports import imports_of, problems_of
from models.files import StoredFile
from tests.exports_world import ROWS, many, workbook

pytest_plugins = ["tests.exports_fixtures"]
GOOD = ROWS[0]


def checked(rows, data: bytes | None = None, kind="xlsx") -> Found:
    found, book = Found(), open_book(data or workbook(rows), kind)
    while check_rows(book, found, 1000):
        pass
    return found


def changed(column: int, value, row=GOOD) -> tuple:
    return (*row[: column - 1], value, *row[column:])


def problems(rows) -> list[tuple[int, int, str]]:
    return [(p.row, p.column, p.key) for p in checked(rows).problems]


@pytest.mark.item("M193", "M195")
def test_the_sample_rows_are_right():
    found = checked(ROWS)
    assert found.problems == [] and [number for number, _, _ in found.right_orders()] == [
        "TYDH005",
        "TYDH006",
        "TYDH007",
    ]
    assert found.lines_of("TYDH005") == [["8711100010", "微马力摩托车及脚踏两用车", "10", "25", "2.5", "011"]]


@pytest.mark.parametrize(
    ("column", "value", "key"),
    [
        (1, "", "empty"), (1, "订单1", "order-no"), (1, "A B", "order-no"), (1, "A" * 61, "order-no"),
        (1, "1.23457E+14", "scientific"), (1, 12345, "not-text"),
        (2, "", "empty"), (2, "货 号", "item-no"), (2, "9" * 31, "item-no"), (2, 8711100010, "not-text"),
        (3, "", "empty"), (3, "名" * 251, "name"), (3, "上\n下", "name"),
        (4, "", "empty"), (4, 10, "not-text"), (4, "1.234567", "quantity"), (4, "0", "quantity"), (4, "-1", "quantity"),
        (4, "1,000", "quantity"), (4, "1e3", "scientific"), (4, "十", "quantity"), (4, "١٠", "quantity"),
        (5, "", "empty"), (5, "25.001", "total"), (5, "0", "total"), (5, "-25", "total"), (5, date(2026, 11, 21), "not-text"),
        (6, "2.123456", "price"), (6, "2,5", "price"), (6, "0", "price"), (6, "2.6", "product"),
        (7, "", "empty"), (7, "11", "unit"), (7, "个个", "unit"), (7, 11, "not-text"),
    ],
)  # fmt: skip
@pytest.mark.item("M194", "M202")
def test_a_wrong_cell_is_found_by_row_column_and_cause(column, value, key):
    assert (2, column, key) in problems([changed(column, value), ROWS[1]])


@pytest.mark.item("M194")
def test_every_problem_says_value_cause_fix_and_number(trade):
    started = trade.read(workbook([changed(7, "个个")]))
    (problem,) = problems_of(started.id)
    assert (problem.row, problem.column, problem.value) == (2, 7, "个个")
    assert problem.cause == "没有这个计量单位" and "011" in problem.fix and problem.number == "90622"


@pytest.mark.parametrize("unit", ["011", "件", " 011 "])
def test_a_unit_is_taken_by_code_with_its_zeros_or_by_name(unit):
    line = checked([changed(7, unit)]).lines_of("TYDH005")[0]
    assert line[5] == "011"


@pytest.mark.parametrize(
    ("quantity", "total", "price", "kept"),
    [("10", "25", "", "2.5"), ("3", "10", "", "3.33333"), ("3", "10", "3.33", "3.33"), ("3", "10.00", "3.33333", "3.33333"),
     ("0.00001", "0.01", "1000", "1000")],
)  # fmt: skip
def test_a_price_is_derived_or_checked_up_to_rounding(quantity, total, price, kept):
    row = (*GOOD[:3], quantity, total, price, "011")
    found = checked([row])
    assert not found.problems and found.lines_of("TYDH005")[0][4] == kept


def test_lines_of_one_order_are_found_wherever_they_stand():
    found = checked([GOOD, ROWS[1], changed(2, "6804301000")])
    assert [line[0] for line in found.lines_of("TYDH005")] == ["8711100010", "6804301000"]


def test_the_same_line_twice_is_wrong_and_so_is_the_101st():
    assert (3, 1, "twice") in problems([GOOD, GOOD])
    rows = [changed(2, f"{n:010}") for n in range(101)]
    assert (102, 1, "too-many") in problems(rows)


def test_an_order_with_a_wrong_line_waits_as_a_whole():
    found = checked([GOOD, changed(2, "1", changed(4, "x")), ROWS[1]])
    assert [number for number, _, _ in found.right_orders()] == ["TYDH006"]


def test_blank_rows_and_notes_beside_the_table_do_no_harm():
    rows = [GOOD, ("",) * 7, ("  ",) * 7, (*ROWS[1], "电商平台成交后的订单号")]
    assert not checked(rows).problems and len(checked(rows).orders) == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_a_csv_is_read_in_the_encodings_that_excel_writes(encoding):
    text = "\r\n".join(",".join(row) for row in (COLUMNS, *ROWS))
    assert len(checked([], text.encode(encoding), "csv").orders) == 3


def test_a_csv_of_no_known_encoding_is_refused():
    with pytest.raises(BookRefused) as refused:
        open_book(b"\xff\xfe\x00\x81\xff", "csv")
    assert refused.value.sentence.number == "90606"


def refused(data: bytes) -> str:
    with pytest.raises(BookRefused) as error:
        book = open_book(data, "xlsx")
        list(book.rows)
    return error.value.sentence.number


def test_another_heading_is_refused_with_the_column():
    with pytest.raises(BookRefused, match="第C列应是「商品名称」"):
        open_book(workbook(ROWS, ("订单号", "商品货号", "名称", *COLUMNS[3:])), "xlsx")


def with_part(data: bytes, name: str, change) -> bytes:
    """The workbook with one part changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.namelist():
            content = old.read(each)
            new.writestr(each, change(content) if each == name else content)
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def test_a_zip_bomb_is_refused_before_it_unpacks():
    bomb = with_part(workbook(), SHEET, lambda content: content + b" " * (520 << 20))
    assert len(bomb) < 1 << 20 and refused(bomb) == "90603"


def test_a_document_type_with_entities_is_refused():
    entity = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    assert refused(with_part(workbook(), SHEET, lambda content: entity + content)) == "90604"
    assert refused(with_part(workbook(), "xl/workbook.xml", lambda content: entity + content)) == "90604"


def test_merged_cells_are_refused_and_a_broken_file_too():
    book = Workbook()
    for row in (COLUMNS, *ROWS):
        book.active.append(row)
    book.active.merge_cells("A2:A3")
    out = io.BytesIO()
    book.save(out)
    assert refused(out.getvalue()) == "90605"
    assert refused(workbook()[:-100]) == "90601"
    assert refused(b"PK\x03\x04 no zip") == "90601"


def test_a_formula_is_refused_in_its_cell_and_its_value_is_not_trusted():
    book = Workbook()
    for row in (COLUMNS, *ROWS):
        book.active.append(row)
    book.active["D2"] = "=5+5"
    out = io.BytesIO()
    book.save(out)
    found = checked([], out.getvalue())
    assert (2, 4, "formula") in [(p.row, p.column, p.key) for p in found.problems]
    assert len(found.right_orders()) == 2


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("orders.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600),  # .xls renamed
        ("orders.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600),
        ("orders.xlsx", b"%PDF-1.7 x"), ("orders.exe", b"MZ" * 500), ("orders.csv", b"a\0b"), ("orders.xlsx", b""),
    ],
)  # fmt: skip
def test_what_is_no_workbook_by_content_is_refused_and_nothing_is_kept(trade, name, data):
    from werkzeug.datastructures import FileStorage

    with pytest.raises(FileRefused):
        start_import(trade.task, FileStorage(io.BytesIO(data), name), trade.who)
    session.rollback()
    assert session.query(StoredFile).count() == 0


def test_a_workbook_with_macros_is_refused(trade):
    data = io.BytesIO(workbook())
    with zipfile.ZipFile(data, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"macro")
    with pytest.raises(FileRefused):
        trade.read(data.getvalue())


@pytest.mark.item("M202")
def test_a_refused_workbook_stores_no_row_and_says_why(trade):
    started = trade.read(workbook(ROWS, ("A", *COLUMNS[1:])))
    assert started.state == "refused" and "第A列应是「订单号」" in started.problem and trade.task.order_count == 0


def test_right_rows_are_stored_and_the_mended_workbook_adds_the_rest(trade):
    first = trade.read(workbook([GOOD, changed(7, "x", ROWS[1])]))
    assert (first.orders_stored, first.rows_wrong) == (1, 1)
    second = trade.read(workbook([GOOD, ROWS[1]]))
    assert (second.orders_stored, second.orders_known, second.rows_wrong) == (1, 1, 0)
    assert trade.task.order_count == 2


def test_an_order_number_that_is_taken_with_other_content_is_told(trade):
    trade.read(workbook())
    again = trade.read(workbook([changed(5, "30", changed(6, "3"))]))
    (problem,) = problems_of(again.id)
    assert problem.number == "90625" and problem.value == "TYDH005" and trade.task.order_count == 3


def test_an_import_killed_half_way_goes_on_without_doubling(trade, monkeypatch):
    from blueprints.exports import importing

    monkeypatch.setattr(importing, "STEP", 10)
    copies, killed = importing._copy_documents, []

    def dies(*arguments):
        if len(killed) == 2:
            raise KeyboardInterrupt
        killed.append(1)
        return copies(*arguments)

    monkeypatch.setattr(importing, "_copy_documents", dies)
    with pytest.raises(KeyboardInterrupt):
        trade.read(workbook(many(50)))
    session.rollback()
    monkeypatch.setattr(importing, "_copy_documents", copies)
    (started,) = imports_of(trade.task.id)
    assert started.is_running and started.orders_stored == 20
    importing.read_import(str(started.id))
    session.expire_all()
    assert started.state == "done" and started.orders_stored == 50 and trade.task.order_count == 50
    assert len(orders.orders_of(trade.task.id, limit=100)) == 50


def test_a_cancelled_import_takes_back_what_it_stored(trade, monkeypatch):
    from blueprints.exports import importing

    monkeypatch.setattr(importing, "STEP", 10)
    told = importing.note_progress

    def asked_to_stop(import_id, **values):
        told(import_id, **values)
        return values.get("orders_stored", 0) < 20

    monkeypatch.setattr(importing, "note_progress", asked_to_stop)
    started = trade.read(workbook(many(50)))
    assert started.state == "cancelled" and trade.task.order_count == 0 and not orders.orders_of(trade.task.id)


@pytest.mark.item("M202")
def test_the_users_own_workbook_comes_back_with_coloured_cells_and_comments():
    rows = [GOOD, changed(7, "个个", ROWS[1]), changed(3, "=cmd|' /C calc'!A0", ROWS[2])]
    data = report_books(workbook(rows[:2]), "xlsx", {(3, 7): "没有这个计量单位。请填代码"})[0]
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert [cell.value for cell in sheet[3]] == [*ROWS[1][:6], "个个"]
    assert "没有这个计量单位" in sheet["G3"].comment.text and sheet["G3"].fill.fgColor.rgb.endswith("F7C9C4")
    assert sheet["G2"].comment is None
    csv = "\r\n".join(",".join(row) for row in (COLUMNS, rows[2])).encode()
    sheet = openpyxl.load_workbook(io.BytesIO(report_books(csv, "csv", {})[0])).active
    assert sheet["C2"].data_type == "s" and sheet["C2"].value.startswith("=cmd")


@pytest.mark.item("M193", "M194", "M195")
def test_the_template_has_text_columns_a_list_of_units_and_the_explanation():
    book = openpyxl.load_workbook(io.BytesIO(template_book()))
    sheet = book.worksheets[0]
    assert tuple(cell.value for cell in sheet[1]) == COLUMNS and sheet["A2"].number_format == "@"
    assert "计量单位" in sheet.data_validations.dataValidation[0].formula1
    words = [row[0].value for row in book["说明"].iter_rows()]
    for said in ("导入模板中的内容和数据应为文本格式", "“数量”最多保留5位小数", "“总额”中小数点最多保留2位",
                 "录入的内容与顺序必须与单一窗口申报的内容和顺序保持一致"):  # fmt: skip
        assert said in words
    units = {row[0].value: row[1].value for row in book["计量单位"].iter_rows()}
    assert units["011"] == "件" and "TYDH005" in words


def test_the_template_filled_in_is_taken():
    book = openpyxl.load_workbook(io.BytesIO(template_book()))
    for column, value in enumerate(GOOD, 1):
        book.worksheets[0].cell(2, column, value)
    out = io.BytesIO()
    book.save(out)
    assert not checked([], out.getvalue()).problems and len(checked([], out.getvalue()).orders) == 1

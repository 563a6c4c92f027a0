"""Imports as a whole: all or nothing, the same file twice, hostile and odd files, progress, stopping, what comes back."""

import io
import struct
import zipfile
import zlib
from itertools import pairwise
from urllib.parse import quote

import openpyxl
import pytest
from openpyxl import Workbook
from werkzeug.datastructures import FileStorage

from blueprints.common.files import FileRefused
from blueprints.exports import importing
from blueprints.exports.checking import Found, check_rows
from blueprints.exports.reading import COLUMNS, BookRefused, open_book
from blueprints.exports.report_book import REASONS, report_books
from models import orders
from models.accounts import User
from models.database import session
from models.exports import Import, Task, problems_of
from models.files import StoredFile, find_file
from tests.conftest import ORIGIN, log_in, make_enterprise, make_user
from tests.exports_world import ROWS, Trade, many, workbook

pytest_plugins = ["tests.exports_fixtures"]
GOOD = ROWS[0]
SHEET, RELATIONS, TEXTS = "xl/worksheets/sheet1.xml", "xl/_rels/workbook.xml.rels", "xl/sharedStrings.xml"
WRONG = (*ROWS[1][:6], "个个")


def checked(data: bytes, kind="xlsx") -> Found:
    found, book = Found(), open_book(data, kind)
    while check_rows(book, found, 1000):
        pass
    return found


def saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def with_part(data: bytes, name: str, change) -> bytes:
    """The workbook with one part changed or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.namelist():
            new.writestr(each, change(old.read(each)) if each == name else old.read(each))
        if name not in old.namelist():
            new.writestr(name, change(b""))
    return out.getvalue()


def with_rows(rows: bytes) -> bytes:
    return with_part(workbook(), SHEET, lambda content: content.replace(b"</sheetData>", rows + b"</sheetData>"))


def refused(data: bytes, kind="xlsx") -> str:
    with pytest.raises(BookRefused) as error:
        list(open_book(data, kind).rows)
    return error.value.sentence.number


def upload(data: bytes, name="orders.xlsx") -> FileStorage:
    return FileStorage(io.BytesIO(data), name)


# -- odd and hostile workbooks


def test_two_cells_at_far_corners_do_not_fill_the_memory():
    assert refused(with_rows(b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')) == "90603"
    assert refused(with_rows(b"<row r='1048576'><c r = 'xfd1048576'><v>1</v></c></row>")) == "90603"
    assert (
        refused(with_rows(b'<row r="5">' + b"<c><v>1</v></c>" * 100_000 + b'</row><row r="900000"><c/></row>'))
        == "90603"
    )
    assert refused(with_rows(b'<row r="4000000000"><c r="A4000000000"><v>1</v></c></row>')) == "90603"


def test_a_note_far_to_the_right_does_no_harm():
    found = checked(with_rows(b'<row r="9"><c r="AB9" t="inlineStr"><is><t>note</t></is></c></row>'))
    assert len(found.right_orders()) == 3 and not found.problems


def shared(text: bytes, cells: int) -> bytes:
    """A workbook with one shared text that so many cells name."""
    relation = b'<Relationship Id="rId77" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/>'
    rows = b"".join(b'<row r="%d"><c r="H%d" t="s"><v>0</v></c></row>' % (n, n) for n in range(5, 5 + cells))
    data = with_part(
        with_rows(rows), RELATIONS, lambda content: content.replace(b"</Relationships>", relation + b"</Relationships>")
    )
    texts = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>%b</t></si></sst>' % text
    return with_part(data, TEXTS, lambda _: texts)


def test_one_long_text_named_by_many_cells_does_not_fill_the_memory():
    bomb = shared(b"a" * (1 << 20), 2000)
    assert len(bomb) < 40_000 and refused(bomb) == "90603"
    assert len(checked(shared(b"a" * (1 << 20), 20)).right_orders()) == 3


def test_a_part_longer_than_the_archive_says_is_refused():
    data = bytearray(with_rows(b" " * 10_000_000))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        part = archive.getinfo(SHEET)
    claimed = struct.pack("<I", part.file_size)
    checksum = struct.pack("<I", part.CRC)
    short = 2000
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        start = archive.read(SHEET)[:short]
    lies = (
        bytes(data).replace(claimed, struct.pack("<I", short)).replace(checksum, struct.pack("<I", zlib.crc32(start)))
    )
    with zipfile.ZipFile(io.BytesIO(lies)) as archive:
        assert len(archive.read(SHEET)) == short  # Python's own library believes it
    assert refused(lies) == "90601"


def test_a_claim_of_one_gigabyte_is_refused():
    data = workbook()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = archive.getinfo(SHEET).file_size
    assert refused(data.replace(struct.pack("<I", size), struct.pack("<I", 1 << 30))) == "90603"


def test_fifty_megabytes_of_empty_rows_are_passed_over():
    rows = b"".join(b'<row r="%d" spans="1:7"><c r="A%d" s="1"/></row>' % (n, n) for n in range(5, 1_000_000))
    assert len(rows) > 50_000_000
    found = checked(with_rows(rows))
    assert len(found.right_orders()) == 3 and not found.problems


def test_the_same_part_twice_is_refused():
    out = io.BytesIO(workbook())
    with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning):
        archive.writestr(SHEET, b"<worksheet/>")
    assert refused(out.getvalue()) == "90601"


def test_the_first_visible_sheet_is_read_and_hidden_ones_are_told(trade):
    book = Workbook()
    book.active.title = "旧数据"
    book.active.append(["别的"])
    for title in ("订单", "说明"):
        sheet = book.create_sheet(title)
        for each in (COLUMNS, *ROWS) if title == "订单" else ():
            sheet.append(each)
    book.worksheets[0].sheet_state = "veryHidden"
    book.active = 1
    started = trade.read(saved(book))
    assert (started.state, started.orders_stored, started.hidden) == ("done", 3, "旧数据")


def test_a_workbook_of_hidden_sheets_only_is_refused():
    data = with_part(
        workbook(), "xl/workbook.xml", lambda content: content.replace(b'state="visible"', b'state="hidden"')
    )
    assert refused(data) == "90602"


def test_merged_cells_of_a_hidden_sheet_do_no_harm():
    book = Workbook()
    for each in (COLUMNS, *ROWS):
        book.active.append(each)
    hidden = book.create_sheet("藏")
    hidden.append(["a", "b"])
    hidden.merge_cells("A1:B1")
    hidden.sheet_state = "hidden"
    assert len(checked(saved(book)).right_orders()) == 3


@pytest.mark.parametrize("name", ["orders.xlsm", "orders.xlsx"])
def test_macros_are_refused_in_words(trade, name):
    data = io.BytesIO(workbook())
    with zipfile.ZipFile(data, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"macro")
    with pytest.raises(FileRefused) as error:
        importing.start_import(trade.task, upload(data.getvalue(), name), trade.who)
    assert error.value.sentence.number == "90847" and "宏" in error.value.sentence
    session.rollback()
    assert session.query(StoredFile).count() == 0


@pytest.mark.parametrize("name", ["orders.xls", "orders.xlsx"])
def test_an_old_xls_renamed_or_not_is_refused_in_words(trade, name):
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600
    with pytest.raises(FileRefused, match="另存为") as error:
        importing.start_import(trade.task, upload(data, name), trade.who)
    assert error.value.sentence.number == "90848"


def test_an_xls_named_xlsx_with_text_inside_is_refused(trade):
    with pytest.raises(FileRefused):
        importing.start_import(trade.task, upload(b"<html><table><tr><td>x</td></tr></table>"), trade.who)


@pytest.mark.parametrize("broken", [b"", b"PK\x03\x04", b"PK\x05\x06" + b"\0" * 18])
def test_a_torn_archive_is_refused_everywhere(broken):
    assert refused(broken) == "90601"


def test_whatever_byte_is_changed_the_answer_is_a_refusal_or_rows():
    data = workbook()
    for place in range(0, len(data), 37):
        torn = data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]
        try:
            checked(torn)
        except BookRefused as error:
            assert error.sentence.number.startswith("906")


def test_ten_thousand_lines_of_one_order_are_told_and_nothing_of_it_is_stored(trade):
    rows = [(GOOD[0], f"{n:010}", *GOOD[2:]) for n in range(10_000)]
    started = trade.read(workbook([*rows, ROWS[1]]))
    assert (started.orders_stored, started.rows_wrong) == (1, 9_900)
    assert {problem.number for problem in problems_of(started.id, 50)} == {"90624"}


def test_too_many_wrong_cells_end_the_reading(monkeypatch, trade):
    monkeypatch.setattr("blueprints.exports.checking.MOST_PROBLEMS", 50)
    monkeypatch.setattr(importing, "LOOK", 10)
    started = trade.read(workbook([("订单", *GOOD[1:])] * 200))
    assert started.state == "refused" and started.number == "90849" and not problems_of(started.id)


@pytest.mark.parametrize("bad", ["\ufffe", "\uffff", "\x0b"])
def test_characters_that_no_xml_may_hold_come_back_without_harm(trade, bad):
    csv = "\r\n".join(",".join(each) for each in (COLUMNS, (*GOOD[:2], f"摩托{bad}车", *GOOD[3:]))).encode()
    started = trade.read(csv, "orders.csv")
    (problem,) = problems_of(started.id)
    assert problem.number == "90617" and problem.value == "摩托车"
    importing.make_report(str(started.id))
    session.expire_all()
    for file_id in (started.report_id, started.wrong_rows_id):
        sheet = openpyxl.load_workbook(io.BytesIO(importing.read_file(find_file(file_id)))).active
        assert sheet["C2"].value == "摩托车"


# -- CSV


@pytest.mark.parametrize("separator", [",", ";", "\t", "；"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_a_csv_is_read_with_the_separators_that_programs_write(separator, encoding):
    text = "\r\n".join(separator.join(each) for each in (COLUMNS, *ROWS))
    assert len(checked(text.encode(encoding), "csv").right_orders()) == 3


def test_quotes_and_line_ends_within_cells_of_a_csv_are_one_cell():
    text = f'{",".join(COLUMNS)}\r\nA1,X,"摩托车 ""大"", 红",10,25,2.5,011\r\nA2,X,"上\n下",10,25,2.5,011\r\nA3,X,Y,10,25,2.5,011\r\n'
    found = checked(text.encode(), "csv")
    assert found.lines_of("A1")[0][1] == '摩托车 "大", 红'
    assert [(p.row, p.column, p.key) for p in found.problems] == [(3, 3, "name")] and "A3" in found.orders


def test_a_quote_that_never_ends_is_refused_and_stores_nothing(trade):
    text = f'{",".join(COLUMNS)}\r\nA1,X,Y,10,25,2.5,011\r\nA2,X,"Y,10,25,2.5,011\r\n'
    started = trade.read(text.encode(), "orders.csv")
    assert (started.state, started.number, trade.task.order_count) == ("refused", "90607", 0)


@pytest.mark.parametrize("value", ["=1+1", "@SUM(A1)", '="011"'])
def test_a_formula_in_a_csv_is_no_quantity(value):
    text = f'{",".join(COLUMNS)}\r\nA1,X,Y,"{value.replace(chr(34), chr(34) * 2)}",25,2.5,011\r\n'
    assert [problem.key for problem in checked(text.encode(), "csv").problems] == ["quantity"]


# -- all or nothing


@pytest.mark.item("M202")
def test_all_or_nothing_stores_nothing_where_one_row_is_wrong(trade):
    started = importing.start_import(trade.task, upload(workbook([GOOD, WRONG])), trade.who, whole=True)
    session.commit()
    importing.read_import(str(started.id))
    session.expire_all()
    assert (started.state, started.number, started.rows_wrong) == ("refused", "90846", 1)
    assert "有1行要改" in started.problem and trade.task.order_count == 0 and len(problems_of(started.id)) == 1


def test_all_or_nothing_looks_at_numbers_that_are_taken_too(trade):
    trade.read(workbook([GOOD]))
    started = importing.start_import(
        trade.task, upload(workbook([ROWS[1], (*GOOD[:4], "30", "3", "011")])), trade.who, whole=True
    )
    session.commit()
    importing.read_import(str(started.id))
    session.expire_all()
    assert (started.state, trade.task.order_count) == ("refused", 1)
    assert [problem.number for problem in problems_of(started.id)] == ["90625"]


def test_all_or_nothing_stores_all_where_all_is_right(trade):
    started = importing.start_import(trade.task, upload(workbook()), trade.who, whole=True)
    session.commit()
    importing.read_import(str(started.id))
    session.expire_all()
    assert (started.state, started.orders_stored, trade.task.order_count) == ("done", 3, 3)


def test_a_number_taken_while_all_or_nothing_is_stored_takes_all_back(trade, monkeypatch):
    monkeypatch.setattr(importing, "STEP", 2)
    started = importing.start_import(trade.task, upload(workbook(many(5))), trade.who, whole=True)
    session.commit()
    taken = importing._taken

    def somebody_comes_between(*arguments):
        problems = taken(*arguments)
        other = Trade(trade.app, session.get(User, trade.who.user_id), trade.company, trade.strategy)
        other.read(workbook([(*many(5)[4][:4], "30", "3", "011")]))
        return problems

    monkeypatch.setattr(importing, "_taken", somebody_comes_between)
    importing.read_import(str(started.id))
    session.expire_all()
    assert (started.state, started.number, started.orders_stored, trade.task.order_count) == ("refused", "90846", 0, 0)
    assert not orders.orders_of(trade.task.id) and [p.number for p in problems_of(started.id)] == ["90625"]


@pytest.mark.item("M202")
def test_the_choice_is_on_both_pages_and_nothing_stored_is_told(exporter, run_jobs):
    exporter.open("/exports/tasks/new")
    exporter.submit("导入", {"file": ("a.xlsx", workbook([GOOD, WRONG]))}, client_number="c1", wrong_rows="whole")
    run_jobs()
    exporter.open(exporter.url)
    assert "照您选的，一单都没有存" in exporter.main and "下载只有要改的行的表" in exporter.main
    exporter.follow("补充导入")
    exporter.submit("导入", {"file": ("b.xlsx", workbook())}, wrong_rows="whole")
    run_jobs()
    exporter.open(exporter.url)
    assert "3单已经存好" in exporter.main


# -- the same file twice


def test_the_same_file_is_told_and_goes_on_by_a_second_press(exporter, run_jobs, clock_at):
    data = workbook()
    with clock_at(2026, 11, 21, 10, 0):
        exporter.open("/exports/tasks/new")
        exporter.submit("导入", {"file": ("a.xlsx", data)}, client_number="c1")
        run_jobs()
    exporter.open("/exports/tasks/new").submit("导入", {"file": ("b.xlsx", data)}, client_number="c1")
    assert "2026-11-21 10:00已经导入过（任务c120261121001）" in exporter.main and "90845" in exporter.main
    assert session.query(Task).count() == 1
    exporter.submit("导入", client_number="c1")
    run_jobs()
    exporter.open(exporter.url)
    assert "有3行要改" in exporter.main  # numbers that the first task has
    assert session.query(Task).count() == 2


def test_the_same_file_is_told_at_a_supplement_too(exporter, run_jobs):
    data = workbook()
    exporter.open("/exports/tasks/new").submit("导入", {"file": ("a.xlsx", data)}, client_number="c1")
    run_jobs()
    exporter.open(exporter.url).follow("看数据详情").follow("补充导入").submit("导入", {"file": ("a.xlsx", data)})
    assert "已经导入过" in exporter.main
    exporter.submit("导入")
    run_jobs()
    exporter.open(exporter.url)
    assert "0单已经存好，3单本来就有、没有变" in exporter.main


def test_another_file_chosen_after_all_is_taken_instead(exporter, run_jobs):
    data = workbook()
    for _ in range(2):
        exporter.open("/exports/tasks/new").submit("导入", {"file": ("a.xlsx", data)}, client_number="c1")
        run_jobs()
    exporter.submit("导入", {"file": ("c.xlsx", workbook(many(2)))}, client_number="c1")
    run_jobs()
    exporter.open(exporter.url)
    assert "2单已经存好" in exporter.main


def test_a_file_of_another_company_is_not_taken_by_its_id(exporter, context, run_jobs):
    row = StoredFile(kind="xlsx", size=1, sha256=b"x", at=importing.clock.now(), name="别家的.xlsx")
    session.add(row)
    session.commit()
    exporter.open("/exports/tasks/new")
    token = exporter.soup.find("input", {"name": "csrf_token"})["value"]
    strategy = exporter.soup.find("select", {"name": "strategy"}).find("option", selected=True)["value"]
    form = {"csrf_token": token, "client_number": "c1", "strategy": strategy, "wrong_rows": "skip"}
    for kept in (str(row.id), "no id", "../../etc/passwd"):
        answer = exporter.client.post("/exports/tasks/new", data=form | {"kept": kept}, base_url=ORIGIN)
        assert "90671" in answer.text and session.query(Task).count() == 0


def test_a_refused_or_stopped_import_is_no_first_time(trade):
    from models.imports import same_file

    data = workbook(ROWS, ("A", *COLUMNS[1:]))
    started = trade.read(data)
    file = find_file(started.file_id)
    assert started.state == "refused" and same_file(trade.company.id, trade.who.code, file.sha256) is None
    done = trade.read(workbook())
    same = find_file(done.file_id).sha256
    assert same_file(trade.company.id, trade.who.code, same).id == done.id
    assert same_file(trade.company.id, "1301960009", same) is None


# -- progress, stopping, numbers


def test_progress_is_noted_at_least_every_second_while_rows_are_read(trade, monkeypatch):
    now, notes = [0.0], []
    monkeypatch.setattr(importing, "LOOK", 10)
    monkeypatch.setattr(importing.time, "monotonic", lambda: now[0])
    told, check = importing.note_progress, importing.check_rows

    def slow_check(book, found, limit):
        now[0] += 0.4
        return check(book, found, limit)

    def noted(import_id, **values):
        notes.append((now[0], values))
        return told(import_id, **values)

    monkeypatch.setattr(importing, "note_progress", noted)
    monkeypatch.setattr(importing, "check_rows", slow_check)
    started = trade.read(workbook(many(200)))
    moments = [moment for moment, values in notes if "rows_read" in values]
    assert started.state == "done" and len(moments) > 5
    assert max(later - earlier for earlier, later in pairwise(moments)) < 2


@pytest.mark.parametrize("at", ["reading", "storing", "last"])
def test_an_import_can_be_stopped_at_any_moment(trade, monkeypatch, at):
    monkeypatch.setattr(importing, "STEP", 10)
    told = importing.note_progress

    def stops(import_id, **values):
        if (at == "reading" and "hidden" in values) or (at == "storing" and values.get("orders_stored") == 20) or (
            at == "last" and values.get("state") == "done"
        ):  # fmt: skip
            session.get(Import, import_id).is_cancelled = True
            session.flush()
        return told(import_id, **values)

    monkeypatch.setattr(importing, "note_progress", stops)
    started = trade.read(workbook(many(50)))
    assert (started.state, started.orders_stored, trade.task.order_count) == ("cancelled", 0, 0)
    assert not orders.orders_of(trade.task.id)
    monkeypatch.setattr(importing, "note_progress", told)
    assert trade.read(workbook(many(50))).orders_stored == 50


def test_a_stopped_import_leaves_what_was_there_before(trade, monkeypatch):
    trade.read(workbook(many(30, "OLD")))
    told = importing.note_progress
    monkeypatch.setattr(
        importing,
        "note_progress",
        lambda import_id, **values: told(import_id, **values) and "orders_known" not in values,
    )
    started = trade.read(workbook(many(30)))
    assert started.state == "cancelled" and trade.task.order_count == 30
    assert {order.order_no[:3] for order in orders.orders_of(trade.task.id, limit=100)} == {"OLD"}


# -- what comes back


def test_the_workbook_of_wrong_rows_has_whole_orders_and_reasons_and_can_be_imported(trade):
    second = ("TYDH006", "1", *ROWS[1][2:])
    rows = [GOOD, WRONG, second, ROWS[2]]
    started = trade.read(workbook(rows))
    assert (started.orders_stored, started.rows_wrong) == (2, 1)
    importing.make_report(str(started.id))
    session.expire_all()
    book = openpyxl.load_workbook(io.BytesIO(importing.read_file(find_file(started.wrong_rows_id))))
    found = [tuple(cell.value for cell in cells) for cells in book.active.iter_rows()]
    assert found[0] == (*COLUMNS, REASONS)
    assert [each[0] for each in found[1:]] == ["TYDH006", "TYDH006"]
    assert "计量单位：没有这个计量单位" in found[1][7] and "90622" in found[1][7] and not found[2][7]
    assert book.active["G2"].fill.fgColor.rgb.endswith("F7C9C4") and "90622" in book.active["G2"].comment.text
    book.active["G2"] = "011"
    again = trade.read(saved(book))
    assert (again.orders_stored, again.rows_wrong, trade.task.order_count) == (1, 0, 3)


def test_nothing_in_what_comes_back_is_computed():
    csv = "\r\n".join(",".join(each) for each in (COLUMNS, ("=cmd|' /C calc'!A0", *GOOD[1:]))).encode()
    for data in report_books(csv, "csv", {(2, 1): "不行"}):
        cell = openpyxl.load_workbook(io.BytesIO(data)).active["A2"]
        assert cell.data_type == "s" and cell.value.startswith("=cmd")


def test_both_workbooks_can_be_downloaded_by_the_company_only(exporter, stranger, run_jobs):
    exporter.open("/exports/tasks/new").submit(
        "导入", {"file": ("单.xlsx", workbook([GOOD, WRONG]))}, client_number="c1"
    )
    run_jobs()
    exporter.open(exporter.url)
    for words, name in (("标出错误", "单-标出错误.xlsx"), ("只有要改的行", "单-要改的行.xlsx")):
        link = next(a["href"] for a in exporter.soup.find_all("a") if words in a.text)
        answer = exporter.client.get(link, base_url=ORIGIN)
        assert answer.status_code == 200 and answer.data.startswith(b"PK")
        assert quote(name) in answer.headers["Content-Disposition"]
        assert stranger.client.get(link, base_url=ORIGIN).status_code == 404


@pytest.fixture
def stranger(other_browser, app):
    other = make_enterprise("别家（石家庄）有限公司", "91130100PDY000028G", code="1301960002")
    return log_in(
        other_browser, make_user("stranger", enterprise=other, person=("王芳", "130100189902020024", "w@example.com"))
    )

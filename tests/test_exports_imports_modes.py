"""Workbooks of 清单模式 and 物流运单: columns, rules of each field, what becomes of a row, templates."""

import io

import openpyxl
import pytest

from blueprints.exports.checking import Found, check_rows
from blueprints.exports.columns import LAYOUTS, layout_of
from blueprints.exports.modes import MODES
from blueprints.exports.reading import open_book
from blueprints.exports.template_book import template_book
from models import orders
from models.exports import problems_of
from tests.conftest import ORIGIN
from tests.exports_world import make_strategy, workbook

pytest_plugins = ["tests.exports_fixtures"]
PAID = {"pay_name": "支付公司", "pay_no": "P1", "charge": "25", "accounting": "20261121093000"}


def row(sheet: str, example: int = 0, **cells) -> tuple:
    """The template's example with some cells changed."""
    layout = LAYOUTS[sheet]
    given = dict(zip((column.key for column in layout.columns), layout.examples[example], strict=True)) | cells
    return tuple(given.values())


def checked(name: str, *rows) -> Found:
    layout = LAYOUTS[name]
    found, book = Found(), open_book(workbook(rows, layout.titles), "xlsx", layout)
    while check_rows(book, found, 1000):
        pass
    return found


def told(name: str, *rows) -> list[tuple[int, str, str]]:
    columns = LAYOUTS[name].columns
    return [(p.row, columns[p.column - 1].key, p.key) for p in checked(name, *rows).problems]


@pytest.mark.parametrize(
    ("mode", "name"),
    [("9710-declaration", "declaration"), ("9810-declaration", "declaration"), ("9710-list", "list"), ("9810-list", "list"),
     ("9610-list", "list-9610"), ("waybill", "waybill")],
)  # fmt: skip
@pytest.mark.item("M178", "M179")
def test_each_mode_has_its_own_columns(mode, name):
    assert mode in MODES and layout_of(mode) is LAYOUTS[name]


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_examples_of_each_template_are_right(name):
    layout = LAYOUTS[name]
    assert checked(name, *layout.examples).problems == []
    assert len(checked(name, *layout.examples).right_orders()) == len(layout.examples)


@pytest.mark.parametrize("name", LAYOUTS)
def test_each_template_filled_in_is_taken_and_its_cells_are_text(name):
    layout = LAYOUTS[name]
    book = openpyxl.load_workbook(io.BytesIO(template_book(name)))
    sheet = book.worksheets[0]
    assert tuple(cell.value for cell in sheet[1]) == layout.titles
    assert {cell.number_format for cell in sheet[2]} == {"@"}
    for place, value in enumerate(layout.examples[0], 1):
        sheet.cell(2, place, value)
    out = io.BytesIO()
    book.save(out)
    found, opened = Found(), open_book(out.getvalue(), "xlsx", layout)
    while check_rows(opened, found, 1000):
        pass
    assert found.problems == [] and len(found.right_orders()) == 1


def test_the_template_of_lists_offers_units_and_countries():
    book = openpyxl.load_workbook(io.BytesIO(template_book("list")))
    ranges = {
        choice.formula1.partition("!")[0]: str(choice.sqref)
        for choice in book.worksheets[0].data_validations.dataValidation
    }
    assert set(ranges) == {"计量单位", "国家地区"}
    assert ranges["计量单位"].split()[0] == "G2:G1000" and len(ranges["计量单位"].split()) == 3
    assert "美国" in {cells[1].value for cells in book["国家地区"].iter_rows()}
    words = "".join(str(cells[0].value) for cells in book["说明"].iter_rows())
    assert "前4位" in words and "前6位" in words


@pytest.mark.parametrize(
    ("key", "value", "wrong"),
    [
        ("logistics_no", "运单1", "waybill-no"), ("logistics_no", "Y" * 33, "waybill-no"), ("logistics_no", "", "empty"),
        ("logistics_no", "1.2E+12", "scientific"), ("logistics_no", 12345, "not-text"),
        ("gross", "0", "positive"), ("gross", "1.234567", "positive"), ("gross", "-1", "positive"), ("gross", "", "empty"),
        ("net", "12.6", "net"), ("net", "x", "positive"),
        ("packs", "0", "packs"), ("packs", "1.5", "packs"), ("packs", "1234567890", "packs"),
        ("freight", "", "empty"), ("freight", "免费", "fee"), ("freight", "1.123456", "fee"), ("insured", "-1", "fee"),
        ("item", "9" * 21, "item-no-20"),
        ("gcode", "871110001", "gcode"), ("gcode", "87111000100", "gcode"), ("gcode", "", "empty"), ("gcode", "871110001A", "gcode"),
        ("gmodel", "", "empty"), ("gmodel", "型" * 251, "text"), ("gmodel", "上\n下", "text"),
        ("qty1", "0", "positive"), ("qty1", "", "empty"), ("unit1", "个个", "unit"), ("unit1", "", "empty"),
        ("country", "", "empty"), ("country", "美利坚", "country"), ("country", "999", "country"),
        ("pay_code", "12", "company"), ("pay_name", "付" * 101, "text"), ("charge", "0", "positive"),
        ("accounting", "20261321093000", "time"), ("accounting", "2026-11-21", "time"),
    ],
)  # fmt: skip
@pytest.mark.item("M180")
def test_a_wrong_cell_of_a_list_is_found(key, value, wrong):
    assert (2, key, wrong) in told("list", row("list", **{key: value}), row("list", order_no="B2"))


def test_a_second_quantity_and_its_unit_go_together():
    assert told("list", row("list", qty2="1")) == [(2, "unit2", "second")]
    assert told("list", row("list", unit2="035")) == [(2, "qty2", "second")]
    assert told("list", row("list", qty2="1", unit2="千克")) == []


def test_one_wrong_cell_is_one_problem():
    assert told("list", row("list", gcode="8711")) == [(2, "gcode", "gcode")]
    assert told("list", row("list", gross="1", net="2")) == [(2, "net", "net")]


@pytest.mark.parametrize("missing", PAID)
def test_a_payment_is_whole_or_not_there(missing):
    assert told("list", row("list", **PAID)) == []
    assert told("list", row("list", **(PAID | {missing: ""}))) == [(2, missing, "payment")]


def test_9610_needs_the_payment_and_cash_has_no_number():
    nothing = dict.fromkeys(PAID, "")
    assert told("list-9610", row("list-9610", **nothing)) == [
        (2, "pay_name", "empty"), (2, "charge", "empty"), (2, "accounting", "empty"),
    ]  # fmt: skip
    assert told("list-9610", row("list-9610", pay_name="现金支付", pay_no="")) == []
    assert told("list-9610", row("list-9610", pay_name="某某支付", pay_no="")) == [(2, "pay_no", "payment")]


@pytest.mark.parametrize("day", ["20260230120000", "20261131120000"])
def test_a_day_that_no_calendar_has_is_wrong(day):
    assert told("list", row("list", **(PAID | {"accounting": day}))) == [(2, "accounting", "time")]


def test_what_belongs_to_the_order_stands_on_its_first_row():
    heads = {"logistics_no": "", "gross": "", "net": "", "packs": "", "freight": "", "insured": ""}
    second = row("list", item="8135000000", **heads)
    assert told("list", row("list"), second) == []
    assert told("list", row("list"), row("list", item="8135000000")) == []
    assert told("list", row("list"), row("list", item="8135000000", gross="99")) == [(3, "gross", "differs")]
    assert {problem[1:] for problem in told("list", second)} == {(key, "empty") for key in heads}


def test_the_second_row_of_a_wrong_order_is_not_blamed_for_the_first():
    heads = {"logistics_no": "", "gross": "", "net": "", "packs": "", "freight": "", "insured": ""}
    assert told("list", row("list", gross="x"), row("list", item="1", **heads)) == [(2, "gross", "positive")]


def test_a_waybill_may_stand_only_once():
    assert told("waybill", row("waybill"), row("waybill", goods="别的")) == [(3, "number", "waybill-twice")]


@pytest.mark.parametrize(
    ("key", "value", "wrong"),
    [("number", "", "empty"), ("gross", "0", "positive"), ("packs", "", "empty"), ("goods", "", "empty"),
     ("goods", "货" * 201, "text"), ("ebc_code", "123", "company"), ("order_no", "订单", "order-no"), ("freight", "", "empty")],
)  # fmt: skip
def test_a_wrong_cell_of_a_waybill_is_found(key, value, wrong):
    assert (2, key, wrong) in told("waybill", row("waybill", **{key: value}))


@pytest.mark.item("M179")
def test_a_row_of_a_list_becomes_an_order_with_its_data_and_codes(trade_of):
    trade = trade_of("9710-list")
    started = trade.read(workbook([row("list", **PAID)], LAYOUTS["list"].titles))
    assert (started.state, started.orders_stored) == ("done", 1)
    (order,) = orders.orders_of(trade.task.id)
    assert (order.kind, order.order_no, str(order.total)) == ("303", "TYDH005", "25.00")
    assert order.lines == [["8711100010", "微马力摩托车及脚踏两用车", "10", "25", "2.5", "011", "8711100010", "无", "10", "011",
                            "", "", "502"]]  # fmt: skip
    assert order.data == {"logistics_no": "YD20261121001", "gross": "12.5", "net": "11.8", "packs": "1", "freight": "0",
                          "insured": "0", **PAID}  # fmt: skip
    assert trade.generate().task.state == "generated", trade.task.problem


def test_a_row_without_payment_has_none_in_its_data(trade_of):
    trade = trade_of("9710-list")
    trade.read(workbook([row("list")], LAYOUTS["list"].titles))
    (order,) = orders.orders_of(trade.task.id)
    assert "charge" not in order.data


def test_a_row_of_a_waybill_becomes_a_waybill(trade_of):
    trade = trade_of("waybill")
    started = trade.read(workbook([row("waybill", ebc_code="1301960001")], LAYOUTS["waybill"].titles))
    assert (started.state, started.orders_stored) == ("done", 1)
    (order,) = orders.orders_of(trade.task.id)
    assert (order.kind, order.order_no, order.total, order.lines) == ("505", "YD20261121001", 0, [])
    assert order.data == {"order_no": "TYDH005", "freight": "0", "insured": "0", "gross": "12.5", "packs": "1",
                          "goods": "微马力摩托车及脚踏两用车", "ebc_code": "1301960001"}  # fmt: skip


def test_the_same_list_again_is_known_and_a_changed_head_is_told(trade_of):
    trade, titles = trade_of("9710-list"), LAYOUTS["list"].titles
    trade.read(workbook([row("list")], titles))
    again = trade.read(workbook([row("list"), row("list", order_no="B2")], titles))
    assert (again.orders_stored, again.orders_known, again.rows_wrong) == (1, 1, 0)
    other = trade.read(workbook([row("list", gross="13")], titles))
    (problem,) = problems_of(other.id)
    assert problem.number == "90625" and trade.task.order_count == 2


def test_quotes_and_backslashes_in_words_arrive_as_they_were(trade_of):
    trade, words = trade_of("9710-list"), 'M3 "粗" \\ 牙'
    trade.read(workbook([row("list", gmodel=words, name='螺丝"A"')], LAYOUTS["list"].titles))
    (order,) = orders.orders_of(trade.task.id)
    assert order.lines[0][7] == words and order.lines[0][1] == '螺丝"A"'


def test_a_workbook_of_another_mode_is_refused_with_the_template_to_take(trade_of):
    started = trade_of("9710-list").read(workbook())
    assert started.state == "refused" and "第H列应是「运单号」，请下载清单模式模板" in started.problem


@pytest.mark.item("M196")
def test_the_page_of_an_import_names_columns_of_its_mode(exporter, profile, company, run_jobs):
    strategy = list_strategy(profile, "9710-list")
    exporter.open("/exports/tasks/new")
    file = ("list.xlsx", workbook([row("list", gcode="1")], LAYOUTS["list"].titles))
    exporter.submit("导入", {"file": file}, client_number="c1", strategy=str(strategy.id))
    run_jobs()
    exporter.open(exporter.url)
    assert "N 商品编码" in exporter.main and "90834" in exporter.main


@pytest.mark.item("M193")
def test_every_template_can_be_downloaded(exporter):
    exporter.open("/exports/tasks")
    assert "报关单模式模板下载" in exporter.main and "9610清单模式模板下载" in exporter.main
    for name, layout in LAYOUTS.items():
        answer = exporter.client.get(f"/exports/template?layout={name}", base_url=ORIGIN)
        sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).worksheets[0]
        assert answer.status_code == 200 and sheet.title == layout.title
    assert exporter.client.get("/exports/template?layout=../x", base_url=ORIGIN).status_code == 404


def list_strategy(profile, mode):
    strategy = make_strategy(profile, number=mode, mode=mode)
    strategy.details = {
        "customsCode": "0400", "portCode": "0401", "statisticsFlag": "A", "trafMode": "5", "wrapType": "2", "country": "502",
        "POD": "502", "fCurrency": "502", "iCurrency": "502", "logistics": "other", "logisticsCode": "1301960099",
        "logisticsName": "示例物流有限公司",
    }  # fmt: skip
    return strategy


@pytest.fixture
def trade_of(context, administrator, company, profile):
    from blueprints.exports.strategies import OTHER
    from models.database import session
    from tests.exports_world import Trade

    def made(mode: str) -> Trade:
        strategy = list_strategy(profile, mode)
        strategy.details = strategy.details | {"logistics": OTHER}
        session.commit()
        return Trade(context, administrator, company, strategy)

    return made

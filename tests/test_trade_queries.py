"""交易管理: the orders that customs has, and what happened to each."""

import io

import openpyxl
import pytest

from tests.conftest import log_in
from tests.exports_world import Customs, Trade, workbook

pytest_plugins = ["tests.card_fixtures", "tests.exports_fixtures"]


@pytest.fixture
def declared(browser, administrator, company, strategy, card):
    """TYDH005 stored by customs, TYDH006 concluded, TYDH007 sent back; and a browser of the company."""
    app = browser.client.application
    with app.app_context():
        trade = Trade(app, administrator, company, strategy)
        trade.read(workbook())
        trade.generate()
        trade.send(trade.push(card))
        rows = trade.rows()
        trade.hear(
            (rows["TYDH005"].Order, 3, "20261121100000000"), (rows["TYDH005"].Order, 120, "20261121103200000"),
            (rows["TYDH006"].Order, 399, "20261121103300000"), (rows["TYDH007"].Order, -301010, "20261121103400000", "重复"),
        )  # fmt: skip
    return log_in(browser, administrator)


def shown(browser) -> list[str]:
    return [row.find_all("td")[1].get_text() for row in browser.soup.select("tbody tr")]


@pytest.mark.item("M204", "M205")
def test_an_order_that_customs_stored_stands_in_the_open_list_and_a_concluded_one_in_the_other(declared):
    assert shown(declared.open("/trade_queries/orders/open")) == ["TYDH005"]
    assert "能在这里查到的订单，说明推送成功" in declared.main
    assert shown(declared.open("/trade_queries/orders/concluded")) == ["TYDH006"]


def test_orders_are_found_by_number_and_day(declared):
    assert shown(declared.open("/trade_queries/orders/open?order_no=TYDH005")) == ["TYDH005"]
    assert shown(declared.open("/trade_queries/orders/open?order_no=TYDH9")) == []
    assert "没有查到订单" in declared.main and "去数据申报管理" in declared.main
    assert shown(declared.open("/trade_queries/orders/open?to=20200101")) == []
    assert "日期要写8位数字" in declared.open("/trade_queries/orders/open?from=gestern").main


@pytest.mark.item("M204")
def test_the_menu_names_all_entries_of_the_manual_and_each_opens(declared):
    declared.open("/trade_queries/orders/open")
    menu = declared.soup.find("nav", attrs={"aria-label": "业务菜单"})
    assert [link.get_text(strip=True) for link in menu.find_all("a")] == [
        "订单查询(未审结)", "订单查询(已审结)", "收款单查询(未审结)", "收款单查询(已审结)", "清单管理", "退货管理", "汇总管理", "B2B管理",
    ]  # fmt: skip
    numbers = [declared.open(link["href"]).number for link in menu.find_all("a")]
    assert numbers == ["8101", "8102", "8104", "8105", "8106", "8107", "8108", "8109"]
    assert sorted(shown(declared)) == ["TYDH005", "TYDH006", "TYDH007"], "B2B管理 shows every state"
    assert shown(declared.open("/trade_queries/b2b?state=failed")) == ["TYDH007"]


@pytest.mark.item("M206")
def test_any_result_is_saved_as_a_workbook_with_the_times_of_each_stage(declared):
    declared.open("/trade_queries/b2b?order_no=TYDH005")
    link = next(a for a in declared.soup.find_all("a") if "存成表格" in a.get_text())["href"]
    data = declared.client.get(link, base_url="http://127.0.0.1:8080").data
    rows = list(openpyxl.load_workbook(io.BytesIO(data)).active.values)
    assert rows[0][:4] == ("序号", "编号", "任务编号", "总额") and len(rows) == 2
    assert rows[1][1] == "TYDH005" and rows[1][4] == "成功" and all(rows[1][6:11])


def test_the_time_line_tells_each_stage_with_its_time(declared):
    declared.open("/trade_queries/orders/open").follow("看经过TYDH005")
    assert declared.h1 == "订单TYDH005：成功"
    lines = [item.get_text(" ", strip=True) for item in declared.soup.select("main .says li")]
    assert [line.split(" ")[0] for line in lines[:4]] == ["导入", "生成申报数据", "用卡签名", "发送海关"]
    assert "发送海关成功（3） 2026-11-21 10:00" in lines[4] and "海关入库（120） 2026-11-21 10:32" in lines[5]


def test_a_refusal_is_told_in_words(declared):
    declared.open("/exports/orders?state=failed")
    assert "TYDH007" in declared.main
    declared.follow("TYDH007")
    assert declared.h1 == "订单TYDH007：失败" and "（-301010）" in declared.main and "重复" in declared.main
    assert "被海关退回的订单" in declared.open("/member").main


def test_what_is_still_to_come_says_who_acts_next(browser, app, administrator, company, strategy):
    with app.app_context():
        trade = Trade(app, administrator, company, strategy)
        trade.read(workbook())
        trade.generate()
        order = trade.rows()["TYDH005"].Order
    log_in(browser, administrator).open(f"/trade_queries/orders/{order.id}")
    assert "轮到您了：到数据申报管理点「推送」" in browser.main and "还没有收到" in browser.main


def test_odd_answers_of_customs_are_shown_as_they_came(declared):
    with Customs(declared) as customs:
        customs.hear(("AAAAAAAA-0000-4000-8000-000000000000", 120, "20261121110000000"))
        customs.hear(raw=b"garbage")
    declared.open("/exports/orders").follow("有对不上的回执")
    assert "没有这个订单" in declared.main and "文件读不懂" in declared.main

"""活动记录: what the accounts of a company did, in words, searched and exported; nobody sees another company's."""

import ast
import io
import zipfile
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from openpyxl import load_workbook

from blueprints.account.activity import GROUPS, ROWS, activity_book
from blueprints.common import clock
from blueprints.common.history import record
from models.database import session
from models.documents import HistoryEvent
from tests.browsing import ORIGIN
from tests.conftest import log_in, make_enterprise, make_user
from tests.test_transmission_id import apply_for_id

RARE = "𠮷字章😀"
FORMULA = '=HYPERLINK("http://evil.example","x")'


OF_STAFF = {"建立审核账号", "放回"}  # events of no company


def happened(company, act="创建申报任务", by="demo01", subject="task:1", **details):
    record(act, subject, by=by, enterprise_id=company.id, **details)
    session.commit()


def operator_of(company, name="demo01a"):
    return make_user(name, role="operator", enterprise=company, person=("王强", None, f"{name}@example.com"))


def lines(browser) -> list[list[str]]:
    return [
        [cell.get_text(" ", strip=True) for cell in row.find_all("td")] for row in browser.soup.select("#main tbody tr")
    ]


def exported(browser, **search) -> list[list[str]]:
    query = "&".join(f"{name}={quote(value)}" for name, value in search.items())
    answer = browser.client.get(f"/account/activity.xlsx?{query}", base_url=ORIGIN)
    assert answer.status_code == 200 and "spreadsheetml" in answer.mimetype
    sheet = load_workbook(io.BytesIO(answer.data)).active
    assert not any(cell.data_type == "f" or cell.hyperlink for row in sheet for cell in row)
    return [[cell.value or "" for cell in row] for row in sheet]


def test_acts_stand_in_words_newest_first(browser, administrator, company):
    happened(company, "code-chosen", subject=f"enterprise:{company.id}", code="1301960001")
    happened(company, "推送", subject="push:1", messages=3)
    happened(company, "从未见过的事", subject="odd:1", secret="not shown")
    log_in(browser, administrator).open("/account/activity")
    assert browser.number == "4090"
    assert [row[1:] for row in lines(browser)] == [
        ["demo01", "从未见过的事", "odd", "—"], ["demo01", "推送", "推送", "报文：3"],
        ["demo01", "选用海关编码", "本单位", "海关编码：1301960001"],
    ]  # fmt: skip
    assert "显示第 1 到第 3 条记录, 总共 3 条记录" in browser.main


def test_a_document_is_named_by_its_kind_and_number(browser, administrator):
    apply_for_id(log_in(browser, administrator))
    number = browser.soup.select_one("#main b.hot").get_text()
    browser.open("/account/activity?group=documents")
    assert {(row[2], row[3]) for row in lines(browser)} >= {
        ("提交申请", f"传输ID申请 {number}"),
        ("开始填写", f"传输ID申请 {number}"),
    }


def test_a_draft_that_was_never_sent_is_said_to_be_one(browser, administrator):
    log_in(browser, administrator).open("/access/transmission-id")
    browser.submit("开始填写")
    browser.open("/account/activity")
    assert lines(browser)[0][3] == "传输ID申请 （草稿）"


def test_another_companys_events_never_appear(browser, administrator, company):
    other = make_enterprise("别家", "91130100PDY000028G", code="1301960002")
    happened(other, "推送", by="demo01", subject="push:別")
    happened(company, "导入订单")
    log_in(browser, administrator).open("/account/activity")
    assert [row[2] for row in lines(browser)] == ["导入订单"]
    assert [row[2] for row in exported(browser)] == ["做了什么", "导入订单"]
    after = session.query(HistoryEvent).order_by(HistoryEvent.id.desc()).first().id + 1
    assert [row[2] for row in lines(browser.open(f"/account/activity?after={after}"))] == ["导入订单"]


def test_an_operator_sees_his_own_acts_and_nobody_elses(browser, administrator, company):
    operator = operator_of(company)
    for name in ("demo01", "demo01a", "demo01ab"):
        happened(company, by=name)
    log_in(browser, operator).open("/account/activity?person=demo01")
    assert [row[1] for row in lines(browser)] == ["demo01a"] and not browser.soup.find(id="person")
    assert [row[1] for row in exported(browser)] == ["用户名", "demo01a"]
    assert lines(browser.open("/account/activity?person=demo01ab")) == []
    log_in(browser, administrator).open("/account/activity")
    assert len(lines(browser)) == 3


def test_staff_without_company_have_no_such_page(browser, reviewer):
    assert log_in(browser, reviewer).open("/account/activity").status == 403
    assert browser.open("/account/activity.xlsx").status == 403


@pytest.mark.item("M24")
def test_the_list_is_searched_by_group_person_and_period(browser, administrator, company, clock_at):
    with clock_at(2026, 11, 20, 23, 59):
        happened(company, "登录", by="demo01", subject="user:1", medium="password")
    with clock_at(2026, 11, 21, 0, 1):
        happened(company, "登录", by="zhang", subject="user:2")
        happened(company, "使用印章", by="zhang", subject="seal:1", name="公章")
    log_in(browser, administrator).open("/account/activity")
    browser.submit("查询", group="login")
    assert [row[1] for row in lines(browser)] == ["zhang", "demo01"] and lines(browser)[1][4] == "登录方式：密码"
    browser.submit("查询", group="", person="zha")
    assert [row[2] for row in lines(browser)] == ["使用印章", "登录"]
    browser.submit("查询", person="", **{"from": "20261120", "to": "2026-11-20"})
    assert [row[1] for row in lines(browser)] == ["demo01"]
    browser.submit("查询", **{"from": "20261121", "to": ""})
    assert len(lines(browser)) == 2
    browser.submit("查询", person="nobody")
    assert "没有查到记录" in browser.main and "总共 0 条记录" in browser.main
    browser.follow("重置")
    assert len(lines(browser)) == 3


@pytest.mark.parametrize("query", ["from=2026", "to=99999999", "from=abc"])
def test_a_wrong_date_is_said_and_not_searched_by(browser, administrator, company, query):
    happened(company)
    log_in(browser, administrator).open(f"/account/activity?{query}")
    assert "日期要写8位数字" in browser.main and len(lines(browser)) == 1


@pytest.mark.parametrize("query", [
    "group=nothing", "after=x", "after=-1&n=-5", "person=%25", "person=%00", "person=' OR 1=1--", "from=00000000",
    "after=99999999999999999999999999",
])  # fmt: skip
def test_odd_addresses_break_nothing(browser, administrator, company, query):
    happened(company)
    assert log_in(browser, administrator).open(f"/account/activity?{query}").status == 200
    assert browser.client.get(f"/account/activity.xlsx?{query}", base_url=ORIGIN).status_code == 200


def test_a_percent_sign_is_no_wildcard(browser, administrator, company):
    happened(company, by="zhang")
    assert lines(log_in(browser, administrator).open("/account/activity?person=%25ang")) == []


@pytest.mark.item("M24")
def test_pages_follow_one_another_without_gap_and_carry_their_place(browser, administrator, company):
    for number in range(2 * ROWS + 3):
        record("推送", "push:1", by="demo01", enterprise_id=company.id, messages=number)
    session.commit()
    log_in(browser, administrator).open("/account/activity?group=exports")
    seen = lines(browser)
    browser.follow("下一页")
    assert f"显示第 {ROWS + 1} 到第 {2 * ROWS} 条记录, 总共 {2 * ROWS + 3} 条记录" in browser.main
    seen += lines(browser)
    browser.follow("下一页")
    seen += lines(browser)
    assert [row[4] for row in seen] == [f"报文：{number}" for number in range(2 * ROWS + 2, -1, -1)]
    assert not browser.soup.find("a", string="下一页")
    browser.follow("回第一页")
    assert f"显示第 1 到第 {ROWS} 条记录" in browser.main


def test_beyond_ten_thousand_the_total_says_or_more(browser, administrator, company):
    rows = [
        {"enterprise_id": company.id, "user_name": "demo01", "act": "推送", "subject": "push:1", "details": {}, "at": clock.now()}
        for _ in range(10_001)
    ]  # fmt: skip
    session.bulk_insert_mappings(HistoryEvent, rows)
    session.commit()
    log_in(browser, administrator).open("/account/activity")
    assert "总共 10000以上 条记录" in browser.main
    assert len(exported(browser)) == 10_002


def test_what_was_found_is_exported_as_text(browser, administrator, company):
    happened(company, "新增印章", subject="seal:1", name=FORMULA)
    happened(company, "新增印章", by="+cmd|' /C calc'!A0", subject="seal:1", name=RARE)
    happened(company, "新增印章", by="@SUM(1)", subject="seal:1", name="a\u0008b\ufffe")
    happened(company, "登录", subject="user:1")
    log_in(browser, administrator).open("/account/activity?group=seals")
    assert FORMULA in browser.main and RARE in browser.main
    rows = exported(browser, group="seals")
    assert rows[0] == ["时间", "用户名", "做了什么", "对什么", "内容"] and len(rows) == 4
    assert [row[4] for row in rows[1:]] == ["名称：ab", f"名称：{RARE}", f"名称：{FORMULA}"]
    assert rows[2][1] == "+cmd|' /C calc'!A0" and rows[1][1] == "@SUM(1)"
    browser.follow("导出xlsx")
    with zipfile.ZipFile(io.BytesIO(browser.response.data)) as book:
        assert "<f>" not in book.read("xl/worksheets/sheet1.xml").decode()


def test_the_workbook_holds_local_time_to_the_second(context, company, clock_at):
    with clock_at(2026, 11, 20, 10, 32):
        happened(company)
    sheet = load_workbook(activity_book([session.query(HistoryEvent).all()])).active
    assert sheet["A2"].value == "2026-11-20 10:32:00"


def test_events_of_a_moment_ago_are_within_today(browser, administrator, company):
    happened(company)
    today = f"{clock.today():%Y%m%d}"
    yesterday = f"{clock.today() - timedelta(days=1):%Y%m%d}"
    log_in(browser, administrator)
    assert len(lines(browser.open(f"/account/activity?from={today}&to={today}"))) == 1
    assert lines(browser.open(f"/account/activity?to={yesterday}")) == []


def acts_in_the_source():
    """The literal first arguments of every `record(…)` in the blueprints."""
    for path in sorted((Path(__file__).parents[1] / "blueprints").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "record" and node.args:
                act = node.args[0]
                for each in (act.body, act.orelse) if isinstance(act, ast.IfExp) else (act,):
                    if isinstance(each, ast.Constant):
                        yield each.value


def test_every_act_is_found_under_one_group():
    grouped = [act for _, acts in GROUPS.values() for act in acts]
    assert len(grouped) == len(set(grouped))
    assert set(acts_in_the_source()) - OF_STAFF <= set(grouped), "new acts belong into GROUPS of account/activity.py"

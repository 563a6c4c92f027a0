"""The officials' desk: the numbers of each day, and the register of companies."""

from datetime import date, datetime

import pytest

from blueprints.common import clock
from models.database import session
from models.documents import Decision, Participation
from tests.conftest import USCC, log_in, make_enterprise, make_user
from tests.test_reviews import put


@pytest.fixture
def helpdesk(app):
    return make_user("kefu1", role="staff", desks=["helpdesk"])


def rows_of(browser) -> dict[str, str]:
    """{first cell: the row's text}"""
    return {row.td.get_text(" ", strip=True): row.get_text(" ", strip=True) for row in browser.soup.select("tbody tr")}


# The numbers of each day


def decide_on(document, outcome: str, at: datetime, stage="review"):
    session.add(
        Decision(document_id=document.id, round=1, stage=stage, stage_title="", outcome=outcome, by="x", at=at, lines_data=[], reasons=[])
    )  # fmt: skip
    session.commit()


def local(*moment) -> datetime:
    return datetime(*moment, tzinfo=clock.SHANGHAI)


def test_the_numbers_of_each_day_are_those_of_the_day_in_china(browser, reviewer, clock_at):
    """Just after midnight in China it is the day before in UTC."""
    with clock_at(2026, 11, 24, 10):
        for n, outcome in enumerate(("approved", "approved", "returned", "refused")):
            decide_on(put(f"{n}公司", n, opened=local(2026, 11, 20, 0, 30)), outcome, local(2026, 11, 23, 23, 50))
        put("还等着", 9, opened=local(2026, 11, 23, 9), due=date(2026, 11, 23))
        put("不是本岗位的", 10, opened=local(2026, 11, 20, 9), desk="data-centre", kind="transmission-id")
        put("太早的", 11, opened=local(2026, 10, 25, 23, 59))
        log_in(browser, reviewer).open("/reviews/days")
    rows = rows_of(browser)
    assert rows["2026-11-20"] == "2026-11-20 4 0 0 0"
    assert rows["2026-11-23"] == "2026-11-23 1 2 1 1"
    assert rows["合计"] == "合计 5 2 1 1"
    assert len(rows) == 31 and "2026-10-26" in rows and "2026-10-25" not in rows
    pairs = {row.dt.get_text(): row.dd.get_text(strip=True) for row in browser.soup.select(".govuk-summary-list__row")}
    assert (pairs["现在等着办的"], pairs["其中已超期的"]) == ("6", "1")


def test_the_bars_are_a_picture_with_words_and_without_styles(other_browser, reviewer, clock_at):
    with clock_at(2026, 11, 24, 10):
        decide_on(put("甲", 1), "approved", clock.now())
        put("乙", 2)
        log_in(other_browser, reviewer).open("/reviews/days")
    plot = other_browser.soup.select_one("main svg[role=img]")
    assert plot.find(id=plot["aria-labelledby"]).get_text().startswith("最近30天：提交2件，通过1件")
    bars = [(float(bar["y"]), float(bar["height"])) for bar in plot.find_all("rect")]
    assert bars == [(0, 100), (50, 50)]
    assert plot["width"] == "100%" and not plot.select("[style], script, style")


@pytest.mark.parametrize(
    ("came", "went", "hours"),
    [
        ((2026, 11, 20, 16, 30), (2026, 11, 23, 9, 30), "2.0"),  # Friday to Monday
        ((2026, 11, 21, 12, 0), (2026, 11, 21, 15, 0), "0.0"),  # within a Saturday
        ((2026, 9, 30, 17, 0), (2026, 10, 8, 10, 0), "2.0"),  # over the National Day
        ((2025, 1, 2, 9, 0), (2026, 11, 23, 9, 0), None),  # older than the calendar kept: something, and no error
        ((2026, 11, 23, 3, 0), (2026, 11, 23, 20, 0), "9.0"),  # night does not count
    ],
)  # fmt: skip
def test_the_median_counts_working_hours_only(other_browser, reviewer, clock_at, came, went, hours):
    moment = max((2026, 11, 24, 10), went) if went[:2] == (2026, 11) else (2026, 10, 12, 10)
    with clock_at(*moment):
        decide_on(put("甲", 1, opened=local(*came)), "approved", local(*went))
        log_in(other_browser, reviewer).open("/reviews/days")
    assert f"{hours}个工作小时" in other_browser.main if hours else "个工作小时" in other_browser.main


def test_without_decisions_no_median_is_made_up(other_browser, helpdesk, reviewer):
    assert "这30天还没有决定" in log_in(other_browser, reviewer).open("/reviews/days").main
    assert "这30天还没有决定" in log_in(other_browser, helpdesk).open("/reviews/days").main


# The register of companies


def make_companies(count=45):
    for n in range(count):
        make_enterprise(f"冀{n:02}公司", f"9113010000000{n:04}A", code=None)


def names(browser) -> list[str]:
    return [cell.get_text(strip=True) for cell in browser.soup.select('td[data-label="单位名称"]')]


def test_the_register_pages_through_all_companies_by_name(browser, helpdesk):
    make_companies()
    log_in(browser, helpdesk).open("/reviews/companies")
    seen = names(browser)
    assert browser.number == "9004" and "显示第 1 到第 20 条记录, 总共 45 条记录" in browser.main
    browser.follow("下一页")
    seen += names(browser)
    browser.follow("下一页")
    assert "显示第 41 到第 45 条记录" in browser.main and "下一页" not in browser.main
    assert seen + names(browser) == [f"冀{n:02}公司" for n in range(45)]


def test_the_register_is_searched_by_code_or_beginning_of_the_name(browser, reviewer, company):
    make_companies(30)
    make_user("op1", enterprise=company, role="operator", person=("甲", "130100199901010027", "a@example.com"))
    log_in(browser, reviewer).open("/reviews/companies")
    for typed in (USCC, USCC.lower(), USCC[8:17], "示例"):
        browser.submit("查询", q=typed)
        assert names(browser) == [company.name], typed
    row = browser.soup.select_one("tbody tr").get_text(" ", strip=True)
    assert row.startswith(f"{company.name} {USCC} 三证合一企业 本站注册 未认证 1 ")
    browser.submit("查询", q="冀")
    assert "总共 30 条记录" in browser.main
    browser.follow("下一页")
    assert names(browser)[0] == "冀20公司" and browser.value("q") == "冀"
    for typed in ("公司", "%", "_"):
        browser.submit("查询", q=typed)
        assert "没有查到企业" in browser.main


def test_one_company_is_shown_masked_and_nothing_can_be_changed(browser, reviewer, company, administrator):
    administrator = session.merge(administrator)
    administrator.keep_mobile("13800000001")
    operator = make_user("op1", enterprise=company, role="operator", person=("张三丰", "130100199901010027", "zhangsanfeng@example.com"))  # fmt: skip
    operator.is_active = False
    document = put(company.name, 7, kind="transmission-id", desk="data-centre")
    session.add(Participation(document_id=document.id, role="applicant", enterprise_id=company.id, code="1301960001", may=["see"]))  # fmt: skip
    session.commit()
    log_in(browser, reviewer).open("/reviews/companies").follow("示例外贸")
    assert browser.number == "9005" and USCC in browser.main and "1301960001" in browser.main
    rows = rows_of(browser)
    assert "管理员" in rows["demo01"] and "正常" in rows["demo01"] and "1380***0001" in rows["demo01"]
    assert "操作员" in rows["op1"] and "停用" in rows["op1"]
    for secret in ("13800000001", "张三丰", "zhangsanfeng@example.com", "130100199901010027", "王芳"):
        assert secret not in browser.text
    assert "传输ID申请" in rows["0000 0000 0000 0007"] and "等待「数据分中心接单审核」" in rows["0000 0000 0000 0007"]
    assert not browser.soup.find("main").find_all(["form", "button", "input"])


def test_other_desks_get_no_register_and_are_told_why(other_browser, data_centre, company):
    log_in(other_browser, data_centre)
    for url in ("/reviews/companies", f"/reviews/companies/{company.id}"):
        other_browser.open(url)
        assert other_browser.status == 403 and company.name not in other_browser.main
        assert "企业名册由注册审核和客服岗位使用，您的账号没有这两个岗位" in other_browser.main


def test_a_company_that_is_none_is_not_found(other_browser, reviewer):
    log_in(other_browser, reviewer).open("/reviews/companies/00000000-0000-4000-8000-000000000000")
    assert other_browser.status == 404


@pytest.mark.parametrize("query", [{"after": "x|冀"}, {"after": "|"}, {"after": "\0|\0", "n": "-1"}, {"q": "\0"}])
def test_made_up_places_in_the_register_are_the_first_page(other_browser, reviewer, company, query):
    log_in(other_browser, reviewer)._request("GET", "/reviews/companies", query_string=query)
    assert names(other_browser) == [company.name]

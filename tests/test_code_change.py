"""The change of the customs code: what stands under each code, what has to be signed again (双号并行)."""

from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from sqlalchemy import event

from blueprints.common import clock
from models.accounts import find_enterprise, find_user
from models.agreements import (
    ACTIVE,
    APPROVED,
    DECLINED,
    ENDED,
    PENDING,
    RECEIVED,
    RETURNED,
    SENT,
    Agreement,
    Entrustment,
)
from models.codes import HeldCode
from models.database import session
from models.documents import HistoryEvent
from tests.browsing import ORIGIN
from tests.card_bridge_double import errors_of
from tests.conftest import USCC, log_in, make_enterprise, make_user
from tests.exports_world import workbook

pytest_plugins = ["tests.exports_fixtures"]
OLD, NEW, EXPIRED, THEIRS = "1301960001", "1301960011", "1301960021", "1301980004"
FOREVER = date(2099, 12, 31)
SHEET, CHANGE = "/account/qualifications?edit=1", f"/account/qualifications/code?code={NEW}"


def hold(company, code, until=FOREVER):
    session.add(HeldCode(enterprise_id=company.id, code=code, category="进出口货物收发货人", valid_from=date(2020, 1, 1),
                         valid_to=until, ecommerce_types=[], revision="1", seen_at=clock.now()))  # fmt: skip
    session.commit()


def sign(company, code=OLD, district="石家庄海关", state=APPROVED, until=FOREVER):
    session.add(Agreement(enterprise_id=company.id, customs_code=code, district=district, state=state, valid_to=until,
                          signed_at=clock.now()))  # fmt: skip
    session.commit()


def entrust(client, agent, code=OLD, agent_code=THEIRS, state=ACTIVE, until=FOREVER):
    session.add(Entrustment(client_id=client.id, client_code=code, agent_id=agent.id, agent_code=agent_code, state=state,
                            started_at=clock.now(), valid_to=until))  # fmt: skip
    session.commit()


@pytest.fixture
def broker(app):
    return make_enterprise("范例报关（石家庄）有限公司", "91130100PDY0000446", code=THEIRS)


@pytest.fixture
def two_codes(administrator):
    """The company holds the code in use, another valid one and one that ran out; its administrator."""
    company = administrator.enterprise
    hold(company, NEW)
    hold(company, EXPIRED, clock.today() - timedelta(days=1))
    return administrator


@pytest.fixture
def operator(two_codes):
    return make_user("demo01a", role="operator", enterprise=two_codes.enterprise, person=("钱小满", None, "q@b.cn"))


def in_use() -> str:
    session.expire_all()
    return find_user("demo01").enterprise.active_code


def changes() -> int:
    return session.query(HistoryEvent).filter(HistoryEvent.act == "code-chosen").count()


# -- the journey


@pytest.mark.item("M138", "M139", "M140", "M141", "M143", "M147")
def test_a_code_is_changed_while_business_under_the_old_one_is_open_and_changed_back(
    browser, two_codes, strategy, broker, run_jobs
):
    sign(two_codes.enterprise)
    entrust(two_codes.enterprise, broker)
    log_in(browser, two_codes).open("/exports/tasks/new")
    browser.submit("导入", {"file": ("a.xlsx", workbook())}, client_number="A1")
    run_jobs()

    browser.open("/member").follow("换一个")
    assert browser.number == "4004"
    browser.submit("保存", code=NEW)
    assert browser.number == "4081" and browser.h1 == f"海关编码要从{OLD}换成{NEW}"
    assert under_codes(browser) == {
        "没办完的申报任务": ("1", "0"), "待推送的订单": ("0", "0"), "等海关回执的订单": ("0", "0"), "传输ID": ("1", "0"),
        "通关无纸化三方协议": ("1", "0"), "报关代理委托": ("1", "0"), "没办完的报关单": ("0", "0"),
    }  # fmt: skip
    assert "没办完的申报任务： 1" in browser.main and "待推送的订单： 0" not in browser.main
    browser.submit("确认更换")

    assert browser.number == "4082" and "海关编码已经保存，变更将在重新登录后生效" in browser.main
    assert "和石家庄海关签的" in browser.main and "和范例报关（石家庄）有限公司签的" in browser.main
    browser.submit("重新登录")
    assert browser.number == "1002" and f"当前海关编码：{NEW}" in browser.main.replace("： ", "：")
    assert (
        "和石家庄海关重新签三方协议" in browser.main
        and "和范例报关（石家庄）有限公司重新签报关代理委托" in browser.main
    )
    assert "还没有申报任务" in browser.open("/exports/tasks").main
    assert "这个海关编码下没有三方协议" in browser.open("/agreements/").main

    browser.follow("换一个").submit("保存", code=OLD)
    browser.submit("确认更换")
    assert "没有要重新签约的" in browser.main
    browser.submit("重新登录")
    assert "A1" in browser.open("/exports/tasks").main
    assert "签约海关审批通过" in browser.open("/agreements/").main


def under_codes(browser) -> dict[str, tuple[str, str]]:
    rows = [row.find_all("td") for row in browser.soup.select("#main tbody tr")]
    return {row[0].get_text(strip=True): (cell_number(row[1]), cell_number(row[2])) for row in rows}


def cell_number(cell) -> str:
    return "".join(letter for letter in cell.get_text() if letter.isdigit())


@pytest.mark.item("M137", "M139", "M142")
def test_the_question_says_why_a_change_can_hurt_and_what_customs_allows(browser, two_codes):
    log_in(browser, two_codes).open(CHANGE)
    for words in (
        "企业由于某些原因，海关注册编码需进行变更，但原海关注册编码下的业务还没有全部完结，如果这时候轻易切换海关注册编码，会导致之前的业务数据丢失或无法查询，影响企业后续手册核销、收付汇和退税申报等。",
        "可以向海关申请暂时保留原海关注册编码，在一定时间内同一企业双海关注册编码同时使用",
        "电子口岸卡不用重新办",
        f"原来的编码{OLD}下没有留下什么，可以放心换",
    ):
        assert words in browser.main
    browser.follow("先不换")
    assert browser.number == "4004" and in_use() == OLD


def test_before_the_login_is_renewed_the_counted_things_are_not_linked_to_lists_of_the_older_code(
    browser, two_codes, strategy
):
    sign(two_codes.enterprise)
    log_in(browser, two_codes).open(CHANGE)
    assert browser.soup.select("#main td a[href='/agreements/']")
    browser.submit("确认更换")
    browser.open(f"/account/qualifications/code?code={OLD}")
    assert browser.number == "4081" and not browser.soup.select("#main td a")


@pytest.mark.item("M70")
def test_another_browser_stays_on_the_old_code_and_is_told(browser, other_browser, two_codes, operator):
    log_in(other_browser, operator).open("/member")
    log_in(browser, two_codes).open(CHANGE).submit("确认更换")
    other_browser.open("/exports/tasks")
    assert "变更将在重新登录后生效" in other_browser.main and OLD in other_browser.main
    other_browser.submit("重新登录")
    assert NEW in other_browser.main and "变更将在重新登录后生效" not in other_browser.main


def test_the_page_of_what_to_sign_has_one_button_to_log_in_anew_and_only_while_that_is_due(browser, two_codes):
    log_in(browser, two_codes).open(CHANGE).submit("确认更换")
    assert [b.get_text() for b in browser.soup.find_all("button") if "重新登录" in b.get_text()] == ["重新登录"]
    browser.submit("重新登录")
    assert not browser.open("/account/qualifications/signing").can_press("重新登录")


def test_a_company_without_a_code_in_use_chooses_its_first(browser, app):
    company = make_enterprise(code=None)
    hold(company, NEW)
    user = make_user(enterprise=company)
    log_in(browser, user).open(SHEET).submit("保存", code=NEW)
    assert browser.h1 == f"海关编码要用{NEW}"
    browser.submit("确认更换")
    assert find_enterprise(USCC).active_code == NEW and browser.number == "4082"


# -- what must be signed again


@pytest.mark.item("M140", "M143")
@pytest.mark.parametrize(("theirs", "again"), [
    (None, True), ({"state": SENT}, False), ({"state": RECEIVED}, False), ({"state": APPROVED}, False),
    ({"state": RETURNED}, True), ({"state": ENDED}, True), ({"district": "天津海关"}, True),
    ({"until": date(2020, 1, 1)}, True),
])  # fmt: skip
def test_an_agreement_is_signed_again_unless_one_with_the_same_district_stands_under_the_new_code(
    browser, two_codes, theirs, again
):
    sign(two_codes.enterprise)
    if theirs:
        sign(two_codes.enterprise, NEW, **theirs)
    log_in(browser, two_codes).open(CHANGE).submit("确认更换")
    assert ("和石家庄海关签的" in browser.main) == again
    why = "通关无纸化读取的企业海关编码数据，在【我的资质】更换海关编码之后退出重新登录，重新签约通关无纸化。"
    assert (why in browser.main) == again


@pytest.mark.parametrize("old", [{"state": SENT}, {"state": ENDED}, {"until": date(2020, 1, 1)}])
def test_an_agreement_that_was_not_in_force_is_not_asked_for_again(browser, two_codes, old):
    sign(two_codes.enterprise, **old)
    log_in(browser, two_codes).open(CHANGE).submit("确认更换")
    assert "没有要重新签约的" in browser.main


@pytest.mark.item("M143", "M144")
@pytest.mark.parametrize(("theirs", "again"), [
    (None, True), ({"state": PENDING}, False), ({"state": ACTIVE}, False), ({"state": DECLINED}, True),
    ({"state": ENDED}, True), ({"until": date(2020, 1, 1)}, True),
])  # fmt: skip
def test_an_entrustment_is_signed_again_unless_one_with_the_same_agent_stands_under_the_new_code(
    browser, two_codes, broker, theirs, again
):
    entrust(two_codes.enterprise, broker)
    if theirs:
        entrust(two_codes.enterprise, broker, NEW, **theirs)
    log_in(browser, two_codes).open(CHANGE).submit("确认更换")
    assert ("和范例报关（石家庄）有限公司签的" in browser.main) == again
    why = "报关代理委托读取的是企业海关编码，编码变更了已经签过的委托就查不到了，需要重新签约。"
    assert (why in browser.main) == again


def test_an_agent_that_changed_its_code_signs_again_with_its_clients(browser, broker, company):
    hold(broker, "1301980014")
    entrust(company, broker)
    user = make_user("demo04", enterprise=broker, person=("宋长宁", None, "s@b.cn"))
    log_in(browser, user).open("/account/qualifications/code?code=1301980014").submit("确认更换")
    assert f"和{company.name}签的" in browser.main and THEIRS in browser.main
    assert "请先到中央标准应用办" in browser.main
    link = browser.soup.find("a", string="去中央标准应用")
    assert link["href"] == "https://www.singlewindow.cn/"


def test_what_others_signed_is_nobody_elses_to_sign_again(browser, two_codes, broker):
    other = make_enterprise("别家有限公司", "91130100PDY000028G", code=None)
    sign(other, "1301960002")
    entrust(other, broker, "1301960002")
    log_in(browser, two_codes).open("/account/qualifications/signing")
    assert "没有要重新签约的" in browser.main
    assert "重新签" not in browser.open("/member").main


# -- who may, and what is not a code of the company


@pytest.fixture
def stranger(broker):
    return broker.active_code


@pytest.mark.parametrize("code", [EXPIRED, THEIRS, "", "1301960099", f"{NEW}0", "' OR 1=1"])
def test_a_code_that_the_company_does_not_hold_today_is_not_asked_about_and_not_taken(
    browser, two_codes, stranger, code
):
    log_in(browser, two_codes).open(CHANGE)
    assert browser.open(f"/account/qualifications/code?code={code}").status == 404
    browser.open(CHANGE).submit("确认更换", code=code)
    assert errors_of(browser)[0].startswith("90566") and browser.status == 200
    assert in_use() == OLD and changes() == 0


def test_a_code_posted_twice_changes_once(browser, two_codes):
    log_in(browser, two_codes).open(CHANGE)
    data = {"csrf_token": browser.value("csrf_token"), "code": NEW, "before": OLD}
    for _ in range(2):
        browser._request("POST", "/account/qualifications/code", data=data)
        assert browser.number == "4082"
    assert in_use() == NEW and changes() == 1
    assert browser.open(CHANGE).number == "4082", "nothing is left to ask"


def test_who_asks_while_somebody_else_changes_the_code_is_shown_what_is_in_use_now(browser, other_browser, two_codes):
    hold(two_codes.enterprise, "1301960031")
    log_in(browser, two_codes).open(CHANGE)
    log_in(other_browser, two_codes).open("/account/qualifications/code?code=1301960031").submit("确认更换")
    browser.submit("确认更换")
    assert browser.h1 == f"海关编码要从1301960031换成{NEW}" and "刚刚被换成了1301960031" in browser.main
    assert in_use() == "1301960031"
    browser.submit("确认更换")
    assert in_use() == NEW


def test_two_codes_in_one_post_are_none(browser, two_codes):
    log_in(browser, two_codes).open(CHANGE).submit("确认更换", code=[NEW, OLD])
    assert errors_of(browser)[0].startswith("90566") and in_use() == OLD


@pytest.mark.item("M62", "M211")
@pytest.mark.parametrize(("medium", "may"), [("password", False), ("操作员卡", False), ("法人卡", True)])
def test_an_operator_changes_the_code_only_with_the_legal_persons_card(browser, operator, medium, may):
    log_in(browser, operator, medium).open("/account/cards")
    data = {"csrf_token": browser.value("csrf_token"), "code": NEW, "before": OLD}
    assert (browser.open(CHANGE).status == 200) == may
    answer = browser.client.post("/account/qualifications/code", data=data, base_url=ORIGIN)
    assert answer.status_code == (303 if may else 403)
    assert in_use() == (NEW if may else OLD)
    if not may:
        browser.open(SHEET)
        assert browser.status == 200 and not browser.can_press("保存")
        assert "要用法人卡登录，或者由本单位的管理员账号来办" in browser.main
        for path in ("/account/qualifications", "/account/qualifications/refresh"):
            assert browser.client.post(path, data=data, base_url=ORIGIN).status_code == 403
            assert "90122" in browser.client.post(path, data=data, base_url=ORIGIN).text


# -- the code that a list is about


@pytest.mark.item("M141")
@pytest.mark.parametrize("path", ["/member", "/exports/tasks", "/exports/orders", "/exports/profiles",
                                  "/trade_queries/orders/open", "/trade_queries/orders/concluded", "/agreements/",
                                  "/agreements/entrustments"])  # fmt: skip
def test_every_list_says_its_code_and_leads_to_another(browser, other_browser, two_codes, operator, path):
    log_in(browser, two_codes).open(path)
    assert f"当前海关编码：{OLD}" in browser.main.replace("： ", "：")
    assert browser.follow("换一个").number == "4004"
    log_in(other_browser, operator).open(path)
    assert "请找本单位的管理员换" in other_browser.main
    assert not [a for a in other_browser.soup.find_all("a") if "换一个" in a.get_text()]


def test_a_company_of_one_code_is_not_offered_another(browser, administrator):
    log_in(browser, administrator).open("/exports/tasks")
    assert f"当前海关编码：{OLD}" in browser.main.replace("： ", "：") and "换一个" not in browser.main


@pytest.mark.parametrize("path", ["/member", "/exports/tasks", "/agreements/"])
def test_the_number_of_codes_is_asked_once_a_page(browser, two_codes, path):
    log_in(browser, two_codes).open(path)
    with counted_statements("FROM held_codes") as statements:
        browser.open(path)
    assert len(statements) == 1


@contextmanager
def counted_statements(words: str):
    engine, seen = session.connection().engine, []

    def note(connection, cursor, statement, *rest):
        if words in " ".join(statement.split()):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)

"""通关无纸化三方协议 and 报关代理委托: each list shows one company and one customs code; 货物申报 asks for an agreement."""

from datetime import date, timedelta

import pytest

from blueprints.agreements.routes import agreement_needed
from blueprints.common import clock
from blueprints.common.access import Principal
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
from models.database import session
from tests.conftest import log_in, make_enterprise, make_user

OURS, THEIRS = "1301960001", "1301980004"
FOREVER, PAST = date(2099, 12, 31), date(2020, 1, 1)


@pytest.fixture
def broker(app):
    return make_enterprise("范例报关（石家庄）有限公司", "91130100PDY0000446", code=THEIRS)


def sign(company, district="石家庄海关", code=OURS, state=APPROVED, until=FOREVER, ended=None):
    row = Agreement(enterprise_id=company.id, customs_code=code, district=district, state=state, valid_to=until,
                    signed_at=clock.now(), ended_at=ended)  # fmt: skip
    session.add(row)
    session.commit()
    return row


def entrust(client, agent, code=OURS, agent_code=THEIRS, state=ACTIVE, until=FOREVER, at=None):
    row = Entrustment(client_id=client.id, client_code=code, agent_id=agent.id, agent_code=agent_code, state=state,
                      started_at=at or clock.now(), valid_to=until)  # fmt: skip
    session.add(row)
    session.commit()
    return row


def lines(browser) -> list[list[str]]:
    return [[cell.get_text(strip=True) for cell in row.find_all("td")] for row in browser.soup.select("#main tbody tr")]


@pytest.mark.item("M145", "M147")
def test_only_agreements_of_this_company_under_this_code_are_listed(browser, administrator, broker, clock_at):
    with clock_at(2026, 11, 20, 10, 32):
        sign(administrator.enterprise)
    sign(administrator.enterprise, "天津海关", code="1301960011")
    sign(broker, "大连海关", code=THEIRS)
    sign(broker, "青岛海关", code=OURS)
    log_in(browser, administrator).open("/member").follow("通关无纸化三方协议")
    assert browser.number == "6201"
    assert lines(browser) == [["石家庄海关", OURS, "2026-11-20 10:32", "长期", "—", "签约海关审批通过"]]
    assert "总共 1 条记录" in browser.main


@pytest.mark.parametrize(("state", "until", "words"), [
    (SENT, FOREVER, "签约已发往海关"), (RECEIVED, FOREVER, "海关入库成功"), (APPROVED, FOREVER, "签约海关审批通过"),
    (RETURNED, FOREVER, "海关退回"), (ENDED, FOREVER, "已解约"), (APPROVED, PAST, "已过期"), (ENDED, PAST, "已解约"),
])  # fmt: skip
def test_the_state_of_an_agreement_is_said_in_words(browser, administrator, state, until, words):
    sign(administrator.enterprise, state=state, until=until)
    log_in(browser, administrator).open("/agreements/")
    assert lines(browser)[0][5] == words
    is_good = (state, until) == (APPROVED, FOREVER)
    assert ("通关无纸化三方协议不存在" in browser.main) == (not is_good)
    assert ("请先到中央标准应用办" in browser.main) == (not is_good)


@pytest.mark.item("M147")
def test_both_sides_of_an_entrustment_see_the_other_party_under_their_own_code(
    browser, other_browser, administrator, broker, clock_at
):
    with clock_at(2026, 11, 20, 10, 32):
        entrust(administrator.enterprise, broker, until=date(2027, 11, 20))
        entrust(administrator.enterprise, broker, code="1301960011", agent_code="1301980014")
    log_in(browser, administrator).open("/member").follow("报关代理委托")
    assert browser.number == "6202"
    end = ["2026-11-20 10:32", "2027-11-20", "—", "生效"]
    assert lines(browser) == [["1", broker.name, THEIRS, "被委托方", *end]]
    agent = make_user("demo04", enterprise=broker, person=("宋长宁", None, "s@b.cn"))
    log_in(other_browser, agent).open("/agreements/entrustments")
    assert lines(other_browser) == [["1", administrator.enterprise.name, OURS, "委托方", *end]]


@pytest.mark.item("M147")
def test_an_entrustment_between_others_is_seen_by_nobody_else(browser, administrator, broker):
    other = make_enterprise("别家有限公司", "91130100PDY000028G", code="1301960002")
    entrust(other, broker, code="1301960002")
    entrust(other, broker, code=OURS)
    log_in(browser, administrator).open("/agreements/entrustments")
    assert not lines(browser) and "别家有限公司" not in browser.text


@pytest.mark.parametrize(("state", "until", "words"), [
    (PENDING, FOREVER, "待确认"), (ACTIVE, FOREVER, "生效"), (DECLINED, FOREVER, "未接受"), (ENDED, FOREVER, "已终止"),
    (ACTIVE, PAST, "已过期"),
])  # fmt: skip
def test_the_state_of_an_entrustment_is_said_in_words(browser, administrator, broker, state, until, words):
    entrust(administrator.enterprise, broker, state=state, until=until)
    log_in(browser, administrator).open("/agreements/entrustments")
    assert lines(browser)[0][7] == words


def test_many_entrustments_are_paged_newest_first(browser, administrator, broker):
    now = clock.now()
    for index in range(12):
        entrust(administrator.enterprise, broker, at=now - timedelta(days=index // 2))
    log_in(browser, administrator).open("/agreements/entrustments")
    assert len(lines(browser)) == 10 and "显示第 1 到第 10 条记录, 总共 12 条记录" in browser.main
    first = [line[4] for line in lines(browser)]
    browser.follow("下一页")
    assert [line[0] for line in lines(browser)] == ["11", "12"] and "总共 12 条记录" in browser.main
    assert [*first, *(line[4] for line in lines(browser))] == sorted(
        (*first, *(r[4] for r in lines(browser))), reverse=True
    )
    assert len(lines(browser.follow("回第一页"))) == 10


@pytest.mark.parametrize("cursor", ["x", "1|2|3", "1|2026-01-01T00:00:00|x", "|||", "\x00",
                                    "1|0001-01-01T00:00:00+08:00|00000000-0000-4000-8000-000000000000"])  # fmt: skip
def test_a_cursor_that_is_none_begins_at_the_top(browser, administrator, broker, cursor):
    entrust(administrator.enterprise, broker)
    log_in(browser, administrator).open(f"/agreements/entrustments?after={cursor}")
    assert [line[0] for line in lines(browser)] == ["1"]


@pytest.mark.item("M141", "M147")
@pytest.mark.parametrize(("path", "what"), [("/agreements/", "协议"), ("/agreements/entrustments", "委托")])
def test_an_empty_list_says_that_another_code_may_be_the_cause_and_where_to_sign(browser, administrator, path, what):
    log_in(browser, administrator).open(path)
    assert f"换过海关编码的话，原来签的{what}在原来的编码下面，这里查不到，要重新签约" in browser.main
    assert "签约的表格正在建设，请先到中央标准应用办" in browser.main and "总共 0 条记录" in browser.main
    assert browser.soup.find("a", string="去中央标准应用")["href"] == "https://www.singlewindow.cn/"
    assert browser.follow("查看常见问题").number == "1009"
    assert "通关无纸化三方协议不存在" in browser.main


# -- what 货物申报 asks


def goods(browser) -> str:
    return next(line.get_text(strip=True) for line in browser.soup.select(".menu li") if "货物申报" in line.get_text())


@pytest.mark.item("M140", "M145")
def test_the_declaration_of_goods_says_that_the_agreement_is_missing_and_leads_to_it(browser, administrator):
    log_in(browser, administrator).open("/member")
    assert goods(browser) == "货物申报通关无纸化三方协议不存在去签约"
    assert browser.follow("去签约").number == "6201"
    browser.open("/why")
    assert "通关无纸化三方协议不存在" in browser.main


def test_with_an_agreement_the_declaration_of_goods_is_open(browser, administrator):
    sign(administrator.enterprise)
    log_in(browser, administrator).open("/member")
    assert goods(browser) == "货物申报"
    assert browser.follow("货物申报").number == "8201"


@pytest.mark.item("M145")
@pytest.mark.parametrize(("values", "missing"), [
    ({}, False), ({"state": SENT}, True), ({"state": RECEIVED}, True), ({"state": RETURNED}, True), ({"state": ENDED}, True),
    ({"code": "1301960011"}, True), ({"until": PAST}, True), ({"until": "today"}, False),
])  # fmt: skip
def test_only_an_approved_agreement_in_force_under_the_code_of_the_login_counts(context, company, values, missing):
    if values.get("until") == "today":
        values = {"until": clock.today()}
    sign(company, **values)
    who = Principal(company.id, "李明", "administrator", company.id, company.name, company.uscc, OURS)
    reason = agreement_needed(who)
    assert (reason is not None) == missing
    assert not reason or (reason.number, reason.mend) == ("90121", "去签约")


def test_another_companys_agreement_does_not_count(context, company, broker):
    sign(broker, code=OURS)
    who = Principal(company.id, "李明", "administrator", company.id, company.name, company.uscc, OURS)
    assert agreement_needed(who).number == "90121"


def test_a_company_without_a_code_is_told_to_choose_one(browser, app):
    log_in(browser, make_user(enterprise=make_enterprise(code=None))).open("/agreements/")
    assert browser.status == 403 and "90107" in browser.main
    assert browser.follow("去我的资质").number == "4004"


@pytest.mark.item("M146")
def test_entrustment_stands_under_the_declaration_of_goods_and_both_guides_are_there(browser, administrator):
    log_in(browser, administrator).open("/member")
    heading = browser.soup.find("h2", string="货物申报")
    assert "报关代理委托" in heading.find_next("ul").get_text()
    browser.open("/guides")
    for title in ("通关无纸化企业网上签约子系统操作指南", "通关无纸化代理报关委托子模块操作指南"):
        assert browser.soup.find("a", string=title)

"""What the officials' desk shows beside the answers, and how it decides: reasons, two reviewers, machines, the second look."""

from dataclasses import replace

import pytest

from blueprints.common.kinds import Desk, Machine, Stage
from models.accounts import find_enterprise
from models.database import session
from models.documents import Document, RegisterCheck
from tests.browsing import Browser
from tests.conftest import USCC, log_in, make_user
from tests.test_registration import fill_registration
from tests.test_reviews import open_stage


@pytest.fixture
def colleague(app):
    return make_user("reviewer2", role="staff", desks=["registration"])


@pytest.fixture
def review(browser, other_browser, reviewer):
    """A registration that waits, and the reviewer's browser at it."""
    fill_registration(browser).submit("提交")
    log_in(other_browser, reviewer).open("/reviews/")
    return other_browser.follow("审核示例外贸")


# What helps to decide


def test_the_company_register_stands_beside_the_answers(review):
    record = {
        "company/name": "示例外贸（石家庄）有限公司",
        "company/address": "石家庄市裕华区1号",
        "contacts/legal_name": "王芳",
    }
    check = session.get(RegisterCheck, open_stage().document_id)
    check.outcome, check.record = "found", record
    session.commit()
    review.open(review.url)
    assert "和企业登记库核对过" in review.main
    rows = {row.b.get_text(): row.get_text(" ", strip=True) for row in review.soup.select("tbody tr")}
    assert "登记库一致" in rows["单位名称"]
    assert "登记库：石家庄市裕华区1号" in rows["单位地址"] and "一致" not in rows["单位地址"]
    assert "登记库" not in rows["平台帐户名"]


def test_a_soft_rule_is_shown_beside_its_line(browser, other_browser, reviewer):
    fill_registration(browser, uscc=USCC[:-1] + "1").submit("提交")
    log_in(other_browser, reviewer).open("/reviews/").follow("审核示例外贸")
    rows = {row.b.get_text(): row.get_text(" ", strip=True) for row in other_browser.soup.select("tbody tr")}
    assert "末位按国家标准算应是“G”" in rows["统一社会信用代码"] and "末位的校验码" not in rows["单位名称"]


@pytest.mark.item("M57")
def test_the_reviewer_chooses_among_the_regions_reasons_and_gives_several(review, browser, app):
    reasons = app.config["REGION"]["reasons"]["registration"]
    select = review.soup.find(attrs={"name": "why:company/name"})
    assert [option.get_text() for option in select.find_all("option")][1:-1] == reasons
    receipt = browser.url
    review.submit("退回写了原因的项", **{"why__company/name": reasons[0], "why__company/address": "other", "say__company/address": "请写到门牌号"})  # fmt: skip
    assert "写了2项原因" in review.main
    browser.open(receipt)
    assert reasons[0] in browser.main and "请写到门牌号" in browser.main


@pytest.mark.item("M57")
def test_an_application_goes_through_its_states_and_a_refused_company_may_apply_again(
    app, browser, other_browser, reviewer
):
    fill_registration(browser)
    browser.submit("提交")
    receipt = browser.url
    assert "等待「注册审核」" in browser.main
    desk = log_in(other_browser, reviewer).open("/reviews/").follow("审核示例外贸")
    desk.submit("不予通过", refusal="证照是别家的")
    browser.open(receipt)
    assert "不予通过" in browser.main and "证照是别家的" in browser.main
    again = Browser(app)
    fill_registration(again).submit("提交")
    assert again.h1 == "企业注册回执"
    desk.open("/reviews/").follow("审核示例外贸").submit("全部通过")
    again.open(again.url)
    assert "已通过" in again.main and find_enterprise(USCC)


def with_stages(app, monkeypatch, *stages):
    office = app.config["OFFICE"]
    kind = replace(office.kinds["registration"], stages=stages)
    monkeypatch.setitem(app.config, "OFFICE", replace(office, kinds={**office.kinds, "registration": kind}))


FIRST = Stage("2006", "review", "初审", Desk("registration"))
SECOND = Stage("2007", "second", "复审", Desk("registration"), after=("review",), apart_from=("review",))


def test_who_decided_the_first_stage_is_told_why_the_second_is_not_his(app, browser, reviewer, colleague, monkeypatch):
    with_stages(app, monkeypatch, FIRST, SECOND)
    fill_registration(browser).submit("提交")
    mine = log_in(Browser(app), reviewer).open("/reviews/").follow("审核示例外贸")
    url = mine.url
    mine.submit("全部通过")
    mine.open(url)
    assert "“初审”是您审的，“复审”要由另一位审核人员来审，您这里不能再决定。" in mine.main and "90234" in mine.main
    assert "现在没有等您决定的环节" not in mine.main and not mine.can_press("领办") and not mine.can_press("通过")
    theirs = log_in(Browser(app), colleague).open(url)
    assert "90234" not in theirs.main
    theirs.submit("全部通过")
    assert find_enterprise(USCC)


def test_it_is_said_what_a_machine_waits_for(app, browser, reviewer, monkeypatch, clock_at):
    with_stages(app, monkeypatch, FIRST, Stage("2007", "wait", "等待期", Machine("clock"), after=("review",)))
    with clock_at(2026, 11, 20, 10, 32):
        fill_registration(browser).submit("提交")
        desk = log_in(Browser(app), reviewer).open("/reviews/").follow("审核示例外贸")
        url = desk.url
        desk.submit("全部通过")
        desk.open(url)
    assert "“等待期”由系统来办：11月20日10:32起在等" in desk.main and not desk.can_press("通过")


def test_what_is_typed_among_all_lines_stays_when_the_second_look_is_refused(
    app, browser, other_browser, reviewer, colleague
):
    fill_registration(browser).submit("提交")
    receipt = browser.url
    desk = log_in(other_browser, reviewer).open("/reviews/").follow("审核示例外贸")
    desk.submit("退回写了原因的项", **{"why__company/address": "other", "say__company/address": "请写到门牌号"})
    desk.open(desk.url + str(session.query(Document).one().id))
    assert "第1次提交已退回，等申请人改好再交。" in desk.main and "轮到您了" not in desk.main
    browser.open(receipt).follow("去修改")
    browser.submit("保存，去下一步", address="石家庄市长安区中山东路2号")
    browser.submit("提交")
    desk.open("/reviews/").follow("审核示例外贸").follow("看全部")
    log_in(Browser(app), colleague).open(desk.url).submit("领办")
    desk.submit("退回写了原因的项", **{"why__company/name": "other", "say__company/name": "名称不全"})
    assert desk.value("say:company/name") == "名称不全" and desk.errors

"""The pages of a draft: next, back, 暂存, autosave, errors, lists, strangers, two tabs."""

import pytest

from tests.browsing import Browser
from tests.conftest import log_in
from tests.engine.walking import (
    FILE,
    NEXT,
    NO_MORE,
    add_item,
    autosave,
    begin,
    document_of,
    fill_link,
    fill_opening,
    root_of,
)  # fmt: skip


@pytest.fixture
def browser(app):
    return Browser(app)


@pytest.fixture
def anna(browser, people):
    return log_in(browser, people.users["anna"], "法人卡")


@pytest.fixture
def at_home(app, people):
    """Anna's second tab, or her PC at home."""
    return log_in(Browser(app, "htmx"), people.users["anna"], "法人卡")


@pytest.fixture
def boris(other_browser, people):
    return log_in(other_browser, people.users["boris"], "法人卡")


@pytest.mark.parametrize("kind", ["page", "htmx"])
def test_a_kind_without_account_goes_from_start_to_receipt(app, kind):
    browser = Browser(app, kind)
    fill_opening(browser)
    assert browser.h1 == "核对一遍，再提交"
    assert "丁公司" in browser.main and "执照.png" in browser.main and "horse" not in browser.text
    browser.submit("提交")
    assert browser.h1 == "开户回执" and "2026-11-24 下班前" in browser.main


@pytest.mark.parametrize("kind", ["opening", "link", "entrustment", "booking", "phone", "qualification", "warehouse"])
def test_each_kind_starts_at_its_first_page_with_its_number_and_no_complaint(anna, office, kind):
    begin(anna, kind)
    assert anna.number == office.kinds[kind].steps[0].number
    assert anna.errors == [] and not anna.soup.select(".govuk-error-message")


def test_a_page_that_needs_a_card_says_so(browser, people):
    log_in(browser, people.users["anna"], "password").open("/made-up/entrustment")
    assert browser.status == 403 and "请改用法人卡登录" in browser.main


# 暂存, errors


def test_a_page_keeps_what_is_unfinished_and_wrong_without_complaint(browser):
    begin(browser, "opening").submit(NEXT, type="new")
    browser.submit("暂存", name="", uscc="91")
    assert "没填完、填错了都先留着" in browser.main
    assert browser.errors == [] and not browser.soup.select(".govuk-error-message")
    assert browser.value("uscc") == "91"
    assert document_of(browser).answers["company"].typed["uscc"] == ["91"]


def test_next_says_each_error_with_its_number_and_keeps_what_was_typed(browser):
    begin(browser, "opening").submit(NEXT, type="new")
    browser.submit(NEXT, name="", uscc="91")
    assert browser.errors == ["01 请填写「单位名称」", "02 应为18至18位"]
    assert "90001" in browser.main and "97901" in browser.main
    assert [a["href"] for a in browser.soup.select(".govuk-error-summary a")] == ["#name", "#uscc"]
    assert browser.soup.find(id="name") and browser.soup.find(id="uscc")
    assert browser.value("uscc") == "91" and browser.number == "970120"
    assert "错误：" in browser.soup.title.get_text()


def test_errors_are_shown_only_on_pages_saved_before(anna):
    begin(anna, "link")
    assert anna.errors == []
    anna.submit("暂存", phone="")
    anna.open(root_of(anna))
    assert anna.errors == ["02 请填写「联系方式」"]


def test_resume_lands_on_the_first_problem(anna):
    fill_link(anna)
    root = root_of(anna)
    anna.open(f"{root}/node").submit(NEXT, node="3")
    assert anna.url == f"{root}/device" and anna.errors == ["01 「密码设备」请重新选择：原来的选项已不可用"]
    anna.open("/").open(root)
    assert anna.url == f"{root}/device"


def test_a_draft_goes_on_where_it_was_left(anna):
    begin(anna, "link").submit(NEXT, phone="1")
    root = root_of(anna)
    anna.open(root)
    assert anna.url == f"{root}/node" and anna.errors == []


@pytest.mark.parametrize("ahead", ["device", "check"])
def test_nobody_can_skip_ahead(anna, ahead):
    begin(anna, "link")
    root = root_of(anna)
    anna.open(f"{root}/{ahead}")
    assert anna.url == f"{root}/company"


def test_a_submission_before_the_end_says_what_is_missing(anna):
    fill_link(anna)
    root = root_of(anna)
    tab = Browser(anna.client.application)
    tab.client = anna.client
    tab.open(f"{root}/check")
    anna.open(f"{root}/node").submit("暂存", node="", data=[])
    tab.submit("提交")
    assert tab.h1 == "核对一遍，再提交" and "请选择「传输节点」" in tab.errors
    assert document_of(tab).submissions == []
    tab.follow("请选择「传输节点」")
    assert tab.number == "970520"


def test_change_returns_to_the_check_page(anna):
    fill_link(anna)
    anna.follow("修改企业信息")
    assert anna.value("phone") == "0571-95198"
    anna.submit(NEXT, phone="0571-1")
    assert anna.h1 == "核对一遍，再提交" and "0571-1" in anna.main


def test_an_answer_decides_which_form_comes_both_ways(browser):
    begin(browser, "opening").submit(NEXT, type="old")
    assert "组织机构代码" in browser.main and "统一社会信用代码" not in browser.main
    browser.open(f"{root_of(browser)}/type").submit(NEXT, type="new")
    assert "统一社会信用代码" in browser.main and "组织机构代码" not in browser.main


@pytest.mark.parametrize("broker, comes", [("yes", "报关人员"), ("no", "核对一遍，再提交")])
def test_an_answer_decides_whether_a_page_comes_both_ways(anna, broker, comes):
    begin(anna, "qualification").submit(NEXT, capital="5", broker=broker)
    add_item(anna, {"proof": FILE}, name="张三", amount="5")
    anna.submit(NO_MORE)
    assert anna.h1 == comes


@pytest.mark.parametrize("node, is_asked", [("3-ewtp", True), ("2", False)])
def test_an_answer_decides_whether_a_field_is_asked_both_ways(anna, node, is_asked):
    begin(anna, "link").submit(NEXT, phone="1")
    anna.submit(NEXT, node=node, data=["order"], branch="")
    assert anna.errors == (["02 请填写「分节点名称」"] if is_asked else [])


def test_an_edition_that_changed_asks_open_drafts_for_what_is_new(anna, app, office, monkeypatch):
    from dataclasses import replace

    from tests.kinds.warehouse import WAREHOUSE_2027

    begin(anna, "warehouse").submit(NEXT, name="汉堡仓", address="Hafenstr. 1")
    assert anna.h1 == "核对一遍，再提交"
    monkeypatch.setitem(app.config, "OFFICE", replace(office, kinds={**office.kinds, "warehouse": WAREHOUSE_2027}))
    anna.open(anna.url)
    assert anna.errors == ["03 请填写「海外仓所在国」"] and anna.value("name") == "汉堡仓"


# Autosave


def test_autosave_says_when_and_a_later_save_does_not_conflict_with_it(at_home):
    begin(at_home, "link")
    answer = autosave(at_home, phone="0571")
    assert answer.status_code == 200 and "10:32 已自动保存" in answer.get_data(as_text=True)
    assert "<h1" not in answer.get_data(as_text=True)
    assert at_home.value("revision") == "1"
    autosave(at_home, phone="0571-9")
    assert at_home.value("revision") == "2"
    at_home.submit(NEXT, phone="0571-95")
    assert at_home.number == "970520"
    assert document_of(at_home).answers["company"].typed == {"phone": ["0571-95"]}


def test_autosave_takes_what_is_wrong(at_home):
    begin(at_home, "qualification")
    assert "已自动保存" in autosave(at_home, capital="many").get_data(as_text=True)
    assert document_of(at_home).answers["capital"].typed["capital"] == ["many"]


def test_autosave_of_a_new_item_makes_one_item(at_home):
    begin(at_home, "qualification").submit(NEXT, capital="5", broker="no")
    at_home.follow("添加一项")
    autosave(at_home, name="张")
    autosave(at_home, name="张三")
    at_home.submit(NEXT, {"proof": FILE}, amount="5")
    assert at_home.h1 == "出资信息" and at_home.main.count("修改") == 1
    assert document_of(at_home).answers.keys() == {"capital", "investors/1"}


def test_an_autosave_that_meets_another_one_shows_the_whole_page(at_home, app, people):
    begin(at_home, "link")
    log_in(Browser(app), people.users["anna"], "法人卡").open(at_home.url).submit("暂存", phone="1")
    answer = autosave(at_home, phone="2")
    assert "您刚填的" in answer.get_data(as_text=True)
    assert (answer.headers["HX-Retarget"], answer.headers["HX-Reswap"]) == ("#main", "innerHTML")


# Lists


def test_a_list_shows_its_items_and_each_can_be_changed_and_removed(anna):
    begin(anna, "qualification").submit(NEXT, capital="5", broker="no")
    add_item(anna, {"proof": FILE}, name="张三", amount="2")
    add_item(anna, {"proof": FILE}, name="李四", amount="4")
    assert "1 张三" in anna.main and "2 李四" in anna.main
    anna.open(f"{root_of(anna)}/investors/2").submit(NEXT, amount="3")
    anna.submit(NO_MORE)
    assert anna.h1 == "核对一遍，再提交"
    anna.open(f"{root_of(anna)}/investors/1").submit("删除这一项")
    assert "张三" not in anna.main and "李四" in anna.main
    anna.open(f"{root_of(anna)}/investors/1")
    assert anna.errors == [] and anna.value("name") == ""


def test_a_list_that_is_too_short_stays_where_it_is_and_says_why(anna):
    begin(anna, "qualification").submit(NEXT, capital="5", broker="no")
    anna.submit(NO_MORE)
    assert anna.h1 == "出资信息" and anna.errors == ["「出资信息」应有1至3项"]


def test_an_item_that_comes_twice_says_so_on_its_own_page(anna):
    begin(anna, "qualification").submit(NEXT, capital="5", broker="no")
    add_item(anna, {"proof": FILE}, name="张三", amount="2")
    add_item(anna, {"proof": FILE}, name="张三", amount="3")
    anna.submit(NO_MORE)
    assert anna.url.endswith("/investors/2") and anna.errors == ["01 「出资人」与前面的一项重复，请核对"]


def test_an_item_that_is_not_finished_is_marked_in_its_list(anna):
    begin(anna, "qualification").submit(NEXT, capital="5", broker="no")
    anna.follow("添加一项").submit("暂存", name="张三")
    anna.open(f"{root_of(anna)}/investors")
    assert "张三" in anna.main and "没填完" in anna.main


def test_a_check_across_pages_is_said_on_the_check_page_and_stops_the_submission(anna):
    begin(anna, "qualification").submit(NEXT, capital="5", broker="no")
    add_item(anna, {"proof": FILE}, name="张三", amount="2")
    anna.submit(NO_MORE)
    assert anna.errors == ["出资合计2万，与注册资本不一致"]
    anna.submit("提交")
    assert anna.h1 == "核对一遍，再提交" and document_of(anna).submissions == []


def test_two_tabs_may_add_items_at_once(anna, at_home):
    begin(anna, "qualification").submit(NEXT, capital="5", broker="no")
    at_home.open(anna.url)
    anna.follow("添加一项"), at_home.follow("添加一项")
    anna.submit(NEXT, {"proof": FILE}, name="张三", amount="2")
    at_home.submit(NEXT, {"proof": FILE}, name="李四", amount="3")
    assert "1 张三" in at_home.main and "2 李四" in at_home.main


def test_a_removal_from_an_old_page_removes_nothing(anna, at_home):
    begin(anna, "qualification").submit(NEXT, capital="5", broker="no")
    add_item(anna, {"proof": FILE}, name="张三", amount="2")
    at_home.open(f"{root_of(anna)}/investors/1")
    anna.open(f"{root_of(anna)}/investors/1").submit(NEXT, name="张三丰")
    at_home.submit("删除这一项")
    assert "没有删除" in at_home.main and "张三丰" in at_home.main

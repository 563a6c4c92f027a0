"""Whose draft it is, two tabs, the end of a login in mid-form, submitting once."""

import re

import pytest

from models.database import session
from models.documents import Document
from tests.browsing import ORIGIN, Browser, form_data
from tests.conftest import log_in
from tests.engine.filling import PNG
from tests.engine.walking import (
    FILE,
    NEXT,
    add_item,
    autosave,
    begin,
    document_of,
    fill_booking,
    fill_link,
    root_of,
    to_fields,
)  # fmt: skip


@pytest.fixture
def browser(app):
    return Browser(app, "htmx")


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


# Whose draft


@pytest.mark.parametrize("page", ["", "/company", "/check", "/withdraw", "/receipt.pdf"])
def test_a_draft_of_another_company_is_not_there(anna, boris, page):
    begin(anna, "link")
    assert boris.open(root_of(anna) + page).status == 404


@pytest.mark.parametrize("page", ["", "/type", "/check"])
def test_a_strangers_draft_is_not_there(browser, other_browser, boris, page):
    begin(browser, "opening")
    assert other_browser.open(root_of(browser) + page).status == 404


def test_nothing_can_be_saved_into_a_strangers_draft(anna, boris):
    begin(anna, "link")
    begin(boris, "link")
    form = boris.soup.find("form", id="step")
    form["action"] = anna.url
    boris.submit(NEXT, phone="hacked")
    assert boris.status == 404 and document_of(anna).answers == {}


def test_a_document_is_found_only_among_its_kind(anna):
    begin(anna, "link")
    assert anna.open(root_of(anna).replace("link", "booking")).status == 404


def test_a_page_that_is_not_there_is_said_to_be_not_there(anna):
    begin(anna, "link")
    for place in ("nothing", "company/1", "node/new"):
        assert anna.open(f"{root_of(anna)}/{place}").status == 404


# Two tabs


def test_two_tabs_show_both_answers_and_keep_what_was_typed(anna, at_home):
    begin(anna, "link")
    at_home.open(anna.url)
    anna.submit("暂存", phone="0571-1")
    at_home.submit(NEXT, phone="0571-2")
    assert re.match(r"这一页在别处改过（anna，10:32）", at_home.errors[0])
    row = [cell.get_text(strip=True) for cell in at_home.soup.select("tbody td")]
    assert row == ["联系方式", "0571-1", "0571-2"]
    assert at_home.value("phone") == "0571-2"
    at_home.submit(NEXT)
    assert at_home.number == "970520"
    assert document_of(anna).answers["company"].typed == {"phone": ["0571-2"]}


def test_a_file_chosen_in_the_second_tab_is_not_lost_by_the_conflict(anna, at_home):
    begin(anna, "qualification").submit(NEXT, capital="5", broker="no")
    add_item(anna, {"proof": FILE}, name="张三", amount="5")
    at_home.open(f"{root_of(anna)}/investors/1")
    anna.open(at_home.url).submit("暂存", amount="4")
    at_home.submit(NEXT, {"proof": ("新.png", PNG)}, amount="5")
    assert "新.png" in at_home.main
    at_home.submit(NEXT)
    assert at_home.h1 == "出资信息" and at_home.errors == []
    at_home.open(f"{root_of(anna)}/investors/1")
    assert "新.png" in at_home.main


# The end of a login in mid-form


def send_kept(browser):
    """A browser answers 307 by sending the same body to the new address; the test client does not."""
    fields = to_fields(form_data(browser.soup.find("form", action=re.compile("send$"))))
    browser.submit("再提交一次")
    browser._request("POST", browser.response.headers["Location"], data=fields)


def test_what_was_typed_when_the_login_ended_comes_back_after_the_next_login(anna, people, clock_at):
    begin(anna, "link")
    root = root_of(anna)
    with clock_at(2026, 11, 20, 13, 0):
        anna.submit(NEXT, phone="0571-95198")
        assert anna.url.startswith("/login") and "您刚才填的内容留着" in anna.text
        log_in(anna, people.users["anna"], "法人卡").open("/login/kept")
        assert anna.number == "3005" and "0571-95198" in anna.main
        send_kept(anna)
    assert anna.url == f"{root}/node"
    assert document_of(anna).answers["company"].typed == {"phone": ["0571-95198"]}


def test_an_autosave_kept_at_the_end_of_the_login_comes_back_as_a_whole_page(at_home, people, clock_at):
    begin(at_home, "link")
    with clock_at(2026, 11, 20, 13, 0):
        autosave(at_home, phone="0571-95198")
        send_kept(log_in(at_home, people.users["anna"], "法人卡").open("/login/kept"))
    assert at_home.h1 == "企业信息" and at_home.value("phone") == "0571-95198"


def test_an_autosave_after_the_login_ended_shows_the_login_page_whole(at_home, clock_at):
    begin(at_home, "link")
    with clock_at(2026, 11, 20, 13, 0):
        answer = autosave(at_home, phone="1")
    assert answer.headers["HX-Retarget"] == "#main"


# Submitting


def test_a_double_click_submits_once(anna):
    fill_link(anna)
    second = Browser(anna.client.application, anna.kind)
    second.client = anna.client
    second.open(anna.url)
    anna.submit("提交"), second.submit("提交")
    assert second.h1 == "专线申请回执"
    assert len(document_of(anna).submissions) == 1


def test_what_was_submitted_is_no_longer_open_for_change(anna, at_home):
    fill_link(anna)
    root = root_of(anna)
    at_home.open(f"{root}/node")
    anna.submit("提交")
    at_home.submit(NEXT, node="3")
    assert at_home.h1 == "专线申请回执" and document_of(anna).answers["node"].revision == 1
    for page in ("/company", "/check"):
        assert anna.open(root + page).h1 == "专线申请回执"


def test_a_slot_taken_meanwhile_is_said_on_the_check_page_and_can_be_mended(anna, boris):
    fill_booking(anna), fill_booking(boris)
    anna.submit("提交"), boris.submit("提交")
    assert boris.errors == ["「预约时间」已约满，请换一个"]
    boris.follow("已约满").submit(NEXT, slot="26am")
    boris.submit("提交")
    assert boris.h1 == "制卡预约回执"


def test_what_takes_effect_at_once_is_over_with_its_receipt(anna):
    begin(anna, "phone").submit(NEXT, phone="13000000002", code="000000")
    assert anna.errors == ["03 验证码不正确，请重新获取"] and anna.value("code") == ""
    anna.submit(NEXT, code="123456")
    anna.submit("提交")
    assert anna.h1 == "修改绑定手机回执" and "已通过" in anna.main and "撤回申请" not in anna.main


def test_documents_begin_with_a_post_and_not_with_a_look(anna):
    before = session.query(Document).count()
    anna.open("/made-up/link").open("/made-up/link")
    assert session.query(Document).count() == before
    assert anna.client.get("/made-up/link/begin", base_url=ORIGIN).status_code == 404

"""Login, recovery and user names by a code sent to a phone (M61, M68, M67)."""

import re

import pytest

from models.accounts import find_user
from models.database import session
from models.proofs import Proof
from models.sessions import Login
from tests.browsing import ORIGIN, Browser
from tests.card_bridge_double import errors_of
from tests.conftest import make_user
from tests.test_auth_password import later, try_login
from tests.test_auth_recovery import statements

MOBILE = "13800000001"
NEW = {"password": "another good horse", "again": "another good horse"}
pytestmark = pytest.mark.usefixtures("phone")


@pytest.fixture
def owner(administrator):
    administrator.keep_mobile(MOBILE)
    session.commit()
    return administrator


def ask_code(browser, mobile=MOBILE, **typed):
    browser.open("/login/phone")
    return browser.submit("发短信验证码", mobile=mobile, **({"captcha": "XXXXX"} | typed))


@pytest.mark.item("M61")
def test_the_tabs_of_the_login_are_three_and_the_phone_is_one(browser):
    browser.open("/login")
    tabs = [a.get_text() for a in browser.soup.select(".tabs a")]
    assert tabs == ["账号密码登录", "手机号登录", "卡介质登录"]
    assert "验证码看不清、听不清？用手机号登录或卡登录" in browser.soup.find(id="main").get_text()
    browser.follow("手机号登录")
    assert browser.number == "3007"


@pytest.mark.item("M61")
def test_the_code_of_the_short_message_logs_in(browser, owner, phone, run_jobs):
    ask_code(browser)
    assert browser.number == "3014" and "1380***0001" in browser.main
    run_jobs()
    assert [message.to for message in phone.messages] == [MOBILE]
    browser.submit("确认", code=phone.proof)
    assert browser.url == "/member"
    assert session.query(Login).one().medium == "sms"


def test_who_was_sent_to_the_login_goes_on_where_he_was(browser, owner, phone, run_jobs):
    browser.open("/account/cards").follow("手机号登录")
    browser.submit("发短信验证码", mobile=MOBILE, captcha="XXXXX")
    run_jobs()
    assert browser.submit("确认", code=phone.proof).url == "/account/cards"


@pytest.mark.item("M61")
def test_of_several_accounts_with_the_number_one_is_chosen(browser, owner, phone, run_jobs):
    make_user("demo02").keep_mobile(MOBILE)
    make_user("demo03")
    session.commit()
    ask_code(browser)
    run_jobs()
    browser.submit("确认", code=phone.proof)
    assert browser.number == "3007" and "demo01" in browser.main and "demo02" in browser.main
    action, csrf = "/login/phone/accounts", browser.value("csrf_token")
    stranger = {"csrf_token": csrf, "user": str(find_user("demo03").id)}
    assert browser.client.post(action, data=stranger, base_url=ORIGIN).status_code == 404
    kept = browser.client.get_cookie("eport", domain="127.0.0.1").value
    browser.submit("登录这一个demo02")
    assert browser.url == "/member" and "demo02" in browser.text
    browser.submit("退出")
    browser.client.set_cookie("eport", kept, domain="127.0.0.1")
    assert browser.open("/login/phone/accounts").number == "3001"  # chosen once; the cookie of then opens nothing again


def test_the_choice_ends_after_ten_minutes(browser, owner, phone, run_jobs):
    make_user("demo02").keep_mobile(MOBILE)
    session.commit()
    ask_code(browser)
    run_jobs()
    browser.submit("确认", code=phone.proof)
    with later(minutes=11):
        assert browser.submit("登录这一个").number == "3001"
    assert browser.open("/member").number == "3001"


def main_of(browser) -> str:
    return re.sub(r'(value|src)="[^"]{40,}"', "", str(browser.soup.find(id="main")))


def test_nobody_learns_whose_number_is_known(app, owner, phone, run_jobs):
    """Neither from the page nor from wrong codes; the number typed is the only difference."""
    known, other = Browser(app), Browser(app)
    ask_code(known)
    ask_code(other, mobile="13800000009")
    assert main_of(other).replace("1380***0009", "1380***0001") == main_of(known)
    run_jobs()
    assert [message.to for message in phone.messages] == [MOBILE]
    wrong = "000000" if phone.proof != "000000" else "000001"
    for _ in range(6):
        known.submit("确认", code=wrong)
        other.submit("确认", code=wrong)
        assert errors_of(known) == errors_of(other)
    assert errors_of(other)[0].startswith("90243")


def test_times_do_not_tell_whose_number_is_known(app, owner):
    asked = []
    for mobile in (MOBILE, "13800000009"):
        with statements() as seen:
            ask_code(Browser(app), mobile).submit("确认", code="00000")
        asked.append(seen)
    assert asked[0] == asked[1] and len(asked[0]) > 5


def test_a_code_typed_wrong_five_times_counts_no_more(browser, owner, phone, run_jobs):
    ask_code(browser)
    run_jobs()
    right = phone.proof
    for left in (4, 3, 2, 1):
        browser.submit("确认", code=f"{(int(right) + 1) % 10**6:06d}")
        assert f"还能试{left}次" in errors_of(browser)[0]
    browser.submit("确认", code=f"{(int(right) + 1) % 10**6:06d}")
    browser.submit("确认", code=right)
    assert errors_of(browser)[0].startswith("90243") and browser.open("/member").number == "3001"


def test_a_code_ends_after_ten_minutes_and_another_can_be_sent(browser, owner, phone, run_jobs):
    ask_code(browser)
    run_jobs()
    first = phone.proof
    with later(minutes=11):
        browser.submit("确认", code=first)
        assert errors_of(browser)[0].startswith("90242")
        browser.submit("重新发一条")
        assert "用最新的一条" in browser.main
        run_jobs()
        assert len(phone.messages) == 2
        browser.submit("确认", code=phone.proof)
        assert browser.url == "/member"


def test_messages_to_one_number_are_limited(browser, owner, phone, run_jobs):
    ask_code(browser)
    for _ in range(4):
        browser.submit("重新发一条")
    browser.submit("重新发一条")
    assert errors_of(browser)[0].startswith("90248")
    ask_code(browser)
    assert errors_of(browser)[0].startswith("90248")
    run_jobs()
    assert len(phone.messages) == 5


def test_a_code_counts_in_the_browser_that_asked_only(browser, other_browser, owner, phone, run_jobs):
    ask_code(browser)
    run_jobs()
    assert other_browser.open("/login/code").number == "3001" and "重新开始" in other_browser.text
    ask_code(other_browser, mobile="13800000009").submit("确认", code=phone.proof)
    assert errors_of(other_browser)[0].startswith("90244")


@pytest.mark.parametrize("purpose", ["name-sms", "recover-sms", "mobile", "nonsense"])
def test_a_code_of_another_purpose_does_not_count(browser, owner, phone, run_jobs, purpose):
    """Even if the browser's own note is altered to name it."""
    ask_code(browser)
    run_jobs()
    session.query(Proof).one().purpose = purpose
    session.commit()
    browser.submit("确认", code=phone.proof)
    assert browser.number == "3001" and browser.open("/member").number == "3001"


def test_a_code_counts_once(browser, owner, phone, run_jobs):
    ask_code(browser)
    run_jobs()
    before = browser.client.get_cookie("eport", domain="127.0.0.1").value
    browser.submit("确认", code=phone.proof).submit("退出")
    browser.client.set_cookie("eport", before, domain="127.0.0.1")
    browser.open("/login/code").submit("确认", code=phone.proof)
    assert errors_of(browser)[0].startswith("90241") and browser.open("/member").number == "3001"


@pytest.mark.parametrize(("typed", "number"), [({"mobile": "12345"}, "90203"), ({"mobile": ""}, "90001"),
                                               ({"captcha": "YYYYY"}, "90502"), ({"captcha": ""}, "90001")])  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_sent(browser, owner, phone, run_jobs, typed, number):
    ask_code(browser, **typed)
    assert errors_of(browser)[0].startswith(number)
    run_jobs()
    assert not phone.messages


def test_a_stopped_account_is_not_opened_by_its_phone(browser, owner, phone, run_jobs):
    owner.is_active = False
    session.commit()
    ask_code(browser)
    assert browser.number == "3014"
    run_jobs()
    assert not phone.messages


# -- 手机找回


def ask_recovery(browser, user="demo01", mobile=MOBILE):
    browser.open("/login/recovery/password")
    return browser.submit("确认", way="手机找回", user=user, mobile=mobile, captcha="XXXXX")


@pytest.mark.item("M68", "M65")
def test_a_password_is_found_again_by_phone_and_the_code_comes_last(browser, owner, phone, run_jobs):
    ask_recovery(browser)
    assert browser.number == "3009"
    run_jobs()
    assert not phone.messages
    browser.submit("下一步", **NEW)
    assert browser.number == "3014" and "找回密码" in browser.main
    run_jobs()
    browser.submit("确认", code=phone.proof)
    assert browser.number == "3001" and "新密码设好了" in browser.main
    assert find_user("demo01").guarded_until
    assert try_login(browser, password=NEW["password"]).url == "/member"


@pytest.mark.parametrize(("user", "mobile"), [("nobody99", MOBILE), ("demo01", "13800000009")])
def test_a_number_that_is_not_the_accounts_gets_the_same_pages_and_no_message(
    app, owner, phone, run_jobs, user, mobile
):
    known, other = Browser(app), Browser(app)
    ask_recovery(known)
    ask_recovery(other, user, mobile)
    assert main_of(other) == main_of(known)
    known.submit("下一步", **NEW)
    other.submit("下一步", **NEW)
    assert main_of(other).replace("1380***0009", "1380***0001") == main_of(known)
    run_jobs()
    assert len(phone.messages) == 1
    other.submit("确认", code=phone.proof)
    assert errors_of(other)[0].startswith("90244")
    assert find_user("demo01").guarded_until is None


def test_the_page_of_the_new_password_opens_by_way_of_the_captcha_only(browser, owner):
    assert browser.open("/login/recovery/password/new").number == "3001"
    ask_recovery(browser)
    with later(minutes=31):
        assert browser.open("/login/recovery/password/new").number == "3001"


def test_the_number_is_asked_for_by_phone_only(browser, owner):
    ask_recovery(browser, mobile="")
    assert errors_of(browser)[0].startswith("90001") and "手机号" in errors_of(browser)[0]
    browser.submit("确认", way="邮箱找回", user="demo01", mobile="12", captcha="YYYYY")
    assert [error[:5] for error in errors_of(browser)] == ["90502"]


@pytest.mark.item("M67")
def test_user_names_are_shown_after_the_code(browser, owner, phone, run_jobs):
    browser.open("/login/recovery/name").submit("确认", way="手机找回", mobile=MOBILE, captcha="XXXXX")
    assert browser.number == "3014" and "demo01" not in browser.main
    assert browser.client.get("/login/recovery/name/found", base_url=ORIGIN).status_code == 303
    run_jobs()
    browser.submit("确认", code=phone.proof)
    assert browser.number == "3011" and "demo01" in browser.main
    with later(minutes=11):
        assert browser.open("/login/recovery/name/found").number == "3001"


class TestWithoutShortMessages:
    @pytest.fixture(autouse=True)
    def no_phone(self, phone, monkeypatch):
        monkeypatch.setattr(type(phone), "is_on", False)

    def test_the_tab_is_grey_with_its_reason(self, browser):
        browser.open("/login")
        assert [a.get_text() for a in browser.soup.select(".tabs a")] == ["账号密码登录", "卡介质登录"]
        assert browser.soup.select_one(".tabs .grey").get_text() == "手机号登录"
        assert "本地区还没有接通短信" in browser.main
        browser.open("/login/phone")
        assert "90572" not in browser.main and not browser.can_press("发短信验证码")
        assert "用别的办法" in browser.main

    def test_recovery_offers_mail_alone_and_says_why(self, browser, owner):
        browser.open("/login/recovery/password")
        ways = [option.get_text() for option in browser.soup.select("select[name=way] option")]
        assert ways == ["请选择", "邮箱找回"] and "本地区还没有接通短信" in browser.main
        assert not browser.soup.find("input", attrs={"name": "mobile"})

    def test_a_form_that_was_made_up_sends_nothing(self, browser, owner, phone, run_jobs):
        token = {
            "csrf_token": browser.open("/login").value("csrf_token"),
            "captcha_token": browser.value("captcha_token"),
        }
        typed = {"mobile": MOBILE, "way": "phone", "user": "demo01", "captcha": "XXXXX", **token}
        for path in ("/login/phone", "/login/recovery/password", "/login/recovery/name"):
            assert browser.client.post(path, data=typed, base_url=ORIGIN).status_code in (200, 303)
        run_jobs()
        assert not phone.messages

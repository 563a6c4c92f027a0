"""Known browsers, what the owner is told, parallel guesses, 我的登录, and the first login with a handed-over password."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from blueprints.auth import services
from blueprints.common import clock
from blueprints.common.numbers import Sentence
from models.accounts import find_user
from models.database import session
from models.documents import HistoryEvent
from models.sessions import Login
from tests.browsing import ORIGIN, Browser
from tests.card_bridge_double import confirm_by_card, errors_of
from tests.conftest import log_in, make_enterprise, make_user
from tests.test_auth_password import later, login_token, try_login

pytest_plugins = ["tests.card_fixtures"]
CHROME_7 = "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/64.0 Safari/537.36"


@pytest.fixture
def own(app, administrator):
    """The owner's browser: he logged in there before."""
    browser = try_login(Browser(app))
    browser.submit("退出")
    return browser


def fail(browser, times: int, **typed):
    for _ in range(times):
        try_login(browser, password="wrong horse", **typed)
    return browser


@pytest.mark.item("M71")
def test_strangers_do_not_lock_the_owners_own_browser_out(own, browser, other_browser):
    fail(browser, 3)
    fail(other_browser, 3)
    assert errors_of(other_browser)[0].startswith("90503")
    assert try_login(own).url == "/member"


def test_the_owners_own_browser_has_a_limit_of_its_own(own, browser):
    fail(own, 6)
    assert errors_of(own)[0].startswith("90503 试的次数太多，请过1分钟再试")
    assert try_login(browser).url == "/member"


def test_a_browser_known_to_another_account_is_a_stranger_to_this_one(own, browser):
    make_user("demo02")
    fail(browser, 5, user="demo02")
    try_login(own, user="demo02")
    assert errors_of(own)[0].startswith("90503")


def test_a_made_up_mark_is_no_known_browser(own, browser):
    fail(browser, 5)
    browser.client.set_cookie("eport-browser", "made-up", domain="127.0.0.1")
    try_login(browser)
    assert errors_of(browser)[0].startswith("90503")


@pytest.mark.item("M71")
def test_the_card_passes_where_the_password_waits(browser, administrator, card):
    log_in(browser, administrator).open("/account/cards").submit("绑定一张卡")
    confirm_by_card(browser, card).submit("退出")
    fail(browser, 6)
    find_user("demo01").guarded_until = clock.now() + timedelta(hours=72)
    session.commit()
    confirm_by_card(browser.open("/login/card").submit("开始读卡"), card)
    assert browser.url == "/member"
    session.expire_all()
    assert find_user("demo01").guarded_until is None


def test_the_owner_is_mailed_once_when_others_guess(browser, administrator, outbox, run_jobs):
    fail(browser, 4)
    run_jobs()
    assert not outbox.mails
    fail(browser, 2)
    with later(hours=2):
        fail(browser, 5)
    run_jobs()
    assert [(mail.to, mail.subject) for mail in outbox.mails] == [("demo01@example.com", "有人多次输错您账号的密码")]


def test_where_there_is_no_account_the_waiting_is_the_same_and_nobody_is_mailed(
    browser, administrator, outbox, run_jobs
):
    said = []
    for name in ("demo01", "nobody99"):
        said.append([errors_of(fail(browser, 1, user=name)) for _ in range(6)])
    assert said[0] == said[1] and said[0][5][0].startswith("90503")
    run_jobs()
    assert len(outbox.mails) == 1


def test_guesses_at_the_same_moment_cannot_pass_the_limit_together(house, monkeypatch):
    monkeypatch.setattr(services.captcha, "is_answered", lambda token, code: True)

    def guess(_):
        with house.app_context():
            counted = services.count_attempt("parallel|unknown", "203.0.113.7", "", "")
            session.commit()
        return counted

    try:
        with ThreadPoolExecutor(10) as pool:
            counted = list(pool.map(guess, range(20)))
    finally:
        services.BY_ACCOUNT.clear("parallel|unknown")
        services.BY_ADDRESS.clear("203.0.113.7")
        session.commit()
    assert sum(not isinstance(each, Sentence) for each in counted) == 5


def test_right_passwords_of_a_whole_office_do_not_count_against_its_address(browser, administrator, monkeypatch):
    monkeypatch.setattr(services, "BY_ADDRESS", services.Limit("login-address", 3, 15))
    for _ in range(5):
        assert try_login(browser).url == "/member"
        browser.submit("退出")


def test_a_login_from_another_browser_is_told_by_mail(own, app, outbox, run_jobs):
    try_login(own)
    run_jobs()
    assert not outbox.mails
    other = Browser(app)
    other.client.environ_base["HTTP_USER_AGENT"] = CHROME_7
    try_login(other)
    run_jobs()
    mail = outbox.mails[0]
    assert mail.to == "demo01@example.com" and mail.subject == "新的电脑登录了您的账号"
    for words in ("Chrome，Windows 7", "127.0.0.1", "账号密码", f"{ORIGIN}/login/recovery/password", "客服热线"):
        assert words in mail.text


def test_logins_log_outs_and_failures_are_events_of_the_company_without_personal_data(browser, administrator):
    fail(browser, 1)
    fail(browser, 1, user="a secret typed in the wrong field")
    try_login(browser).submit("退出")
    events = session.query(HistoryEvent).order_by(HistoryEvent.id).all()
    company = administrator.enterprise_id
    assert [(event.act, event.enterprise_id) for event in events] == [
        ("登录失败", company), ("登录失败", None), ("登录", company), ("退出", company)]  # fmt: skip
    said = str([(event.user_name, event.subject, event.details) for event in events])
    assert "127.0.0.1" not in said and "secret" not in said


def test_an_account_that_is_about_to_be_closed_says_so_at_login(browser, administrator):
    administrator.closing_at = clock.now() + timedelta(days=3)
    session.commit()
    day = f"{clock.local(administrator.closing_at):%Y年%m月%d日}"
    assert f"您的账号{day}注销，要留下请到“账号信息”撤回注销" in try_login(browser).text


def test_a_mobile_number_of_an_older_account_is_found_after_a_login(browser, administrator):
    administrator.contact = {"mobile": "13800000001"}
    session.commit()
    try_login(browser)
    session.expire_all()
    assert find_user("demo01").mobile_index


# -- 我的登录


@pytest.fixture
def two_logins(own, other_browser):
    """The owner's browser and another one, both logged in."""
    other_browser.client.environ_base["HTTP_USER_AGENT"] = CHROME_7
    return try_login(own), try_login(other_browser)


def test_my_logins_say_when_where_and_which_one_this_is(two_logins):
    own, _ = two_logins
    own.open("/login/mine")
    assert own.number == "3012" and len(own.soup.select("tbody tr")) == 2
    assert "Chrome，Windows 7" in own.main and "127.0.0.1" in own.main and "账号密码" in own.main
    assert "就是这里" in own.soup.select_one("tr[aria-current]").get_text()
    assert "退出" in own.main and "最近10次登录和退出" in own.main


def test_another_login_is_ended_and_this_one_stays(two_logins):
    own, other = two_logins
    own.open("/login/mine").submit("退出这一个")
    assert "那一个登录已经退出" in own.main and other.open("/login/mine").number == "3001"
    assert own.open("/login/mine").number == "3012"


def test_all_others_are_ended_at_once(two_logins):
    own, other = two_logins
    own.open("/login/mine").submit("退出其他全部")
    assert "只有这一处" in own.main and other.open("/login/mine").number == "3001"


def test_nobody_ends_the_login_of_somebody_else(two_logins, app):
    own, _ = two_logins
    company = make_enterprise("别家有限公司", "91130100PDY000028G", code=None)
    thief = log_in(Browser(app), make_user("other1", enterprise=company)).open("/login/mine")
    data = {"csrf_token": thief.value("csrf_token")}
    for login in session.query(Login).all():
        answer = thief.client.post(f"/login/mine/{login.id}/end", data=data, base_url=ORIGIN)
        assert answer.status_code == 404
    assert own.open("/login/mine").number == "3012"


def test_a_renewed_login_keeps_its_place(browser, administrator):
    browser.client.environ_base["HTTP_USER_AGENT"] = CHROME_7
    try_login(browser)
    before = login_token(browser)
    browser.client.post("/login/renew", data={"csrf_token": browser.value("csrf_token")}, base_url=ORIGIN)
    assert login_token(browser) != before
    assert "Chrome，Windows 7" in browser.open("/login/mine").main


# -- the first login with a password that the administrator handed over


@pytest.fixture
def newcomer(administrator):
    user = make_user(
        "oper01", role="operator", enterprise=administrator.enterprise, person=("赵六", "", "zhao@example.com")
    )
    user.keep_mobile("13800000002")
    user.initial_until = clock.now() + timedelta(days=3)
    session.commit()
    return user


FIRST = {"password": "my very own horse", "again": "my very own horse", "mine": "mine", "agreed": "agreed"}


@pytest.mark.item("M88")
def test_a_handed_over_password_opens_the_activation_page_and_nothing_else(browser, newcomer):
    try_login(browser, user="oper01")
    for path in ("/member", "/account/company", "/account/cards", "/login/mine", "/exports/orders"):
        assert browser.open(path).number == "3010", path
    assert "赵六" in browser.main and "zhao@example.com" not in browser.main and "13800000002" not in browser.main
    browser.submit("激活账号", **FIRST)
    assert browser.url == "/member" and "账号已经激活" in browser.text
    browser.submit("退出")
    try_login(browser, user="oper01")
    assert errors_of(browser)[0].startswith("90501")
    assert try_login(browser, user="oper01", password=FIRST["password"]).url == "/member"
    assert browser.open("/login/activation").url == "/member"


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ({"password": "correct horse", "again": "correct horse"}, "90573"),
        ({"password": "short", "again": "short"}, "90211"),
        ({"again": "my very own hors"}, "90005"),
        ({"mine": None}, "90001"),
        ({"agreed": None}, "90001"),
    ],
)
def test_what_is_wrong_on_activation_is_said_and_it_stays_closed(browser, newcomer, typed, number):
    try_login(browser, user="oper01").submit("激活账号", **(FIRST | typed))
    assert errors_of(browser)[0].startswith(number)
    assert browser.open("/account/company").number == "3010"


def test_who_cannot_activate_yet_can_log_out(browser, newcomer):
    try_login(browser, user="oper01").submit("退出")
    assert browser.open("/member").number == "3001"


def test_an_initial_password_that_has_ended_is_told_only_to_who_knows_it(browser, newcomer):
    with later(days=4):
        try_login(browser, user="oper01", password="wrong horse")
        assert errors_of(browser)[0].startswith("90501")
        try_login(browser, user="oper01")
        assert errors_of(browser) == ["90571 初始密码已过期，请本单位管理员重新发一个"]

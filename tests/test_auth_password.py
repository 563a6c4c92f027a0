"""Login by user name, password and captcha; what is kept for somebody whose session ended; renewing a login."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from blueprints.auth.services import BY_ADDRESS
from blueprints.common import clock
from blueprints.common.captcha import read_captcha
from models.accounts import find_user
from models.codes import HeldCode
from models.database import session
from models.sessions import Login
from tests.browsing import ORIGIN, Browser, form_data
from tests.card_bridge_double import errors_of
from tests.conftest import log_in, make_enterprise, make_user

RIGHT = {"user": "demo01", "password": "correct horse", "captcha": "XXXXX"}
WRONG = RIGHT | {"password": "wrong horse"}


def try_login(browser, **typed):
    browser.open("/login")
    return browser.submit("登 录", **(RIGHT | typed))


def later(**time):
    return clock.stopped_at(clock.now() + timedelta(**time))


def login_token(browser) -> str:
    return browser.client.get_cookie("eport-login", domain="127.0.0.1").value


def captcha_address(browser) -> str:
    return browser.soup.find("img")["src"]


@pytest.mark.item("M59")
def test_the_right_name_password_and_captcha_lead_to_the_members_home(browser, administrator):
    browser.open("/login")
    for words in ("请输入用户名", "请输入密码", "请输入验证码"):
        assert browser.soup.find(placeholder=words)
    for words in ("登 录", "立即注册", "忘记密码", "忘记用户名"):
        assert words in browser.main
    browser.submit("登 录", **RIGHT)
    assert browser.h1 == "示例外贸（石家庄）有限公司"
    assert "demo01" in browser.text and "退出" in browser.text


def test_the_login_box_of_the_home_page_logs_in(browser, administrator):
    browser.open("/")
    browser.submit("登 录", **RIGHT)
    assert browser.url == "/member"


def test_the_user_name_counts_in_any_case_and_the_captcha_in_any_width(browser, administrator):
    try_login(browser, user=" Demo01 ", captcha="ｘxX xx")
    assert browser.url == "/member"


@pytest.mark.item("M58")
def test_a_wrong_password_and_an_account_that_is_not_there_yet_get_the_same_answer(browser, administrator):
    try_login(browser, password="wrong horse")
    known = errors_of(browser)
    try_login(browser, user="newcomer")
    assert errors_of(browser) == known
    assert known == ["90501 用户名或密码不对；刚注册的，要等审核通过（2个工作日）才能登录"]
    assert "用户注册审核成功后，进入【单一窗口】-【用户登录】页面。输入账号密码进行登录" in browser.main
    assert browser.soup.title.get_text().startswith("错误：")


def test_after_an_error_the_user_name_stays_and_the_password_does_not(browser, administrator):
    before = captcha_address(browser.open("/login"))
    browser.submit("登 录", **WRONG)
    assert browser.value("user") == "demo01"
    assert browser.value("password") == browser.value("captcha") == ""
    assert captcha_address(browser) != before
    assert "wrong horse" not in str(browser.soup)


@pytest.mark.parametrize(("name", "says"), [("user", "90504 请输入用户名"), ("password", "90505 请输入密码"),
                                            ("captcha", "90506 请输入验证码")])  # fmt: skip
def test_an_empty_field_is_named(browser, administrator, name, says):
    try_login(browser, **{name: " "})
    assert errors_of(browser) == [says]


def test_a_wrong_captcha_opens_nothing(browser, administrator):
    try_login(browser, captcha="YYYYY")
    assert errors_of(browser) == ["90502 验证码不对，或已过10分钟，请看新的一张再输"]


def test_a_captcha_counts_once(browser, administrator):
    browser.open("/login")
    token = browser.value("captcha_token")
    browser.submit("登 录", **WRONG)
    browser.submit("登 录", **RIGHT, captcha_token=token)
    assert errors_of(browser)[0].startswith("90502")


def test_a_captcha_ends_after_ten_minutes(browser, administrator):
    browser.open("/login")
    with later(minutes=11):
        browser.submit("登 录", **RIGHT)
    assert errors_of(browser)[0].startswith("90502")


def test_a_captcha_of_another_browser_does_not_count(browser, other_browser, administrator):
    token = other_browser.open("/login").value("captcha_token")
    browser.open("/login")
    browser.submit("登 录", **RIGHT, captcha_token=token)
    assert errors_of(browser)[0].startswith("90502")
    address = captcha_address(other_browser)
    assert browser.client.get(address, base_url=ORIGIN).status_code == 404


@pytest.mark.parametrize("token", ["", "x", "%%%", "AAAA", "A" * 200])
def test_a_made_up_captcha_does_not_count(browser, administrator, token):
    try_login(browser, captcha_token=token)
    assert errors_of(browser)[0].startswith("90502")


def test_the_digits_that_are_spoken_answer_the_captcha_too(browser, administrator):
    browser.open("/login")
    token = parse_qs(urlsplit(browser.soup.find("audio")["src"]).query)["t"][0]
    with browser.client.session_transaction(base_url=ORIGIN) as cookie:
        visitor = dict(cookie)
    with browser.client.application.test_request_context(base_url=ORIGIN) as context:
        context.session.update(visitor)
        digits = read_captcha(token)["digits"]
    browser.submit("登 录", **(RIGHT | {"captcha": digits}))
    assert browser.url == "/member"


@pytest.mark.parametrize(("tag", "kind", "start"), [("img", "image/png", b"\x89PNG"), ("audio", "audio/wav", b"RIFF")])
def test_the_captcha_can_be_seen_and_heard(browser, tag, kind, start):
    browser.open("/login")
    answer = browser.client.get(browser.soup.find(tag)["src"], base_url=ORIGIN)
    assert answer.mimetype == kind and answer.data.startswith(start)
    assert answer.headers["Cache-Control"] == "no-store"


def test_another_picture_keeps_the_user_name(browser):
    before = captcha_address(browser.open("/login"))
    browser.submit("看不清，换一张", user="demo01", password="secret")
    assert captcha_address(browser) != before
    assert browser.value("user") == "demo01" and browser.value("password") == ""
    assert not errors_of(browser)


@pytest.mark.item("M71")
def test_after_five_wrong_passwords_the_account_waits_ever_longer_and_says_how_long(
    browser, other_browser, administrator
):
    for _ in range(5):
        try_login(browser, password="wrong horse")
    moment = clock.now()
    for wait in (1, 2, 4, 8, 15, 15):
        with clock.stopped_at(moment):
            try_login(other_browser)
            assert errors_of(other_browser) == [f"90503 试的次数太多，请过{wait}分钟再试；忘了密码请点“忘记密码”"]
        moment += timedelta(minutes=wait)
        with clock.stopped_at(moment):
            try_login(browser, password="wrong horse")
            assert errors_of(browser)[0].startswith("90501")
    with later(hours=3):
        try_login(browser)
    assert browser.url == "/member"


def test_a_login_forgets_the_wrong_passwords_before_it(browser, administrator):
    for _ in range(4):
        try_login(browser, password="wrong horse")
    try_login(browser)
    browser.submit("退出")
    try_login(browser, password="wrong horse")
    assert errors_of(browser)[0].startswith("90501")


def test_an_address_that_guesses_many_accounts_waits(app, administrator):
    browser = Browser(app)
    for _ in range(99):
        BY_ADDRESS.add("127.0.0.1")
    session.commit()
    try_login(browser, user="guess100")
    assert errors_of(browser)[0].startswith("90501")
    try_login(browser)
    assert errors_of(browser)[0].startswith("90503")


def test_a_stopped_account_is_told_so_only_after_the_right_password(browser, administrator):
    administrator.is_active = False
    session.commit()
    try_login(browser, password="wrong horse")
    assert errors_of(browser)[0].startswith("90501")
    try_login(browser)
    assert errors_of(browser) == ["90507 这个账号已经停用，请找本单位的管理员，或打客服热线"]


def test_who_was_sent_to_the_login_goes_on_where_he_was(browser, administrator):
    browser.open("/account/cards")
    assert browser.h1 == "用户登录"
    browser.submit("登 录", **WRONG)
    browser.submit("登 录", **RIGHT)
    assert browser.url == "/account/cards"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_a_login_never_leads_out_of_the_house(browser, administrator, target):
    browser.open("/login?next=" + target)
    browser.submit("登 录", **RIGHT, next=target)
    assert browser.url == "/member"


def test_a_login_makes_a_new_session_and_ends_the_one_before(browser, administrator):
    token = login_token(log_in(browser, administrator))
    with browser.client.session_transaction(base_url=ORIGIN) as cookie:
        cookie["planted"] = "by somebody else"
    try_login(browser)
    assert login_token(browser) != token
    with browser.client.session_transaction(base_url=ORIGIN) as cookie:
        assert "planted" not in cookie
    browser.client.set_cookie("eport-login", token, domain="127.0.0.1")
    assert browser.open("/account/cards").h1 == "用户登录"


def test_logging_out_ends_the_login_on_the_server(browser, administrator):
    token = login_token(try_login(browser))
    browser.submit("退出")
    browser.client.set_cookie("eport-login", token, domain="127.0.0.1")
    assert browser.open("/member").h1 == "用户登录"


@pytest.mark.item("M59")
def test_the_ways_to_recovery_are_one_click_from_the_login_and_all_of_them_two(browser):
    browser.open("/login").follow("忘记密码")
    assert browser.number == "3008"
    browser.open("/login").follow("忘记用户名")
    assert browser.number == "3011"
    browser.follow("用卡登录")
    assert browser.number == "3003"
    browser.open("/login").follow("忘记密码").follow("别的办法")
    assert browser.number == "3006"
    for words in ("找回密码", "找回用户名", "用卡登录", "打客服热线"):
        assert words in browser.main


@pytest.fixture
def two_codes(administrator):
    """The company holds a second customs code."""
    company, day = administrator.enterprise, clock.today()
    session.add(HeldCode(enterprise_id=company.id, code="1301960002", category="报关企业", valid_from=day, valid_to=day,
                         ecommerce_types=[], revision="1", seen_at=clock.now()))  # fmt: skip
    session.commit()
    return administrator


@pytest.fixture
def lost_post(browser, two_codes):
    """A POST that came after the session had ended; the user is asked to log in."""
    log_in(browser, two_codes).open("/account/qualifications/code?code=1301960002")
    with later(hours=3):
        browser.submit("确认更换")
        assert browser.h1 == "用户登录" and "您刚才填的内容留着" in browser.main
        yield browser


def test_what_was_sent_too_late_is_given_back_after_the_login_and_sent_again(lost_post, two_codes):
    lost_post.submit("登 录", **RIGHT)
    assert lost_post.number == "3005" and "1301960002" in lost_post.main
    form = lost_post.soup.find("button", string="再提交一次").find_parent("form")
    body = dict(form_data(form))
    sent = lost_post.client.post(form["action"], data=body, base_url=ORIGIN)
    assert sent.status_code == 307  # a browser sends the same body once more
    answer = lost_post.client.post(sent.headers["Location"], data=body, base_url=ORIGIN, follow_redirects=True)
    assert "海关编码已经保存" in answer.text
    session.expire_all()
    assert find_user("demo01").enterprise.active_code == "1301960002"
    assert lost_post.open("/login/kept").url == "/member"


def test_what_was_kept_can_be_thrown_away(lost_post, two_codes):
    lost_post.submit("登 录", **RIGHT)
    lost_post.submit("不要了，删掉")
    assert "留着的内容已经删掉" in lost_post.text
    assert find_user("demo01").enterprise.active_code == "1301960001"
    assert lost_post.open("/login/kept").url == "/member"


def test_what_was_kept_is_given_to_nobody_else(lost_post, other_browser, two_codes):
    other = make_user("other1", enterprise=make_enterprise("别家有限公司", "91130100PDY000028G", code=None))
    lost_post.submit("登 录", **RIGHT)
    action = lost_post.soup.find("button", string="再提交一次").find_parent("form")["action"]
    log_in(other_browser, other).open("/account/cards")
    assert other_browser.open("/login/kept").url == "/member"
    data = {"csrf_token": other_browser.value("csrf_token")}
    assert other_browser.client.post(action, data=data, base_url=ORIGIN).status_code == 404


@pytest.mark.item("M70")
def test_a_change_waits_for_the_next_login_and_one_button_makes_it(browser, two_codes):
    log_in(browser, two_codes).open("/account/qualifications/code?code=1301960002")
    browser.submit("确认更换")
    assert "变更将在重新登录后生效" in browser.main
    token = login_token(browser)
    assert "1301960001" in browser.open("/member").main
    browser.submit("重新登录")
    assert "1301960002" in browser.open("/member").main and "变更将在重新登录后生效" not in browser.text
    assert login_token(browser) != token


def test_renewing_a_login_does_not_make_it_last_longer(browser, two_codes):
    log_in(browser, two_codes).open("/account/qualifications/code?code=1301960002")
    browser.submit("确认更换")
    with later(hours=1):
        browser.open("/member").submit("重新登录")
    first, second = session.query(Login).order_by(Login.seen_at).all()
    assert first.at == second.at

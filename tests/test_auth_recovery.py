"""A forgotten password by mail (M65, M66): the link, what ends with the old password, who is told, and who learns nothing."""

import re
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event

from blueprints.common import clock
from models.accounts import find_user, has_devices
from models.clients import ImportClient
from models.database import session
from models.documents import HistoryEvent
from models.proofs import Proof
from models.sessions import Login
from tests.browsing import ORIGIN, Browser
from tests.card_bridge_double import errors_of
from tests.conftest import ID_NUMBER, log_in, make_user
from tests.test_auth_password import later, try_login

NEW = {"password": "another good horse", "again": "another good horse"}


def ask_mail(browser, user="demo01", **typed):
    browser.open("/login/recovery/password")
    return browser.submit("确认", **({"way": "邮箱找回", "user": user, "captcha": "XXXXX"} | typed))


def link_of(outbox, run_jobs) -> str:
    run_jobs()
    return re.findall(rf"{ORIGIN}(/login/recovery/link/\S+)", outbox.mails[-1].text)[-1]


@pytest.fixture
def link(browser, administrator, outbox, run_jobs):
    """What stands in the mail that the owner asked for."""
    ask_mail(browser)
    return link_of(outbox, run_jobs)


@pytest.mark.item("M65", "M66", "M69")
def test_the_link_in_the_mail_sets_a_new_password(browser, link):
    assert browser.h1 == "请看邮箱"
    browser.open(link)
    assert browser.number == "3009" and "安全性高的密码可以使账号更安全, 建议定期更换密码" in browser.main
    browser.submit("启用新密码", **NEW)
    assert browser.number == "3001" and "新密码设好了" in browser.main
    try_login(browser)
    assert errors_of(browser)[0].startswith("90501")
    try_login(browser, password=NEW["password"])
    assert browser.url == "/member"


@pytest.mark.item("M65")
def test_the_page_asks_what_the_manual_asks(browser):
    browser.open("/login/recovery/password")
    for label in ("找回方式 *", "用户名 *", "验证码 *", "邮箱找回", "确认"):
        assert label in browser.main
    assert browser.number == "3008" and browser.soup.find("img", alt=re.compile("验证码"))


def test_looking_at_the_link_uses_nothing_up_but_setting_does(browser, link, other_browser):
    other_browser.open(link).open(link)
    browser.open(link).submit("启用新密码", **NEW)
    other_browser.submit("启用新密码", password="a thief's horse", again="a thief's horse")
    assert other_browser.status == 410
    assert other_browser.open(link).status == 410 and "密码没有变" in other_browser.main
    assert try_login(browser, password=NEW["password"]).number != "3001"


def test_a_link_ends_after_thirty_minutes(browser, link):
    with later(minutes=29):
        assert browser.open(link).status == 200
    with later(minutes=31):
        assert browser.open(link).status == 410 and "90247" in browser.main
        browser.follow("重新申请一封")
        assert browser.number == "3008"


def test_a_link_with_another_token_opens_nothing(browser, link):
    for token in ("x", link.rpartition("/")[2][:-1], link.rpartition("/")[2] + "x"):
        assert browser.open(f"/login/recovery/link/{token}").status == 410
        assert "90245" in browser.main


def test_a_link_of_another_purpose_opens_nothing(browser, link):
    session.query(Proof).one().purpose = "objection"
    session.commit()
    assert browser.open(link).status == 410 and "90245" in browser.main


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ({"password": "short", "again": "short"}, "90211"),
        ({"again": "another good hors"}, "90005"),
        ({"password": "", "again": ""}, "90001"),
    ],
)
def test_a_password_that_does_not_fit_is_said_and_the_link_stays(browser, link, typed, number):
    browser.open(link).submit("启用新密码", **(NEW | typed))
    assert errors_of(browser)[0].startswith(number)
    browser.submit("启用新密码", **NEW)
    assert "新密码设好了" in browser.main


def test_a_link_sent_before_another_recovery_counts_no_more(browser, link, outbox, run_jobs):
    ask_mail(browser)
    browser.open(link_of(outbox, run_jobs)).submit("启用新密码", **NEW)
    assert browser.open(link).status == 410


def test_an_account_that_was_stopped_meanwhile_gets_no_new_password(browser, link):
    before = find_user("demo01").password_hash
    find_user("demo01").is_active = False
    session.commit()
    browser.open(link).submit("启用新密码", **NEW)
    assert "90507" in browser.main
    session.expire_all()
    assert find_user("demo01").password_hash == before


def main_of(browser) -> str:
    """The page without what belongs to this browser and moment only."""
    text = str(browser.soup.find(id="main"))
    return re.sub(r'(value|src)="[^"]{40,}"', "", text)


@pytest.mark.parametrize("name", ["nobody99", "stopped1", "nomail1"])
def test_nobody_learns_whether_there_is_such_an_account(app, administrator, outbox, run_jobs, name):
    make_user("stopped1").is_active = False
    make_user("nomail1", person=("李明", ID_NUMBER, ""))
    session.commit()
    known, other = Browser(app), Browser(app)
    ask_mail(known)
    ask_mail(other, user=name)
    assert main_of(other) == main_of(known) and other.url == known.url and other.status == known.status
    run_jobs()
    assert [mail.to for mail in outbox.mails] == ["demo01@example.com"]
    for _ in range(5):
        ask_mail(known)
        ask_mail(other, user=name)
    assert errors_of(known) == errors_of(other) and errors_of(other)[0].startswith("90248")


@contextmanager
def statements():
    """What is asked of the database meanwhile; savepoints apart."""
    seen, engine = [], session.get_bind()

    def note(connection, cursor, statement, *rest):
        if "SAVEPOINT" not in statement:
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def test_times_do_not_tell_either_because_the_same_work_is_done(app, administrator):
    """Recovery and wrong passwords ask the database the same, statement by statement, for somebody and for nobody."""
    for act in (ask_mail, lambda browser, user: [try_login(browser, user=user, password="wrong") for _ in range(6)]):
        asked = []
        for name in ("demo01", "nobody99"):
            browser = Browser(app)
            browser.client.set_cookie("eport-browser", "some-mark", domain="127.0.0.1")
            with statements() as seen:
                act(browser, user=name)
            asked.append(seen)
        assert asked[0] == asked[1] and len(asked[0]) > 5


def test_a_wrong_captcha_sends_nothing(browser, administrator, outbox, run_jobs):
    ask_mail(browser, captcha="YYYYY")
    assert errors_of(browser)[0].startswith("90502") and browser.value("user") == "demo01"
    run_jobs()
    assert not outbox.mails
    browser.submit("看不清，换一张")
    assert not errors_of(browser) and browser.value("user") == "demo01"


@pytest.mark.parametrize(("typed", "number"), [({"way": ""}, "90001"), ({"user": ""}, "90001"), ({"captcha": ""}, "90001"),
                                               ({"way": "phone"}, "90002")])  # fmt: skip
def test_each_field_is_asked_for(browser, administrator, typed, number):
    ask_mail(browser, **typed)
    assert errors_of(browser)[0].startswith(number)


@pytest.mark.item("M71")
def test_a_recovery_ends_what_the_old_password_opened(browser, link, app, company):
    elsewhere = log_in(Browser(app), find_user("demo01"))
    try_login(elsewhere)
    user = find_user("demo01")
    session.add(ImportClient(enterprise_id=company.id, user_id=user.id, customs_code="1301960001", name="ERP", send_folder="a",
                             receive_folder="b", token_hash=b"x", created_at=clock.now(),
                             expires_at=clock.now() + timedelta(days=1)))  # fmt: skip
    session.commit()
    browser.open(link).submit("启用新密码", **NEW)
    session.expire_all()
    user = find_user("demo01")
    assert elsewhere.open("/login/mine").number == "3001"
    assert all(login.ended_at for login in session.query(Login).filter_by(user_id=user.id))
    assert session.query(ImportClient).one().revoked_at and not has_devices(user.id)
    assert timedelta(hours=71) < user.guarded_until - clock.now() <= timedelta(hours=72)
    assert session.query(HistoryEvent).filter_by(act="找回密码", enterprise_id=company.id).one()


def test_every_contact_of_the_account_and_the_administrator_are_told(browser, administrator, outbox, phone, run_jobs):
    operator = make_user(
        "oper01", role="operator", enterprise=administrator.enterprise, person=("赵六", "", "zhao@example.com")
    )
    operator.keep_mobile("13800000002")
    administrator.keep_mobile("13800000001")
    session.commit()
    ask_mail(browser, user="oper01")
    browser.open(link_of(outbox, run_jobs)).submit("启用新密码", **NEW)
    run_jobs()
    told = {mail.to for mail in outbox.mails if "重新设过" in mail.subject}
    assert told == {"zhao@example.com", "demo01@example.com"}
    assert {message.to for message in phone.messages} == {"13800000001", "13800000002"}
    assert all("不是本人办的" in message.text for message in phone.messages)


def test_a_migrated_account_sets_its_first_password_without_a_guard(browser, administrator, outbox, run_jobs):
    administrator.password_hash = None
    session.commit()
    assert "从老系统迁来的，第一次登录请先设密码" in browser.open("/login").main
    ask_mail(browser)
    browser.open(link_of(outbox, run_jobs)).submit("启用新密码", **NEW)
    session.expire_all()
    assert find_user("demo01").guarded_until is None
    assert try_login(browser, password=NEW["password"]).number != "3001"


def test_after_a_recovery_the_owner_need_not_wait(browser, link):
    for _ in range(6):
        try_login(browser, password="wrong horse")
    assert errors_of(browser)[0].startswith("90503")
    browser.open(link).submit("启用新密码", **NEW)
    try_login(browser, password=NEW["password"])
    assert not errors_of(browser)


@pytest.mark.item("M67")
def test_the_user_names_of_a_mailbox_are_mailed_to_it_and_said_to_nobody_else(app, administrator, outbox, run_jobs):
    second = make_user("demo02", person=("李明", ID_NUMBER, "demo01@example.com"))
    known, other = Browser(app), Browser(app)
    for browser, address in ((known, "Demo01@example.com"), (other, "nobody@example.com")):
        browser.open("/login/recovery/name").submit("确认", way="邮箱找回", email=address, captcha="XXXXX")
        assert browser.h1 == "请看邮箱" and "demo" not in browser.main
    assert main_of(known) == main_of(other)
    run_jobs()
    assert [mail.to for mail in outbox.mails] == ["Demo01@example.com"]
    assert "demo01、demo02" in outbox.mails[0].text and second.shown_name == "demo02"


def test_user_names_are_mailed_so_many_times_an_hour_only(browser, administrator, outbox, run_jobs):
    for _ in range(6):
        browser.open("/login/recovery/name").submit("确认", way="邮箱找回", email="demo01@example.com", captcha="XXXXX")
    assert errors_of(browser)[0].startswith("90248")
    run_jobs()
    assert len(outbox.mails) == 5


def test_a_mail_address_of_the_wrong_shape_is_said(browser):
    browser.open("/login/recovery/name").submit("确认", way="邮箱找回", email="nobody", captcha="XXXXX")
    assert errors_of(browser)[0].startswith("90202")

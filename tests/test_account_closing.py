"""Cards bound and unbound, reminders before they end; closing an account with its cooling-off time."""

from datetime import timedelta

import pytest

from blueprints.account.cards import remind_of_cards
from blueprints.account.closing import close_due_accounts
from blueprints.common import clock
from models.accounts import BoundCard, find_card, find_enterprise, find_organisation, find_user
from models.database import session
from tests.card_bridge_double import confirm_by_card, errors_of
from tests.conftest import USCC, log_in, make_enterprise, make_user

pytest_plugins = ["tests.card_fixtures"]


# -- cards


def bound(administrator, days: int) -> BoundCard:
    card = BoundCard(card_number="8600000000101", user_id=administrator.id, card_type="法人卡", certificate=b"x", serial="1",
                     not_after=clock.now() + timedelta(days=days), bound_at=clock.now())  # fmt: skip
    session.add(card)
    session.commit()
    return card


@pytest.mark.item("M86", "M156")
def test_a_card_is_bound_and_unbound(browser, administrator, card):
    log_in(browser, administrator).open("/account/cards")
    browser.submit("绑定一张卡")
    confirm_by_card(browser, card)
    assert find_card("8600000000101")
    browser.follow("解除绑定")
    browser.submit("解除绑定")
    assert find_card("8600000000101") is None and "还没有绑定卡" in browser.main


def test_another_accounts_card_is_not_unbound(browser, administrator):
    row = bound(administrator, 100)
    other = make_user("other_1", enterprise=make_enterprise("别家", "91130100PDY000028G", code="1301960002"))
    assert log_in(browser, other).open(f"/account/cards/{row.id}/unbind").status == 404


def test_the_end_of_a_card_is_told_at_60_30_and_7_days_once_each(context, administrator, run_jobs, outbox):
    bound(administrator, 61)
    told = []
    for day in (0, 2, 2, 20, 32, 33, 55, 59, 62):
        with clock.stopped_at(clock.now() + timedelta(days=day)):
            remind_of_cards()
        run_jobs()
        told.append(len(outbox.mails))
    assert told == [0, 1, 1, 1, 2, 2, 3, 3, 3]
    assert [mail.subject for mail in outbox.mails] == [f"电子口岸卡还有{left}天到期" for left in (59, 29, 6)]


def test_who_switched_the_reminder_off_gets_none(context, administrator, run_jobs, outbox):
    administrator.reminders = {"card": False}
    bound(administrator, 6)
    remind_of_cards()
    run_jobs()
    assert not outbox.mails


# -- closing


def close(browser, administrator, password="correct horse"):
    log_in(browser, administrator).open("/account/closing")
    return browser.submit("申请注销", password=password)


def test_an_account_closes_after_the_cooling_off_time_and_its_company_may_register_again(browser, administrator, app):
    close(browser, administrator)
    assert "注销，在那以前登录都可以撤回" in browser.main
    with app.app_context():
        close_due_accounts()
    session.expire_all()
    assert find_user("demo01").is_active
    with app.app_context(), clock.stopped_at(clock.now() + timedelta(days=16)):
        close_due_accounts()
    session.expire_all()
    user = find_user("demo01")
    assert not user.is_active and user.email is None and user.real_name is None
    assert find_enterprise(USCC) is None and find_organisation(USCC[8:17]) is None
    assert browser.open("/member").h1 == "用户登录"


def test_closing_can_be_taken_back(browser, administrator, app):
    close(browser, administrator)
    browser.open("/member")
    browser.follow("账号正在注销")
    browser.submit("撤回注销，账号照常用")
    with app.app_context(), clock.stopped_at(clock.now() + timedelta(days=16)):
        close_due_accounts()
    session.expire_all()
    assert find_user("demo01").is_active


def test_an_administrator_with_operators_hands_over_first(browser, administrator):
    make_user("demo01a", role="operator", enterprise=administrator.enterprise, person=("钱", None, "q@example.com"))
    close(browser, administrator)
    assert errors_of(browser)[0].startswith("90270")


def test_closing_needs_the_password(browser, administrator):
    close(browser, administrator, password="wrong")
    assert errors_of(browser)[0].startswith("90264")
    session.expire_all()
    assert find_user("demo01").closing_at is None

"""A company that is registered already is joined, not registered again; a legal card without account begins a registration."""

import pytest

from blueprints.registration.join import BY_COMPANY, surname_of
from models.accounts import find_user, open_join_requests
from models.database import session
from models.documents import Document
from tests.card_bridge_double import confirm_by_card, errors_of, issue
from tests.conftest import ID_NUMBER, USCC
from tests.test_registration import ADMINISTRATOR, COMPANY, PNG
from tests.test_registration_kinds import NEXT, OTHER, approve, begin

pytest_plugins = ["tests.card_fixtures"]


# -- a company that is known already


def ask_to_join(browser, **typed):
    browser.open("/registration/join")
    person = {"code": USCC, "name": "赵六", "email": "zhao@example.com", "message": "报关员"}
    return browser.submit("发验证码到我的邮箱", **(person | typed))


def test_the_second_registrant_is_told_no_more_than_that_it_is_registered(browser, administrator):
    begin(browser, "three-in-one")
    browser.submit(NEXT, **COMPANY)
    assert errors_of(browser)[0].startswith("90212 08 该单位已注册")
    assert "李" not in browser.main and "demo01" not in browser.main
    assert browser.soup.find("a", href="/registration/join"), "the way to join stands on the page"


def test_after_the_mail_is_proven_the_surname_is_shown_and_the_wish_forwarded(browser, administrator, run_jobs, outbox):
    ask_to_join(browser)
    assert "该单位已注册" in browser.main and "管理员姓" not in browser.main
    run_jobs()
    browser.submit("继续", code=outbox.proof)
    assert "管理员姓李" in browser.main and "李明" not in browser.main
    browser.submit("转给管理员")
    run_jobs()
    assert outbox.mails[-1].to == "demo01@example.com" and "赵六" in outbox.mails[-1].text
    assert [row.person["name"] for row in open_join_requests(administrator.enterprise_id)] == ["赵六"]


def test_wishes_to_join_are_limited_per_company(browser, administrator, run_jobs, outbox):
    for _ in range(3):
        BY_COMPANY.add(str(administrator.enterprise_id))
    session.commit()
    ask_to_join(browser)
    run_jobs()
    browser.submit("继续", code=outbox.proof)
    browser.submit("转给管理员")
    assert errors_of(browser)[0].startswith("90253")
    assert not open_join_requests(administrator.enterprise_id)


def test_a_join_code_typed_wrong_five_times_is_void(browser, administrator, run_jobs, outbox):
    ask_to_join(browser)
    run_jobs()
    wrong = "000000" if outbox.proof != "000000" else "111111"
    for left in (4, 3, 2, 1):
        browser.submit("继续", code=wrong)
        assert errors_of(browser) == [f"90244 验证码不对，请看最新的一条再输，还能试{left}次"]
    browser.submit("继续", code=wrong)
    assert errors_of(browser)[0].startswith("90243")
    browser.submit("继续", code=outbox.proof)
    assert errors_of(browser)[0].startswith("90243")


def test_a_join_proof_ends_after_ten_minutes_and_counts_in_its_own_browser(
    browser, other_browser, administrator, run_jobs, outbox, clock_at
):
    with clock_at(2026, 11, 20, 10, 0):
        ask_to_join(browser)
        run_jobs()
    assert other_browser.open("/registration/join/administrator").status == 404
    assert other_browser.open("/registration/join/proof").status == 404
    with clock_at(2026, 11, 20, 10, 11):
        browser.submit("继续", code=outbox.proof)
        assert errors_of(browser)[0].startswith("90242")


@pytest.mark.parametrize(("typed", "number"), [
    ({"code": "123"}, "90251"), ({"code": OTHER}, "90252"), ({"email": "x"}, "90202"), ({"name": ""}, "90001"),
    ({"mobile": "1"}, "90203"),
])  # fmt: skip
def test_each_rule_of_the_join_page_has_its_number(browser, administrator, typed, number):
    ask_to_join(browser, **typed)
    assert errors_of(browser)[0].startswith(number)


def test_surnames_of_two_characters_stay_whole():
    assert [surname_of(name) for name in ("欧阳一", "王小明", "")] == ["欧阳", "王", ""]


# -- a card whose holder has no account


def card_login(browser, card):
    browser.open("/login/card")
    browser.submit("开始读卡")
    return confirm_by_card(browser, card)


@pytest.mark.item("M216")
def test_a_legal_card_without_account_opens_a_registration_filled_from_it(
    browser, other_browser, app, issuer, reviewer, run_jobs
):
    card_login(browser, issue(issuer))
    assert browser.number == "2001" and "还没有注册" in browser.main
    browser.submit(NEXT, type="three-in-one", agreed="agreed")
    assert browser.value("uscc") == USCC and browser.value("name") == "示例外贸（石家庄）有限公司"
    browser.submit(NEXT, province="130000", city="130100", address="石家庄市中山东路1号", entity_types=["cargo-owner"])
    browser.submit(NEXT)
    assert browser.value("id_number") == ID_NUMBER
    browser.submit(NEXT, **(ADMINISTRATOR | {"name": browser.value("name")}))
    browser.submit(NEXT, {"licence": ("执照.png", PNG)})
    browser.submit("提交")
    approve(other_browser, reviewer, "示例外贸")
    user = find_user("demo_01")
    assert user.role == "administrator" and user.enterprise.origin == "card"
    card_login(browser, issue(issuer))
    assert "demo_01" in browser.text.lower() or "Demo_01" in browser.text


@pytest.mark.item("M216")
def test_a_registration_by_card_stays_with_the_company_of_the_card(browser, app, issuer):
    card_login(browser, issue(issuer))
    browser.submit(NEXT, type="three-in-one", agreed="agreed")
    browser.submit(NEXT, **(COMPANY | {"uscc": OTHER, "name": "别的单位"}))
    browser.submit(NEXT)
    browser.submit(NEXT, **ADMINISTRATOR)
    browser.submit(NEXT, {"licence": ("执照.png", PNG)})
    browser.submit("提交")
    assert any(line.startswith("90213") for line in errors_of(browser))


def test_an_operator_card_of_an_unknown_company_is_told_to_bring_the_legal_card(browser, app, issuer):
    card_login(browser, issue(issuer, kind="02"))
    assert "90533" in browser.main or "第一次请用本单位的法人卡登录" in browser.main
    assert session.query(Document).count() == 0

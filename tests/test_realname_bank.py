"""银行UKEY认证: to the sandbox's banks over real HTTP and back, each mismatch, banks away, the page of a visit."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from blueprints.common import clock
from gateways.banks import connect_bank
from models.banks import BankVisit
from models.database import session
from tests.bank_traveller import (
    GOOD,
    NAME,
    RETURN,
    SHORT,
    SONG,
    STEPS,
    USCC,
    Traveller,
    last_state,
    level_now,
    nothing_happened,
    refused,
    verifications,
)
from tests.browsing import ORIGIN
from tests.conftest import log_in, make_enterprise, make_user

pytest_plugins = ["tests.bank_fixtures"]
pytestmark = pytest.mark.usefixtures("banks")


# the way that goes well


@pytest.mark.item("M92", "M95", "M108", "M109", "M111")
@pytest.mark.parametrize("slug", SHORT)
def test_the_ukey_of_company_and_owner_verifies_both(traveller, owner, slug):
    browser = traveller.verify(slug)
    assert browser.number == "5003"
    assert f"认证结果:已通过企业实名认证! 企业名称: {NAME} 认证方式 {SHORT[slug]}" in browser.main
    [done] = verifications()
    assert (done.method, done.level, level_now(owner)) == (f"bank-{slug}", 2, 2)
    assert (done.evidence["uscc"], done.evidence["owner"], done.evidence["owner_id"]) == (USCC, *SONG[:2])
    assert (
        "Signature" in done.evidence["query"] or "SIGN" in done.evidence["query"] or "context" in done.evidence["query"]
    )


@pytest.mark.item("M108", "M109")
def test_the_page_names_the_banks_and_what_to_bring(traveller):
    page = traveller.portal.open("/realname/bank")
    assert page.number == "5040"
    assert (
        "需使用企业银行对公账号的 Ukey 登录银行系统进行实名制认证。目前支持的银行:中国建设银行、中国农业银行、中国民生银行。"
        in page.main
    )
    said = page.soup.main.get_text("").replace("\n", "")
    assert "仅支持 IE8 及以上浏览器" in said and "插入中国建设银行「跨境 e+」网银盾并点击确定" in said
    assert "单一窗口企业实名认证" in said and "输入「跨境 e+」网银盾密码并点击确定" in said
    assert [button.get_text() for button in page.soup.select("#banks button")] == [
        f"去{name}认证" for name in SHORT.values()
    ]


@pytest.mark.item("M110")
def test_the_bank_shows_what_it_was_asked_before_the_password(traveller):
    address = traveller.set_out()
    traveller.at_the_bank(address, ("insert", {"ukey": GOOD["ccb"]}))
    shown = BeautifulSoup(traveller.bank.get(address).text, "html.parser").main.get_text(" ", strip=True)
    assert "您正在“中国国际贸易单一窗口”进行企业实名认证，输入的信息如下" in shown
    assert NAME in shown and USCC in shown and USCC[8:17] in shown


def test_a_company_with_an_organisation_code_only_is_known_by_it(browser, app):
    company = make_enterprise(NAME, USCC, origin="migrated")
    company.uscc = None
    session.commit()
    user = make_user("demo02", enterprise=company, person=SONG)
    assert Traveller(log_in(browser, user)).verify().number == "5003"


def test_the_name_may_be_written_in_other_brackets(browser, app):
    company = make_enterprise("样张进出口 (石家庄) 有限公司", USCC, origin="migrated")
    user = make_user("demo02", enterprise=company, person=("宋长宁", SONG[1].lower(), ""))
    assert Traveller(log_in(browser, user)).verify().number == "5003"


def test_only_the_page_of_the_banks_may_lead_to_them(traveller, bank_world):
    page = traveller.portal.open("/realname/bank")
    assert f"form-action 'self' {bank_world.address};" in page.response.headers["Content-Security-Policy"]
    data = {"csrf_token": "old", "bank": "ccb"}
    again = page.client.post("/realname/bank", base_url=ORIGIN, data=data)
    assert again.status_code == 400 and bank_world.address in again.headers["Content-Security-Policy"], (
        "1091 sends again"
    )
    assert bank_world.address not in page.open("/realname/").response.headers["Content-Security-Policy"]


def test_the_visit_is_bound_to_a_cookie_of_its_own_that_is_kept_by_hash(traveller):
    traveller.portal.open("/realname/bank")
    cookie = traveller.post("ccb").headers["Set-Cookie"]
    assert cookie.startswith("eport-bank-") and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    row = session.scalars(select(BankVisit)).one()
    secret = re.search("=([^;]+)", cookie)[1]
    assert (
        secret.encode() not in row.cookie_hash and secret != row.nonce and row.until - row.at == timedelta(minutes=15)
    )


def test_neither_keys_nor_the_bank_are_asked_inside_a_transaction(traveller, banks, monkeypatch):
    seen = []
    for name in ("check_is_open", "address_of", "read_return"):
        true = getattr(type(banks["ccb"]), name)

        def looking(self, *args, true=true, name=name):
            seen.append((name, session().in_transaction()))
            return true(self, *args)

        monkeypatch.setattr(type(banks["ccb"]), name, looking)
    traveller.verify()
    assert {name for name, _ in seen} == {"check_is_open", "address_of", "read_return"}
    assert not [name for name, inside in seen if inside]


# who may not, and what does not fit


@pytest.mark.parametrize("origin", ["registered", "card"])
def test_a_company_that_did_not_migrate_needs_none(browser, app, origin):
    user = make_user(enterprise=make_enterprise(origin=origin), person=SONG)
    page = log_in(browser, user).open("/realname/bank")
    assert "90554" in page.main and not page.soup.select("#banks button")
    assert "90554" in Traveller(page).post("ccb").text


def test_an_operator_cannot_start_it(browser, app):
    operator = make_user("demo02a", role="operator", enterprise=make_enterprise(NAME, USCC, origin="migrated"))
    assert log_in(browser, operator).open("/realname/bank").status == 403
    assert Traveller(browser).post("ccb").status_code == 403


MISMATCHES = [
    ("ccb", "CCB00000501", "90594", "样品物流（石家庄）有限公司"),
    ("abc", "ABC00000501", "90592", "中国农业银行"),
    ("cmbc", "CMBC00000202", "90595", "样张贸易（石家庄）有限公司"),
    ("ccb", "CCB00000202", "90598", "钱小满"),
    ("ccb", "CCB00000203", "90597", "没有说Ukey发给了谁"),
    ("ccb", "CCB00000205", "90590", "解锁"),
    ("ccb", "CCB00000206", "90591", "换发"),
]


@pytest.mark.item("M92")
@pytest.mark.parametrize(("slug", "ukey", "number", "words"), MISMATCHES, ids=[row[2] for row in MISMATCHES])
def test_each_mismatch_has_its_own_number_and_changes_nothing(traveller, owner, slug, ukey, number, words):
    browser = traveller.verify(slug, ukey)
    assert browser.number == "5041" and browser.h1 == "没有办成"
    assert number in browser.main and words in browser.main and nothing_happened(owner)
    assert "130100189905050050" not in browser.main, "another person's number is not told"
    assert browser.follow("再认证一次").number == "5040"


def test_an_account_without_an_id_number_is_told_to_have_it_added(browser, app):
    user = make_user(enterprise=make_enterprise(NAME, USCC, origin="migrated"), person=("宋长宁", "", ""))
    assert "90596" in Traveller(log_in(browser, user)).verify().main and nothing_happened(user)


def test_giving_up_at_the_bank_ends_it_without_harm(traveller, owner):
    back = traveller.at_the_bank(traveller.set_out(), ("give-up", {}))
    assert "90589" in traveller.portal.open(back).main and nothing_happened(owner)


def test_a_bank_that_will_not_today_is_named(traveller, owner, mood):
    mood("ccb", "refuse")
    browser = traveller.verify()
    assert "90593" in browser.main and "中国建设银行" in browser.main and nothing_happened(owner)


# a bank that is not there


def test_a_bank_under_maintenance_is_not_even_opened(traveller, mood):
    mood("ccb", "down")
    browser = traveller.portal.open("/realname/bank")
    browser.submit("去建设银行认证")
    assert browser.number == "5040" and "中国建设银行正在维护" in browser.errors[0] and "90583" in browser.main
    assert session.scalars(select(BankVisit)).all() == []
    assert traveller.verify("abc").number == "5003"


def test_a_bank_that_does_not_answer_is_not_waited_for(traveller, mood):
    mood("ccb", "silent")
    browser = traveller.portal.open("/realname/bank").submit("去建设银行认证")
    mood("ccb", "yes")
    assert "90582" in browser.main and session.scalars(select(BankVisit)).all() == []


def test_a_bank_that_is_not_connected_is_greyed(traveller, app, banks, monkeypatch):
    monkeypatch.setitem(app.config, "GATEWAYS", replace(app.config["GATEWAYS"], banks={"abc": banks["abc"]}))
    page = traveller.portal.open("/realname/bank")
    assert [button.get_text() for button in page.soup.select("#banks button")] == ["去农业银行认证"]
    assert page.main.count("本地区还没有接通") == 2
    for slug in ("ccb", "icbc", "<b>", ""):
        assert "90581" in traveller.post(slug).text and "<b>，" not in traveller.post(slug).text
    assert page.client.get(RETURN + "ccb?SIGN=x", base_url=ORIGIN).status_code == 404


def test_without_our_own_keys_nobody_is_sent_anywhere(traveller, app, bank_world, banks, monkeypatch, tmp_path):
    banks["ccb"] = connect_bank("ccb", f"{bank_world.address}/bank-ccb", tmp_path)
    assert "90582" in traveller.portal.open("/realname/bank").submit("去建设银行认证").main


# the page of the visit


def test_a_visit_without_result_says_so_and_can_be_gone_on_with(traveller, owner):
    address = traveller.set_out()
    page = traveller.portal.open("/realname/bank").follow("接着办那一次")
    assert page.number == "5041" and "轮到您了" in page.main
    link = page.soup.find("a", string="打开银行的页面")["href"]
    assert link == address, "the same request, not another"
    here = page.url
    assert page.open(traveller.at_the_bank(link, *STEPS)).number == "5003"
    assert page.open(here).number == "5003"


def test_a_visit_can_be_stopped(traveller, owner):
    back = traveller.prove()
    page = traveller.portal.open("/realname/bank").follow("接着办那一次").submit("不办了")
    assert "90599" in page.main
    assert refused(traveller, back, "90599") and nothing_happened(owner)


def test_a_visit_that_nobody_came_back_from_expires(traveller):
    traveller.set_out()
    page = traveller.portal.open("/realname/bank").follow("接着办那一次")
    with clock.stopped_at(clock.now() + timedelta(minutes=16)):
        assert "90588" in page.open(page.url).main
        assert "接着办那一次" not in page.open("/realname/bank").main


def test_in_another_browser_the_visit_is_seen_but_not_opened(traveller, owner, other_browser):
    traveller.set_out()
    page = log_in(other_browser, owner).open("/realname/bank").follow("接着办那一次")
    assert "要在开始认证的那个浏览器里打开" in page.main and not page.soup.find("a", string="打开银行的页面")


def test_another_account_does_not_see_the_visit(traveller, other_browser):
    traveller.set_out()
    here = traveller.portal.open("/realname/bank").follow("接着办那一次").url
    rival = make_user("rival", enterprise=make_enterprise("对手贸易", "91130100PDY000036B", origin="migrated"))
    assert log_in(other_browser, rival).open(here).status == 404
    data = {"csrf_token": other_browser.open("/realname/bank").value("csrf_token")}
    assert other_browser.client.post(f"{here}/stop", base_url=ORIGIN, data=data).status_code == 404
    assert last_state() == "open"


def test_an_account_that_starts_too_often_is_told_when_to_come_back(traveller):
    with clock.stopped_at(clock.now()):
        for _ in range(6):
            traveller.set_out()
        traveller.portal.open("/realname/bank").submit("去建设银行认证")
        assert "90580" in traveller.portal.main and "60分钟" in traveller.portal.main
    with clock.stopped_at(clock.now() + timedelta(minutes=61)):
        assert traveller.set_out("abc")

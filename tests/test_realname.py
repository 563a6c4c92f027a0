"""单位实名认证: who needs it, the way by IC card, and each mismatch with its own words."""

import pytest

from models.accounts import Enterprise
from models.database import session
from models.realname import last_verification
from tests.card_bridge_double import BridgeDouble, confirm_by_card, errors_of, issue
from tests.conftest import log_in, make_enterprise, make_user

pytest_plugins = ["tests.card_fixtures"]
SCOPE = (
    "适用于未认证的单一窗口企业用户进行实名认证,例如从原质检系统或其他地方系统迁移到单一窗口的、未做实名认证的企业用户。"
    "不适用于通过单一窗口注册的企业用户以及直接使用电子口岸卡介质登录的企业用户。"
)


@pytest.fixture
def migrated(app):
    """The administrator of a company that came from an old system."""
    return make_user(enterprise=make_enterprise(origin="migrated"))


def here(browser, user):
    return log_in(browser, user).open("/realname/")


def level_now(user) -> int:
    session.expire_all()
    return session.get(Enterprise, user.enterprise_id).level


@pytest.mark.item("M91", "M92", "M93", "M94")
def test_a_migrated_company_sees_three_ways_with_icon_and_words(browser, migrated):
    here(browser, migrated)
    assert SCOPE in browser.main and "企业信息认证和账号所有人身份信息认证" in browser.main
    ways = browser.soup.select("#ways section")
    assert [way.h2.get_text() for way in ways] == ["IC卡认证", "法定代表人身份证件信息认证", "银行UKEY认证"]
    for way in ways:
        assert "未通过" in way.get_text() and way.find("use")["href"] == "#i-pencil"
    assert all("建设中" not in way.get_text() for way in ways)
    assert "按钮右上角图标为绿色对勾时,表示通过;右上角为蓝色铅笔图标表示未通过。" in browser.main


@pytest.mark.item("M96")
def test_the_card_of_company_and_owner_verifies_both(browser, migrated, card):
    here(browser, migrated).submit("去认证")
    assert "单位实名认证" in browser.main
    confirm_by_card(browser, card)
    assert browser.number == "5003"
    assert (
        "认证结果:IC认证成功!您需要退出所有应用后,重新登录才能生效。 企业名称: 示例外贸（石家庄）有限公司"
        in browser.main
    )
    done = last_verification(migrated.enterprise_id)
    assert (done.method, done.level, done.certificate) == ("card", 3, card.der) and level_now(migrated) == 3


@pytest.mark.item("M215")
def test_what_waited_for_the_verification_opens_after_the_new_login(browser, migrated, card):
    log_in(browser, migrated).open("/access/transmission-id")
    assert "请先完成单位实名认证" in browser.main
    browser.follow("去认证").submit("去认证")
    confirm_by_card(browser, card)
    assert "请先完成单位实名认证" in browser.open("/access/transmission-id").main
    browser.open("/realname/result").submit("重新登录")
    assert "请先完成单位实名认证" not in browser.open("/access/transmission-id").main
    way = browser.open("/realname/").soup.select("#ways section")[0]
    assert "未通过" not in way.get_text() and way.find("use")["href"] == "#i-tick" and "安全级别：高" in browser.main


@pytest.mark.item("M215")
@pytest.mark.parametrize(
    ("origin", "words"), [("registered", "是通过单一窗口注册的"), ("card", "是直接使用电子口岸卡介质登录的")]
)
def test_a_company_that_did_not_migrate_is_told_that_it_needs_none(browser, app, origin, words):
    user = make_user(enterprise=make_enterprise(origin=origin))
    here(browser, user)
    assert words in browser.main and "不用办实名认证" in browser.main and SCOPE in browser.main
    assert not browser.soup.select("#ways button")
    data = {"csrf_token": browser.value("csrf_token")}
    answer = browser.client.post("/realname/card", data=data, base_url="http://127.0.0.1:8080")
    assert "90554" in answer.text


def refused(browser, user, own) -> str:
    here(browser, user).submit("去认证")
    confirm_by_card(browser, own)
    assert browser.h1 == "没有办成"
    assert level_now(user) == 0 and last_verification(user.enterprise_id) is None
    return browser.main


def test_another_companys_card_fails_on_the_company(browser, migrated, issuer):
    says = refused(browser, migrated, issue(issuer, uscc="91130100PDY000028G"))
    assert "90551" in says and "企业信息不一致" in says and "请换本单位的卡" in says
    browser.follow("重新开始")
    assert browser.number == "5001"


def test_another_persons_card_fails_on_the_owner(browser, migrated, issuer):
    says = refused(browser, migrated, issue(issuer, holder_id="130100189903030037"))
    assert "90552" in says and "账号所有人不一致" in says and "请换账号所有人本人的卡" in says
    assert "130100189903030037" not in says


def test_an_account_without_an_id_number_is_told_to_have_it_added(browser, app, card):
    user = make_user(enterprise=make_enterprise(origin="migrated"), person=("李明", "", ""))
    assert "90553" in refused(browser, user, card)


def test_the_id_number_counts_in_either_case_of_its_last_letter(browser, app, issuer):
    person = ("李明", "13010018990303003x", "")
    user = make_user(enterprise=make_enterprise(origin="migrated"), person=person)
    here(browser, user).submit("去认证")
    confirm_by_card(browser, issue(issuer, holder_id="13010018990303003X"))
    assert browser.number == "5003"


def test_a_confirmation_for_a_login_verifies_no_company(browser, migrated, card, other_browser):
    here(browser, migrated).submit("去认证")
    bridge = BridgeDouble.of(browser)
    browser.open(bridge.confirm(card, purpose="login"))
    assert "90528" in browser.main and level_now(migrated) == 0


def test_an_operator_cannot_start_it(browser, app):
    operator = make_user("demo01a", role="operator", enterprise=make_enterprise(origin="migrated"))
    here(browser, operator)
    assert "由本单位的管理员账号来办" in browser.main and not browser.soup.select("#ways button")
    data = {"csrf_token": browser.value("csrf_token")}
    assert browser.client.post("/realname/card", data=data, base_url="http://127.0.0.1:8080").status_code == 403


def test_the_members_home_asks_for_it_until_it_is_done(browser, migrated, card):
    log_in(browser, migrated).open("/member")
    assert "办好以后才能申请传输ID、申报" in browser.main
    here(browser, migrated).submit("去认证")
    confirm_by_card(browser, card)
    assert "办好以后才能申请传输ID、申报" not in browser.open("/member").main


def test_there_is_no_result_before_there_is_one(browser, migrated):
    assert log_in(browser, migrated).open("/realname/result").number == "5001"
    assert not errors_of(browser)

"""管理员账号信息管理: the company's page, the menu, and the customs codes that the company register knows."""

from datetime import UTC, date, datetime, timedelta

import pytest

from blueprints.account.jobs import refresh_codes as refresh_codes_job
from blueprints.common import clock
from blueprints.common.checks import org_code_of
from blueprints.common.codes import CannotRefresh
from blueprints.common.gateways import Gateways
from gateways.company_register import (
    CompanyRecord,
    CustomsCode,
    LegalRepresentative,
    NotFound,
    OffCompanyRegister,
    Unavailable,
)
from models.accounts import find_user
from models.codes import codes_of
from models.database import session
from tests.card_bridge_double import errors_of
from tests.conftest import USCC, log_in, make_enterprise, make_user

FOREVER = date(2099, 12, 31)


class Register:
    """The company register as a test has it: a list of codes, or what goes wrong."""

    is_on = True

    def __init__(self):
        self.codes, self.status, self.problem, self.asked = [("1301960001", FOREVER)], "存续", None, []
        self.was_in_transaction = None

    def company(self, uscc: str) -> CompanyRecord:
        self.asked.append(uscc)
        self.was_in_transaction = session().in_transaction()
        if self.problem:
            raise self.problem
        codes = tuple(
            CustomsCode(code, "进出口货物收发货人", date(2020, 1, 1), until, ("电子商务企业",))
            for code, until in self.codes
        )
        person = LegalRepresentative("王芳", "居民身份证", "130100189902020024")
        return CompanyRecord(
            uscc, "示例外贸（石家庄）有限公司", "", "地址", uscc[8:17], self.status, person, codes, "7"
        )


@pytest.fixture
def register(app, monkeypatch):
    register = Register()
    monkeypatch.setitem(app.config, "GATEWAYS", Gateways(register, None))
    return register


def here(browser, user):
    return log_in(browser, user).open("/account/company")


def qualifications(browser, user):
    return log_in(browser, user).open("/account/qualifications")


@pytest.mark.item("M73", "M74", "M76")
def test_the_page_shows_the_company_and_its_representative_masked(browser, administrator):
    here(browser, administrator)
    for words in ("单位中文名称", "示例外贸（石家庄）有限公司", "统一社会信用代码", USCC, "组织机构代码(主体标识码)", "PDY00001X",
                  "单位地址", "石家庄市长安区中山东路1号", "修改单位信息", "办卡申请/进度查询", "法定代表人姓名", "王芳",
                  "法定代表人证件类型", "居民身份证", "法定代表人证件号码", "1301**********0024", "修改法定代表人信息"):  # fmt: skip
        assert words in browser.main
    assert "130100189902020024" not in str(browser.soup) and "130100189901010019" not in str(browser.soup)


@pytest.mark.item("M69")
def test_beside_the_password_stands_the_advice_to_change_it(browser, administrator):
    here(browser, administrator)
    row = browser.soup.find("th", string="登录密码").find_parent("tr").get_text()
    assert "安全性高的密码可以使账号更安全, 建议定期更换密码" in row


@pytest.mark.item("M75")
def test_the_organisation_code_is_the_middle_of_the_credit_code():
    assert org_code_of("9113000034801880XB") == "34801880X"


@pytest.mark.item("M72")
def test_the_menu_has_the_seven_entries_of_the_source_in_their_order(browser, administrator):
    here(browser, administrator)
    entries = [line.get_text("|", strip=True).split("|") for line in browser.soup.select("#main nav .menu li")]
    assert [entry[0] for entry in entries] == ["单位管理员信息", "我的操作员", "我的IC卡(可选操作)", "我的资质(可选操作)", "印章管理",
                                               "单位实名认证", "自动导入客户端管理"]  # fmt: skip
    assert not [entry for entry in entries if len(entry) > 1], "all seven are open to the administrator"


@pytest.mark.item("M86")
def test_the_user_name_in_the_header_leads_to_the_page_where_cards_are_bound(browser, administrator):
    log_in(browser, administrator).open("/member")
    browser.follow("demo01")
    assert browser.number == "4001"
    browser.follow("我的IC卡")
    assert browser.soup.find("button", string="绑定一张卡")


def test_the_register_is_asked_outside_of_a_transaction_and_its_codes_are_shown(browser, administrator, register):
    register.codes = [("1301960001", FOREVER), ("1301960009", date(2020, 12, 31))]
    qualifications(browser, administrator).submit("从海关登记更新")
    assert "有效的海关编码有1个" in browser.main
    assert "1301960009" in browser.main and "已过期" in browser.main and "长期" in browser.main
    assert register.asked == [USCC] and register.was_in_transaction is False


@pytest.mark.parametrize("codes", [["1301960005"], ["1301960005", "1301960006"], []])
def test_the_only_valid_code_is_taken_into_use_and_a_lost_one_out_of_it(browser, administrator, register, codes):
    register.codes = [(code, FOREVER) for code in codes]
    qualifications(browser, administrator).submit("从海关登记更新")
    session.expire_all()
    assert find_user("demo01").enterprise.active_code == (codes[0] if len(codes) == 1 else None)


def test_a_code_in_use_stays_in_use_beside_a_new_one(browser, administrator, register):
    register.codes = [("1301960000", FOREVER), ("1301960001", FOREVER)]
    qualifications(browser, administrator).submit("从海关登记更新")
    assert browser.follow("编辑").soup.find("input", checked=True)["value"] == "1301960001"


@pytest.mark.parametrize(("problem", "number"), [
    (NotFound(USCC), "90563"), (Unavailable("HTTP 503"), "90565"),
    (Unavailable("maintenance", datetime(2026, 11, 21, 2, 0, tzinfo=UTC)), "90562"),
])  # fmt: skip
def test_each_trouble_of_the_register_has_its_number_and_the_codes_stay(
    browser, administrator, register, problem, number
):
    register.problem = problem
    qualifications(browser, administrator).submit("从海关登记更新")
    assert errors_of(browser)[0].startswith(number)
    assert "1301960001" in browser.main
    if number == "90562":
        assert "11月21日10:00以后再来更新" in errors_of(browser)[0]


def test_a_register_that_is_not_connected_is_said_to_be_so(browser, administrator, app, monkeypatch):
    monkeypatch.setitem(app.config, "GATEWAYS", Gateways(OffCompanyRegister(), None))
    qualifications(browser, administrator).submit("从海关登记更新")
    assert errors_of(browser)[0].startswith("90561")


def test_a_cancelled_company_holds_no_code_any_more(browser, administrator, register):
    register.status = "注销"
    qualifications(browser, administrator).submit("从海关登记更新")
    assert errors_of(browser)[0].startswith("90564") and not codes_of(administrator.enterprise_id)


def test_choosing_another_code_waits_for_the_next_login(browser, administrator, register):
    register.codes = [("1301960001", FOREVER), ("1301960002", FOREVER)]
    qualifications(browser, administrator).submit("从海关登记更新")
    browser.follow("编辑").submit("保存", code="1301960002")
    browser.submit("确认更换")
    assert "变更将在重新登录后生效" in browser.main
    browser.submit("重新登录")
    assert "1301960002" in browser.open("/member").main


@pytest.mark.parametrize("code", ["1301960009", "1301960077", "", ["1301960001", "1301960002"]])
def test_a_code_that_is_not_held_or_not_valid_cannot_be_chosen(browser, administrator, register, code):
    register.codes = [("1301960001", FOREVER), ("1301960002", FOREVER), ("1301960009", date(2020, 12, 31))]
    qualifications(browser, administrator).submit("从海关登记更新")
    browser.follow("编辑").submit("保存", code=code)
    assert errors_of(browser)[0].startswith("90566")
    session.expire_all()
    assert find_user("demo01").enterprise.active_code == "1301960001"


def test_an_operator_looks_and_does_not_change(browser, company, register):
    operator = make_user("demo01a", role="operator", enterprise=company)
    qualifications(browser, operator)
    assert not browser.soup.find("button", string="从海关登记更新")
    data = {"csrf_token": browser.value("csrf_token"), "code": "1301960001"}
    for path in ("/account/qualifications/refresh", "/account/qualifications", "/account/qualifications/code"):
        assert browser.client.post(path, data=data, base_url="http://127.0.0.1:8080").status_code == 403
    assert not register.asked


def test_a_company_without_code_is_reminded(browser, app):
    user = make_user("demo09", enterprise=make_enterprise(code=None))
    log_in(browser, user).open("/member")
    browser.follow("还没有选用海关编码")
    assert browser.number == "4004" and "还没有海关编码" in browser.main


def test_the_worker_fetches_the_codes_of_a_new_company(context, register, company):
    company.active_code = None
    session.commit()
    refresh_codes_job(str(company.id))
    session.expire_all()
    assert company.active_code == "1301960001"


def test_the_worker_tries_again_only_where_that_can_help(context, register, company):
    register.problem = Unavailable()
    with pytest.raises(CannotRefresh):
        refresh_codes_job(str(company.id))
    register.problem = NotFound(USCC)
    refresh_codes_job(str(company.id))


def test_a_code_shows_since_when_it_is_known(browser, administrator, register):
    moment = clock.now() + timedelta(minutes=5)
    with clock.stopped_at(moment):
        qualifications(browser, administrator).submit("从海关登记更新")
    assert f"{clock.local(moment):%Y-%m-%d %H:%M}" in browser.main

"""What the registration forms show, as the manuals have it: labels, required fields, hints; other regions' lists."""

import pytest

from blueprints.common.access import Needs, Principal
from blueprints.common.clock import today
from blueprints.common.kinds import Case
from blueprints.common.regions import load_region
from blueprints.registration.applicants import CompanyForm
from blueprints.registration.kinds import KINDS, REGISTRATION
from tests.conftest import log_in
from tests.test_registration import fill_registration

REQUIRED = {"企业所在省市区", "市", "单位名称", "单位地址", "统一社会信用代码", "实体类型"}
OPTIONAL = {
    "英文名称", "单位中文简称", "邮政编码", "开户银行", "银行账号", "中国电子口岸卡号", "注册资金", "海关企业代码", "外经贸企业代码", "国检企业代码",
    "边检企业代码", "港口局企业代码", "外管企业代码", "企业类型", "经营范围",
}  # fmt: skip


def form_in(region: str) -> CompanyForm:
    return CompanyForm(Case(REGISTRATION, None, load_region(region), today()), "company")


@pytest.mark.item("M37", "M38")
def test_the_company_page_has_the_fields_of_the_manual_and_marks_those_that_must_be_filled(context):
    labels = {field.label.text: field.needed for field in form_in("hebei")}
    assert labels.keys() >= REQUIRED | OPTIONAL
    assert {label for label, needed in labels.items() if needed} == REQUIRED


@pytest.mark.item("M56")
def test_liaoning_asks_for_its_fifteen_kinds_of_business(context):
    fields = {field.label.text: field for field in form_in("liaoning")}
    assert fields.keys() >= {"企业中文名称", "统一社会信用代码", "组织机构代码", "企业类型"}
    kinds = fields["企业类型"]
    assert kinds.group == "填写企业业务类型" and len(kinds.options) == 15 and kinds.name == "entity_types"
    assert [label for _, label in kinds.options][::14] == ["海运货运代理", "报关行"]


@pytest.mark.item("M52")
@pytest.mark.parametrize("place", ["company", "contacts", "papers"])
def test_pages_with_optional_fields_and_uploads_say_what_they_are_good_for(browser, place):
    fill_registration(browser)
    browser.open(browser.url.replace("check", place))
    assert "丰富选填信息有助于相关功能使用" in browser.main


@pytest.mark.item("M1", "M2")
def test_before_registering_one_reads_what_to_prepare(browser):
    browser.open("/registration/")
    browser.follow("使用前准备")
    for words in ("一台能上网的电脑", "Windows XP 以上操作系统", "IE8.0 以上浏览器",
                  "统一社会信用代码证（或组织机构代码证、营业执照）原件扫描件", "报检注册登记证或报关登记证原件扫描件"):  # fmt: skip
        assert words in browser.main, words


def test_every_type_says_what_to_have_at_hand(browser):
    for kind in KINDS:
        browser.open(f"/registration/{kind.slug}")
        assert kind.prepare and all(line in browser.main for line in kind.prepare)


@pytest.mark.item("M62", "M63", "M64")
def test_the_card_login_says_which_card_is_for_what_and_needs_ask_for_it(browser, administrator):
    browser.open("/login/card")
    for words in ("法人卡或管理员账户登录", "用中国电子口岸操作员卡，卡介质方式登录", "用账号登录单一窗口"):
        assert words in browser.main, words
    asked = Needs(company=True, medium=("操作员卡",))
    by_password = Principal(administrator.id, "demo01", "administrator", administrator.enterprise_id)
    by_card = Principal(administrator.id, "demo01", "administrator", administrator.enterprise_id, medium="操作员卡")
    assert [reason.sentence for reason in asked.unmet(by_password)] == ["请改用操作员卡登录"]
    assert asked.unmet(by_card) == []
    assert log_in(browser, administrator).open("/account/qualifications").status == 200, "an account will do to look"

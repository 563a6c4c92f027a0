"""Registration from the first page to the first login, as a company and an official live it."""

import pytest

from models.accounts import find_enterprise, find_user
from tests.conftest import USCC, log_in

PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082")  # fmt: skip
COMPANY = {
    "province": "130000", "city": "130100", "name": "示例外贸（石家庄）有限公司", "address": "石家庄市长安区中山东路1号",
    "uscc": USCC, "entity_types": ["cargo-owner"],
}  # fmt: skip
ADMINISTRATOR = {
    "user": "Demo_01", "password": "correct horse", "again": "correct horse", "name": "李明",
    "email": "liming@example.com", "phone": "0311-12345678", "mobile": "13800000001", "fax": "0311-12345679",
}  # fmt: skip


def fill_registration(browser):
    """From the start page to the check page."""
    browser.open("/registration/")
    browser.submit("开始填写")
    browser.submit("保存，去下一步", type="three-in-one", agreed="agreed")
    browser.submit("保存，去下一步", **COMPANY)
    browser.submit("保存，去下一步")
    browser.submit("保存，去下一步", **ADMINISTRATOR)
    browser.submit("保存，去下一步", {"licence": ("执照.png", PNG)})
    return browser


@pytest.mark.item("M31", "M37", "M40", "M41", "M46", "M51")
def test_a_company_registers_step_by_step_and_gets_a_receipt(browser):
    fill_registration(browser)
    assert browser.h1 == "核对一遍，再提交"
    assert "示例外贸（石家庄）有限公司" in browser.main
    assert "correct horse" not in browser.text
    browser.submit("提交")
    assert browser.h1 == "企业注册回执"
    assert "受理编号" in browser.main and "已经提交，不用再交一次" in browser.main


@pytest.mark.item("M53", "M55")
def test_an_approved_registration_creates_the_company_and_its_administrator(browser, other_browser, reviewer, run_jobs):
    fill_registration(browser).submit("提交")
    log_in(other_browser, reviewer).open("/reviews/")
    other_browser.follow("审核示例外贸")
    other_browser.submit("全部通过")
    user = find_user("demo_01")
    assert user.role == "administrator"
    assert user.enterprise == find_enterprise(USCC)
    assert user.enterprise.origin == "registered"


def test_a_returned_registration_leads_to_the_field_and_keeps_the_rest(browser, other_browser, reviewer):
    fill_registration(browser).submit("提交")
    receipt = browser.url
    log_in(other_browser, reviewer).open("/reviews/")
    other_browser.follow("审核示例外贸")
    other_browser.submit("退回写了原因的项", **{"why__company/address": "other", "say__company/address": "请写到门牌号"})
    browser.open(receipt)
    assert "第1次提交被退回" in browser.main
    browser.follow("去修改")
    assert browser.number == "2002"
    assert "请写到门牌号" in browser.main
    browser.submit("保存，去下一步", address="石家庄市长安区中山东路2号")
    assert browser.h1 == "核对一遍，再提交"
    browser.submit("提交")
    other_browser.open("/reviews/")
    other_browser.follow("审核示例外贸")
    assert "改了的 1 项" in other_browser.main
    assert "上次退回：请写到门牌号" in other_browser.main

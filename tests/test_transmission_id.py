"""传输ID申请 from the company's first page to the number in 企业资料, with the data centre's desk between."""

import pytest

from models.transmission import transmission_ids_of
from tests.conftest import log_in, make_enterprise, make_user
from tests.test_registration import PNG

APPLICANT = {
    "card": "8600000000101", "contact": "李明", "phone": "0311-12345678", "email": "liming@example.com",
    "city": "130100", "service": "new",
}  # fmt: skip
EXCHANGE = {"exchange": "cross-border", "business": ["export"], "node": "province", "data": ["order"]}


def fill_application(browser, **exchange):
    browser.open("/access/transmission-id")
    browser.submit("开始填写")
    browser.submit("保存，去下一步", **APPLICANT)
    return browser.submit("保存，去下一步", **EXCHANGE | exchange)


def apply_for_id(browser):
    fill_application(browser)
    browser.submit("保存，去下一步", {"licence": ("执照.png", PNG)}, device="ic-card", provider="无")
    return browser.submit("提交")


def decide(browser, words="全部通过", **typed):
    browser.open("/reviews/")
    browser.follow("审核示例外贸")
    return browser.submit(words, **typed)


@pytest.mark.item("M161", "M168")
def test_the_form_shows_the_company_as_registered_and_asks_for_the_rest(browser, administrator):
    log_in(browser, administrator).open("/access/transmission-id")
    browser.submit("开始填写")
    assert "示例外贸（石家庄）有限公司" in browser.main and "1301960001" in browser.main
    labels = [label.get_text(strip=True) for label in browser.soup.find_all("label")]
    for words in ("IC卡/IKey卡号", "联系人", "联系方式", "联系人邮箱", "地区", "申请服务类别"):
        assert any(words in label for label in labels), words
    assert [button.get_text() for button in browser.soup.select("form#step .acts button")][:2] == [
        "保存，去下一步",
        "暂存",
    ]


@pytest.mark.item("M165")
def test_a_third_level_node_takes_a_card_and_a_second_level_one_the_encryption_machine(browser, administrator):
    log_in(browser, administrator)
    fill_application(browser)
    assert [field["value"] for field in browser.soup.find_all(attrs={"name": "device"})] == ["ic-card", "ikey"]
    browser.open(browser.url.replace("device", "exchange"))
    browser.submit("保存，去下一步", node="branch")
    assert [field["value"] for field in browser.soup.find_all(attrs={"name": "device"})] == ["encryption-machine"]


@pytest.mark.item("M162", "M163")
def test_other_nodes_and_formats_must_be_named(browser, administrator):
    log_in(browser, administrator)
    fill_application(browser, node="other", data=["order", "other"])
    assert browser.number == "7102"
    assert any("分节点名称" in line for line in browser.errors) and any(
        "传输报文格式" in line for line in browser.errors
    )


@pytest.mark.item("M167", "M207")
def test_attachments_here_are_ten_types_of_4m_each(browser, administrator):
    log_in(browser, administrator)
    fill_application(browser)
    browser.submit("添加附件", {"paper": ("说明.png", PNG + b"\0" * (4 << 20))})
    assert any("不能超过4M" in line for line in browser.errors), browser.errors
    browser.submit("添加附件", {"paper": ("说明.exe", b"MZ" + b"\0" * 100)})
    assert any("不是jpg、jpeg、gif、png、bmp、pdf、doc、docx、xls、rar格式" in line for line in browser.errors)
    browser.submit("添加附件", {"paper": ("说明.pdf", b"%PDF-1.4\n%%EOF")})
    assert "说明.pdf" in browser.main


@pytest.mark.item("M171")
def test_the_promise_of_seven_working_days_starts_at_acceptance(
    browser, other_browser, administrator, data_centre, clock_at
):
    with clock_at(2026, 11, 2, 10):
        apply_for_id(log_in(browser, administrator))
        assert "等待「数据分中心接单审核」" in browser.main and "前办结" not in browser.main
    with clock_at(2026, 11, 6, 15):
        decide(log_in(other_browser, data_centre))
        log_in(browser, administrator).open(browser.url)
        assert "等待「数据分中心办理」，2026-11-17下班前办结" in browser.main


def test_the_id_that_the_data_centre_supplies_belongs_to_the_company(
    browser, other_browser, administrator, data_centre, company
):
    apply_for_id(log_in(browser, administrator))
    log_in(other_browser, data_centre)
    decide(other_browser)
    decide(other_browser)
    assert any("请填写「传输ID」" in line for line in other_browser.errors)
    other_browser.submit("全部通过", transmission_id="DXPENT0000000123")
    granted = transmission_ids_of(company.id)
    assert [(row.value, row.customs_code) for row in granted] == [("DXPENT0000000123", "1301960001")]
    assert "已通过" in browser.open(browser.url).main


def test_an_id_of_another_company_is_not_granted_twice(browser, other_browser, administrator, data_centre):
    apply_for_id(log_in(browser, administrator))
    log_in(other_browser, data_centre)
    decide(other_browser)
    decide(other_browser, transmission_id="dxp")
    assert any("传输ID要16位" in line for line in other_browser.errors)


def test_a_second_application_for_the_same_node_is_refused_while_the_first_is_open(browser, administrator):
    apply_for_id(log_in(browser, administrator))
    apply_for_id(browser)
    assert any("正在办理，不用再申请" in line for line in browser.errors)


def test_another_company_does_not_find_the_application(browser, other_browser, administrator, app):
    apply_for_id(log_in(browser, administrator))
    stranger = make_user("other", enterprise=make_enterprise("别家贸易", "91130100PDY000028G", code="1301960002"))
    log_in(other_browser, stranger)
    for end in ("", "/receipt.pdf", "/withdraw", "/check", "/applicant"):
        other_browser.open(browser.url + end)
        assert other_browser.status == 404, end


def test_an_unverified_migrated_company_is_told_what_is_missing(browser, app):
    company = make_enterprise(origin="migrated")
    log_in(browser, make_user(enterprise=company)).open("/access/transmission-id")
    assert browser.status == 403
    assert "请先完成单位实名认证" in browser.main and "去认证" in browser.main


def test_the_company_can_withdraw_and_the_desk_no_longer_sees_it(browser, other_browser, administrator, data_centre):
    apply_for_id(log_in(browser, administrator))
    browser.follow("撤回申请")
    browser.submit("撤回")
    assert "已撤回" in browser.main
    assert "没有等您办的申请" in log_in(other_browser, data_centre).open("/reviews/").main


def test_the_receipt_is_a_pdf_with_its_number(browser, administrator):
    apply_for_id(log_in(browser, administrator))
    browser.follow("下载回执")
    assert browser.response.mimetype == "application/pdf"
    assert browser.response.data.startswith(b"%PDF-")

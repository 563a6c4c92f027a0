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
    "user": "Demo_01", "password": "correct horse", "password_again": "correct horse", "name": "李明",
    "email": "liming@example.com", "phone": "0311-12345678", "mobile": "13800000001", "fax": "0311-12345679",
}  # fmt: skip


def fill_registration(browser, **company):
    """From the start page to the check page."""
    browser.open("/registration/")
    browser.submit("开始填写")
    browser.submit("保存，去下一步", type="three-in-one", agreed="agreed")
    browser.submit("保存，去下一步", **(COMPANY | company))
    browser.submit("保存，去下一步")
    browser.submit("保存，去下一步", **ADMINISTRATOR)
    browser.submit("保存，去下一步", {"licence": ("执照.png", PNG)})
    return browser


@pytest.mark.item("M31", "M51")
def test_a_company_registers_step_by_step_and_gets_a_receipt(browser):
    fill_registration(browser)
    assert browser.h1 == "核对一遍，再提交"
    assert "示例外贸（石家庄）有限公司" in browser.main
    assert "correct horse" not in browser.text
    browser.submit("提交")
    assert browser.h1 == "企业注册回执"
    assert "受理编号" in browser.main and "已经提交，不用再交一次" in browser.main


@pytest.mark.item("M55")
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
    other_browser.submit(
        "退回写了原因的项", **{"why__company/address": "other", "say__company/address": "请写到门牌号"}
    )
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
    assert "改了的1项" in other_browser.main
    assert "上次退回：请写到门牌号" in other_browser.main


def resume_code_of(browser) -> str:
    browser.submit("取一个续办码")
    assert browser.number == "2014"
    return browser.soup.select_one("b.hot").get_text()


def use_code(browser, code):
    browser.open("/registration/resume")
    return browser.submit("找回我填的内容", code=code)


def test_a_draft_goes_on_in_another_browser_by_its_resume_code_and_a_mailed_proof(
    browser, other_browser, run_jobs, outbox
):
    fill_registration(browser)
    browser.open(browser.url.replace("check", "company"))
    code = resume_code_of(browser)
    use_code(other_browser, code)
    assert other_browser.h1 == "核实是您本人"
    assert "liming@example.com" not in other_browser.main and "13800000001" not in other_browser.main
    assert "执照.png" not in other_browser.main
    run_jobs()
    other_browser.submit("继续", proof="000000" if outbox.proof != "000000" else "111111")
    assert any("验证码不对" in line for line in other_browser.errors)
    other_browser.submit("继续", proof=outbox.proof)
    assert "您的续办码" in other_browser.main
    other_browser.follow("接着填")
    assert other_browser.h1 == "核对一遍，再提交"


def test_a_resume_code_is_good_for_one_use(browser, other_browser):
    browser.open("/registration/")
    browser.submit("开始填写")
    code = resume_code_of(browser)
    use_code(browser, code)
    assert browser.number == "2014"
    use_code(other_browser, code)
    assert any("没有找到这个续办码" in line for line in other_browser.errors)


def test_a_mistyped_resume_code_is_said_to_be_mistyped(browser):
    browser.open("/registration/")
    browser.submit("开始填写")
    code = resume_code_of(browser).replace(" ", "")
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    use_code(browser, wrong)
    assert any("有一位不对" in line for line in browser.errors)


def test_guessing_resume_codes_is_slowed_down(browser):
    for _ in range(11):
        use_code(browser, "0000 0000 0000 0000")
    assert any("试的次数太多" in line for line in browser.errors)


@pytest.mark.item("M33")
def test_the_thirty_minutes_warn_and_take_nothing_away(browser, clock_at):
    with clock_at(2026, 11, 20, 10, 0):
        browser.open("/registration/")
        browser.submit("开始填写")
        assert "带*的为必填信息，请在 30 分钟内填完本表。" in browser.main
        assert "还剩30分钟，时间到了内容也会留着。" in browser.main
    with clock_at(2026, 11, 20, 10, 45):
        browser.submit("保存，去下一步", type="three-in-one", agreed="agreed")
        assert browser.number == "2002"


@pytest.mark.item("M31")
def test_without_type_and_consent_nobody_goes_on(browser):
    browser.open("/registration/")
    browser.submit("开始填写")
    assert "仔细阅读【服务条款】并选择注册类型" in browser.main
    browser.submit("保存，去下一步", type="three-in-one")
    assert browser.number == "2001"
    assert any("服务条款" in line for line in browser.errors)


@pytest.mark.item("M34", "M207")
def test_scans_are_images_of_10m_at_most(browser):
    fill_registration(browser)
    browser.open(browser.url.replace("check", "papers"))
    assert "原件扫描件，格式为 jpg/gif/bmp/jpeg/png，单张大小不可超过 10M" in browser.main
    browser.submit("添加附件", {"other_paper": ("说明.pdf", b"%PDF-1.4\n")})
    assert any("不是jpg、gif、bmp、jpeg、png格式" in line for line in browser.errors)
    browser.submit("添加附件", {"other_paper": ("大.png", PNG + b"\0" * (10 << 20))})
    assert any("不能超过10M" in line for line in browser.errors)
    browser.submit("添加附件", {"other_paper": ("空.png", b"")})
    assert any("是空的" in line for line in browser.errors)
    assert "执照.png" in browser.main


@pytest.mark.item("M46")
def test_each_paper_has_preview_and_delete(browser):
    fill_registration(browser)
    browser.open(browser.url.replace("check", "papers"))
    labels = [label.get_text(strip=True) for label in browser.soup.find_all("label")]
    for words in ("统一社会信用代码证", "报关注册登记证书", "报检注册登记证书", "其他资料"):
        assert any(words in label for label in labels), words
    page = browser.url
    browser.follow("预览")
    assert browser.response.mimetype == "image/jpeg"  # drawn anew, so that nothing but a picture leaves
    browser.open(page)
    browser.submit("删除")
    assert "执照.png" not in browser.main


@pytest.mark.item("M38", "M39")
def test_several_entity_types_may_be_chosen_and_the_enterprise_type_only_by_traders(browser):
    browser.open("/registration/")
    browser.submit("开始填写")
    browser.submit("保存，去下一步", type="three-in-one", agreed="agreed")
    assert "实体类型可选择多个" in browser.main and "注: 进出口企业才可以选择" in browser.main
    browser.submit("保存，去下一步", **COMPANY | {"entity_types": ["forwarder", "ship-agent"], "enterprise_type": "6"})
    browser.submit("保存，去下一步")
    browser.submit("保存，去下一步", **ADMINISTRATOR)
    browser.submit("保存，去下一步", {"licence": ("执照.png", PNG)})
    assert "货代、船代" in browser.main and "私营企业" not in browser.main
    browser.open(browser.url.replace("check", "company"))
    browser.submit("保存，去下一步", customs_code="1301960001")
    assert "私营企业" in browser.main


@pytest.mark.item("M35", "M36")
def test_the_customs_and_inspection_codes_are_asked_for_with_the_manuals_words(browser):
    browser.open("/registration/")
    browser.submit("开始填写")
    browser.submit("保存，去下一步", type="three-in-one", agreed="agreed")
    for name in ("海关企业代码", "国检企业代码"):
        assert f"凡是有“{name}”的企业必须填写该代码，否则会影响相关功能使用" in browser.main


@pytest.mark.item("M41", "M42", "M43", "M44", "M45")
def test_the_administrator_page_follows_the_manual(browser):
    fill_registration(browser)
    browser.open(browser.url.replace("check", "administrator"))
    assert "6-12位英文字母、数字或_组成, 不区分大小写!" in browser.main
    assert "注: 注册审核结果将发送到该邮箱" in browser.main
    browser.submit("保存，去下一步", user="a b", password="short", password_again="other", name="", fax="", email="no")
    said = " ".join(browser.errors)
    for words in ("平台帐户名要6-12位", "真实姓名不能为空!", "E-mail的格式不对", "请填写「传真」", "两次输入不一致"):
        assert words in said, words


@pytest.mark.item("M42")
def test_a_region_may_keep_the_password_rule_of_the_old_manual(browser, app, monkeypatch):
    fill_registration(browser)
    monkeypatch.setitem(app.config["REGION"].data, "password", {"min": 6, "max": 12})
    browser.open(browser.url.replace("check", "administrator"))
    assert "6-12位英文字母、数字或_组成, 区分大小写!" in browser.main
    browser.submit("保存，去下一步", password="has space", password_again="has space")
    assert any("密码不合要求" in line for line in browser.errors)
    browser.submit("保存，去下一步", password="abc_123", password_again="abc_123")
    assert browser.h1 == "核对一遍，再提交"


def test_a_taken_user_name_is_told_on_its_page_in_any_case(browser, administrator):
    fill_registration(browser, uscc="91130100PDY000028G")
    browser.open(browser.url.replace("check", "administrator"))
    browser.submit("保存，去下一步", user="DEMO01")
    assert any("这个平台帐户名已有人用" in line for line in browser.errors)


def test_a_second_registration_of_one_company_is_refused_at_submission(browser, other_browser):
    fill_registration(browser).submit("提交")
    fill_registration(other_browser)
    other_browser.open(other_browser.url.replace("check", "administrator"))
    other_browser.submit("保存，去下一步", user="second_1")
    assert not other_browser.errors
    other_browser.submit("提交")
    assert any("该单位已注册或正在审核" in line for line in other_browser.errors)


@pytest.mark.item("M44", "M51")
def test_the_result_is_mailed_to_the_address_of_the_registration(browser, other_browser, reviewer, run_jobs, outbox):
    fill_registration(browser).submit("提交")
    log_in(other_browser, reviewer).open("/reviews/")
    other_browser.follow("审核示例外贸")
    other_browser.submit(
        "退回写了原因的项", **{"why__company/address": "other", "say__company/address": "请写到门牌号"}
    )
    run_jobs()
    assert [mail.to for mail in outbox.mails] == ["liming@example.com"]
    assert "请写到门牌号" in outbox.mails[0].text and USCC not in outbox.mails[0].text


def test_a_refusal_needs_a_reason_and_ends_the_registration(browser, other_browser, reviewer):
    fill_registration(browser).submit("提交")
    receipt = browser.url
    log_in(other_browser, reviewer).open("/reviews/")
    other_browser.follow("审核示例外贸")
    other_browser.submit("不予通过")
    assert any("不予通过要写理由" in line for line in other_browser.errors)
    buttons = [b for b in other_browser.soup.find_all("button") if b.get("value") == "refuse"]
    other_browser.send(buttons[0].find_parent("form"), [("csrf_token", other_browser.value("csrf_token")), ("stage", "review"),
                       ("round", "1"), ("go", "refuse")], {"refusal": "不是本地区的企业"}, {})  # fmt: skip
    assert "不予通过" in browser.open(receipt).main and "不是本地区的企业" in browser.main


def test_a_stranger_does_not_find_a_draft(browser, other_browser):
    fill_registration(browser)
    assert other_browser.open(browser.url).status == 404


def test_switching_the_language_in_mid_form_keeps_what_was_typed(browser):
    browser.open("/registration/")
    browser.submit("开始填写")
    browser.submit("保存，去下一步", type="three-in-one", agreed="agreed")
    browser.submit("English", name="半截单位")
    assert browser.soup.html["lang"] == "en" or browser.kind == "htmx"
    browser.open(browser.url)
    assert browser.value("name") == "半截单位"


def test_a_form_older_than_its_session_comes_back_without_the_password(browser):
    """The page that offers to send it again shows what was typed, never what was secret."""
    fill_registration(browser)
    browser.open(browser.url.replace("check", "administrator"))
    browser.submit(
        "保存，去下一步", csrf_token="gone", name="王芳", password="correct horse", password_again="correct horse"
    )
    assert browser.number == "1091" and "王芳" in browser.text
    assert "correct horse" not in browser.response.get_data(as_text=True)


@pytest.mark.item("M53")
def test_a_registration_is_promised_within_two_working_days(browser, clock_at):
    with clock_at(2026, 11, 20, 10):  # a Friday
        fill_registration(browser).submit("提交")
        assert "等待「注册审核」，2026-11-24下班前办结" in browser.main


@pytest.mark.item("M40")
def test_the_contacts_are_three_people_with_seven_columns_and_all_optional(browser):
    fill_registration(browser)
    browser.open(browser.url.replace("check", "contacts"))
    labels = [label.get_text(" ", strip=True) for label in browser.soup.select("form#step label")]
    for words in ("姓名", "证件类型", "证件号码", "电话", "传真", "手机", "E-mail"):
        assert len([label for label in labels if label.split(" ", 1)[1] == words]) == 3, words
    for person in ("法人代表", "总经理", "财务联系人"):
        assert person in browser.main

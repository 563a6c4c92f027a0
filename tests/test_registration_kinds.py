"""The five account types, codes derived and checked, joining a company, cards without account, papers of several pages."""

import io

import pytest
from PIL import Image

from blueprints.common.checks import has_uscc_check_digit, is_org_code, org_check_digit, org_code_of, uscc_check_digit
from blueprints.common.gateways import Gateways
from models.accounts import find_enterprise, find_organisation, find_user
from tests.card_bridge_double import errors_of
from tests.conftest import USCC, log_in, make_user
from tests.test_account import Register
from tests.test_registration import ADMINISTRATOR, COMPANY, PNG, fill_registration

pytest_plugins = ["tests.card_fixtures"]
NEXT = "保存，去下一步"
OTHER = "91130100PDY000028G"
ACCOUNT = {
    "user": "demo_02",
    "password": "correct horse",
    "password_again": "correct horse",
    "email": "wang@example.com",
}
UNIT = {
    "province": "130000", "city": "130100", "name": "老式贸易公司", "address": "石家庄市长安区中山东路2号",
    "org_code": "PDY00002-8", "entity_types": ["cargo-owner"], "licence_number": "130100000000001",
}  # fmt: skip
INSTITUTION = {
    "province": "130000", "city": "130100", "name": "示例技术推广中心", "address": "石家庄市长安区中山东路3号",
    "uscc": "12130100PDY000095K",
}  # fmt: skip
PERSON = {
    "name": "𠮷田一", "id_type": "id-card", "id_number": "130100189901010019", "valid_from": "20200101",
    "valid_to": "00000000", "city": "130100", "address": "石家庄市长安区中山东路4号",
}  # fmt: skip
OVERSEAS = {
    "name": "Hafen Handels GmbH", "country": "德国", "number": "HRB 12345", "address": "Hafenstr. 1, Hamburg",
    "legal_name": "Erika Muster", "legal_number": "C01X00T47",
}  # fmt: skip
ABROAD = ACCOUNT | {"name": "Erika Muster", "passport": "C01X00T47", "phone": "+49 40 1234567"}


def begin(browser, kind: str):
    browser.open("/registration/")
    browser.submit("开始填写")
    return browser.submit(NEXT, type=kind, agreed="agreed")


def approve(browser, reviewer, words: str):
    log_in(browser, reviewer).open("/reviews/")
    browser.follow("审核" + words)
    return browser.submit("全部通过")


@pytest.mark.item("M32")
def test_the_start_page_offers_every_type_that_the_region_registers(browser, app, monkeypatch):
    browser.open("/registration/")
    for words in ("注册方式选择", "三证合一企业", "企业单位", "政府事业单位", "个人", "境外企业", "企业用户注册", "个人用户注册", "事业单位注册",
                  "境外企业注册", "从事国际贸易进出口环节各类业务的自然人用户"):  # fmt: skip
        assert words in browser.main, words
    data = app.config["REGION"].data
    monkeypatch.setitem(data, "registration", data["registration"] | {"open_account_types": ["three-in-one"]})
    browser.open("/registration/")
    assert "本地区暂时不办这一类注册" in browser.main
    browser.submit("开始填写")
    assert [node["value"] for node in browser.soup.select("input[name=type]")] == ["three-in-one"]


@pytest.mark.item("M47", "M48")
def test_a_company_without_credit_code_registers_by_its_organisation_code(browser, other_browser, reviewer):
    begin(browser, "enterprise-unit")
    assert browser.number == "2022"
    for words in ("单位全称", "组织机构代码", "工商注册登记号", "税务登记证"):
        assert words in browser.main
    assert "统一社会信用代码" not in browser.main
    browser.submit(NEXT, **UNIT)
    browser.submit(NEXT)
    browser.submit(NEXT, **ADMINISTRATOR)
    assert browser.number == "2025" and "组织机构代码证" in browser.main
    browser.submit(NEXT, {"licence": ("执照.png", PNG)})
    assert any("组织机构代码证" in line for line in browser.errors)
    browser.submit(NEXT, {"org_paper": ("代码证.png", PNG)})
    browser.submit("提交")
    approve(other_browser, reviewer, "老式贸易")
    company = find_organisation("PDY000028")
    assert company.account_type == "enterprise-unit" and company.uscc is None
    assert find_user("demo_01").enterprise == company


@pytest.mark.item("M49")
def test_an_institution_registers_with_its_certificate(browser, other_browser, reviewer, run_jobs):
    begin(browser, "institution")
    browser.submit(NEXT, **INSTITUTION)
    browser.submit(NEXT)
    browser.submit(NEXT, **ADMINISTRATOR)
    assert "事业单位法人证书" in browser.main
    browser.submit(NEXT, {"licence": ("证书.png", PNG)})
    browser.submit("提交")
    approve(other_browser, reviewer, "示例技术")
    assert find_enterprise("12130100PDY000095K").account_type == "institution"


@pytest.mark.item("M50")
def test_a_person_registers_and_is_not_asked_twice(browser, other_browser, reviewer):
    begin(browser, "person")
    browser.submit(NEXT, **PERSON)
    assert browser.number == "2044" and "真实姓名" not in browser.main
    browser.submit(NEXT, **ACCOUNT, mobile="13800000001")
    browser.submit(NEXT, {"front": ("正.png", PNG), "back": ("反.png", PNG)})
    assert "𠮷田一" in browser.main
    browser.submit("提交")
    receipt = browser.client.get(browser.url + "/receipt.pdf", base_url="http://127.0.0.1:8080")
    assert receipt.data.startswith(b"%PDF")
    approve(other_browser, reviewer, "𠮷田一")
    user = find_user("demo_02")
    assert user.real_name == "𠮷田一" and user.id_number == PERSON["id_number"]
    assert user.enterprise.account_type == "person" and user.enterprise.details.get("id_number") is None
    log_in(browser, user).open("/account/company")
    assert browser.status == 200


@pytest.mark.item("M50")
def test_a_foreign_company_registers_with_passport_and_foreign_telephone(browser, other_browser, reviewer):
    begin(browser, "overseas")
    browser.submit(NEXT, **OVERSEAS)
    browser.submit(NEXT, **ABROAD)
    browser.submit(NEXT, {"licence": ("cert.png", PNG), "passport": ("pass.png", PNG)})
    browser.submit("提交")
    approve(other_browser, reviewer, "Hafen")
    company = find_user("demo_02").enterprise
    assert company.name == "Hafen Handels GmbH" and company.representative["name"] == "Erika Muster"


def test_one_person_or_foreign_company_registers_once(browser, other_browser):
    for at, user in ((browser, "demo_02"), (other_browser, "demo_03")):
        begin(at, "overseas")
        at.submit(NEXT, **OVERSEAS)
        at.submit(NEXT, **(ABROAD | {"user": user}))
        at.submit(NEXT, {"licence": ("cert.png", PNG), "passport": ("pass.png", PNG)})
        at.submit("提交")
    assert "受理编号" in browser.main
    assert any("已注册或正在审核" in line for line in other_browser.errors)


def test_a_change_of_the_type_keeps_what_both_types_ask(browser):
    begin(browser, "three-in-one")
    browser.submit(NEXT, **COMPANY)
    browser.open(browser.url.replace("contacts", "type"))
    browser.submit(NEXT, type="enterprise-unit")
    assert browser.number == "2022" and browser.value("name") == COMPANY["name"]
    browser.open(browser.url.replace("company", "type"))
    browser.submit(NEXT, type="three-in-one")
    assert browser.number == "2003", "the credit code typed before is still there"


def test_a_submitted_registration_keeps_its_type(browser, other_browser, reviewer):
    fill_registration(browser).submit("提交")
    receipt = browser.url
    log_in(other_browser, reviewer).open("/reviews/")
    other_browser.follow("审核示例外贸")
    other_browser.submit("退回写了原因的项", **{"why__company/address": "other", "say__company/address": "写到门牌号"})
    browser.open(receipt + "/type")
    browser.submit(NEXT, type="person")
    assert errors_of(browser)[0].startswith("90214")


@pytest.mark.item("M217")
def test_the_version_of_the_terms_is_frozen_with_the_submission(browser):
    fill_registration(browser).submit("提交")
    assert "服务条款、免责声明、隐私政策的版本 2026-09-01 / 2026-09-01 / 2026-09-01" in browser.main


@pytest.mark.item("M75", "M210")
def test_codes_are_derived_from_each_other_with_their_check_digits():
    assert org_code_of("9113000034801880XB") == "34801880X" and is_org_code("34801880X")
    body = "34801880"
    first = f"91130000{body}{org_check_digit(body)}"
    assert first + uscc_check_digit(first) == "9113000034801880XB"
    for org_code in ("766374655", "MA5TNFGY9", "MA62K0260", "D2143569X", "63159284X"):
        assert is_org_code(org_code)
    assert not is_org_code("766374656") and not is_org_code("76637465")
    assert not has_uscc_check_digit("91350211M0000XUF46"), "in use, and against the standard"


@pytest.mark.parametrize(("typed", "number"), [
    ({"uscc": "9113"}, "90201"), ({"uscc": "91130100PDI00001XG"}, "90201"), ({"uscc": "91130100PDY00002XG"}, "90228"),
    ({"org_code": "PDY000028"}, "90229"), ({"org_code": "PDY000029"}, "90226"), ({"customs_code": "12"}, "90205"),
    ({"inspection_code": "12345"}, "90208"), ({"postcode": "05001"}, "90207"), ({"name": "长" * 300}, "90011"),
    ({"name": "坏\x07名"}, "90014"), ({"city": "999999"}, "90002"), ({"entity_types": ["nobody"]}, "90002"),
    ({"address": "  "}, "90001"), ({"name": "\u3000"}, "90001"),
])  # fmt: skip
def test_each_rule_of_the_company_page_has_its_number(browser, typed, number):
    begin(browser, "three-in-one")
    browser.submit(NEXT, **(COMPANY | typed))
    assert [line[:5] for line in errors_of(browser)] == [number]
    assert browser.value("english") == "" and browser.number == "2002"


@pytest.mark.item("M79", "M80", "M209")
@pytest.mark.parametrize(("typed", "number"), [
    ({"id_number": "130100189901010018"}, "90206"), ({"id_type": "passport", "id_number": "C01X00T47"}, "90218"),
    ({"valid_to": "20200102"}, "90225"), ({"valid_from": "2020-01"}, "90219"), ({"valid_to": "0000"}, "90220"),
    ({"valid_from": "20200231"}, "90219"),
])  # fmt: skip
def test_each_rule_of_a_persons_papers_has_its_number(browser, typed, number):
    begin(browser, "person")
    assert '当选择证件类型为"护照"时, 只能填写中华人民共和国制发的护照, 不能填写境外机构制发的护照。' in browser.main
    browser.submit(NEXT, **(PERSON | typed))
    assert [line[:5] for line in errors_of(browser)] == [number]


@pytest.mark.parametrize(("typed", "number"), [
    ({"user": "a b"}, "90209"), ({"user": "x" * 13}, "90011"), ({"email": "nobody"}, "90202"), ({"mobile": "123"}, "90203"),
    ({"phone": "abc"}, "90204"), ({"fax": "abc"}, "90204"), ({"id_number": "1"}, "90206"), ({"password": "short"}, "90005"),
    ({"password": "s", "password_again": "s"}, "90211"),
])  # fmt: skip
def test_each_rule_of_the_administrator_page_has_its_number(browser, typed, number):
    begin(browser, "three-in-one")
    browser.submit(NEXT, **COMPANY)
    browser.submit(NEXT)
    browser.submit(NEXT, **(ADMINISTRATOR | typed))
    assert number in {line[:5] for line in errors_of(browser)}


def test_a_deviating_check_digit_warns_and_does_not_stop(browser):
    begin(browser, "three-in-one")
    browser.submit(NEXT, **(COMPANY | {"uscc": "91350211M0000XUF46"}))
    assert browser.number == "2003"
    browser.submit(NEXT)
    browser.submit(NEXT, **ADMINISTRATOR)
    browser.submit(NEXT, {"licence": ("执照.png", PNG)})
    assert "请再看一眼，没有错就可以提交" in browser.main and "90227" in browser.main
    assert "末位按国家标准算应是“R”，填的是“6”" in browser.main
    browser.submit("提交")
    assert "受理编号" in browser.main


def test_codes_may_be_typed_in_any_width_and_case(browser):
    begin(browser, "three-in-one")
    browser.submit(NEXT, **(COMPANY | {"uscc": "９113 0100 pdy0 0001 xg", "customs_code": " 1301960001 "}))
    assert browser.number == "2003" or "enterprise_type" in str(browser.soup)
    assert not browser.errors


def test_emoji_and_rare_characters_go_through_to_the_print(browser, other_browser, reviewer):
    fill_registration(browser, name="𠮷祥🚢外贸").submit("提交")
    assert "𠮷祥🚢外贸" in browser.main
    pdf = browser.client.get(browser.url + "/receipt.pdf", base_url="http://127.0.0.1:8080")
    assert pdf.status_code == 200 and pdf.data.startswith(b"%PDF")
    approve(other_browser, reviewer, "𠮷祥🚢外贸")
    assert find_enterprise(USCC).name == "𠮷祥🚢外贸"


# -- papers


def photo(turned: bool) -> bytes:
    """A phone's photo: 40 × 20 pixels, red at its left, with the mark that it was taken with the phone on its side."""
    picture = Image.new("RGB", (40, 20), "blue")
    picture.paste("red", (0, 0, 20, 20))
    exif = Image.Exif()
    if turned:
        exif[0x0112] = 6  # turn 90° clockwise to look at it
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif, quality=95)
    return out.getvalue()


@pytest.mark.item("M46")
def test_a_paper_of_several_pages_is_added_replaced_and_deleted_page_by_page(browser):
    fill_registration(browser)
    browser.open(browser.url.replace("check", "papers"))
    browser.submit("添加附件", {"customs_paper": ("第一页.png", PNG)})
    browser.submit("添加附件", {"customs_paper": ("第二页.png", PNG)})
    assert "第1页" in browser.main and "第二页.png" in browser.main and "执照.png" in browser.main
    swap = next(b for b in browser.soup.find_all("button") if b.get("value", "").startswith("swap:customs_paper"))
    form, button = swap.find_parent("form"), (swap["name"], swap["value"])
    from tests.browsing import form_data

    browser.send(form, [*form_data(form), button], {}, {"customs_paper": ("新页.png", PNG)})
    assert "第一页.png" not in browser.main and "新页.png" in browser.main and "第二页.png" in browser.main
    drop = [b for b in browser.soup.find_all("button") if b.get("value", "").startswith("drop:customs_paper")][-1]
    form = drop.find_parent("form")
    browser.send(form, [*form_data(form), (drop["name"], drop["value"])], {}, {})
    assert "第二页.png" not in browser.main and "新页.png" in browser.main


@pytest.mark.item("M46")
def test_a_phone_photo_is_shown_upright(browser):
    fill_registration(browser)
    browser.open(browser.url.replace("check", "papers"))
    browser.submit("添加附件", {"other_paper": ("照片.jpg", photo(turned=True))})
    link = [a["href"] for a in browser.soup.select("a[href*='/files/']")][-1]
    shown = Image.open(io.BytesIO(browser.client.get(link, base_url="http://127.0.0.1:8080").data))
    assert shown.size == (20, 40)
    red, _, blue = shown.getpixel((10, 5))[:3]
    assert red > 200 and blue < 80, "the left of the photo is on top"


# -- the thirty minutes


@pytest.mark.item("M33")
def test_near_the_end_of_the_thirty_minutes_the_page_warns_and_extends(browser, clock_at):
    with clock_at(2026, 11, 20, 10, 0):
        begin(browser, "three-in-one")
        place = browser.url
    with clock_at(2026, 11, 20, 10, 26):
        browser.open(place)
        assert "只剩4分钟" in browser.main
        browser.submit("时间不够，延长30分钟", name="填了一半的")
        assert "已延长30分钟" in browser.main and "还剩30分钟" in browser.main
        assert browser.value("name") == "填了一半的"
    with clock_at(2026, 11, 20, 11, 30):
        browser.open(place)
        assert "30分钟到了，内容都留着" in browser.main and browser.value("name") == "填了一半的"


# -- the company register beside the answers


def test_officials_see_what_the_company_register_has_and_applicants_do_not(
    browser, other_browser, app, reviewer, run_jobs, monkeypatch
):
    register = Register()
    monkeypatch.setitem(app.config, "GATEWAYS", Gateways(register, None))
    fill_registration(browser).submit("提交")
    run_jobs()
    assert register.asked == [USCC] and register.was_in_transaction is False
    log_in(other_browser, reviewer).open("/reviews/")
    other_browser.follow("审核示例外贸")
    assert "企业登记库" in other_browser.main
    assert "企业登记库" not in browser.open(browser.url).main


def test_a_name_in_another_case_counts_as_taken_at_the_effect_too(browser, other_browser, reviewer):
    fill_registration(browser).submit("提交")
    make_user("DEMO_01".casefold())
    approve(other_browser, reviewer, "示例外贸")
    assert any("已有人用" in line for line in other_browser.errors)


def test_a_type_saved_by_the_page_itself_does_not_lead_the_next_click_astray(browser):
    """Autosave has made the draft one of another type; the button still posts to the address that the page was made with."""
    browser.open("/registration/")
    browser.submit("开始填写")
    form = browser.soup.find("form", id="step")
    data = [("csrf_token", browser.value("csrf_token")), ("type", "person"), ("writer", browser.value("writer"))]
    here = browser.url
    auto = {"HX-Request": "true"}
    browser.client.post(
        form["action"],
        data=dict(data) | {"go": "auto", "revision": "0"},
        headers=auto,
        base_url="http://127.0.0.1:8080",
    )
    browser.send(form, [*data, ("go", "next"), ("revision", "0"), ("agreed", "agreed")], {}, {})
    assert browser.number == "2042", browser.main[:200]
    assert browser.open(here).number == "2001"

"""账号信息 and 单位信息: each row changed on its own page; what needs papers is reviewed; closing an account."""

from datetime import timedelta

import pytest

from blueprints.common import clock
from models.accounts import find_enterprise, find_user
from models.database import session
from models.documents import Document
from tests.card_bridge_double import errors_of
from tests.conftest import USCC, log_in, make_enterprise, make_user
from tests.test_registration import PNG

pytest_plugins = ["tests.card_fixtures"]
NEXT = "保存，去下一步"
OWNER = {
    "name": "李明",
    "id_type": "id-card",
    "id_number": "130100189905050050",
    "valid_from": "20200101",
    "valid_to": "00000000",
}
LEGAL = OWNER | {"name": "宋长宁", "id_number": "130100189904040045", "country": "CHN"}


def start(browser, user, words: str):
    log_in(browser, user).open("/account/company")
    browser.follow(words)
    return browser.submit("开始填写")


def level_of(uscc: str) -> int:
    session.expire_all()
    return find_enterprise(uscc).level


def approve(browser, reviewer, words: str):
    log_in(browser, reviewer).open("/reviews/")
    browser.follow("审核" + words)
    return browser.submit("全部通过")


# -- the company


@pytest.mark.item("M78")
def test_an_address_changes_at_once_and_codes_cannot_be_typed(browser, administrator):
    start(browser, administrator, "修改单位信息")
    assert USCC in browser.main and browser.soup.find(attrs={"name": "uscc"}) is None
    browser.submit(NEXT, address="石家庄市桥西区新址路9号")
    browser.submit("提交")
    session.expire_all()
    assert find_enterprise(USCC).address == "石家庄市桥西区新址路9号" and "已通过" in browser.main


@pytest.mark.item("M78", "M82")
def test_a_new_name_needs_a_licence_and_a_review(browser, other_browser, administrator, reviewer):
    start(browser, administrator, "修改单位信息")
    browser.submit(NEXT, name="新名外贸（石家庄）有限公司")
    assert any("营业执照" in line for line in browser.errors)
    browser.submit(NEXT, {"licence": ("执照.png", PNG)}, name="新名外贸（石家庄）有限公司")
    browser.submit("提交")
    assert find_enterprise(USCC).name == "示例外贸（石家庄）有限公司"
    approve(other_browser, reviewer, "新名外贸")
    session.expire_all()
    assert find_enterprise(USCC).name == "新名外贸（石家庄）有限公司"


def test_nothing_changed_is_said(browser, administrator):
    start(browser, administrator, "修改单位信息")
    browser.submit(NEXT)
    browser.submit("提交")
    assert errors_of(browser)[0].startswith("90261")


def test_one_change_of_the_company_at_a_time(browser, other_browser, administrator):
    for at in (browser, other_browser):
        start(at, administrator, "修改单位信息")
        at.submit(NEXT, {"licence": ("执照.png", PNG)}, name="新名外贸")
        at.submit("提交")
    assert any("正在审核" in line for line in other_browser.errors)


@pytest.mark.item("M79", "M80", "M81")
def test_the_representative_is_changed_after_a_review(browser, other_browser, administrator, reviewer):
    start(browser, administrator, "修改法定代表人信息")
    for words in ("法定代表人姓名", "法定代表人证件类型", "身份证有效起始日期", "法定代表人证件号码", "身份证有效截至日期", "法定代表人国家/地区",
                  '当选择证件类型为"护照"时, 只能填写中华人民共和国制发的护照, 不能填写境外机构制发的护照。',
                  "一个企业下的所有账号, 其归属人的证件号码不能重复, 因此修改后的证件号码不能与本企业其他操作员的证件号码重复。"):  # fmt: skip
        assert words in browser.main, words
    browser.submit(NEXT, {"paper": ("证.png", PNG), "licence": ("执照.png", PNG)}, **LEGAL)
    browser.submit("提交")
    approve(other_browser, reviewer, "宋长宁")
    session.expire_all()
    assert find_enterprise(USCC).representative["name"] == "宋长宁"
    assert "1301**********0045" in log_in(browser, administrator).open("/account/company").main


@pytest.mark.parametrize(("typed", "number"), [
    ({"id_number": "1"}, "90206"), ({"id_type": "passport", "id_number": "C01X00T47"}, "90218"), ({"valid_to": "20200101"}, "90225"),
    ({"valid_from": "x"}, "90219"), ({"country": "XXX"}, "90002"), ({"name": ""}, "90001"),
])  # fmt: skip
def test_each_rule_of_the_representative_has_its_number(browser, administrator, typed, number):
    start(browser, administrator, "修改法定代表人信息")
    browser.submit(NEXT, {"paper": ("证.png", PNG), "licence": ("执照.png", PNG)}, **(LEGAL | typed))
    assert [line[:5] for line in errors_of(browser)] == [number]


def test_a_migrated_company_proves_itself_again_after_a_new_name(browser, other_browser, app, reviewer):
    company = make_enterprise(origin="migrated", level=3)
    start(browser, make_user(enterprise=company), "修改单位信息")
    browser.submit(NEXT, {"licence": ("执照.png", PNG)}, name="新名外贸")
    browser.submit("提交")
    approve(other_browser, reviewer, "新名外贸")
    assert level_of(USCC) == 0 and find_enterprise(USCC).renew_why == "单位中文名称"


def test_a_migrated_company_proves_itself_again_after_a_new_representative(browser, other_browser, app, reviewer):
    company = make_enterprise(origin="migrated", level=3)
    start(browser, make_user(enterprise=company), "修改法定代表人信息")
    browser.submit(NEXT, {"paper": ("证.png", PNG), "licence": ("执照.png", PNG)}, **LEGAL)
    browser.submit("提交")
    approve(other_browser, reviewer, "宋长宁")
    assert level_of(USCC) == 0 and find_enterprise(USCC).renew_why == "法定代表人"
    assert "需重新认证" in browser.open("/realname/").main


def test_a_migrated_company_proves_itself_again_after_a_new_owner_of_the_administrators_account(browser, app):
    company = make_enterprise(origin="migrated", level=3)
    log_in(browser, make_user(enterprise=company)).open("/account/owner")
    browser.submit("保存", name="宋长宁", id_type="id-card", id_number="130100189904040045")
    assert level_of(USCC) == 0 and "单位管理员" in find_enterprise(USCC).renew_why


@pytest.mark.item("M77")
def test_another_region_is_an_application(browser, other_browser, administrator, reviewer):
    log_in(browser, administrator).open("/account/region-change")
    browser.submit("开始填写")
    browser.submit(NEXT, region="辽宁", reason="公司搬到大连")
    browser.submit("提交")
    approve(other_browser, reviewer, "")
    assert "辽宁" in log_in(browser, administrator).open("/account/company").main


def test_an_operator_does_not_change_the_company(browser, administrator):
    user = make_user(
        "demo01a", role="operator", enterprise=administrator.enterprise, person=("钱", None, "q@example.com")
    )
    log_in(browser, user)
    for path in ("company-change", "representative-change", "region-change"):
        assert browser.open(f"/account/{path}").status == 403
    assert session.query(Document).count() == 0


# -- the own account


@pytest.mark.item("M77", "M87")
def test_every_row_of_the_account_has_its_way_to_change_it(browser, administrator):
    log_in(browser, administrator).open("/account/company")
    rows = {row.th.get_text(): row.find_all("td")[-1].a["href"] for row in browser.soup.select("#main table tbody tr")}
    assert list(rows) == [
        "单位管理员",
        "登录密码",
        "IC卡密码",
        "绑定手机",
        "接入地区",
        "邮箱",
        "账户设置",
        "我的登录",
        "活动记录",
        "账号注销",
    ]
    for words in ("修改卡介质密码。", "绑定手机可用于安全验证，找回密码等重要操作", "账户设置提醒", "修改信息后需要重新登录!",
                  "安全性高的密码可以使账号更安全, 建议定期更换密码"):  # fmt: skip
        assert words in browser.main
    for href in rows.values():
        assert browser.open(href).status == 200, href


@pytest.mark.item("M77")
def test_the_card_password_is_changed_in_the_card_bridge(browser, administrator):
    log_in(browser, administrator).open("/account/card-password")
    assert browser.soup.find("a", href="http://127.0.0.1:61230/pin")
    assert not browser.soup.select("#main input[type=password]")


@pytest.mark.item("M81", "M209")
def test_the_owner_is_changed_and_no_other_account_has_the_same_person(browser, administrator, run_jobs, outbox):
    make_user("demo01a", role="operator", enterprise=administrator.enterprise,
              person=("钱", "130100189906060066", "q@example.com"))  # fmt: skip
    log_in(browser, administrator).open("/account/owner")
    browser.submit("保存", **(OWNER | {"id_number": "130100189906060066"}))
    assert errors_of(browser)[0].startswith("90262")
    browser.submit("保存", **OWNER)
    assert "1301**********0050" in browser.main
    run_jobs()
    assert "所有人" in outbox.mails[-1].subject


@pytest.mark.parametrize(("typed", "number"), [
    ({"id_number": "1"}, "90206"), ({"id_type": "passport", "id_number": "C01X00T47"}, "90218"), ({"valid_to": "20200101"}, "90225"),
    ({"valid_from": "1"}, "90219"), ({"name": ""}, "90001"), ({"name": "𠮷" * 41}, "90011"),
])  # fmt: skip
def test_each_rule_of_the_owner_has_its_number(browser, administrator, typed, number):
    log_in(browser, administrator).open("/account/owner")
    browser.submit("保存", **(OWNER | typed))
    assert [line[:5] for line in errors_of(browser)] == [number]


def change_password(browser, **typed):
    browser.open("/account/password")
    return browser.submit(
        "保存", **({"old": "correct horse", "password": "other horse", "password_again": "other horse"} | typed)
    )


def test_a_new_password_ends_the_other_logins(browser, other_browser, administrator):
    log_in(other_browser, administrator).open("/member")
    change_password(log_in(browser, administrator))
    assert "登录密码已经改好" in browser.main
    assert other_browser.open("/member").h1 == "用户登录"
    other_browser.open("/login")
    other_browser.submit("登 录", user="demo01", password="other horse", captcha="XXXXX")
    assert other_browser.url == "/member"


@pytest.mark.parametrize(("typed", "number"), [
    ({"old": "wrong"}, "90264"), ({"password": "s", "password_again": "s"}, "90211"), ({"password_again": "x"}, "90005"),
    ({"old": ""}, "90001"),
])  # fmt: skip
def test_each_wrong_password_has_its_number_and_is_not_shown_again(browser, administrator, typed, number):
    change_password(log_in(browser, administrator), **typed)
    assert number in [line[:5] for line in errors_of(browser)]
    assert "horse" not in str(browser.soup)


def test_guessing_the_present_password_is_slowed(browser, administrator):
    log_in(browser, administrator)
    for _ in range(5):
        change_password(browser, old="wrong")
    change_password(browser)
    assert errors_of(browser)[0].startswith("90263")


@pytest.mark.item("M68")
def test_a_phone_is_bound_by_its_code_and_the_old_one_is_told(browser, administrator, run_jobs, outbox, phone):
    administrator.keep_mobile("13000000009")
    session.commit()
    log_in(browser, administrator).open("/account/mobile")
    browser.submit("获取验证码", mobile="13000000002")
    run_jobs()
    browser.submit("绑定这个手机", code=phone.proof)
    assert "手机已经绑定" in browser.main and "1300***0002" in browser.main
    run_jobs()
    assert phone.messages[-1].to == "13000000009" and outbox.mails[-1].to == "demo01@example.com"


def test_a_code_of_another_account_or_purpose_binds_nothing(browser, other_browser, administrator, run_jobs, phone):
    other = make_user("other_1", enterprise=make_enterprise("别家", "91130100PDY000028G", code="1301960002"))
    log_in(other_browser, other).open("/account/mobile")
    other_browser.submit("获取验证码", mobile="13000000002")
    run_jobs()
    log_in(browser, administrator)
    assert browser.open("/account/mobile/code").status == 404
    browser.open("/account/mobile")
    browser.submit("获取验证码", mobile="13000000003")
    browser.submit("绑定这个手机", code=phone.proof)
    assert errors_of(browser)[0].startswith("90244")
    session.expire_all()
    assert find_user("demo01").mobile == ""


def test_without_short_messages_the_page_says_so(browser, administrator):
    log_in(browser, administrator).open("/account/mobile")
    assert "还没有开通短信" in browser.main
    browser.submit("获取验证码", mobile="13000000002")
    assert errors_of(browser)[0].startswith("90265")


def link_in(mail) -> str:
    return next(line for line in mail.text.splitlines() if line.startswith("http"))


def ask_mail(browser, administrator, run_jobs, outbox) -> str:
    log_in(browser, administrator).open("/account/mail")
    browser.submit("发确认信", email="neu@example.com")
    run_jobs()
    assert outbox.mails[-1].to == "neu@example.com"
    return link_in(outbox.mails[-1])


def test_a_mail_address_counts_once_its_link_was_opened(browser, administrator, run_jobs, outbox):
    link = ask_mail(browser, administrator, run_jobs, outbox)
    session.expire_all()
    assert find_user("demo01").email == "demo01@example.com"
    browser.open(link)
    browser.submit("改成这个邮箱")
    session.expire_all()
    assert find_user("demo01").email == "neu@example.com"
    run_jobs()
    assert outbox.mails[-1].to == "demo01@example.com" and "邮箱" in outbox.mails[-1].subject
    assert "90246" in browser.open(link).main


def test_an_expired_or_mangled_mail_link_says_so_and_a_strangers_is_not_found(
    browser, other_browser, administrator, run_jobs, outbox
):
    link = ask_mail(browser, administrator, run_jobs, outbox)
    other = make_user("other_1", enterprise=make_enterprise("别家", "91130100PDY000028G", code="1301960002"))
    assert log_in(other_browser, other).open(link).status == 404
    assert "90245" in browser.open(link + "x").main
    with clock.stopped_at(clock.now() + timedelta(minutes=31)):
        assert "90247" in browser.open(link).main


def test_reminders_can_be_switched_off(browser, administrator):
    log_in(browser, administrator).open("/account/reminders")
    assert len(browser.soup.select("input[name=wanted][checked]")) == 3
    browser.submit("保存", wanted=["device"])
    browser.open("/account/reminders")
    assert [box["value"] for box in browser.soup.select("input[name=wanted][checked]")] == ["device"]


@pytest.mark.parametrize("path", ["owner", "password", "mobile", "mail", "closing"])
def test_after_a_recovery_the_delicate_pages_wait(browser, administrator, path):
    administrator.guarded_until = clock.now() + timedelta(hours=1)
    session.commit()
    log_in(browser, administrator).open(f"/account/{path}")
    assert browser.status == 403 and "90110" in browser.main

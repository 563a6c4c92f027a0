"""法定代表人身份认证: the steps, both error dialogs, limits, and the part that the 法定代表人 does on his telephone."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from blueprints.common import clock
from gateways.company_register import CompanyRecord, LegalRepresentative, NotFound, TurnedOff, Unavailable
from models.accounts import Enterprise, User
from models.database import session
from models.realname import VerificationCase, last_verification, open_case, verifications_of
from tests.conftest import ID_NUMBER, USCC, log_in, make_enterprise, make_user

COMPANY = "示例外贸（石家庄）有限公司"
WANG = {"name": "王芳", "id_type": "居民身份证", "id_number": "130100189902020024"}
LI = {"name": "李明", "id_type": "居民身份证", "id_number": ID_NUMBER}
DATES = {"valid_from": "20200101", "valid_to": "20400101"}
WRONG = {"valid_from": "20200102", "valid_to": "20400101"}
DIALOG_1 = "法定代表人信息验证不通过，请核对后重新填写，或可尝试银行卡认证方式。"
DIALOG_2 = (
    "您提交的身份证有效开始时间和有效截止时间未通过验证,请仔细检查是否填写错误,如果确认填写无误,可选择一个下面途径继续实名认证:"
    "一、使用CTID APP开通CTID(使用方法可查看页面上的帮助文档),开通完成后继续身份证认证;二、使用银行卡认证。"
)
PHONE = "13000000001"


class Register:
    """Stands where the company register would."""

    is_on = True

    def __init__(self, name=COMPANY):
        self.name, self.person, self.status, self.trouble, self.asked = name, WANG, "存续", None, 0

    def company(self, uscc):
        self.asked += 1
        if self.trouble:
            raise self.trouble
        return CompanyRecord(
            uscc, self.name, "", "", uscc[8:17], self.status, LegalRepresentative(**self.person), (), "7"
        )


class Authority:
    """Stands where the identity authority would: people by number, bank cards by number."""

    is_on = True

    def __init__(self):
        self.people = {
            person["id_number"]: person | {"valid_from": "20200101", "valid_to": "20400101"} for person in (WANG, LI)
        }
        self.cards = {"6200000000000000013": (WANG, PHONE), "6200000000000000021": (LI, "13000000002")}
        self.trouble, self.asked = None, []

    def _hear(self, check):
        self.asked.append(check)
        if self.trouble:
            raise self.trouble

    def does_paper_agree(self, check):
        self._hear(check)
        known = self.people.get(check.id_number)
        return bool(known) and all(known[name] == getattr(check, name) for name in known)

    def does_bank_card_agree(self, check):
        self._hear(check)
        known = self.cards.get(check.card_number)
        return bool(known) and (known[0]["name"], known[0]["id_number"], known[1]) == (
            check.name,
            check.id_number,
            check.phone,
        )


@pytest.fixture
def register(app, monkeypatch):
    double = Register()
    monkeypatch.setitem(app.config, "GATEWAYS", replace(app.config["GATEWAYS"], company_register=double))
    return double


@pytest.fixture
def authority(app, monkeypatch, register):
    double = Authority()
    monkeypatch.setitem(app.config, "GATEWAYS", replace(app.config["GATEWAYS"], identity=double))
    return double


@pytest.fixture
def migrated(authority):
    return make_user(enterprise=make_enterprise(origin="migrated"))


@pytest.fixture
def at_step_1(browser, migrated):
    log_in(browser, migrated).open("/realname/")
    way = next(
        each for each in browser.soup.select("#ways section") if "法定代表人身份证件信息认证" in each.h2.get_text()
    )
    return browser.open(way.a["href"])


def fill_company(browser, **typed):
    return browser.submit(
        "下一步", **{"legal_name": "王芳", "id_type": "id-card", "id_number": WANG["id_number"]} | typed
    )


@pytest.fixture
def at_step_2(at_step_1):
    return fill_company(at_step_1)


def prove_by_card(browser, phone, run_jobs, number="6200000000000000013", mobile=PHONE, **typed):
    """By bank card, with the SMS code."""
    browser.submit("获取验证码", card_number=number, phone=mobile, **typed)
    run_jobs()
    return browser.submit("确定", code=phone.proof)


@pytest.mark.item("M97", "M98", "M99", "M102", "M106", "M107", "M95")
def test_the_whole_way_by_id_card(at_step_1, migrated, authority):
    browser = at_step_1
    assert browser.number == "5010" and "了解法人身份认证,点击 帮助" in browser.main
    for label in ("企业名称", "统一社会信用代码", "组织机构代码", "法人姓名", "法人证件类型", "法人证件号码"):
        assert label in browser.main
    assert COMPANY in browser.main and USCC in browser.main
    steps = [each.get_text(" ", strip=True) for each in browser.soup.select("ol.menu li")]
    assert steps == ["1 核验企业信息", "2 核验法人身份信息", "3 核验管理员身份信息", "4 完成"]
    fill_company(browser)
    assert browser.number == "5012" and "日期格式:YYYYMMDD,长期有效请输入8个0" in browser.main
    assert "身份证认证" in browser.main and "银行卡认证" in browser.main
    browser.submit("下一步", **DATES)
    assert browser.number == "5014" and "本人证件号码" in browser.main and "李明" in browser.main
    browser.submit("下一步", **DATES)
    assert browser.number == "5016" and "您已完成实名认证" in browser.main and "中" in browser.main
    done = last_verification(migrated.enterprise_id)
    assert (done.method, done.level) == ("representative", 2)
    assert done.evidence["person"]["way"] == "id-card" and "check" in done.evidence["manager"]
    assert WANG["id_number"] not in str(done.evidence)
    browser.submit("重新登录")
    assert "安全级别：中" in browser.open("/realname/").main


@pytest.mark.item("M98")
def test_what_was_typed_is_kept_and_wrong_fields_are_said(at_step_1):
    fill_company(at_step_1, legal_name="", id_number="123")
    assert len(at_step_1.errors) == 2
    at_step_1.open("/realname/").open("/realname/representative")
    assert at_step_1.value("id_number") == "123" and at_step_1.value("legal_name") == ""


@pytest.mark.item("M100", "M101")
@pytest.mark.parametrize("typed", [{"legal_name": "王方"}, {"id_number": ID_NUMBER}, {"id_type": "other"}])
def test_error_dialog_1_in_the_seeds_words_keeps_what_was_typed(at_step_1, typed):
    browser = fill_company(at_step_1, **typed)
    dialog = browser.soup.find(attrs={"role": "alertdialog"})
    assert browser.number == "5010" and DIALOG_1 in dialog.get_text() and "信息" in dialog.h2.get_text()
    assert "建议您使用其他方式进行企业实名认证" in dialog.get_text()
    names = [each.get_text(strip=True) for each in dialog.find_all(["button", "a"])]
    assert names == ["银行卡认证", "银行Ukey认证", "IC卡认证", "取消"]
    browser.open(next(a for a in dialog.find_all("a") if "取消" in a.get_text())["href"])
    for name, value in typed.items():
        assert browser.value(name) == value
    for words, number in (("银行Ukey认证", "5040"), ("IC卡认证", "5001")):
        link = next(a for a in dialog.find_all("a") if words in a.get_text())
        assert browser.open(link["href"]).number == number


@pytest.mark.item("M100")
def test_bank_card_of_dialog_1_goes_on_where_the_name_agrees_at_a_lower_level(
    at_step_1, migrated, phone, run_jobs, register
):
    register.person = WANG | {"id_number": "130100600101001"}  # an old number of 15 digits
    browser = fill_company(at_step_1).submit("银行卡认证")
    assert browser.number == "5013" and "身份证认证方式只支持证件类型为身份证的情况" in browser.main
    prove_by_card(browser, phone, run_jobs)
    assert browser.submit("下一步", **DATES).number == "5016"
    done = last_verification(migrated.enterprise_id)
    assert (done.method, done.level, session.get(Enterprise, migrated.enterprise_id).level) == (
        "representative-by-name",
        1,
        1,
    )


def test_bank_card_of_dialog_1_cannot_replace_the_name(at_step_1):
    browser = fill_company(at_step_1, legal_name="王方").submit("银行卡认证")
    assert browser.number == "5010" and "银行卡认证帮不上" in browser.main
    assert browser.open("/realname/representative/person/bank-card").number == "5010"


@pytest.mark.item("M103")
def test_error_dialog_2_switches_to_the_bank_card(at_step_2, phone, run_jobs):
    browser = at_step_2.submit("下一步", **WRONG)
    dialog = browser.soup.find(attrs={"role": "alertdialog"})
    assert browser.number == "5012" and DIALOG_2 in dialog.get_text()
    assert [each.get_text(strip=True) for each in dialog.find_all(["button", "a"])] == ["切换到银行卡认证", "取消"]
    assert browser.value("valid_from") == WRONG["valid_from"]
    browser.follow("取消")
    assert browser.value("valid_from") == WRONG["valid_from"]
    browser.submit("下一步", **WRONG).follow("切换到银行卡认证")
    assert browser.number == "5013" and "银行卡认证时请使用法定代表个人银行卡" in browser.main
    assert prove_by_card(browser, phone, run_jobs).number == "5014"


@pytest.mark.item("M102")
def test_eight_zeros_are_a_paper_without_end(at_step_2, authority):
    authority.people[WANG["id_number"]]["valid_to"] = "00000000"
    assert at_step_2.submit("下一步", valid_from="20200101", valid_to="00000000").number == "5014"


@pytest.mark.item("M104", "M105")
def test_another_paper_goes_by_bank_card_by_itself(at_step_1, register, phone, run_jobs, authority):
    lin = {"name": "LIN HAI", "id_type": "护照", "id_number": "E00000001"}
    register.person = lin
    authority.cards["6200000000000000013"] = (lin, PHONE)
    browser = fill_company(at_step_1, legal_name="LIN HAI", id_type="passport", id_number="E00000001")
    assert browser.number == "5013"
    assert browser.open("/realname/representative/person/id-card").number == "5013"
    for label in ("姓名", "证件类型", "证件号", "银行卡号", "银行预留手机号", "手机验证码"):
        assert label in browser.main
    assert prove_by_card(browser, phone, run_jobs).number == "5014"


@pytest.mark.item("M105", "M112")
def test_the_sms_code_belongs_to_the_telephone_in_the_form_and_lives_ten_minutes(
    at_step_2, phone, run_jobs, monkeypatch
):
    browser = at_step_2.open("/realname/representative/person/bank-card")
    browser.submit("获取验证码", card_number="6200000000000000013", phone=PHONE)
    assert "10分钟内有效" in browser.main and browser.value("card_number") == "6200000000000000013"
    run_jobs()
    assert "90686" in browser.submit("确定", code=phone.proof, phone="13000000009").main
    assert "还能试4次" in browser.submit("确定", code="000000", phone=PHONE).main
    with clock.stopped_at(clock.now() + timedelta(minutes=11)):
        assert "已过10分钟" in browser.submit("确定", code=phone.proof).main
    assert browser.value("card_number") == "6200000000000000013"


def test_a_proven_telephone_needs_no_second_code_after_silence(at_step_2, phone, run_jobs, authority):
    browser = at_step_2.open("/realname/representative/person/bank-card")
    authority.trouble = Unavailable("silent")
    prove_by_card(browser, phone, run_jobs)
    assert "90679" in browser.main and "不算您错" in browser.main
    authority.trouble = None
    assert browser.submit("确定").number == "5014"


@pytest.mark.parametrize(
    ("trouble", "number"),
    [
        (Unavailable("silent"), "90679"),
        (Unavailable("m", clock.now() + timedelta(hours=2)), "90675"),
        (TurnedOff("x"), "90673"),
    ],
)
def test_no_answer_costs_no_try_and_says_when_to_come_back(at_step_1, register, trouble, number):
    register.trouble = trouble
    for _ in range(8):
        browser = fill_company(at_step_1)
        assert number in browser.main and "90677" not in browser.main
    register.trouble = None
    assert fill_company(at_step_1).number == "5012"


def test_a_company_that_is_closed_or_unknown_is_told_so(at_step_1, register):
    register.status = "注销"
    assert "90676" in fill_company(at_step_1).main
    register.trouble = NotFound(USCC)
    assert DIALOG_1 in fill_company(at_step_1).main


@pytest.mark.item("M112")
def test_tries_are_limited_per_person_and_per_account_with_the_time_to_come_back(at_step_1, register, authority):
    for _ in range(4):
        fill_company(at_step_1, legal_name="王方")
    browser = fill_company(at_step_1)
    assert "90677" in browser.main and re.search(r"请\d\d月\d\d日\d\d:\d\d以后再来", browser.main)
    assert register.asked == 4
    for number in ("13010018990303003X", "130100189904040045"):
        fill_company(at_step_1, legal_name="王方", id_number=number)
    assert "今天核验不通过的次数太多" in fill_company(at_step_1, id_number="130100189905050050").main
    with clock.stopped_at(clock.now() + timedelta(days=1, minutes=1)):
        log_in(at_step_1, session.query(User).one()).open("/realname/representative")
        assert fill_company(at_step_1).number == "5012"


def test_steps_cannot_be_skipped_and_others_have_no_part_in_it(at_step_1, migrated, other_browser):
    for path in ("person/id-card", "person/bank-card", "manager/id-card", "manager/bank-card"):
        assert at_step_1.open(f"/realname/representative/{path}").number == "5010"
    fill_company(at_step_1)
    assert at_step_1.open("/realname/representative/manager/id-card").number == "5012"
    operator = make_user("demo01a", role="operator", enterprise=session.get(Enterprise, migrated.enterprise_id),
                         person=("钱小满", "130100189905050050", "a@example.com"))  # fmt: skip
    assert log_in(other_browser, operator).open("/realname/representative").status == 403
    stranger = make_user("demo02", enterprise=make_enterprise("别家", "91130100PDY000028G", code=None, origin="migrated"),
                         person=("宋", "130100189904040045", "b@example.com"))  # fmt: skip
    assert log_in(other_browser, stranger).open("/realname/representative/person/id-card").number == "5010"


def test_a_company_that_registered_here_is_refused(browser, register):
    user = make_user(enterprise=make_enterprise())
    assert "90554" in log_in(browser, user).open("/realname/representative").main


@pytest.mark.item("M106")
def test_the_owner_who_is_the_representative_is_not_asked_twice(at_step_1, migrated, register, authority):
    register.person = LI
    browser = fill_company(at_step_1, legal_name="李明", id_number=ID_NUMBER).submit("下一步", **DATES)
    assert browser.number == "5014" and "账号所有人就是法定代表人" in browser.main
    assert browser.submit("下一步").number == "5016" and len(authority.asked) == 1


@pytest.mark.item("M92", "M106")
def test_an_account_without_owner_gets_the_person_who_was_proven(browser, authority):
    user = make_user(enterprise=make_enterprise(origin="migrated"), person=("", "", "a@example.com"))
    log_in(browser, user).open("/realname/representative")
    fill_company(browser).submit("下一步", **DATES)
    browser.submit("下一步", name="李明", id_type="id-card", id_number=ID_NUMBER, **WRONG)
    assert DIALOG_2 in browser.main and browser.value("name") == "李明"
    assert browser.submit("下一步", **DATES).number == "5016"
    user = session.get(User, user.id)
    session.refresh(user)
    assert (user.real_name, user.id_number) == ("李明", ID_NUMBER)


def test_another_window_that_changed_the_company_meanwhile_is_noticed(at_step_2, migrated, other_browser, register):
    """Step 2 proves the person of step 1 as it is, not as it was when the page was opened."""
    other = log_in(other_browser, migrated).open("/realname/representative?again=1")
    register.person = LI
    fill_company(other, legal_name="李明", id_number=ID_NUMBER)
    at_step_2.submit("下一步", **DATES)
    assert open_case(migrated.enterprise_id).data["evidence"].get("person", {}).get("name") in (None, "李明")


def test_dropping_it_forgets_what_was_typed(at_step_2, migrated):
    at_step_2.submit("不办了，删掉填过的内容")
    assert at_step_2.number == "5001" and open_case(migrated.enterprise_id) is None
    assert session.query(VerificationCase).one().data is None


# -- the telephone of the 法定代表人


@pytest.fixture
def handed(at_step_2, phone, run_jobs, migrated):
    """(the clerk's browser, the code)."""
    browser = at_step_2.follow("请法定代表人在手机上办").submit("做一个核验码", mobile=PHONE)
    assert browser.number == "5018"
    run_jobs()
    return browser, re.search(r"\d{4} \d{4} \d{4}", browser.main)[0].replace(" ", "")


def prove_on_phone(telephone, phone, run_jobs, **typed):
    telephone.submit("获取验证码", **{"name": "王芳", "id_type": "id-card", "id_number": WANG["id_number"], "phone": PHONE}
                     | DATES | typed)  # fmt: skip
    run_jobs()
    return telephone.submit("是我本人，同意核验", code=phone.proof)


def test_the_representative_proves_himself_on_his_telephone(handed, other_browser, phone, run_jobs, outbox, migrated):
    clerk, code = handed
    link = re.search(r"http://\S+/realname/phone/\d{12}", phone.messages[-1].text)[0]
    assert link.endswith(code)
    telephone = other_browser.open(link)
    assert telephone.number == "5021" and COMPANY in telephone.main and telephone.url == "/realname/phone/by/id-card"
    assert "王芳" not in telephone.text and WANG["id_number"] not in telephone.text
    clerk.follow("已经告诉他了")
    assert "打开了，还没有办完" in clerk.main
    prove_on_phone(telephone, phone, run_jobs)
    assert telephone.number == "5022" and "核验好了" in telephone.main
    assert clerk.open("/realname/representative").number == "5014"
    run_jobs()
    assert any("法定代表人核验好了" in mail.subject for mail in outbox.mails)
    assert PHONE not in clerk.open("/realname/representative/person/id-card").main
    assert telephone.open(link).number == "5020" and "90689" in telephone.main
    assert clerk.open("/realname/representative").submit("下一步", **DATES).number == "5016"
    assert last_verification(migrated.enterprise_id).evidence["person"]["place"] == "phone"


def test_the_code_can_be_typed_and_days_may_pass(handed, other_browser, phone, run_jobs):
    _, code = handed
    with clock.stopped_at(clock.now() + timedelta(days=6)):
        telephone = other_browser.open("/realname/phone").submit("下一步", code=f"{code[:4]} {code[4:8]} {code[8:]}")
        assert telephone.number == "5021"
        assert prove_on_phone(telephone, phone, run_jobs).number == "5022"
    with clock.stopped_at(clock.now() + timedelta(days=8)):
        assert "90689" in other_browser.open("/realname/phone").submit("下一步", code=code).main


def test_somebody_else_at_the_telephone_learns_nothing_and_spends_tries(
    handed, other_browser, phone, run_jobs, authority
):
    telephone = other_browser.open(f"/realname/phone/{handed[1]}")
    prove_on_phone(telephone, phone, run_jobs, name="李明", id_number=ID_NUMBER)
    assert DIALOG_2 in telephone.main and authority.asked == []
    for _ in range(3):
        telephone.submit("是我本人，同意核验")
    assert "90677" in telephone.submit("是我本人，同意核验").main


def test_he_may_refuse_and_the_clerk_sees_it(handed, other_browser):
    clerk, code = handed
    telephone = other_browser.open(f"/realname/phone/{code}").submit("不是我同意的")
    assert telephone.number == "5022" and "您不同意" in telephone.main
    assert "90689" in telephone.open(f"/realname/phone/{code}").main
    clerk.open("/realname/representative")
    assert "法定代表人点了“不同意”" in clerk.main and clerk.value("valid_from") == ""


def test_a_new_code_voids_the_one_before(handed, other_browser):
    clerk, code = handed
    clerk.open("/realname/representative/hand-over").submit("做一个核验码", mobile="")
    new = re.search(r"\d{4} \d{4} \d{4}", clerk.main)[0].replace(" ", "")
    assert "90689" in other_browser.open(f"/realname/phone/{code}").main
    assert other_browser.open(f"/realname/phone/{new}").number == "5021"


def test_codes_cannot_be_guessed(app, other_browser):
    assert "90688" in other_browser.open("/realname/phone").submit("下一步", code="123").main
    for number in range(11):
        digits = f"{number:011d}"
        from blueprints.common.spoken_codes import check_digit

        other_browser.submit("下一步", code=digits + check_digit(digits))
    assert "90687" in other_browser.main
    for odd in ("１２３４", "' or 1=1", "9" * 5000):
        assert other_browser.open("/realname/phone").submit("下一步", code=odd).status == 200


def test_a_telephone_without_a_code_sees_nothing(other_browser, app):
    for path in ("by/id-card", "by/bank-card"):
        assert other_browser.open(f"/realname/phone/{path}").number == "5020"
    assert other_browser.open("/realname/phone/done").number == "5022"


def test_hand_over_without_sms_is_by_word_of_mouth(at_step_2, other_browser, authority):
    browser = at_step_2.follow("请法定代表人在手机上办")
    assert "还没有开通短信" in browser.main
    code = re.search(r"\d{4} \d{4} \d{4}", browser.submit("做一个核验码").main)[0]
    telephone = other_browser.open("/realname/phone").submit("下一步", code=code)
    telephone.submit("是我本人，同意核验", name="王芳", id_type="id-card", id_number=WANG["id_number"], **DATES)
    assert telephone.number == "5022"


# -- 需重新认证


@pytest.mark.item("M91", "M94")
def test_a_change_of_the_company_asks_for_a_new_verification_and_keeps_the_old_evidence(at_step_2, migrated, browser):
    at_step_2.submit("下一步", **DATES).submit("下一步", **DATES)
    company = session.get(Enterprise, migrated.enterprise_id)
    from models.realname import ask_anew

    with clock.stopped_at(clock.now() + timedelta(days=3)):
        ask_anew(company, "单位中文名称", clock.now())
        session.commit()
        day = f"{clock.local(clock.now()):%Y-%m-%d}"
    page = at_step_2.open("/realname/").main
    assert f"需重新认证：{day}，本单位的单位中文名称改了" in page and f"{day}起不再算数" in page
    assert "没有认证以前办不了" in page and "传输ID申请" in page
    (kept,) = verifications_of(company.id)
    assert kept.evidence["person"]["way"] == "id-card" and last_verification(company.id) is None
    assert "需重新认证" in at_step_2.open("/member").main


def test_a_case_that_nobody_finishes_is_forgotten(at_step_2, migrated):
    from blueprints.realname import forget_old_cases

    with clock.stopped_at(clock.now() + timedelta(days=29)):
        forget_old_cases()
        assert open_case(migrated.enterprise_id).data["person"]["name"] == "王芳"
    with clock.stopped_at(clock.now() + timedelta(days=31)):
        forget_old_cases()
    assert open_case(migrated.enterprise_id) is None and session.query(VerificationCase).one().data is None

"""找回用户名 by papers (M67): two officials, a day in which every contact may object, then the new mailbox."""

import re
from datetime import timedelta

import pytest

from blueprints.auth.waiting import OBJECTION, settle_recoveries
from blueprints.common import clock
from models.accounts import find_user
from models.database import session
from models.documents import Document
from models.proofs import Proof
from tests.browsing import ORIGIN, Browser
from tests.conftest import ID_NUMBER, USCC, log_in, make_user
from tests.test_auth_password import try_login
from tests.test_registration import PNG

ASKER = {"company": "示例外贸（石家庄）有限公司", "uscc": USCC, "name": "李明", "id_number": ID_NUMBER,
         "email": "new@example.com", "mobile": "13800000005", "remark": "原来的邮箱停用了"}  # fmt: skip
SCANS = {name: (f"{name}.png", PNG) for name in ("licence", "person", "mandate")}


def apply(browser, **typed):
    browser.open("/login/recovery/name").follow("凭证件找回")
    assert browser.number == "3026"
    browser.submit("开始填写")
    browser.submit("保存，去下一步", **(ASKER | typed))
    browser.submit("保存，去下一步", _files=SCANS)
    assert browser.number == "3027"
    browser.submit("提交")
    assert browser.number == "3028" and "初审" in browser.main
    return session.query(Document).one()


@pytest.fixture
def desks(app):
    """Two officials of one desk."""
    for name in ("reviewer1", "reviewer2"):
        make_user(name, role="staff", desks=["registration"], person=(name, "", f"{name}@example.com"))
    return [log_in(Browser(app), find_user(name)) for name in ("reviewer1", "reviewer2")]


def approve(desk, document):
    desk.open(f"/reviews/{document.id}")
    return desk.submit("通过", page="9002")


@pytest.fixture
def settle_after(app):
    """The worker's loop, so much later."""

    def settle(**time):
        with clock.stopped_at(clock.now() + timedelta(**time)), app.app_context():
            settle_recoveries()
        session.expire_all()

    return settle


@pytest.fixture
def waiting(browser, administrator, desks, outbox, phone, run_jobs, settle_after):
    """Both officials approved and the contacts were told."""
    find_user("demo01").keep_mobile("13800000001")
    session.commit()
    document = apply(browser)
    for desk in desks:
        approve(desk, document)
    settle_after(seconds=1)
    run_jobs()
    return document


def objection_in(text: str) -> str:
    return re.search(rf"{ORIGIN}(/login/objection/\S+)", text)[1]


@pytest.mark.item("M67")
def test_after_a_day_without_objection_the_new_mailbox_gets_name_and_link(
    browser, waiting, outbox, run_jobs, settle_after
):
    settle_after(hours=23)
    assert find_user("demo01").email == "demo01@example.com"
    assert "等待期" in browser.open(browser.url).main
    settle_after(hours=25)
    user = find_user("demo01")
    assert user.email == "new@example.com" and user.guarded_until
    run_jobs()
    mail = next(mail for mail in outbox.mails if mail.subject == "您的用户名和设密码的链接")
    assert mail.to == "new@example.com" and "demo01" in mail.text and "链接24小时内有效" in mail.text
    with clock.stopped_at(clock.now() + timedelta(hours=26)):
        browser.open(re.search(rf"{ORIGIN}(\S+)", mail.text)[1])
        browser.submit("启用新密码", password="another good horse", again="another good horse")
        assert try_login(browser, password="another good horse").url == "/member"


def test_the_contacts_are_told_by_mail_and_phone_with_a_link_each_and_once(
    waiting, outbox, phone, run_jobs, settle_after
):
    settle_after(hours=1)
    run_jobs()
    mails = [mail for mail in outbox.mails if mail.subject == "有人凭证件找回您的账号"]
    assert [mail.to for mail in mails] == ["demo01@example.com"]
    assert [message.to for message in phone.messages] == ["13800000001"]
    assert objection_in(mails[0].text) != objection_in(phone.messages[0].text)


@pytest.mark.item("M67")
def test_an_objection_stops_it_and_desk_and_applicant_hear_of_it(
    browser, other_browser, waiting, outbox, phone, run_jobs, settle_after
):
    link = objection_in(phone.messages[0].text)
    other_browser.open(link)
    assert (
        other_browser.number == "3013"
        and ID_NUMBER not in other_browser.main
        and "new@example.com" not in other_browser.main
    )
    other_browser.submit("提出异议")
    assert other_browser.number == "3013" and "已经停下" in other_browser.main
    settle_after(hours=25)
    assert find_user("demo01").email == "demo01@example.com"
    assert "不予通过" in browser.open(browser.url).main
    run_jobs()
    assert {mail.to for mail in outbox.mails if "提出异议" in mail.subject} == {
        "reviewer1@example.com",
        "reviewer2@example.com",
    }
    assert any(mail.to == "new@example.com" and OBJECTION in mail.text for mail in outbox.mails)
    assert other_browser.open(link).status == 410 and "90246" in other_browser.main


def test_a_second_contact_who_objects_is_told_that_it_is_over(other_browser, waiting, outbox, phone):
    by_mail = next(mail for mail in outbox.mails if mail.subject == "有人凭证件找回您的账号")
    other_browser.open(objection_in(phone.messages[0].text)).submit("提出异议")
    other_browser.open(objection_in(by_mail.text)).submit("提出异议")
    assert other_browser.status == 410 and "90577" in other_browser.main


def test_a_late_objection_is_told_to_call(other_browser, waiting, phone):
    with clock.stopped_at(clock.now() + timedelta(hours=25)):
        other_browser.open(objection_in(phone.messages[0].text))
    assert other_browser.status == 410 and "90247" in other_browser.main and "热线" in other_browser.main


@pytest.mark.parametrize("token", ["x", "nobody-knows-this"])
def test_a_link_that_was_made_up_stops_nothing(other_browser, waiting, token):
    assert other_browser.open(f"/login/objection/{token}").status == 410
    data = {"csrf_token": other_browser.open("/login").value("csrf_token")}
    assert other_browser.client.post(f"/login/objection/{token}", data=data, base_url=ORIGIN).status_code == 410
    session.expire_all()
    assert session.query(Document).one().end_outcome is None


def test_a_password_link_is_no_objection_and_an_objection_no_password_link(other_browser, waiting, phone):
    token = objection_in(phone.messages[0].text).rpartition("/")[2]
    assert other_browser.open(f"/login/recovery/link/{token}").status == 410


def test_one_official_does_not_decide_both_times(browser, administrator, desks, outbox):
    document = apply(browser)
    approve(desks[0], document)
    assert not desks[0].open(f"/reviews/{document.id}").can_press("通过")
    assert desks[1].open(f"/reviews/{document.id}").can_press("通过")


@pytest.mark.parametrize("typed", [{"id_number": "13010018990303003X"}, {"uscc": "91130100PDY000028G"}])
def test_the_applicant_never_hears_whether_there_is_such_an_account(
    browser, administrator, desks, outbox, run_jobs, typed, settle_after
):
    document = apply(browser, **typed)
    assert "没有这个证件号码" not in browser.main
    for desk in desks:
        assert "没有这个证件号码的账号" in desk.open(f"/reviews/{document.id}").main
        approve(desk, document)
    settle_after(minutes=1)
    settle_after(hours=26)
    run_jobs()
    assert session.query(Document).one().end_outcome == "refused"
    assert {mail.to for mail in outbox.mails} == {"new@example.com"}
    said = browser.open(browser.url).main + "".join(mail.text for mail in outbox.mails)
    assert "资料和登记的对不上" in said and "没有这个" not in said
    assert find_user("demo01").email == "demo01@example.com"


def test_a_stopped_account_is_not_found_by_papers(browser, administrator, desks, outbox, settle_after):
    find_user("demo01").is_active = False
    session.commit()
    document = apply(browser)
    for desk in desks:
        approve(desk, document)
    settle_after(minutes=1)
    settle_after(hours=26)
    assert session.query(Document).one().end_outcome == "refused" and not session.query(Proof).count()


@pytest.mark.parametrize(("field", "value", "number"), [("uscc", "123", "90201"), ("id_number", "130100189901010010", "90206"),
                                                        ("email", "x", "90202"), ("mobile", "12", "90203"), ("company", "", "90001"),
                                                        ("name", "", "90001")])  # fmt: skip
def test_each_wrong_answer_is_said_with_its_number(browser, field, value, number):
    browser.open("/login/recovery/name").follow("凭证件找回").submit("开始填写")
    browser.submit("保存，去下一步", **(ASKER | {field: value}))
    assert browser.number == "3021" and number in browser.main


def test_all_three_papers_are_asked_for(browser):
    browser.open("/login/recovery/name").follow("凭证件找回").submit("开始填写")
    browser.submit("保存，去下一步", **ASKER)
    browser.submit("保存，去下一步", _files={"licence": ("a.png", PNG)})
    assert browser.number == "3022" and len(browser.errors) == 2
    browser.submit("保存，去下一步", _files={"person": ("a.pdf", b"%PDF-1.7 x")})
    assert "90003" in browser.main


def test_a_draft_of_another_browser_is_not_shown(browser, other_browser):
    browser.open("/login/recovery/name").follow("凭证件找回").submit("开始填写")
    assert other_browser.open(browser.url).status == 404

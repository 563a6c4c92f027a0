"""What a thief of a mailbox, a phone, a slip of paper or a browser, and a colleague without the right, try and do not get."""

import re
import subprocess
import sys
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import text

from blueprints.account import closing
from blueprints.auth.waiting import settle_recoveries
from blueprints.common import clock, logins, proofs
from blueprints.common.files import write_bytes
from blueprints.common.wizard import BY_ADDRESS
from models.accounts import find_card, find_enterprise, find_user
from models.codes import replace_codes
from models.database import Base, session
from models.documents import Document
from models.files import StoredFile
from models.seals import Seal
from models.sessions import KeptPost, Login, end_logins
from settings import ROOT
from tests.browsing import ORIGIN, Browser
from tests.card_bridge_double import confirm_by_card, errors_of
from tests.conftest import USCC, log_in, make_user
from tests.test_auth_papers import apply, approve
from tests.test_auth_recovery import NEW, ask_mail, link_of
from tests.test_cards_at_once import at_once
from tests.test_registration import PNG, fill_registration, resume_code_of, use_code

pytest_plugins = ["tests.card_fixtures"]
OTHER_ID = "130100189903030037"


def post(browser, path: str, **fields) -> int:
    """Sent by hand, with the token of the page that is shown."""
    token = browser.soup.find("input", attrs={"name": "csrf_token"})["value"]
    return browser.client.post(path, data=fields | {"csrf_token": token}, base_url=ORIGIN).status_code


@pytest.fixture
def desks(app):
    """Two officials of one desk."""
    for name in ("reviewer1", "reviewer2"):
        make_user(name, role="staff", desks=["registration"], person=(name, "", f"{name}@example.com"))
    return [log_in(Browser(app), find_user(name)) for name in ("reviewer1", "reviewer2")]


def settle(app, **later) -> None:
    """The worker's loop, so much later."""
    with clock.stopped_at(clock.now() + timedelta(**later)), app.app_context():
        settle_recoveries()
    session.expire_all()


# -- a slip of paper with a resume code


def test_who_finds_the_resume_code_of_a_submitted_registration_sees_and_withdraws_nothing(browser, other_browser):
    fill_registration(browser)
    check = browser.url
    code = resume_code_of(browser.open(check.replace("check", "company")))
    browser.open(check).submit("提交")
    use_code(other_browser, code)
    post(other_browser, "/registration/resume/proof", go="without")
    paper = session.query(StoredFile).one()
    assert other_browser.open(f"/files/{paper.id}").status == 404
    assert other_browser.open(check.replace("/check", "")).status == 404


# -- links and codes that were sent to what the owner has given up


def test_a_recovery_link_in_the_old_mailbox_dies_when_the_owner_changes_the_mailbox(
    browser, other_browser, administrator, outbox, run_jobs
):
    ask_mail(other_browser)
    stale = link_of(outbox, run_jobs)
    log_in(browser, administrator).open("/account/mail")
    browser.submit("发确认信", email="fresh@example.com")
    run_jobs()
    fresh = re.findall(rf"{ORIGIN}(/account/mail/confirm/\S+)", outbox.mails[-1].text)[-1]
    browser.open(fresh).submit("改成这个邮箱")
    session.expire_all()
    assert find_user("demo01").email == "fresh@example.com"
    assert other_browser.open(stale).status == 410


def test_a_recovery_link_that_somebody_asked_for_dies_when_the_owner_sets_another_password(
    browser, other_browser, administrator, outbox, run_jobs
):
    ask_mail(other_browser)
    stale = link_of(outbox, run_jobs)
    log_in(browser, administrator).open("/account/password")
    browser.submit("保存", old="correct horse", password="a third good horse", password_again="a third good horse")
    assert "登录密码已经改好" in browser.main
    assert other_browser.open(stale).status == 410


def test_a_recovery_code_on_the_old_phone_dies_when_the_owner_binds_another(
    browser, other_browser, administrator, phone, run_jobs
):
    administrator.keep_mobile("13800000001")
    session.commit()
    other_browser.open("/login/recovery/password")
    other_browser.submit("确认", way="手机找回", user="demo01", mobile="13800000001", captcha="XXXXX")
    other_browser.submit("下一步，发短信验证码", **NEW)
    run_jobs()
    stolen = phone.proof
    log_in(browser, administrator).open("/account/mobile")
    browser.submit("获取验证码", mobile="13800000002")
    run_jobs()
    browser.submit("绑定这个手机", code=phone.proof)
    session.expire_all()
    assert find_user("demo01").mobile == "13800000002"
    other_browser.submit("确认", code=stolen)
    session.expire_all()
    assert find_user("demo01").guarded_until is None, "the old phone set no password"


def test_a_thief_of_the_phone_who_logs_in_by_it_makes_no_delicate_change(browser, administrator, phone):
    log_in(browser, administrator, medium="sms")
    for path in (
        "/account/mail",
        "/account/mobile",
        "/account/owner",
        "/account/operators/new",
        "/account/clients/new",
    ):
        assert browser.open(path).status == 403, path
    assert browser.open("/account/company").status == 200


# -- whose account it was before


def test_the_card_of_the_owner_before_opens_the_account_of_the_new_owner_no_more(
    browser, other_browser, administrator, card
):
    log_in(browser, administrator).open("/account/cards")
    confirm_by_card(browser.submit("绑定一张卡"), card)
    assert find_card("8600000000101")
    find_user("demo01").keep_person("赵六", OTHER_ID, "zhao@example.com")
    session.commit()
    other_browser.open("/login/card")
    confirm_by_card(other_browser.submit("开始读卡"), card)
    assert other_browser.h1 == "没有办成" and other_browser.open("/member").number == "3001"


# -- rights that were taken away


def test_a_customs_code_that_the_company_lost_is_not_worked_under_any_longer(browser, administrator):
    log_in(browser, administrator)
    assert browser.open("/exports/tasks").status == 200
    lost = find_enterprise(USCC)
    replace_codes(lost.id, [])
    lost.active_code = None
    session.commit()
    assert browser.open("/exports/tasks").status == 403


@pytest.fixture
def private(app, administrator):
    """An application that only the administrator may open: 修改法定代表人信息."""
    browser = log_in(Browser(app), administrator).open("/account/company")
    browser.follow("修改法定代表人信息")
    browser.submit("开始填写")
    browser.submit("保存，去下一步", _files={"paper": ("证件.png", PNG), "licence": ("执照.png", PNG)}, name="宋长宁", id_type="id-card",
                   id_number="130100189904040045", country="CHN", valid_from="20200101", valid_to="00000000")  # fmt: skip
    browser.submit("提交")
    return session.query(Document).where(Document.number.isnot(None)).one()


@pytest.fixture
def clerk(administrator):
    person = ("钱小满", "130100189905050050", "qian@example.com")
    return make_user("clerk_1", role="operator", enterprise=administrator.enterprise, person=person)


def test_an_operator_reads_no_attachment_of_what_only_the_administrator_may_open(browser, private, clerk):
    log_in(browser, clerk)
    assert browser.open(f"/account/representative-change/{private.id}").status == 403
    for paper in session.query(StoredFile).all():
        assert browser.open(f"/files/{paper.id}").status == 404


def test_an_operator_prints_no_sealed_receipt_of_what_only_the_administrator_may_open(
    browser, app, private, administrator, clerk
):
    with app.app_context():
        seal = make_seal(find_user("demo01"))
    log_in(browser, clerk).open("/member")
    assert post(browser, f"/account/seals/print/{private.id}", seal=seal) == 404


def make_seal(administrator) -> str:
    file = write_bytes(PNG, "seal.png", "png", enterprise_id=administrator.enterprise_id)
    seal = Seal(enterprise_id=administrator.enterprise_id, name="公章", purpose="公章", origin="uploaded", file_id=file.id,
                is_enabled=True, created_at=clock.now(), created_by="demo01")  # fmt: skip
    session.add(seal)
    session.commit()
    return str(seal.id)


# -- the end of an account


def test_who_takes_the_closing_back_in_the_last_second_keeps_the_account(context, administrator, monkeypatch):
    monkeypatch.setattr(closing, "users_closing", lambda now: [administrator.id])
    administrator.closing_at = None  # taken back after the loop had read its list
    session.commit()
    closing.close_due_accounts()
    session.expire_all()
    assert find_user("demo01").is_active


def test_an_account_that_its_owner_closed_is_not_opened_again_by_the_administrator(browser, app, administrator, clerk):
    with app.app_context():
        closing.close_account(find_user("clerk_1"))
        session.commit()
    gone = find_user("clerk_1").id
    log_in(browser, administrator).open("/account/operators")
    assert "clerk_1" not in browser.main
    assert browser.client.get(f"/account/operators/{gone}", base_url=ORIGIN).status_code == 404
    answers = [post(browser, f"/account/operators/{gone}/{act}", go="on") for act in ("switch", "password")]
    session.expire_all()
    assert answers == [404, 404] and not find_user("clerk_1").is_active


# -- what is kept


def test_the_token_of_a_link_stands_in_no_row_of_open_tabs(browser, administrator, outbox, run_jobs):
    log_in(browser, administrator).open("/account/mail")
    browser.submit("发确认信", email="fresh@example.com")
    run_jobs()
    link = re.findall(rf"{ORIGIN}(/account/mail/confirm/\S+)", outbox.mails[-1].text)[-1]
    browser.open(link)
    session.expire_all()
    token = link.rpartition("/")[2]
    assert not any(token in path for login in session.query(Login) for _, _, path in login.tabs)


# -- an objection


def test_the_owner_who_sets_a_new_password_may_still_object_to_the_papers_of_a_forger(
    browser, other_browser, app, administrator, desks, outbox, run_jobs
):
    document = apply(other_browser, email="forger@example.com")
    for desk in desks:
        approve(desk, document)
    settle(app, minutes=1)
    run_jobs()
    objection = re.findall(rf"{ORIGIN}(/login/objection/\S+)", outbox.mails[-1].text)[-1]
    ask_mail(browser)
    browser.open(link_of(outbox, run_jobs)).submit("启用新密码", **NEW)
    assert browser.open(objection).status == 200
    browser.submit("提出异议")
    settle(app, days=30)
    assert find_user("demo01").email == "demo01@example.com"


def test_a_link_in_the_mailbox_of_before_dies_when_the_account_was_given_back_by_papers(
    browser, other_browser, app, administrator, desks, outbox, run_jobs
):
    document = apply(browser)
    for desk in desks:
        approve(desk, document)
    settle(app, minutes=1)
    with clock.stopped_at(clock.now() + timedelta(hours=25)):
        ask_mail(other_browser)
        stale = link_of(outbox, run_jobs)
        settle(app)
        assert find_user("demo01").email == "new@example.com"
        assert other_browser.open(stale).status == 410


# -- floods


def test_a_program_opens_no_endless_drafts_from_one_address(browser):
    browser.open("/registration/")
    answers = [post(browser, "/registration/registration") for _ in range(BY_ADDRESS.count + 5)]
    assert set(answers) == {303}
    assert session.query(Document).count() == BY_ADDRESS.count
    assert "从这里新开的申请太多" in browser.open("/registration/").text


def test_one_draft_takes_no_endless_files(browser, monkeypatch):
    fill_registration(browser).open(browser.url.replace("check", "papers"))
    monkeypatch.setattr("blueprints.common.files.MOST_OF_DOCUMENT", len(PNG) - 1)
    browser.submit("添加附件", {"other_paper": ("又一张.png", PNG)})
    assert any("传过的文件太多" in line for line in browser.errors)
    assert session.query(StoredFile).count() == 1


def test_a_login_that_has_ended_stores_no_endless_posts(browser, administrator):
    log_in(browser, administrator)
    end_logins(administrator.id, clock.now())
    session.commit()
    for nth in range(logins.KEEP_MOST + 5):
        browser.client.post("/account/owner", data={"name": f"{nth}"}, base_url=ORIGIN)
    kept = session.query(KeptPost).all()
    assert len(kept) == logins.KEEP_MOST
    assert ["name", f"{logins.KEEP_MOST + 4}"] in [pair for post in kept for pair in post.fields]


def test_a_small_file_that_unpacks_to_a_huge_seal_costs_little_memory(tmp_path):
    Image.new("RGB", (4990, 4990), "red").save(tmp_path / "seal.png")
    code = (
        "import resource, sys; from blueprints.account.seal_images import clean_upload\n"
        "most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = most(); clean_upload(open(sys.argv[1], 'rb').read()); print((most() - before) // 1024)"
    )
    asked = [sys.executable, "-c", code, str(tmp_path / "seal.png")]
    assert int(subprocess.run(asked, cwd=ROOT, capture_output=True, check=True).stdout) < 200, "MB"


# -- many at the same moment, on connections of their own


class TestAtOnce:
    @pytest.fixture
    def app(self, house):
        """The app on its real connections; everything is emptied afterwards."""
        yield house
        session.remove()
        names = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
        session.execute(text(f"TRUNCATE {names} CASCADE"))
        session.commit()
        session.remove()

    def test_guesses_of_the_own_password_at_one_moment_do_not_pass_the_limit_together(self, app, administrator):
        browsers = [log_in(Browser(app), administrator).open("/account/password") for _ in range(12)]
        answers = at_once(
            *[lambda each=each, n=n: try_old(each, f"guess number {n}") for n, each in enumerate(browsers)]
        )
        assert answers.count("90264") <= 5 and answers.count("90263") >= 7

    def test_messages_asked_for_at_one_moment_do_not_pass_the_limit_together(self, app):
        def ask():
            with app.app_context():
                try:
                    proofs.count_message("join", "victim@example.com", "10.0.0.1")
                except proofs.TooManyMessages:
                    session.rollback()
                    return False
                session.commit()
                return True

        assert at_once(*[ask] * 12).count(True) == 5

    def test_no_row_is_held_while_the_first_password_is_hashed(self, app, administrator, monkeypatch):
        administrator.initial_until = clock.now() + timedelta(days=1)
        session.commit()
        engine, name, held = session.get_bind(), administrator.name, []

        def hash_slowly(typed):
            with engine.connect() as other:
                free = text("SELECT id FROM users WHERE name = :name FOR UPDATE SKIP LOCKED")
                held.append(other.execute(free, {"name": name}).first() is None)
            return "hash"

        monkeypatch.setattr("blueprints.auth.forms.keep_password", hash_slowly)
        browser = log_in(Browser(app), administrator).open("/login/activation")
        browser.submit("激活账号", password="my own horse", again="my own horse", mine="mine", agreed="agreed")
        session.expire_all()
        assert held == [False] and not find_user(name).is_new


def try_old(browser, guess: str) -> str:
    browser.submit("保存", old=guess, password="a third good horse", password_again="a third good horse")
    return errors_of(browser)[0][:5]

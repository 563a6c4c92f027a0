"""What a clerk, a stranger with a code, a former administrator and two windows at once try at 单位实名认证, and do not get."""

import re
from dataclasses import replace
from datetime import timedelta
from functools import partial
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from blueprints.common import clock
from blueprints.common.challenges import NotAccepted
from blueprints.portal import devices
from blueprints.realname.by_card import verify_by_card
from models.accounts import Enterprise, User
from models.banks import BankVisit
from models.database import Base, session
from models.device_reports import DeviceReport
from models.realname import VerificationCase, ask_anew, last_verification, open_case, verifications_of
from tests.bank_traveller import nothing_happened
from tests.browsing import ORIGIN, Browser
from tests.card_bridge_double import BridgeDouble, confirm_by_card
from tests.conftest import ID_NUMBER, log_in, make_enterprise, make_user
from tests.test_cards_at_once import at_once
from tests.test_realname_representative import (
    DATES,
    PHONE,
    WANG,
    WRONG,
    Authority,
    Register,
    fill_company,
    prove_on_phone,
)

pytest_plugins = ["tests.card_fixtures", "tests.bank_fixtures"]
OTHER_USCC, THIRD_ID, CARD = "91130100PDY000028G", "13010018990303003X", "6200000000000000013"
PEOPLE = {"name": "王芳", "id_type": "id-card", "id_number": WANG["id_number"]}


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
def clerk(browser, migrated):
    """At step 2."""
    return fill_company(log_in(browser, migrated).open("/realname/representative"))


@pytest.fixture
def handed(clerk, phone):
    """The code that the clerk's page shows."""
    return code_of(clerk.open("/realname/representative/hand-over").submit("做一个核验码", mobile=PHONE))


def code_of(browser) -> str:
    return re.search(r"\d{4} \d{4} \d{4}", browser.main)[0].replace(" ", "")


def in_another_process(change) -> None:
    """`change(session)` on a connection of its own, committed."""
    with Session(session.get_bind()) as other:
        change(other)
        other.commit()


def change(row, **values) -> None:
    """In another process, too."""
    in_another_process(lambda other: [setattr(other.get(type(row), row.id), *pair) for pair in values.items()])


def fresh(row):
    session.expire_all()
    return session.get(type(row), row.id)


# -- the telephone of the 法定代表人


def test_the_clerk_who_knows_the_code_sees_nothing_of_what_was_typed_on_the_telephone(handed, app, phone, run_jobs):
    telephone = Browser(app).open(f"/realname/phone/{handed}")
    telephone.submit("获取验证码", phone=PHONE, **PEOPLE, **WRONG)
    telephone.open("/realname/phone/by/bank-card").submit("获取验证码", card_number=CARD, phone=PHONE, **PEOPLE)
    spy = Browser(app).open(f"/realname/phone/{handed}")
    for page in (spy.text, spy.open("/realname/phone/by/bank-card").text):
        assert "王芳" not in page
    for name in ("id_number", "card_number", "phone"):
        assert spy.value(name) == ""
    assert telephone.open("/realname/phone/by/bank-card").value("card_number") == CARD, "his own telephone keeps it"


def test_the_clerks_browser_cannot_lean_on_the_telephone_that_was_proven(handed, app, phone, run_jobs, authority):
    telephone, authority.trouble = Browser(app).open(f"/realname/phone/{handed}"), None
    prove_on_phone(telephone, phone, run_jobs, **WRONG)
    spy = Browser(app).open(f"/realname/phone/{handed}")
    spy.submit("是我本人，同意核验", phone=PHONE, **PEOPLE, **DATES)
    assert spy.number == "5021" and "手机验证码" in " ".join(spy.errors)


@pytest.mark.parametrize("ends", ["proven", "refused", "another"])
def test_what_was_typed_on_the_telephone_does_not_stay(handed, app, phone, run_jobs, migrated, ends, clerk, register):
    """「核对完就删掉银行卡号」."""
    telephone = Browser(app).open(f"/realname/phone/{handed}").open("/realname/phone/by/bank-card")
    telephone.submit("获取验证码", card_number=CARD, phone=PHONE, **PEOPLE)
    run_jobs()
    if ends == "proven":
        assert telephone.submit("是我本人，同意核验", code=phone.proof).number == "5022"
    elif ends == "refused":
        telephone.submit("不是我同意的")
    else:
        register.person = {"name": "李明", "id_type": "居民身份证", "id_number": ID_NUMBER}
        fill_company(clerk.open("/realname/representative?again=1"), legal_name="李明", id_number=ID_NUMBER)
    session.expire_all()
    assert CARD not in str(open_case(migrated.enterprise_id).data)


def test_a_yes_for_one_company_is_none_for_another_that_was_opened_meanwhile(handed, app, phone, run_jobs, register):
    """Two links in one browser: the page that he reads is the one that he agrees to."""
    other = make_user("demo02", enterprise=make_enterprise("别家有限公司", OTHER_USCC, code=None, origin="migrated"),
                      person=("宋", "130100189904040045", "b@example.com"))  # fmt: skip
    register.name = "别家有限公司"
    pc = fill_company(log_in(Browser(app), other).open("/realname/representative"))
    others_code = code_of(pc.open("/realname/representative/hand-over").submit("做一个核验码", mobile=""))
    telephone = Browser(app).open(f"/realname/phone/{handed}")
    telephone.submit("获取验证码", phone=PHONE, **PEOPLE, **DATES)
    run_jobs()
    shown = telephone.soup
    telephone.open(f"/realname/phone/{others_code}")
    telephone.soup = shown
    telephone.submit("是我本人，同意核验", code=phone.proof)
    assert telephone.number == "5021" and "90923" in telephone.main and "别家有限公司" in telephone.main
    telephone.soup = shown
    telephone.submit("不是我同意的")
    session.expire_all()
    case = open_case(other.enterprise_id)
    assert case.person_at is None and case.handover_hash, "neither yes nor no"


@pytest.mark.parametrize("who", ["clerk", "telephone"])
def test_the_evidence_tells_who_may_have_held_the_telephone(handed, app, clerk, migrated, phone, run_jobs, who):
    """A clerk who opens the link himself needs the papers all the same, and it can be seen afterwards."""
    mobile = "13000000009" if who == "telephone" else PHONE
    in_another_process(lambda other: other.get(User, migrated.id).keep_mobile(mobile))
    there = {"REMOTE_ADDR": "127.0.0.1" if who == "clerk" else "198.51.100.7"}
    telephone = log_in(Browser(app), migrated) if who == "clerk" else Browser(app)
    telephone.client.environ_base |= there
    prove_on_phone(telephone.open(f"/realname/phone/{handed}"), phone, run_jobs)
    assert clerk.open("/realname/representative").submit("下一步", **DATES).number == "5016"
    kept = last_verification(migrated.enterprise_id).evidence["person"]
    himself = who == "clerk"
    assert (kept["place"], kept["phone"], kept["link_sent_to"]) == ("phone", "1300***0001", "1300***0001")
    assert (kept["by_an_account"], kept["clerks_phone"], kept["clerks_address"]) == (himself, himself, himself)


def test_a_hundred_strangers_do_not_shut_the_door_for_him(handed, app):
    for address in range(15):
        stranger = Browser(app)
        stranger.client.environ_base |= {"REMOTE_ADDR": f"198.51.100.{address}"}
        for number in range(9):
            assert "90689" in stranger.open(f"/realname/phone/{wrong_code(address * 9 + number)}").main
    assert Browser(app).open(f"/realname/phone/{handed}").number == "5021"


def wrong_code(number: int) -> str:
    from blueprints.common.spoken_codes import check_digit

    digits = f"{number:011d}"
    return digits + check_digit(digits)


def test_the_code_of_an_account_that_is_shut_opens_nothing(handed, app, migrated):
    change(migrated, is_active=False)
    assert "90689" in Browser(app).open(f"/realname/phone/{handed}").main


# -- messages


def test_an_account_cannot_send_messages_to_strangers_without_end(clerk, phone, run_jobs, app):
    """Neither from many addresses nor by the code's holder."""
    said = []
    for number in range(25):
        clerk.client.environ_base |= {"REMOTE_ADDR": f"198.51.100.{number}"}
        clerk.open("/realname/representative/hand-over").submit("做一个核验码", mobile=f"130000001{number:02}")
        said.append("90921" in clerk.main)
    assert said == [False] * 20 + [True] * 5
    clerk.open("/realname/representative/hand-over").submit("做一个核验码", mobile="")
    telephone = Browser(app).open(f"/realname/phone/{code_of(clerk)}")
    assert "90921" in telephone.submit("获取验证码", phone=PHONE, **PEOPLE, **DATES).main
    clerk.open("/realname/representative/person/bank-card").submit("获取验证码", card_number=CARD, phone=PHONE)
    assert "90921" in clerk.main
    run_jobs()
    assert len(phone.messages) == 20


def test_a_code_counts_for_its_own_case_step_and_telephone_only(clerk, handed, app, phone, run_jobs, register):
    telephone = Browser(app).open(f"/realname/phone/{handed}")
    telephone.submit("获取验证码", phone=PHONE, **PEOPLE, **DATES)
    run_jobs()
    code = phone.proof
    clerk.open("/realname/representative/person/bank-card").submit("确定", card_number=CARD, phone=PHONE, code=code)
    assert "90241" in clerk.main
    assert "90686" in telephone.submit("是我本人，同意核验", code=code, phone="13000000009").main


# -- who is verified


def test_an_owner_with_the_number_of_the_representative_and_another_name_is_asked(clerk, migrated, authority):
    in_another_process(
        lambda other: other.get(User, migrated.id).keep_person("赵四", WANG["id_number"], "a@example.com")
    )
    clerk.submit("下一步", **DATES)
    assert clerk.number == "5014" and "不用再填" not in clerk.main
    data = {"csrf_token": clerk.value("csrf_token"), "go": "same"}
    clerk.client.post("/realname/representative/manager/id-card", data=data, base_url=ORIGIN)
    assert last_verification(migrated.enterprise_id) is None
    assert "90681" in clerk.submit("下一步", **DATES).main


@pytest.mark.parametrize("medium", ["sms", "guarded"])
def test_who_came_in_by_recovery_or_sms_cannot_make_himself_the_owner(browser, authority, medium):
    user = make_user(enterprise=make_enterprise(origin="migrated"), person=("", "", "a@example.com"))
    if medium == "guarded":
        change(user, guarded_until=clock.now() + timedelta(hours=70))
    log_in(browser, user, "sms" if medium == "sms" else "password").open("/realname/representative")
    fill_company(browser).submit("下一步", **DATES)
    assert browser.number == "5014"
    browser.submit("下一步", name="李明", id_type="id-card", id_number=ID_NUMBER, **DATES)
    assert ("90282" if medium == "sms" else "90110") in browser.main and browser.value("name") == "李明"
    assert fresh(user).id_number is None and last_verification(user.enterprise_id) is None


def test_the_evidence_tells_how_the_account_was_logged_in(clerk, migrated):
    change(migrated, guarded_until=clock.now() + timedelta(hours=70))
    clerk.submit("下一步", **DATES).submit("下一步", **DATES)
    assert last_verification(migrated.enterprise_id).evidence["login"] == {"medium": "password", "guarded": True}


def test_a_company_renamed_while_the_register_was_asked_has_not_passed(browser, migrated, register):
    def rename(other):
        company = other.get(Enterprise, migrated.enterprise_id)
        company.name = "改了名有限公司"

    ask = register.company
    register.company = lambda uscc: (in_another_process(rename), ask(uscc))[1]
    fill_company(log_in(browser, migrated).open("/realname/representative"))
    assert browser.number == "5010" and "90922" in browser.main
    assert open_case(migrated.enterprise_id).company_at is None


def test_a_verification_that_ends_while_the_owner_changes_does_not_outlive_the_change(migrated):
    """The change has read the company before the verification raised its level."""
    company = session.get(Enterprise, migrated.enterprise_id)
    assert company.level == 0
    change(company, level=2)
    ask_anew(company, "账号所有人（单位管理员）", clock.now())
    session.commit()
    assert fresh(company).level == 0 and company.renew_why == "账号所有人（单位管理员）"


def test_a_card_of_the_owner_before_verifies_nothing_after_the_owner_changed(migrated):
    """The release has read the account before the change."""
    user, company = session.get(User, migrated.id), session.get(Enterprise, migrated.enterprise_id)
    card = SimpleNamespace(uscc=company.uscc, company=company.name, holder="李明", holder_id=user.id_number,
                           card_number="8600000000001")  # fmt: skip
    in_another_process(lambda other: other.get(User, user.id).keep_person("赵四", THIRD_ID, "a@example.com"))
    with pytest.raises(NotAccepted) as refused:
        verify_by_card(SimpleNamespace(user_id=user.id, certificate=b""), card)
    assert refused.value.sentence.number == "90552"
    session.rollback()


def test_the_former_administrator_verifies_nothing_by_a_request_that_he_began_before(browser, migrated, card):
    log_in(browser, migrated).open("/realname/").submit("去认证")
    change(migrated, role="operator")
    confirm_by_card(browser, card)
    assert "90920" in browser.main and nothing_happened(migrated)


def test_nor_by_a_bank_that_he_went_to_before(traveller, owner, banks, monkeypatch):
    back = traveller.prove()
    take = banks["ccb"].read_return

    def read_return(query, now):
        answer = take(query, now)
        change(owner, role="operator")
        return answer

    monkeypatch.setattr(banks["ccb"], "read_return", read_return)
    traveller.portal.open(back)
    assert session.query(BankVisit).one().refusal["number"] == "90920" and nothing_happened(owner)


# -- many at the same moment, on connections of their own


def posts(user, app, path: str, count: int, **typed) -> list:
    """So many windows of the account, each ready to post."""
    windows = [log_in(Browser(app), user).open(path) for _ in range(count)]
    data = [{"csrf_token": window.value("csrf_token"), "go": "next"} | typed for window in windows]
    pairs = zip(windows, data, strict=True)
    return [partial(window.client.post, path, data=each, base_url=ORIGIN) for window, each in pairs]


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

    @pytest.fixture
    def at_step_3(self, app, migrated):
        pc = fill_company(log_in(Browser(app), migrated).open("/realname/representative"))
        assert pc.submit("下一步", **DATES).number == "5014"

    def test_many_tries_are_counted_one_by_one(self, migrated, app, register):
        wrong = {"legal_name": "王方", "id_type": "id-card", "id_number": WANG["id_number"]}
        answers = at_once(*posts(migrated, app, "/realname/representative", 8, **wrong))
        assert {answer.status_code for answer in answers} == {200} and register.asked == 4

    def test_windows_at_the_last_step_verify_once(self, at_step_3, migrated, app):
        answers = at_once(*posts(migrated, app, "/realname/representative/manager/id-card", 4, **DATES))
        assert {answer.status_code for answer in answers} == {303}
        assert len(verifications_of(migrated.enterprise_id)) == 1

    def test_no_owner_is_verified_who_was_not_checked(self, at_step_3, migrated, app):
        """Whatever comes first: who is verified is the owner still."""
        works = posts(migrated, app, "/realname/representative/manager/id-card", 2, **DATES)
        works += posts(migrated, app, "/account/owner", 2, name="赵四", id_type="id-card", id_number=THIRD_ID)
        assert {answer.status_code for answer in at_once(*works)} == {303}
        assert fresh(migrated).real_name == "赵四" and last_verification(migrated.enterprise_id) is None
        assert session.get(Enterprise, migrated.enterprise_id).level == 0


# -- doors that programs and browsers use


@pytest.mark.parametrize("algorithm", ["\0", "a\0b", "\ud800", "长"])
def test_an_answer_with_letters_that_no_algorithm_has_is_refused(asked, card, algorithm):
    bridge = BridgeDouble.of(asked)
    bridge.claim()
    body = bridge.body(card) | {"algorithm": algorithm}
    assert bridge.call("POST", "answer", body).status_code == 400
    assert bridge.call("POST", "answer", bridge.body(card)).status_code == 200


def test_a_flood_of_reports_fills_no_mailbox(app, outbox, run_jobs, monkeypatch):
    monkeypatch.setattr(devices, "MAILED", replace(devices.MAILED, count=3))
    for number in range(5):
        browser = Browser(app)
        browser.client.environ_base |= {"REMOTE_ADDR": f"198.51.100.{number}"}
        browser.open("/device/result?found=9703").submit("发给客服", phone="0311-88886666")
        assert browser.number == "1018"
    run_jobs()
    assert len(outbox.mails) == 3 and session.query(DeviceReport).count() == 5


@pytest.mark.parametrize(
    "after", ["2026-01-01|-99999999999", "2026-01-01|99999999999", "2026-01-01|x", "|", "0001-01-01|1"]
)
def test_no_address_breaks_the_list_of_reports(browser, app, after):
    desk = make_user("help1", role="staff", desks=["helpdesk"])
    assert log_in(browser, desk).open(f"/device/reports?after={after}").status == 200


def test_a_case_leaves_nothing_of_a_person_when_it_ends(clerk, migrated):
    clerk.submit("下一步", **DATES).submit("下一步", **DATES)
    session.expire_all()
    assert [case.data for case in session.query(VerificationCase)] == [None]
    kept = last_verification(migrated.enterprise_id).evidence
    assert WANG["id_number"] not in str(kept) and ID_NUMBER not in str(kept)

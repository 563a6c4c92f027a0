"""Signing without anybody there: switched on from a card only, the company's own key only, verified before it is sent."""

from dataclasses import replace
from datetime import timedelta

import pytest

from blueprints.common import clock
from blueprints.exports import channels, listening, pushing, sending, signing
from gateways.customs_dxp import signature
from gateways.signers import HttpSigner
from models import orders, pushes
from models.challenges import report_lost
from models.channels import Line, find_hold, find_settings, find_signing_order
from models.database import session
from models.orders import Message
from tests.conftest import _next_job, log_in, make_enterprise, make_user
from tests.exports_world import CODE, DXP, many, workbook
from tests.outside import HTTP, SERVICE, choose, offer, switch_on

pytest_plugins = [
    "tests.card_fixtures", "tests.exports_fixtures", "tests.outside_fixtures", "tests.encryption_machine",
]  # fmt: skip
OTHER = "91130100PDY000028G"


@pytest.fixture(autouse=True)
def run_jobs(context):
    """As the fixture of all tests, but in this test's own context, so that its rows stay what they are."""
    jobs = {job.__name__: job for area in context.config["AREAS"] for job in area.jobs}

    def run(most: int = 100) -> list[str]:
        done = []
        while len(done) < most and (row := _next_job()):
            jobs[row.task_name](**row.args)
            done.append(row.task_name)
        return done

    return run


@pytest.fixture
def generated(trade, outside):
    trade.read(workbook())
    trade.generate()
    while _next_job():  # done already, by the lines above
        continue
    return trade


@pytest.fixture
def unattended(generated, profile):
    choose(profile, **HTTP, **SERVICE)
    switch_on(profile)
    return generated


@pytest.fixture
def push(unattended):
    """Asked for, not signed yet."""
    push = pushing.start_push(unattended.query(), unattended.who)
    assert signing.sign_by_itself(push, "李明")
    session.commit()
    return push


def later(seconds: float):
    return clock.stopped_at(clock.now() + timedelta(seconds=seconds))


def messages(push) -> list[Message]:
    session.expire_all()
    return pushes.messages_of_push(push.id)


def problem_of(push) -> str | None:
    session.expire_all()
    sentence = sending.from_row(find_signing_order(push.id).problem)
    return sentence and sentence.number


def loop(run_jobs) -> list[str]:
    signing.wake_signing()
    sending.send_left_over()
    return run_jobs()


# -- switching it on


@pytest.mark.item("M164")
def test_it_is_switched_on_from_a_card_and_by_no_other_login(unattended, profile, administrator, browser):
    choose(profile, sign_user="1301960001-sm2")
    log_in(browser, administrator).open("/exports/sending").follow("插卡打开")
    assert browser.status == 403 and "请改用法人卡或操作员卡登录" in browser.main
    token = browser.open("/exports/sending").soup.find("input", {"name": "csrf_token"})["value"]
    answer = browser.client.post(
        f"/exports/sending/unattended/{profile.id}", data={"csrf_token": token}, base_url="http://127.0.0.1:8080"
    )
    assert answer.status_code == 403 and find_settings(profile.id).unattended_at is None
    log_in(browser, administrator, "法人卡", card_number="8600000000101").open("/exports/sending").follow("插卡打开")
    assert browser.number == "8031" and "加签服务" in browser.main
    browser.submit("打开自动加签")
    assert "自动加签已打开" in browser.text and "8600000000101" in browser.main
    log_in(browser, administrator).open("/exports/sending").submit("关掉自动加签")
    assert "自动加签已关掉" in browser.text and not channels.settings_of(profile.id)["is_unattended"]


def test_an_operator_and_another_company_cannot_switch_it_on(unattended, profile, company, other_browser):
    person = ("张三", "110105194912310021", "clerk@example.com")
    operator = make_user("clerk1", role="operator", enterprise=company, rights={"exports": 3}, person=person)
    page = log_in(other_browser, operator, "操作员卡", card_number="8600000000102")
    assert page.open(f"/exports/sending/unattended/{profile.id}").status == 403
    stranger = make_user("demo09", enterprise=make_enterprise("别家", OTHER))
    page = log_in(other_browser, stranger, "法人卡", card_number="8600000000109")
    assert page.open(f"/exports/sending/unattended/{profile.id}").status == 404


@pytest.mark.parametrize("change", [{"sign_user": "another"}, {"signer": ""}])
def test_another_signer_or_user_ends_it(unattended, profile, change):
    choose(profile, sign_password="changed")
    assert channels.settings_of(profile.id)["is_unattended"], "a new password is the same signer"
    choose(profile, **change)
    assert not channels.settings_of(profile.id)["is_unattended"]


def test_without_it_a_push_asks_for_the_card(generated, profile, exporter, outside):
    choose(profile, **HTTP, **SERVICE)
    exporter.open("/exports/orders").submit("推送查到的全部")
    assert exporter.h1 == "请用电子口岸卡确认" and outside.signatures() == 0


# -- signing


@pytest.mark.parametrize(("user", "profile_name"), [(CODE, "rsa-sha1"), (f"{CODE}-sm2", "sm2-sm3")])
def test_a_push_is_signed_sent_and_taken_by_customs_without_a_card(
    unattended, profile, exporter, outside, run_jobs, user, profile_name
):
    choose(profile, sign_user=user)
    switch_on(profile)
    exporter.open("/exports/orders").submit("推送查到的全部")
    assert exporter.h1.startswith("推送进度") and "正在自动加签，不用插卡" in exporter.main
    assert "等自动加签" in exporter.main
    run_jobs()
    outside.look()
    listening.ask_hosts()
    run_jobs()
    assert set(unattended.states().values()) == {"success"}
    (message,) = session.scalars(orders.select(Message))
    assert profile_name.encode() in message.signed and message.signed_by.startswith("云签 89")
    exporter.open(exporter.url)
    assert "自动加签" not in exporter.main.replace("打开自动加签", "") and "推送完了" in exporter.main


@pytest.mark.xdist_group("softhsm")
@pytest.mark.item("M164")
def test_an_encryption_machine_signs_for_the_company(generated, profile, outside, machine, app, monkeypatch, run_jobs):
    machine.add("company-1", outside.card)
    offer(app, monkeypatch, "signers", code="machine", name="加密机", kind="pkcs11", address=machine.module)
    choose(profile, **HTTP, signer="machine", sign_user="company-1", sign_password=machine.pin)
    assert channels.test(profile.id).number == "90800"
    switch_on(profile)
    push = pushing.start_push(generated.query(), generated.who)
    assert signing.sign_by_itself(push, "李明")
    session.commit()
    run_jobs()
    outside.look()
    assert [message.state for message in messages(push)] == ["sent"]
    assert outside.statistics["distinct_guids"] == 3 and outside.statistics["rejected_orders"] == 0


def test_a_large_push_is_signed_in_turns_and_every_message_once(trade, profile, outside, run_jobs, monkeypatch):
    monkeypatch.setattr(signing, "STEP", 2)
    monkeypatch.setattr(signing, "TURN", 0.0)
    choose(profile, **SERVICE)
    switch_on(profile)
    trade.read(workbook(many(450)))
    trade.generate()
    push = pushing.start_push(trade.query(), trade.who)
    signing.sign_by_itself(push, "李明")
    session.commit()
    done = run_jobs()
    assert done.count("sign_push") >= 3 and outside.signatures() == 5
    assert {message.state for message in messages(push)} == {"sent"} and find_signing_order(push.id).done_at


def test_killed_while_signing_the_rest_is_signed_later(push, outside, run_jobs, monkeypatch):
    true = HttpSigner.sign

    def dies(self, info):
        raise KeyboardInterrupt

    monkeypatch.setattr(HttpSigner, "sign", dies)
    with pytest.raises(KeyboardInterrupt):
        run_jobs()
    session.rollback()
    monkeypatch.setattr(HttpSigner, "sign", true)
    assert loop(run_jobs) == [], "another worker may be at it"
    with later(120):
        loop(run_jobs)
    assert [message.state for message in messages(push)] == ["sent"]


def test_a_card_that_signed_first_wins(push, unattended, outside, run_jobs, monkeypatch):
    (message,) = messages(push)
    info = signature.signed_info("rsa-sha1", message.canonical)
    by_card = signature.assemble(message.canonical, "rsa-sha1", outside.card.der, outside.card.sign(info))
    true = HttpSigner.sign

    def slow(self, info):
        (locked,) = pushes.lock_messages([message.id])
        pushing.keep_signed(locked, by_card, "李明 8600000000101")
        session.commit()
        return true(self, info)

    monkeypatch.setattr(HttpSigner, "sign", slow)
    run_jobs()
    assert messages(push)[0].signed == by_card


# -- what goes wrong


def test_a_wrong_password_stops_at_once_and_is_asked_only_once(push, profile, outside, run_jobs, company, monkeypatch):
    find_settings(profile.id).accounts = find_settings(profile.id).accounts | {"sign_password": "wrong"}
    session.commit()
    asked = []
    true = HttpSigner.__init__

    def counting(self, *account):
        asked.append(account)
        true(self, *account)

    monkeypatch.setattr(HttpSigner, "__init__", counting)
    run_jobs()
    for seconds in (10, 1000, 100_000):
        with later(seconds):
            loop(run_jobs)
    assert len(asked) == 1 and problem_of(push) == "90797"
    assert [message.state for message in messages(push)] == ["unsigned"]
    assert signing.may_sign(Line(company.id, DXP)).number == "90797"
    choose(profile, sign_password="sandbox")
    assert signing.may_sign(Line(company.id, DXP)) is None
    signing.start_signing(push.id, Line(company.id, DXP), "李明")
    session.commit()
    run_jobs()
    assert [message.state for message in messages(push)] == ["sent"]


def test_a_service_that_is_down_is_asked_again_later_and_a_card_may_sign_meanwhile(
    push, outside, run_jobs, company, exporter
):
    outside.mood("signing", "down")
    run_jobs()
    hold = find_hold(Line(company.id, DXP), "sign")
    assert (hold.failures, sending.from_row(hold.sentence).number) == (1, "90796")
    exporter.open(f"/exports/pushes/{push.id}")
    assert "连不上或没有答复，系统会自动再试；急着要推的，可以改用卡签" in exporter.main
    exporter.submit("接着用卡签名")
    assert exporter.h1 == "请用电子口岸卡确认"
    assert loop(run_jobs) == []
    outside.mood("signing", "yes")
    with later(5):
        loop(run_jobs)
    assert [message.state for message in messages(push)] == ["sent"]
    assert find_hold(Line(company.id, DXP), "sign") is None


def test_a_signature_that_does_not_hold_is_never_stored(push, outside, run_jobs):
    outside.mood("signing", "garbled")
    run_jobs()
    (message,) = messages(push)
    assert (message.state, message.signed, problem_of(push)) == ("unsigned", None, "90804")


def test_the_key_of_another_company_signs_nothing(push, profile, outside, run_jobs):
    companies = outside.world.store.all("company")
    other = next(each for each in companies if each["uscc"] != "91130100PDY00001XG" and each["customs_codes"])
    find_settings(profile.id).accounts = find_settings(profile.id).accounts | {
        "sign_user": other["customs_codes"][0]["code"]
    }
    session.commit()
    run_jobs()
    assert problem_of(push) == "90798" and outside.signatures() == 0
    assert channels.test(profile.id).number == "90798"


def test_a_certificate_reported_lost_signs_nothing(push, profile, outside, run_jobs):
    row = find_settings(profile.id)
    session.commit()
    signer, _ = channels.open_signer(row)
    card = channels.read_certificate(signer.certificate)
    signer.close()
    report_lost(card.serial_hex, clock.now())
    session.commit()
    run_jobs()
    assert problem_of(push) == "90799" and outside.signatures() == 0
    assert "已经挂失" in channels.test(profile.id)


def test_a_certificate_of_an_authority_that_is_not_trusted_signs_nothing(
    push, profile, outside, run_jobs, app, tmp_path, monkeypatch
):

    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], card_authorities=tmp_path))
    run_jobs()
    assert problem_of(push) == "90799" and outside.signatures() == 0


def test_switched_off_in_between_it_signs_nothing_more(push, profile, outside, run_jobs):
    find_settings(profile.id).unattended_at = None
    session.commit()
    run_jobs()
    assert problem_of(push) == "90801" and outside.signatures() == 0


def test_signers_are_not_asked_inside_a_transaction(push, run_jobs, profile, monkeypatch):
    seen = []
    for name in ("__init__", "sign"):
        true = getattr(HttpSigner, name)

        def looking(self, *args, true=true, name=name):
            seen.append((name, session().in_transaction()))
            return true(self, *args)

        monkeypatch.setattr(HttpSigner, name, looking)
    run_jobs()
    channels.test(profile.id)
    assert {name for name, _ in seen} == {"__init__", "sign"} and not [name for name, inside in seen if inside]

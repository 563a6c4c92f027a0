"""推送检查 and 报障: each check of the manual fails where it should, and a ticket carries its evidence."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from blueprints.common import clock
from blueprints.exports import channels, diagnosis, sending
from models import tickets
from models.channels import Line, find_settings
from models.codes import HeldCode
from models.database import session
from models.notices import Notice
from models.tickets import Diagnosis, Ticket
from tests.conftest import log_in, make_enterprise, make_user
from tests.exports_world import CODE, DXP, make_profile, make_strategy, workbook

pytest_plugins = ["tests.card_fixtures", "tests.exports_fixtures"]
REPORT = {"story": "昨天开始推不出去", "contact": "李明", "phone": "13800000000"}


@pytest.fixture
def generated(trade):
    trade.read(workbook())
    return trade.generate()


@pytest.fixture
def pushed(generated, card):
    return generated.send(generated.push(card))


@pytest.fixture
def checked(generated):
    """What each check says now: {check: [(standing, number)]}."""

    def run(number="TYDH005") -> dict[str, list]:
        found = tickets.order_numbered(generated.company.id, CODE, number) if number else None
        said: dict[str, list] = {}
        for each in diagnosis.findings_of(diagnosis.diagnose(found, generated.who)):
            said.setdefault(each.check, []).append((each.standing, each.sentence.number))
        session.commit()
        return said

    return run


def words_of(run: Diagnosis) -> str:
    return "；".join(each.sentence for each in diagnosis.findings_of(run))


# -- the checks


@pytest.mark.item("M199")
def test_an_order_that_customs_has_is_said_to_be_pushed(pushed, checked):
    row = pushed.rows()["TYDH005"].Order
    assert checked()["window"] == [("bad", "90893")], "sent, and no receipt"
    pushed.hear((row, 120, "20261121103200000"))
    said = checked()
    assert {check: rows[0][0] for check, rows in said.items()} == dict.fromkeys(diagnosis.CHECKS, "ok")


@pytest.mark.item("M199")
def test_without_ecommerce_identity_the_first_check_fails(pushed, checked):
    held = session.scalar(select(HeldCode))
    held.ecommerce_types = []
    assert checked()["identity"] == [("bad", "90882")]
    held.valid_to = date(2020, 1, 1)
    assert checked()["identity"] == [("bad", "90881")]


@pytest.mark.item("M187", "M199", "M200", "M201")
@pytest.mark.parametrize("space", [" ", "\u3000", "\u00a0", "\u200b"])
@pytest.mark.parametrize(("field", "label"), [("name", "企业名称"), ("dxp_id", "传输ID"), ("remark", "备注")])
def test_a_space_of_any_width_in_any_field_is_found(generated, checked, profile, field, label, space):
    setattr(profile, field, f"{getattr(profile, field) or '甲'}{space}乙")
    session.commit()
    found = tickets.order_numbered(generated.company.id, CODE, "TYDH005")
    run = diagnosis.diagnose(found, generated.who)
    assert f"的「{label}」里有空格" in words_of(run)


def test_a_space_in_a_password_is_found_and_the_password_not_shown(generated, profile, app, monkeypatch):
    from tests.outside import choose, offer

    offer(app, monkeypatch, "channels", code="http", name="HTTP通道", kind="http", address="http://127.0.0.1:9")
    choose(profile, send_host="http", send_user=DXP, send_password="pass word")
    run = diagnosis.diagnose(None, generated.who)
    assert "的「发送通道密码」里有空格" in words_of(run) and "pass" not in str(run.findings)


@pytest.mark.item("M188", "M200")
def test_incomplete_and_wrong_profiles_are_found(checked, profile):
    profile.types = ["seller"]
    assert ("bad", "90886") in checked()["profiles"]
    profile.types, profile.name = ["declarant", "platform", "seller"], "示例外贸(石家庄)有限公司"
    assert ("bad", "90887") in checked()["profiles"], "half-width brackets"
    profile.dxp_id = ""
    assert {("bad", "90885"), ("bad", "90888")} <= set(checked()["profiles"])


def test_a_company_with_nothing_set_up_is_told_where_to_begin(context, company, administrator):
    from tests.exports_world import principal_of

    run = diagnosis.diagnose(None, principal_of(administrator, company))
    standings = {each.check: each.standing for each in diagnosis.findings_of(run)}
    assert standings == {"identity": "ok", "profiles": "bad", "window": "unknown", "channel": "unknown",
                         "certificate": "unknown"}  # fmt: skip


def test_an_order_that_nobody_signed_leads_to_its_push(generated, card, checked):
    assert checked()["window"] == [("bad", "90891")]
    generated.push(card)
    found = tickets.order_numbered(generated.company.id, CODE, "TYDH005")
    (finding,) = diagnosis.check_window(found)
    assert (finding.sentence.number, finding.endpoint) == ("90892", "exports.show_push")


@pytest.mark.item("M200", "M201")
def test_what_customs_sent_back_is_said_with_its_reason(pushed, checked):
    row = pushed.rows()["TYDH006"].Order
    pushed.hear((row, -301010, "20261121103200000", "编号重复"))
    found = tickets.order_numbered(pushed.company.id, CODE, "TYDH006")
    (finding,) = diagnosis.check_window(found)
    assert finding.sentence.number == "90890" and "编号重复" in finding.sentence
    pushed.hear((pushed.rows()["TYDH007"].Order, 3, "20261121103200000"))
    assert checked("TYDH007")["window"] == [("bad", "90894")]


@pytest.mark.item("M199")
def test_a_channel_that_does_not_answer_is_found(pushed, checked, profile, app, monkeypatch):
    from tests.outside import choose, offer

    offer(app, monkeypatch, "channels", code="dead", name="坏通道", kind="http", address="http://127.0.0.1:9")
    choose(profile, send_host="dead", send_user="x", send_password="y")
    said = checked()
    assert said["channel"] == [("bad", "90790")] and said["certificate"][0][0] == "ok", "the card is all right"


def test_a_company_that_pauses_is_told_so(generated, card, checked):
    generated.push(card)
    channels.channels.pause(generated.company.id, "李明", clock.now())
    assert ("bad", "90803") in checked()["channel"]


def test_a_line_that_is_held_is_said_with_its_reason(generated, card, checked):
    generated.push(card)
    sentence = sending.as_row(sending.Sentence("90790", "「{name}」连不上", name="通道"))
    line = Line(generated.company.id, DXP)
    channels.channels.hold(line, "send", 3, clock.now() + timedelta(minutes=5), sentence, clock.now())
    assert checked()["channel"] == [("bad", "90790")]


@pytest.mark.item("M199")
def test_a_card_that_ran_out_since_the_last_push_is_found(pushed, checked):
    assert checked()["certificate"] == [("ok", "")]
    with clock.stopped_at(clock.now() + timedelta(days=365 * 40)):
        assert checked()["certificate"] == [("bad", "90895")]


def test_a_signer_whose_password_is_wrong_is_found(pushed, checked, profile, app, monkeypatch):
    from tests.outside import choose, offer

    offer(app, monkeypatch, "signers", code="dead", name="坏加签", kind="service", address="http://127.0.0.1:9")
    choose(profile, signer="dead", sign_user="x", sign_password="y")
    said = checked()
    assert said["channel"] == [("ok", "")] and said["certificate"] == [("bad", "90796")]
    assert find_settings(profile.id).signer == "dead"


# -- pages


@pytest.mark.item("M30", "M199", "M200", "M201")
def test_one_button_checks_and_a_ticket_is_filed_and_mailed(exporter, run_jobs, card, outbox, profile):
    from tests.exports_world import Customs, sign_batch
    from tests.test_exports_journey import make_task

    make_task(exporter, run_jobs)
    exporter.follow("看数据详情").submit("生成申报数据")
    run_jobs()
    exporter.open("/exports/orders").submit("推送查到的全部 3 条")
    sign_batch(exporter, card)
    run_jobs()
    with Customs(exporter) as customs:
        guid = dict(map(reversed, customs.orders_sent()))["TYDH007"]
    exporter.open("/exports/orders").follow("推送检查")
    assert "这次会查订单TYDH007" in exporter.main
    exporter.submit("开始检查")
    assert exporter.number == "8042" and "海关还没有回执" in exporter.main
    assert "资料、通道和证书都没有问题，订单还是查不到，请点「报障」" in exporter.main
    exporter.follow("报障").submit("提交报障", story="", contact="李明", phone="电话")
    assert len(exporter.errors) == 2 and exporter.value("contact") == "李明"
    exporter.submit("提交报障", **REPORT)
    assert exporter.number == "8044" and "已经存好，也用邮件发给了技术部门" in exporter.main
    for evidence in ("示例外贸（石家庄）有限公司", DXP, "TYDH007", guid, "昨天开始推不出去", "正常"):
        assert evidence in exporter.main, evidence
    run_jobs()
    (mail,) = [mail for mail in outbox.mails if "报障" in mail.subject]
    assert mail.to == "baozhang@hebei.eport.example"
    assert "公司名称：示例外贸（石家庄）有限公司" in mail.text and f"传输ID号：{DXP}" in mail.text and guid in mail.text
    exporter.open("/exports/tickets")
    assert "TYDH007" in exporter.main and "已报障" in exporter.main
    exporter.follow("BZ").submit("已经解决了")
    assert "这件事已经解决" in exporter.main and not exporter.can_press("已经解决了")


def test_a_ticket_is_printed(exporter, profile):
    exporter.open("/exports/diagnosis").submit("开始检查").follow("报障").submit("提交报障", **REPORT)
    exporter.open(f"{exporter.url}.pdf")
    assert exporter.response.mimetype == "application/pdf" and exporter.response.data.startswith(b"%PDF")


def test_two_clicks_file_one_ticket(exporter, profile):
    exporter.open("/exports/diagnosis").submit("开始检查").follow("报障")
    form, url = exporter.soup.find("form", id="step"), exporter.url
    first = exporter.submit("提交报障", **REPORT).url
    exporter.url = url
    exporter.send(form, [(field["name"], field.get("value", "")) for field in form.find_all("input")], REPORT, {})
    assert exporter.url == first and len(list(session.scalars(select(Ticket)))) == 1


def test_a_region_without_address_keeps_the_ticket_and_says_to_call(exporter, profile, app, monkeypatch):
    from blueprints.common.regions import Region, merge

    region = app.config["REGION"]
    monkeypatch.setitem(
        app.config, "REGION", Region(region.slug, merge(region.data, {"contact": {"report_address": ""}}))
    )
    exporter.open("/exports/diagnosis").submit("开始检查").follow("报障").submit("提交报障", **REPORT)
    assert "本地区没有报障邮箱" in exporter.main and session.scalar(select(Notice)) is None


def test_what_was_told_is_encrypted_at_rest(exporter, profile):
    exporter.open("/exports/diagnosis").submit("开始检查").follow("报障").submit("提交报障", **REPORT)
    (row,) = session.execute(select(Ticket._told)).scalars()
    assert b"13800000000" not in row and session.scalar(select(Ticket)).told == REPORT


@pytest.mark.parametrize("typed", ["NO-SUCH", "' OR 1=1 --", "<script>", "\u0000x", "订" * 61])
def test_a_number_that_is_no_order_is_refused_and_nothing_is_run(exporter, typed):
    exporter.open("/exports/diagnosis").submit("开始检查", order_no=typed)
    assert exporter.errors and exporter.number == "8041" and session.scalar(select(Diagnosis)) is None


def test_after_ten_runs_it_waits(exporter, profile):
    for _ in range(10):
        exporter.open("/exports/diagnosis").submit("开始检查")
    exporter.open("/exports/diagnosis").submit("开始检查")
    assert "查得太勤了" in exporter.main


def test_another_company_sees_nothing_of_it(exporter, profile, other_browser):
    exporter.open("/exports/diagnosis").submit("开始检查")
    run = exporter.url
    ticket = exporter.follow("报障").submit("提交报障", **REPORT).url
    stranger = make_enterprise("别家（石家庄）有限公司", "91130100PDY000028G", code="1301960002")
    log_in(other_browser, make_user("stranger", enterprise=stranger))
    for path in (run, f"{run}/report", ticket, f"{ticket}.pdf"):
        assert other_browser.open(path).status == 404, path
    other_browser.open("/exports/tickets")
    assert "还没有报过障" in other_browser.main


def test_the_order_of_another_company_is_not_looked_at(exporter, profile, other_browser, context_of_stranger):
    exporter.open("/exports/diagnosis").submit("开始检查", order_no="SECRET000000")
    assert "没有查到订单SECRET000000" in exporter.main


def test_an_operator_who_may_only_look_runs_the_checks_and_files_nothing(browser, company, strategy):
    log_in(browser, make_user("op1", role="operator", enterprise=company, rights={"exports": 1}))
    browser.open("/exports/diagnosis").submit("开始检查")
    assert browser.number == "8042" and "提交报障" not in browser.main
    assert not [a for a in browser.soup.find_all("a") if a.get_text() == "报障"]
    assert browser.open(f"{browser.url}/report").status == 403


@pytest.fixture
def context_of_stranger(app):
    """Another company with an order SECRET000000 that was declared."""
    from models.transmission import TransmissionId
    from tests.exports_world import Trade, many

    stranger = make_enterprise("别家（石家庄）有限公司", "91130100PDY000028G", code="1301960002")
    session.add(TransmissionId(value="DXPENT0000000002", enterprise_id=stranger.id, customs_code=CODE, node="province",
                               device="ic-card", granted_at=clock.now()))  # fmt: skip
    session.commit()
    with app.app_context():
        strategy = make_strategy(make_profile(stranger, stranger.name, dxp_id="DXPENT0000000002"))
        trade = Trade(app, make_user("stranger", enterprise=stranger), stranger, strategy)
        trade.read(workbook(many(1, "SECRET")))
        trade.generate()

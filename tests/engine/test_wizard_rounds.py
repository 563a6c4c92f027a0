"""After the submission: receipt, history, return, next round, confirmation, withdrawal, the other company, notices."""

import pytest

from blueprints.common import history
from models.database import session
from models.documents import HistoryEvent, events_about
from models.notices import Notice
from tests.browsing import Browser
from tests.conftest import log_in
from tests.engine.walking import NEXT, begin, document_of, fill_booking, fill_link, fill_opening, root_of


@pytest.fixture
def browser(app):
    return Browser(app, "htmx")


@pytest.fixture
def anna(browser, people):
    return log_in(browser, people.users["anna"], "法人卡")


@pytest.fixture
def boris(app, people):
    return log_in(Browser(app), people.users["boris"], "法人卡")


@pytest.fixture
def clerk(other_browser, people):
    return log_in(other_browser, people.users["clerk"])


def decide(clerk, browser, button: str, **typed):
    clerk.open(f"/reviews/{root_of(browser).rpartition('/')[2]}")
    return clerk.submit(button, **typed)


def send_back(clerk, browser, path: str, words: str):
    return decide(clerk, browser, "退回写了原因的项", **{f"why__{path}": "other", f"say__{path}": words})


def test_the_receipt_shows_number_content_and_promise_and_prints(anna):
    fill_booking(anna).submit("提交")
    number = document_of(anna).number
    assert f"{number[:4]} {number[4:8]} {number[8:12]} {number[12:]}" in anna.main
    assert "2026-11-25 下班前" in anna.main and "2026-11-27 下班前" in anna.main and "11月25日上午" in anna.main
    answer = anna.client.get(f"{root_of(anna)}/receipt.pdf", base_url="http://127.0.0.1:8080")
    assert answer.mimetype == "application/pdf" and answer.data.startswith(b"%PDF-")


def test_a_promise_beyond_the_calendar_says_that_it_is_provisional(anna, clock_at):
    with clock_at(2026, 12, 31, 9, 0):
        log_in(anna, session.merge(anna_user(anna)), "法人卡")
        fill_booking(anna, slot="far").submit("提交")
        assert "2027-01-05 下班前 （该年放假安排尚未公布，日期为预计）" in anna.main


def anna_user(anna):
    from models.accounts import find_user

    return find_user("anna")


def test_personal_data_is_masked_on_the_receipt(anna):
    fill_link(anna).submit("提交")
    assert "0571****5198" not in anna.main and "0571-95198" not in anna.main


def test_a_return_leads_to_the_field_and_the_next_round_shows_what_changed(anna, clerk):
    fill_link(anna).submit("提交")
    root = root_of(anna)
    send_back(clerk, anna, "node/data", "请加清单")
    anna.open(root)
    assert "第1次提交被退单" in anna.main and "请加清单" in anna.main
    anna.follow("去修改")
    assert anna.url == f"{root}/node" and "请照退回意见改" in anna.main
    anna.submit(NEXT, data=["order"])
    assert anna.h1 == "核对一遍，再提交"
    anna.submit("提交")
    assert "第2次提交" in anna.main and "第1次提交" in anna.main
    clerk.open(f"/reviews/{root.rpartition('/')[2]}")
    assert "改了的1项" in clerk.main and "上次退回：请加清单" in clerk.main


def test_a_reason_that_was_not_seen_to_stops_the_next_round(anna, clerk):
    fill_link(anna).submit("提交")
    root = root_of(anna)
    send_back(clerk, anna, "node/data", "请加清单")
    anna.open(f"{root}/check")
    assert anna.url == f"{root}/node"
    anna.open(f"{root}/company").submit(NEXT, phone="2")
    assert anna.url == f"{root}/node" and document_of(anna).answers["node"].revision == 1


def test_a_desk_confirms_with_one_click_what_it_approved_before(anna, clerk, app, people):
    fill_booking(anna).submit("提交")
    root, office = root_of(anna), app.config["OFFICE"]
    decide(clerk, anna, "全部通过")
    with app.app_context():
        office.send_back(document_of(anna), "market", people.market, 1, [("slot/slot", "请改期")])
        session.commit()
    anna.open(f"{root}/slot").submit(NEXT, slot="26am")
    anna.submit("提交")
    decide(clerk, anna, "照旧通过")
    decision = document_of(anna).decisions[-1]
    assert (decision.round, decision.stage, decision.outcome) == (2, "customs", "approved")


def test_a_decision_on_a_page_of_the_old_round_is_not_taken(anna, clerk, people, app):
    fill_link(anna).submit("提交")
    root = root_of(anna)
    clerk.open(f"/reviews/{root.rpartition('/')[2]}")
    with app.app_context():
        app.config["OFFICE"].send_back(document_of(anna), "acceptance", people.clerk, 1, [("node", "x")])
        session.commit()
    anna.open(f"{root}/node").submit(NEXT, node="2")
    anna.submit("提交")
    clerk.submit("全部通过")
    assert "您的决定没有记下" in clerk.main
    assert [decision.outcome for decision in document_of(anna).decisions] == ["returned"]


def test_an_approval_to_the_end_is_said_on_the_receipt(anna, clerk):
    fill_link(anna).submit("提交")
    decide(clerk, anna, "全部通过")
    decide(clerk, anna, "全部通过")
    assert "请填写「专线编号」" in clerk.main, "the second stage supplies the number"
    clerk.submit("全部通过", id="L-1")
    anna.open(root_of(anna))
    assert "2026-11-20已通过" in anna.main and "撤回申请" not in anna.main


def test_a_withdrawal_is_asked_for_once_more_and_ends_it(anna, clerk):
    fill_link(anna).submit("提交")
    root = root_of(anna)
    anna.follow("撤回申请")
    assert anna.h1 == "要撤回这份申请吗？" and document_of(anna).end_outcome is None
    anna.submit("撤回")
    assert "已撤回。要再办，请重新申请。" in anna.main and document_of(anna).end_outcome == "withdrawn"
    clerk.open("/reviews/")
    assert "anna公司" not in clerk.main and "没有等您办的申请" in clerk.main
    anna.open(f"{root}/withdraw").submit("撤回")
    assert "不能撤回了" in anna.main


def test_the_other_company_sees_what_was_sent_and_nothing_before(anna, boris):
    begin(anna, "entrustment").submit(NEXT, side="client", code="1301000002")
    anna.submit(NEXT, until="2027-12-31")
    root = root_of(anna)
    assert boris.open(root).status == 404
    anna.submit("提交")
    assert boris.open(root).status == 200 and "2027-12-31" in boris.main
    for page in ("/pair", "/check", "/withdraw"):
        assert boris.open(root + page).status == 404


def test_a_third_company_never_sees_it(anna, app, people):
    begin(anna, "entrustment").submit(NEXT, side="client", code="1301000002")
    anna.submit(NEXT, until="2027-12-31")
    anna.submit("提交")
    sam = log_in(Browser(app), people.users["sam"], "法人卡")
    for page in ("", "/receipt.pdf", "/pair"):
        assert sam.open(root_of(anna) + page).status == 404


def test_history_names_who_did_what_in_order(anna, clerk):
    fill_link(anna).submit("提交")
    send_back(clerk, anna, "node/data", "请加清单")
    anna.open(f"{root_of(anna)}/node").submit(NEXT, node="2")
    anna.submit("提交")
    anna.follow("撤回申请").submit("撤回")
    events = [(event.act, event.user_name) for event in events_about(f"document:{document_of(anna).id}")]
    assert events == [
        ("开始填写", "anna"), ("提交申请", "anna"), ("退回修改", "clerk"), ("提交申请", "anna"), ("撤回申请", "anna"),
    ]  # fmt: skip


# Notices


def notices() -> list[dict]:
    return [notice.content for notice in session.query(Notice).order_by(Notice.at)]


def test_a_return_is_mailed_with_its_reasons_and_without_what_was_typed(anna, clerk, run_jobs, outbox):
    fill_link(anna).submit("提交")
    send_back(clerk, anna, "company/phone", "号码不通")
    [notice] = notices()
    assert notice["to"] == "anna@example.com" and notice["subject"] == "专线申请：接单审核退单"
    assert "970502 联系方式：号码不通" in notice["text"] and "0571" not in notice["text"]
    assert run_jobs().count("send_notice") == 1
    assert [mail.to for mail in outbox.mails] == ["anna@example.com"]
    run_jobs()
    assert len(outbox.mails) == 1, "sent once"


def test_without_an_account_the_mail_goes_to_the_address_on_the_form(browser, clerk):
    fill_opening(browser).submit("提交")
    decide(clerk, browser, "全部通过")
    assert [(notice["to"], notice["subject"]) for notice in notices()] == [("carol@example.com", "开户：开户审核通过")]


def test_a_decision_that_cannot_take_effect_mails_nothing(browser, clerk):
    from tests.conftest import make_enterprise

    fill_opening(browser).submit("提交")
    make_enterprise("早到的", "9113000034801880XB", code=None)
    decide(clerk, browser, "全部通过")
    assert "97904" in clerk.main and notices() == [] and document_of(browser).decisions == []


# Audit


def test_events_are_sealed_in_a_chain_for_each_company_and_the_chain_holds(anna, boris):
    fill_link(anna).submit("提交")
    begin(boris, "booking")
    assert history.seal_events() == session.query(HistoryEvent).count() and history.seal_events() == 0
    session.commit()
    anna.follow("撤回申请").submit("撤回")
    assert history.seal_events() == 1
    assert history.broken_events() == []


def test_seals_can_be_set_in_portions(anna):
    fill_link(anna).submit("提交")
    while history.seal_events(limit=1):
        pass
    assert history.broken_events() == []


@pytest.mark.parametrize("column, value", [("act", "审核通过"), ("user_name", "nobody"), ("details", {})])
def test_an_event_that_was_altered_is_found(anna, column, value):
    fill_link(anna).submit("提交")
    history.seal_events()
    event = session.query(HistoryEvent).filter_by(act="提交申请").one()
    setattr(event, column, value)
    session.flush()
    assert history.broken_events() == [event.id]


def test_an_event_that_was_removed_is_found_at_the_next(anna):
    fill_link(anna).submit("提交")
    history.seal_events()
    events = session.query(HistoryEvent).order_by(HistoryEvent.id).all()
    session.delete(events[0])
    session.flush()
    assert history.broken_events() == [events[1].id]

"""Rounds: stages, returns, confirmation, snapshots, ends, immediate effect."""

from dataclasses import replace

import pytest

from blueprints.common.documents import CannotTakeEffect, NotNow, NotReady, NotYours
from blueprints.common.kinds import Kind, Stage
from blueprints.common.records import Line, difference, is_draft, lines_sent, load
from models.accounts import Enterprise, User, find_enterprise, find_user
from models.database import session
from models.documents import Claim, OpenStage
from models.files import find_file
from tests.conftest import make_enterprise
from tests.engine import filling

USCC = "9113000034801880XB"


@pytest.fixture
def opening(draft, files):
    opening = draft("opening", by=None).fill(filling.opening(files))
    opening.submit()
    return opening


@pytest.fixture
def link(draft):
    link = draft("link").fill(filling.LINK)
    link.submit()
    return link


@pytest.fixture
def booking(draft):
    booking = draft("booking").fill(filling.BOOKING)
    booking.submit()
    return booking


@pytest.fixture
def qualification(draft, files):
    qualification = draft("qualification").fill(*filling.qualification(files))
    qualification.submit()
    return qualification


def details_of(principal) -> dict:
    return session.get(Enterprise, principal.enterprise_id, populate_existing=True).details


def rows_of(document) -> dict:
    session.flush()
    return {row.stage: row for row in session.query(OpenStage).filter_by(document_id=document.id)}


# Opening an account


def test_an_approval_makes_the_company_and_its_administrator(opening):
    assert find_user("carol") is None
    opening.approve("review")
    assert opening.outcome == "approved"
    assert find_user("Carol").password_hash == "hash of correct horse"
    assert find_enterprise(USCC).name == "丁公司"


def test_what_cannot_take_effect_leaves_no_trace_and_names_the_field(opening):
    make_enterprise("早到的丁公司", USCC, code=None)
    with pytest.raises(CannotTakeEffect) as cannot:
        opening.approve("review")
    assert (cannot.value.problem.path, cannot.value.problem.number) == ("company/name", "97904")
    session.refresh(opening.document)
    assert opening.document.decisions == [] and opening.open == ["review"]
    assert opening.document.secrets and rows_of(opening.document).keys() == {"review"}
    assert find_user("carol") is None, "the half that was done is undone"


# Stages


def test_stages_in_sequence_open_one_after_the_other_and_the_last_supplies_the_id(link, people):
    assert link.open == ["acceptance"]
    link.approve("acceptance")
    assert link.open == ["issue"]
    with pytest.raises(NotReady):
        link.approve("issue")
    link.approve("issue", id="L-12345")
    assert details_of(people.anna) == {"link": "L-12345"}
    assert load(link.document.decisions[-1].lines_data)[0].shown == "L-12345"


def test_two_desks_review_side_by_side_and_the_third_waits_for_both(booking, people):
    assert booking.open == ["customs", "market"]
    booking.approve("market", people.market)
    assert booking.open == ["customs"]
    booking.approve("customs")
    assert booking.open == ["issue"]
    booking.approve("issue", voucher="V1")
    assert booking.outcome == "approved" and details_of(people.anna) == {"V1": "25am"}


def test_the_queue_of_the_desks_follows_every_act(booking, people):
    assert {stage: row.desk for stage, row in rows_of(booking.document).items()} == {
        "customs": "customs", "market": "market",
    }  # fmt: skip
    booking.approve("customs")
    assert rows_of(booking.document).keys() == {"market"}
    booking.approve("market", people.market)
    assert rows_of(booking.document).keys() == {"issue"}
    booking.send_back("issue", ("card", "请补"))
    assert rows_of(booking.document) == {}
    booking.save("card", operation="new")
    booking.submit()
    assert rows_of(booking.document).keys() == {"customs", "market"}
    booking.office.withdraw(booking.document, "anna")
    assert rows_of(booking.document) == {}


def test_only_the_desk_of_the_stage_decides(booking, office, people):
    with pytest.raises(NotYours):
        booking.approve("market", people.clerk)
    with pytest.raises(NotYours):
        office.refuse(booking.document, "market", people.anna, 1, "x")
    with pytest.raises(NotYours):
        booking.send_back("market", ("card", "x"), by=people.anna)
    assert [stage.slug for stage in office.may_decide(booking.document, people.market)] == ["market"]


def test_a_stage_is_decided_once_and_not_from_an_old_page(booking, people):
    booking.approve("customs")
    with pytest.raises(NotNow):
        booking.approve("customs")
    booking.send_back("market", ("slot/slot", "请改期"), by=people.market)
    booking.save("slot", slot="26am")
    booking.submit()
    with pytest.raises(NotNow):
        booking.approve("customs", round=1)


def test_one_refusal_ends_it_for_all(booking, office, people):
    office.refuse(booking.document, "market", people.market, 1, "企业已注销")
    assert booking.outcome == "refused" and booking.open == []
    with pytest.raises(NotNow):
        booking.approve("customs")


def test_what_is_under_review_cannot_be_changed(booking, qualification):
    with pytest.raises(NotNow):
        booking.save("card", operation="lost")
    with pytest.raises(NotNow):
        booking.submit()
    with pytest.raises(NotNow):
        qualification.office.remove(qualification.document, "investors/1", "anna", 1)


@pytest.mark.parametrize("operation, open_stages", [("lost", ["customs", "market"]), ("new", ["customs"])])
def test_a_stage_that_does_not_apply_is_not_waited_for(draft, with_kind, office, operation, open_stages):
    customs, market, issue = office.kinds["booking"].stages
    stages = (customs, replace(market, when=lambda case: case["card/operation"] == "lost"), issue)
    booking = draft("booking", at=with_kind("booking", stages=stages)).fill(filling.BOOKING)
    booking.save("card", operation=operation, report="7")
    booking.submit()
    assert booking.open == open_stages
    booking.approve("customs")
    assert booking.open == (["issue"] if operation == "new" else ["market"])


def test_a_stage_may_not_wait_for_one_declared_after_it():
    with pytest.raises(AssertionError, match="comes after"):
        Kind("1", "x", "x", (), stages=(Stage("1", "a", "a", None, after=("b",)), Stage("2", "b", "b", None)))


def test_a_step_and_a_stage_may_not_share_a_slug(office):
    with pytest.raises(AssertionError, match="share a slug"):
        replace(office.kinds["booking"], stages=(Stage("1", "slot", "x", None),))


# Returns


def test_a_return_lands_on_the_field_of_the_item(qualification):
    qualification.send_back("customs", ("investors/2/amount", "与章程不一致"))
    assert qualification.resume == "investors/2/amount"
    assert qualification.status == "第1次提交被退回，轮到您了：请看页面974120「出资信息」。"


def test_a_returned_document_goes_out_again_only_when_each_reason_was_seen_to(qualification, files):
    qualification.send_back("customs", ("investors/2/amount", "a"), ("staff", "缺一人"))
    qualification.save("investors/2", name="李四", amount="40.0", proof=files.two)
    assert qualification.resume == "staff"
    with pytest.raises(NotReady) as wrong:
        qualification.submit()
    assert [(p.path, p.number) for p in wrong.value.problems] == [("staff", "90009")]
    qualification.save("staff")
    assert qualification.submit().number == 2


def test_a_reason_is_seen_to_when_its_item_is_removed_or_its_page_left(qualification, office):
    qualification.send_back("customs", ("investors/2/amount", "a"), ("staff/1/id", "b"))
    office.remove(qualification.document, "investors/2", "anna", 1)
    qualification.save("capital", capital="60", broker="no")
    assert qualification.submit().number == 2


def test_reasons_name_what_was_submitted(qualification):
    for reasons in ([("investors/7/amount", "x")], [("capital/colour", "x")], []):
        with pytest.raises(ValueError):
            qualification.send_back("customs", *reasons)
    qualification.send_back("customs", ("capital", "x"))
    qualification.save("capital", capital="100", broker="no")
    qualification.submit()
    with pytest.raises(ValueError):
        qualification.send_back("customs", ("staff/1", "no longer on the path"))


def test_after_a_return_the_other_stages_confirm_with_one_click_seeing_what_changed(booking, office, people):
    booking.approve("customs")
    booking.send_back("market", ("slot/slot", "请改期"), by=people.market)
    booking.save("slot", slot="26am")
    booking.submit()
    assert booking.open == ["customs", "market"], "nothing of the old round counts by itself"
    _, changes = office.earlier(booking.document, "customs")
    assert [(c.path, c.before, c.after) for c in changes] == [("slot/slot", "11月25日上午", "11月26日上午")]
    assert office.changes(booking.document) == changes
    assert office.earlier(booking.document, "market") is None
    office.confirm(booking.document, "customs", people.clerk, 2)
    with pytest.raises(NotNow):
        office.confirm(booking.document, "market", people.market, 2)
    assert booking.open == ["market"]


def test_confirming_supplies_again_what_was_supplied(draft, office, with_kind, people):
    _, market, issue = office.kinds["booking"].stages
    stages = (replace(issue, slug="number", after=()), replace(market, after=("number",)))
    booking = draft("booking", at=with_kind("booking", stages=stages, effect=lambda document, case: None))
    booking.fill(filling.BOOKING)
    booking.submit()
    booking.approve("number", voucher="V7")
    booking.send_back("market", ("card", "x"), by=people.market)
    booking.save("card", operation="renew")
    booking.submit()
    assert booking.office.review_case(booking.document)["number/voucher"] is None, "not before it is confirmed"
    booking.office.confirm(booking.document, "number", people.clerk, 2)
    assert booking.office.review_case(booking.document)["number/voucher"] == "V7"


# Snapshots


def test_review_and_print_show_what_was_sent_whatever_comes_after(qualification, files):
    before = dict(qualification.shown)
    qualification.send_back("customs", ("capital", "x"))
    qualification.save("capital", capital="999", broker="yes")
    session.query(type(find_file(files.one))).filter_by(id=files.one).one().name = "改名.jpg"
    session.flush()
    assert qualification.shown == before
    assert before["investors/2/proof"] == "执照.jpg" and before["capital/broker"] == "是"


def test_a_difference_names_what_came_what_went_and_what_changed(qualification, office, files):
    qualification.send_back("customs", ("investors", "x"))
    office.remove(qualification.document, "investors/2", "anna", 1)
    qualification.fill(filling.investor(files, "赵六", "40"), {"investors": {}})
    qualification.save("staff/1", name="王五", id="130100199001011899", photo=files.two)
    qualification.submit()
    then, now = (load(submission.lines_data) for submission in qualification.document.submissions)
    changes = {change.path: (change.before, change.after) for change in difference(then, now)}
    assert changes["investors/2/name"] == ("李四", None) and changes["investors/3/name"] == (None, "赵六")
    assert changes["staff/1/photo"] == ("执照.jpg", "新执照.jpg")
    assert changes["staff/1/id"] == ("1301**********1813", "1301**********1899")
    assert "investors/1/name" not in changes


def test_a_relabelled_field_is_no_change():
    line = Line("a/b", "1", "A", "旧名", "x", "x")
    assert difference([line], [replace(line, label="新名", shown="X")]) == []


def test_a_document_keeps_its_number_through_all_rounds(booking, people):
    number = booking.document.number
    assert len(number) == 16 and number.startswith("20261120")
    booking.send_back("customs", ("card", "x"))
    booking.save("card", operation="renew")
    booking.submit()
    assert booking.document.number == number


def test_lists_show_the_columns_that_the_kind_names(opening):
    assert opening.document.title == "丁公司"


def test_the_snapshot_names_round_writer_and_edition(booking):
    submission = booking.document.submissions[0]
    assert (submission.number, submission.by, submission.edition) == (1, "anna", "1")
    assert submission.revisions == {"card": 1, "slot": 1}
    assert lines_sent(booking.document)[0].number == "972101"


# Immediate effect


def test_a_change_of_phone_takes_effect_at_once(draft, people):
    phone = draft("phone").fill(filling.PHONE)
    phone.submit()
    assert phone.outcome == "approved"
    assert session.get(User, people.anna.user_id).contact == {"mobile": "13000000002"}
    assert phone.document.secrets is None
    assert "123456" not in repr(phone.document.submissions[0].lines_data)
    assert session.query(Claim).filter_by(document_id=phone.document.id).count() == 0
    assert phone.shown["phone/current"] == "13000000001"


def test_what_cannot_take_effect_at_once_is_said_on_the_field_and_stays_a_draft(draft, people):
    phone = draft("phone").fill({"phone": {"phone": "13000000000", "code": "123456"}})
    with pytest.raises(NotReady) as wrong:
        phone.submit()
    assert [(p.path, p.number) for p in wrong.value.problems] == [("phone/phone", "97922")]
    session.expire_all()
    assert is_draft(phone.document) and phone.document.submissions == []
    assert session.query(Claim).filter_by(document_id=phone.document.id).count() == 0
    assert session.get(User, people.anna.user_id).contact == {"mobile": "13000000001"}


def test_what_has_ended_stays_ended_when_its_kind_gets_another_stage(link, with_kind, office):
    link.approve("acceptance")
    link.approve("issue", id="L-1")
    more = Stage("1", "archive", "归档", office.kinds["link"].stages[0].by)
    later = with_kind("link", stages=(*office.kinds["link"].stages, more))
    assert later.open_stages(link.document) == []
    assert str(later.status(link.document)) == "2026-11-20已通过。"


def test_a_withdrawn_document_is_not_withdrawn_again_and_a_draft_not_at_all(booking, draft, office):
    office.withdraw(booking.document, "anna")
    for document in (booking.document, draft("link").document):
        with pytest.raises(NotNow):
            office.withdraw(document, "anna")

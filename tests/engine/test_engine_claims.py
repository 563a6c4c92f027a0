"""Claims and seats, the two companies, facts of registers."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from blueprints.common.documents import CannotTakeEffect, FactsChanged, NotReady, NotYours
from blueprints.common.kinds import Machine, Stage
from models.accounts import Enterprise
from models.codes import HeldCode
from models.database import session
from models.documents import Claim, documents_of, is_claimed
from tests.engine import filling


def held_by(document) -> list[str]:
    return sorted(row.key for row in session.query(Claim).filter_by(document_id=document.id))


@pytest.fixture
def opening(draft, files):
    """Makes one: `opening(user="dora")`."""

    def fill(user="Carol", uscc="9113000034801880XB"):
        pages = filling.opening(files)
        pages["user"] |= {"user": user}
        pages["company"] |= {"uscc": uscc}
        return draft("opening", by=None).fill(pages)

    return fill


@pytest.fixture
def booking(draft):
    def fill(slot="25am", submitted=True):
        booking = draft("booking").fill(filling.BOOKING | {"slot": {"slot": slot}})
        if submitted:
            booking.submit()
        return booking

    return fill


@pytest.fixture
def entrust(draft):
    def fill(by="anna", **pair):
        return draft("entrustment", by=by).fill(filling.ENTRUSTMENT | {"pair": filling.ENTRUSTMENT["pair"] | pair})

    return fill


def problems_at_submission(draft) -> list:
    with pytest.raises(NotReady) as refused:
        draft.submit()
    return [(problem.path, problem.number) for problem in refused.value.problems]


# Claims


def test_a_user_name_is_taken_by_whoever_submits_first_whatever_its_case(opening):
    opening().submit()
    second = opening("CAROL", uscc="91130000348018800A")
    assert problems_at_submission(second) == [("user/user", "90010")]
    assert second.document.submissions == []


def test_a_half_successful_claim_is_not_held(opening):
    opening().submit()
    second = opening("dora")
    assert problems_at_submission(second) == [("company/name", "90010")]
    assert held_by(second.document) == []
    assert not is_claimed("user-name", "dora")


@pytest.mark.parametrize("end, is_free", [("refuse", True), ("withdraw", True), ("approve", False)])
def test_an_end_frees_the_name_unless_it_was_given(opening, office, people, end, is_free):
    first = opening()
    first.submit()
    {"refuse": lambda: office.refuse(first.document, "review", people.clerk, 1, "资料不实"),
     "withdraw": lambda: office.withdraw(first.document, "anna"),
     "approve": lambda: first.approve("review")}[end]()  # fmt: skip
    if is_free:
        assert opening().submit().number == 1
    else:
        assert len(problems_at_submission(opening())) == 2


def test_a_slot_has_so_many_seats_and_a_withdrawal_gives_one_back(booking, office):
    first, second = booking(), booking(submitted=False)
    assert problems_at_submission(second) == [("slot/slot", "90010")]
    office.withdraw(first.document, "anna")
    assert second.submit().number == 1


def test_choosing_another_slot_after_a_return_frees_the_first(booking):
    first, second = booking(), booking(submitted=False)
    first.send_back("customs", ("slot/slot", "请改期"))
    first.save("slot", slot="26am")
    assert problems_at_submission(second) == [("slot/slot", "90010")], "freed only by the new submission"
    first.submit()
    second.submit()
    booking("26am")
    assert problems_at_submission(booking("26am", submitted=False)) == [("slot/slot", "90010")]


def test_a_resubmission_keeps_the_seat_it_has(booking):
    first = booking()
    first.send_back("customs", ("card", "x"))
    first.save("card", operation="renew")
    assert first.submit().number == 2
    assert held_by(first.document) == ["25am"]


def test_a_booked_slot_stays_taken(booking, people):
    first = booking()
    first.approve("customs"), first.approve("market", people.market), first.approve("issue", voucher="V1")
    assert problems_at_submission(booking(submitted=False)) == [("slot/slot", "90010")]


def test_a_slot_of_yesterday_can_no_longer_be_chosen(booking, clock_at):
    late = booking(submitted=False)
    with clock_at(2026, 11, 25, 9, 0):
        assert late.resume == "slot/slot"
        assert problems_at_submission(late) == [("slot/slot", "90002")]


# Parties


def test_the_other_company_sees_it_once_it_is_sent_and_confirms(entrust, office, people):
    pair = entrust()
    assert not office.may(pair.document, people.boris)
    pair.submit()
    assert office.may(pair.document, people.boris) and not office.may(pair.document, people.boris, "edit")
    assert not office.may(pair.document, people.sam) and not office.may(pair.document, None)
    assert not office.may(pair.document, replace(people.boris, code="1301999999")), "bound to the customs code"
    with pytest.raises(NotYours):
        pair.approve("confirmation", people.anna)
    with pytest.raises(NotYours):
        pair.approve("confirmation", replace(people.boris, code="1301999999"))
    pair.approve("confirmation", people.boris)
    assert session.get(Enterprise, people.anna.enterprise_id).details == {"pair": "1301000001-1301000002"}


def test_lists_hold_what_a_company_takes_part_in_and_nothing_else(entrust, people):
    pair = entrust()

    def listed(who):
        return documents_of(who.enterprise_id, who.code)

    assert listed(people.anna) == [pair.document] and listed(people.boris) == []
    pair.submit()
    session.flush()
    assert listed(people.anna) == listed(people.boris) == [pair.document]
    assert listed(people.sam) == []
    assert documents_of(people.boris.enterprise_id, "1301999999") == []


def test_a_draft_belongs_to_the_company_and_the_code_under_which_it_was_begun(draft, office, people):
    document = draft("link").document
    assert office.may(document, people.anna, "edit")
    assert not office.may(document, replace(people.anna, code="1301999999"))
    assert not office.may(document, people.boris)


def test_a_client_may_have_its_confirmation_given_automatically_an_agent_not(entrust, people):
    for who in (people.anna, people.boris):
        session.get(Enterprise, who.enterprise_id).details = {"auto": True}
    session.flush()
    to_client = entrust("boris", side="agent", code="1301000001")
    to_client.submit()
    assert to_client.outcome == "approved" and to_client.document.decisions[0].by == "自动确认"
    assert session.get(Enterprise, people.boris.enterprise_id).details == {"pair": "1301000001-1301000002"}
    to_agent = entrust()
    to_agent.submit()
    assert to_agent.open == ["confirmation"]


def test_one_pair_has_one_open_entrustment_whoever_starts(entrust):
    entrust().submit()
    assert problems_at_submission(entrust("boris", side="agent", code="1301000001")) == [("pair/code", "90010")]


def test_an_agent_that_is_struck_off_meanwhile_cannot_be_entrusted(entrust, office, people):
    pair = entrust()
    pair.submit()
    session.execute(update(HeldCode).where(HeldCode.code == "1301000002").values(category="进出口货物收发货人"))
    session.expire_all()
    with pytest.raises(FactsChanged):
        pair.approve("confirmation", people.boris)
    with pytest.raises(CannotTakeEffect):
        office.approve(pair.document, "confirmation", people.boris, 1, knowing={"other"})
    session.refresh(pair.document)
    assert pair.open == ["confirmation"]


# Facts


def rename_company(people):
    session.get(Enterprise, people.anna.enterprise_id).name = "甲新公司"
    session.flush()


def test_facts_that_changed_since_are_shown_before_anyone_approves(draft, office, people):
    link = draft("link").fill(filling.LINK)
    link.submit()
    rename_company(people)
    with pytest.raises(FactsChanged) as changed:
        link.approve("acceptance")
    then, now = changed.value.changes["company"]
    assert (then.parts["name"], now.parts["name"]) == ("anna公司", "甲新公司")
    assert link.shown["company/name"] == "anna公司"
    office.approve(link.document, "acceptance", people.clerk, 1, knowing={"company"})
    assert link.open == ["issue"]


def test_what_a_machine_reports_has_happened_whatever_the_registers_say(draft, with_kind, people):
    machine = (Stage("1", "customs", "海关", Machine("customs")),)
    link = draft("link", at=with_kind("link", stages=machine, effect=lambda document, case: None)).fill(filling.LINK)
    link.submit()
    rename_company(people)
    link.approve("customs")
    assert link.outcome == "approved"

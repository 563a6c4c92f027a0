"""Filling in: the path, done, 暂存, conflicts, lists, secrets, facts and fields."""

from dataclasses import replace

import pytest

from blueprints.common.documents import Conflict, NotNow, NotReady, NotYours
from blueprints.common.fields import DocumentForm, Text
from blueprints.common.records import lines_sent
from models.documents import Document
from tests.engine import filling
from tests.engine.filling import numbers
from tests.kinds.warehouse import WAREHOUSE_2027


@pytest.fixture
def opening(draft):
    return draft("opening", by=None)


@pytest.fixture
def link(draft):
    return draft("link")


@pytest.fixture
def qualification(draft, files):
    return draft("qualification").fill(*filling.qualification(files))


def test_a_step_that_is_left_no_longer_steers_what_follows(qualification):
    assert qualification.path == ["capital", "investors", "staff"]
    qualification.save("capital", capital="100", broker="no")
    assert qualification.path == ["capital", "investors"]
    assert "staff/1" in qualification.document.answers, "its answers wait in case the path leads there again"
    assert "staff" not in qualification.office.walk(qualification.document)[1].values
    qualification.submit()
    assert not [path for path in qualification.shown if path.startswith("staff")]


def test_a_wrong_answer_steers_nothing(qualification):
    qualification.save("capital", capital="many", broker="yes")
    assert qualification.path == ["capital", "investors"]
    assert qualification.resume == "capital/capital"


def test_a_page_does_not_see_the_pages_after_it(draft, with_kind, office):
    class Nosy(DocumentForm):
        phone = Text("电话", number="1", when=lambda case: case["device/device"] is None)

    company, *rest = office.kinds["link"].steps
    nosy = draft("link", at=with_kind("link", steps=(replace(company, form=Nosy), *rest))).fill(filling.LINK)
    assert numbers(nosy.save("company", phone="")) == ["90001"]


def test_done_means_valid_today_not_once_answered(link):
    link.fill(filling.LINK)
    assert link.resume is None
    link.save("node", node="3", data=["order"])
    assert link.resume == "device/device", "a machine does not go with a third-level node"


def test_unfinished_and_wrong_input_is_kept_without_complaint(opening):
    opening.save("type", type="new")
    assert numbers(opening.save("company", name="丁公司", uscc="91")) == ["97901"]
    assert opening.document.answers["company"].typed == {"name": ["丁公司"], "uscc": ["91"]}
    assert opening.office.form(opening.document, "company")["uscc"].data == "91"
    with pytest.raises(NotReady):
        opening.submit()


def test_optional_pages_are_not_done_before_somebody_saw_them(draft, in_region):
    booking = draft("booking", at=in_region(**{"972101": {"required": False}}))
    assert booking.resume == "card"
    booking.save("card")
    assert booking.resume == "slot"


def test_spaces_are_no_answer_and_are_not_part_of_one(opening):
    assert numbers(opening.save("company", name="\u3000 ", uscc=" 9113000034801880XB\u3000")) == ["90001"]


def test_a_text_has_a_greatest_length(opening):
    assert numbers(opening.save("company", name="长" * 201, uscc="9" * 18)) == ["90011"]
    assert numbers(opening.save_at(1, "company", name="长" * 200, uscc="9" * 18)) == []


def test_two_people_on_one_page_see_both_answers(link):
    link.save_at(0, "company", phone="1")
    with pytest.raises(Conflict) as conflict:
        link.save_at(0, "company", by="ben", phone="2")
    assert (conflict.value.theirs.typed, conflict.value.theirs.by) == ({"phone": ["1"]}, "anna")
    assert conflict.value.mine == {"phone": ["2"]}
    link.save_at(1, "company", by="ben", phone="2")


def test_two_people_on_two_pages_do_not_meet(link):
    link.save_at(0, "company", phone="1")
    link.save_at(0, "node", by="ben", node="3")


def test_two_people_may_add_items_at_once_and_items_keep_their_numbers(qualification):
    office, document = qualification.office, qualification.document
    office.remove(document, "investors/2", "anna", revision=1)
    qualification.save_at(0, "investors/new", name="赵六")
    qualification.save_at(0, "investors/new", by="ben", name="钱七")
    places = sorted(place for place in document.answers if "investors/" in place)
    assert places == [f"investors/{n}" for n in (1, 2, 3, 4)]
    assert qualification.resume == "investors/3/amount"
    with pytest.raises(Conflict):
        qualification.save_at(1, "investors/2", by="ben", name="李四")
    with pytest.raises(Conflict):
        office.remove(document, "investors/1", "ben", revision=7)
    with pytest.raises(NotNow):
        office.remove(document, "investors/9", "ben", revision=0)


def test_only_items_of_lists_are_removed(qualification):
    with pytest.raises(NotNow):
        qualification.office.remove(qualification.document, "capital", "anna", 1)


def test_ten_items_keep_the_order_in_which_they_came(draft, files, with_kind, office):
    capital, investors, staff = office.kinds["qualification"].steps
    long = draft("qualification", at=with_kind("qualification", steps=(capital, replace(investors, at_most=20), staff)))
    long.fill({"capital": {"capital": "11", "broker": "no"}})
    for number in range(11):
        long.fill(filling.investor(files, f"股东{number}", "1"))
    long.save("investors")
    long.submit()
    names = [line.shown for line in lines_sent(long.document) if line.path.endswith("/name")]
    assert names == [f"股东{number}" for number in range(11)]


def test_a_list_is_done_when_said_to_be_complete(draft, files):
    listed = draft("qualification").fill(filling.CAPITAL)
    assert listed.resume == "investors"
    listed.fill(filling.investor(files, "张三", "60"))
    assert listed.resume == "investors"
    listed.save("investors")
    assert listed.resume == "staff"


def test_a_list_may_be_too_short_or_too_long(draft, files):
    listed = draft("qualification").fill(filling.CAPITAL)
    assert numbers(listed.save("investors")) == [], "the page itself has no fields"
    assert listed.resume == "investors"
    assert "90006" in numbers(listed.office.problems(listed.document))
    for name in "甲乙丙丁":
        assert "90006" not in numbers(listed.office.problems(listed.document)) or name == "甲"
        listed.fill(filling.investor(files, name, "25"))
    assert "90006" in numbers(listed.office.problems(listed.document))


def test_an_item_may_not_come_twice(qualification, files):
    qualification.fill(filling.investor(files, "张三", "40", place="investors/2"))
    assert qualification.resume == "investors/2/name"
    assert "90007" in numbers(qualification.office.problems(qualification.document))


def test_checks_across_pages_name_a_path(qualification, files):
    qualification.fill(filling.investor(files, "李四", "41", place="investors/2"))
    with pytest.raises(NotReady) as wrong:
        qualification.submit()
    assert [(p.path, p.number) for p in wrong.value.problems] == [("investors", "97932")]


def test_each_item_has_its_own_paper(qualification, files):
    for proof, number in ((files.big, "90004"), (files.doc, "90003"), ("no such file", "90003"), ("", "90001")):
        qualification.save("investors/2", name="李四", amount="40", proof=proof)
        assert qualification.resume == "investors/2/proof"
        assert numbers(qualification.office.problems(qualification.document)) == [number]


def test_pages_off_the_path_and_items_that_never_were_are_not_there(qualification):
    qualification.save("capital", capital="100", broker="no")
    for place in ("staff/1", "staff/new", "investors/9", "capital/1", "nothing"):
        with pytest.raises(NotNow):
            qualification.save(place, name="x")


def test_a_password_is_nowhere_but_as_its_hash_and_that_goes_at_the_end(opening, files):
    opening.fill(filling.opening(files))
    assert "correct horse" not in repr([answer.typed for answer in opening.document.answers.values()])
    assert opening.document.secrets["user"]["password"][1] == "hash of correct horse"
    assert opening.resume is None
    opening.submit()
    assert "horse" not in repr(opening.document.submissions[0].lines_data)
    assert "user/password" not in opening.shown
    opening.approve("review")
    assert opening.document.secrets is None


@pytest.mark.parametrize(
    "password, again, number", [("short", "short", "97903"), ("correct horse", "x", "90005"), ("", "", "90001")]
)
def test_a_wrong_password_is_not_kept_at_all(opening, files, password, again, number):
    page = filling.opening(files)["user"] | {"password": password, "again": again}
    opening.fill(filling.opening(files) | {"user": page})
    assert opening.resume == "user/password"
    assert number in numbers(opening.save("user", **page))


def test_a_wrong_password_drops_the_one_kept_before(opening, files):
    opening.fill(filling.opening(files))
    opening.save("user", **filling.opening(files)["user"] | {"password": "another horse", "again": "x"})
    assert opening.resume == "user/password"


def test_a_password_once_given_need_not_be_given_again(opening, files):
    opening.fill(filling.opening(files))
    opening.save("user", user="Carol", password="", again="", email="c@example.com")
    assert opening.resume is None


def test_a_code_proves_only_the_phone_it_was_given_for(draft):
    phone = draft("phone").fill(filling.PHONE)
    assert phone.resume is None
    phone.save("phone", phone="13000000003", code="")
    assert phone.resume == "phone/code"


def test_a_wrong_code_is_said_at_once(draft):
    assert numbers(draft("phone").save("phone", phone="13000000002", code="000000")) == ["97921"]


def test_a_fact_is_shown_and_cannot_be_typed(link):
    link.fill(filling.LINK | {"company": {"phone": "1", "name": "假公司"}})
    link.submit()
    assert link.shown["company/name"] == "anna公司"
    assert "name" not in link.document.answers["company"].typed


def test_a_field_that_does_not_apply_is_no_value_and_not_required(draft, link):
    link.fill(filling.LINK | {"node": {"node": "2", "data": ["order"], "branch": "left over"}})
    link.submit()
    assert "node/branch" not in link.shown
    assert numbers(draft("link").save("node", node="3-ewtp", data=["other"])) == ["90001"]


def test_an_answer_that_was_never_offered_is_refused(link):
    assert numbers(link.save("node", node="9", data=["order"])) == ["90002"]
    assert numbers(link.save("node", node="2", data=["order", "gold"])) == ["90002"]


def test_a_region_hides_requires_and_relabels_by_number(draft, in_region, files):
    rules = {"970702": {"required": True}, "970603": {"hide": True}, "970502": {"label": "电话"}}
    link = draft("link", at=in_region(**rules)).fill(filling.LINK)
    assert link.resume == "device/paper"
    link.save("device", device="machine", paper=files.doc)
    link.submit()
    assert "node/data" not in link.shown
    assert "电话" in [line.label for line in lines_sent(link.document)]


def test_a_suggestion_is_no_answer_until_posted(draft, with_kind):
    link = draft("link", at=with_kind("link", initial=lambda case: {"company": {"phone": case.applicant.name}}))
    assert link.office.form(link.document, "company")["phone"].data == "anna"
    assert link.resume == "company"
    link.save("company")
    assert link.office.form(link.document, "company")["phone"].data != "anna", "cleared by hand stays cleared"


def test_a_new_edition_meets_open_drafts_but_not_what_was_sent(draft, office):
    sent, open_draft = (draft("warehouse").fill(filling.WAREHOUSE) for _ in range(2))
    sent.submit()
    sent.office = later = replace(office, kinds={"warehouse": WAREHOUSE_2027})
    assert open_draft.resume is None
    assert later.resume(open_draft.document) == "warehouse/country"
    lines = [(line.label, line.shown) for line in lines_sent(sent.document)]
    assert lines == [("海外仓名称", "汉堡仓"), ("海外仓地址", "Hafenstr. 1")]
    sent.send_back("customs", ("warehouse/address", "请写清楚"))
    sent.save("warehouse", name="汉堡仓", country="德国")
    assert sent.submit().edition == "2027"
    assert sent.document.submissions[0].edition == "2026"


def test_what_a_kind_needs_is_said_with_its_reason(office, people):
    with pytest.raises(NotYours, match="请先登录"):
        office.start("link", None)
    with pytest.raises(NotYours, match="法人卡"):
        office.start("entrustment", replace(people.anna, medium="password"))


def test_drafts_are_read_back_from_the_database_as_they_were(link, files):
    from models.database import session

    link.fill(filling.LINK)
    session.commit()
    session.expunge_all()
    found = session.get(Document, link.document.id)
    assert found.answers["node"].typed == {"node": ["2"], "data": ["order", "list"]}
    assert link.office.resume(found) is None


def test_what_people_typed_is_not_readable_in_the_database(link):
    from sqlalchemy import text

    from models.database import session

    link.fill(filling.LINK)
    link.submit()
    session.flush()
    for query in ("SELECT string_agg(encode(typed, 'escape'), ' ') FROM answers",
                  "SELECT string_agg(encode(lines, 'escape'), ' ') FROM submissions"):  # fmt: skip
        assert "95198" not in session.scalar(text(query))

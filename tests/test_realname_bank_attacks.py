"""银行UKEY认证: everything that is not the bank's answer for this browser, this account and this time."""

import re
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from blueprints.common import clock, logins
from models.accounts import User
from models.banks import BankVisit
from models.database import session
from sandbox.banks.dialects import write_answer
from tests.bank_traveller import (
    NAME,
    RETURN,
    SHORT,
    STEPS,
    USCC,
    Traveller,
    last_state,
    level_now,
    nothing_happened,
    refused,
    verifications,
)
from tests.browsing import ORIGIN, Browser
from tests.conftest import log_in, make_enterprise, make_user

pytest_plugins = ["tests.bank_fixtures"]
pytestmark = pytest.mark.usefixtures("banks")


# what is not the bank's answer for this browser and this account


def test_the_same_answer_again_changes_nothing(traveller, owner):
    back = traveller.prove()
    assert traveller.portal.open(back).number == "5003"
    assert traveller.portal.open(back).number == "5003"
    assert len(verifications()) == 1


def test_both_answers_of_a_bank_that_answers_twice_count_once(traveller, mood, bank_world):
    mood("ccb", "twice")
    page = traveller.bank.get(bank_world.address + traveller.at_the_bank(traveller.set_out(), *STEPS))
    links = [link["href"] for link in BeautifulSoup(page.text, "html.parser").find_all("a", class_="button")]
    assert len(links) == 2
    for link in links:
        assert traveller.portal.open(link).number == "5003"
    assert len(verifications()) == 1


def test_a_garbled_answer_ends_the_visit_of_this_browser(traveller, owner, mood):
    mood("ccb", "garbled")
    assert "90584" in traveller.verify().main and last_state() == "ended" and nothing_happened(owner)


@pytest.mark.parametrize("slug", SHORT)
def test_no_field_of_an_answer_can_be_changed(traveller, owner, slug):
    back = traveller.prove(slug)
    path, pairs = urlsplit(back).path, parse_qsl(urlsplit(back).query, keep_blank_values=True)
    for place, (name, value) in enumerate(pairs):
        for other in (value[:-4] + "AAAA", "", value + "1"):
            changed = [*pairs[:place], (name, other), *pairs[place + 1 :]]
            if changed != pairs:
                traveller.portal.open(f"{path}?{urlencode(changed)}")
                assert nothing_happened(owner), name
    assert last_state() == "ended"
    assert refused(traveller, back), "who tried that begins anew"


def test_an_answer_is_no_answer_of_another_bank(traveller, owner):
    back = traveller.prove("ccb")
    assert refused(traveller, back.replace(RETURN + "ccb", RETURN + "abc"))
    assert nothing_happened(owner)


def test_our_own_request_is_no_answer(traveller, owner):
    query = urlsplit(traveller.set_out()).query
    assert refused(traveller, f"{RETURN}ccb?{query}") and nothing_happened(owner)


@pytest.mark.parametrize(
    "query", ["", "SIGN=", "x" * 9000, "SIGN=%FF%00&TXCODE=%E4", "MSG=PCE=&Signature=QQ==", "next=//evil.example"]
)
def test_a_return_that_says_nothing_is_answered_in_words(traveller, owner, query):
    page = traveller.portal.open(f"{RETURN}ccb?{query}")
    assert "90584" in page.main and page.status == 410 and nothing_happened(owner)


def test_another_browser_releases_nothing_and_ends_the_visit(traveller, owner, other_browser):
    back = traveller.prove()
    page = log_in(other_browser, owner).open(back)
    assert page.status == 410 and "90585" in page.main and nothing_happened(owner)
    assert "90585" in traveller.portal.open(back).main and nothing_happened(owner)


def test_a_strangers_answer_is_no_use_in_the_owners_browser(traveller, owner, app):
    """Somebody sends his own return to the owner: neither company is verified by it."""
    rival = make_user(
        "rival", enterprise=make_enterprise("样品物流（石家庄）有限公司", "91130100PDY0000521", origin="migrated")
    )
    theirs = Traveller(log_in(Browser(app), rival)).prove("ccb", "CCB00000501")
    traveller.set_out()
    assert traveller.portal.open(theirs).status == 410
    assert nothing_happened(owner) and level_now(rival) == 0


def test_another_account_in_the_same_browser_releases_nothing(traveller, owner):
    back = traveller.prove()
    rival = make_user("rival", enterprise=make_enterprise("对手贸易", "91130100PDY000036B", origin="migrated"))
    page = log_in(traveller.portal, rival).open(back)
    assert page.status == 410 and "90586" in page.main
    assert nothing_happened(owner) and level_now(rival) == 0
    log_in(traveller.portal, owner)
    assert "90586" in traveller.portal.open(back).main and nothing_happened(owner)


def test_without_a_login_nothing_is_released(traveller, owner):
    back = traveller.prove()
    with traveller.portal.client.application.test_request_context(base_url=ORIGIN):
        cookie = logins.login_cookie_name()
    traveller.portal.client.delete_cookie(cookie, domain="127.0.0.1")
    page = traveller.portal.open(back)
    assert page.status == 410 and "90586" in page.main and nothing_happened(owner)


def test_who_is_no_administrator_any_more_releases_nothing(traveller, owner):
    back = traveller.prove()
    session.get(User, owner.id).role = "operator"
    session.commit()
    assert traveller.portal.open(back).status == 410 and nothing_happened(owner)


def test_an_answer_that_comes_too_late_is_refused(traveller, owner):
    back = traveller.prove()
    with clock.stopped_at(clock.now() + timedelta(minutes=16)):
        assert refused(traveller, back, "90588")
    assert refused(traveller, back, "90588") and nothing_happened(owner)


@pytest.mark.parametrize(("minutes", "nonce"), [(-60, None), (60, None), (0, "n" * 43)])
def test_a_genuine_answer_of_another_time_or_visit_is_not_this_ones(traveller, owner, bank_world, minutes, nonce):
    traveller.set_out()
    visit = session.scalars(select(BankVisit)).one()
    said = {"number": visit.id.hex, "nonce": nonce or visit.nonce, "result": "verified", "reason": "", "company": NAME,
            "uscc": USCC, "org_code": USCC[8:17], "owner": ""}  # fmt: skip
    query = write_answer("ccb", said, bank_world.bank_keys, clock.now() + timedelta(minutes=minutes))
    assert refused(traveller, f"{RETURN}ccb?{query}") and nothing_happened(owner)


def test_a_visit_of_one_bank_is_not_answered_by_another(traveller, owner, bank_world):
    """Even one bank's genuine signature says nothing for a visit to the other."""
    traveller.set_out("ccb")
    visit = session.scalars(select(BankVisit)).one()
    said = {"number": visit.id.hex, "nonce": visit.nonce, "result": "verified", "reason": "", "company": NAME, "uscc": USCC,
            "org_code": USCC[8:17], "owner": ""}  # fmt: skip
    page = traveller.portal.open(f"{RETURN}abc?{write_answer('abc', said, bank_world.bank_keys, clock.now())}")
    assert page.status == 410 and nothing_happened(owner) and last_state() == "open"


def test_a_look_ahead_uses_nothing_up(traveller, owner):
    back = traveller.prove()
    client, path = traveller.portal.client, back.removeprefix(ORIGIN)
    assert client.head(path, base_url=ORIGIN).status_code == 405
    assert client.get(path, base_url=ORIGIN, headers={"Sec-Purpose": "prefetch"}).status_code == 405
    assert traveller.portal.open(back).number == "5003"


def test_a_second_start_replaces_the_first(traveller, owner):
    first = traveller.prove()
    second = traveller.prove()
    assert refused(traveller, first, "90587") and nothing_happened(owner)
    assert traveller.portal.open(second).number == "5003"


def test_a_company_that_was_verified_meanwhile_may_be_verified_again(traveller, owner):
    traveller.verify()
    assert traveller.verify("abc").number == "5003" and len(verifications()) == 2


def test_a_request_forged_to_the_bank_is_refused_by_it(traveller):
    address = traveller.set_out()
    assert traveller.bank.get(address.replace("PDY000028G", "PDY0000521")).status_code == 400
    assert traveller.bank.get(re.sub("SIGN=[^&]+", "SIGN=", address)).status_code == 400

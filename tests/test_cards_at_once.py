"""Two at the same moment, on connections of their own: the row's lock lets exactly one through."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text

from models.accounts import cards_of, find_user
from models.challenges import StoredSignature
from models.database import Base, session
from tests.browsing import ORIGIN, Browser
from tests.card_bridge_double import BridgeDouble, issue, the_challenge
from tests.conftest import log_in, make_enterprise, make_user

pytest_plugins = ["tests.card_fixtures"]


@pytest.fixture
def app(house):
    """The app on its real connections; everything is emptied afterwards."""
    yield house
    session.remove()
    names = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
    session.execute(text(f"TRUNCATE {names} CASCADE"))
    session.commit()
    session.remove()


@pytest.fixture
def administrator(app):
    return make_user(enterprise=make_enterprise())


def at_once(*works) -> list:
    """Starts all at the same moment, each in its own thread; gives what each gave."""
    gate = Barrier(len(works))

    def run(work):
        gate.wait()
        try:
            return work()
        finally:
            session.remove()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_of_two_claims_at_once_one_is_answered_and_the_request_is_dead(asked):
    first, second = BridgeDouble.of(asked), BridgeDouble.of(asked)
    answers = at_once(first.claim, second.claim)
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert the_challenge().refusal["key"] == "second-claim"


def test_a_code_that_comes_back_twice_at_once_binds_the_card_once(asked, card):
    back = BridgeDouble.of(asked).confirm(card)
    twin = Browser(asked.client.application)
    for cookie in asked.client._cookies.values():
        twin.client.set_cookie(cookie.key, cookie.value, domain="127.0.0.1")
    answers = at_once(*(lambda each=each: each.client.get(back, base_url=ORIGIN).status_code for each in (asked, twin)))
    assert sorted(answers) == [303, 410]
    assert len(cards_of(find_user("demo01").id)) == 1 and the_challenge().state == "finished"


def test_one_card_bound_to_two_accounts_at_once_goes_to_one(app, asked, issuer):
    own = issue(issuer)
    other = make_user("demo01b", role="operator", enterprise=find_user("demo01").enterprise, person=("李明", "", ""))
    find_user("demo01").keep_person("李明", "", "")
    session.commit()
    second = log_in(Browser(app), other).open("/account/cards").submit("绑定一张卡")
    ways = [(each, BridgeDouble.of(each).confirm(own)) for each in (asked, second)]
    at_once(*(lambda each=each, back=back: each.open(back) for each, back in ways))
    assert sorted(each.h1 for each, _ in ways) == ["我的IC卡", "没有办成"]


def test_one_signature_sent_twice_at_once_counts_once(app, administrator, issuer, monkeypatch):
    from tests.test_cards_use import Batch, install

    own, area, browser = issue(issuer), Batch(app, administrator), log_in(Browser(app), administrator)
    install(area, monkeypatch)
    bridge = area.ask(browser)
    browser.open(bridge.confirm(own))
    answers = at_once(*[lambda: area.sign(bridge, 0, own).status_code] * 3)
    assert answers == [200, 200, 200]
    assert the_challenge().signed_count == 1 and session.query(StoredSignature).count() == 1

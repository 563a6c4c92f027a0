"""Card and network work at the same time; the user can stop in between. Nothing is signed twice, nothing is lost."""

import asyncio
import threading

import pytest
from bridge_stage import Browser, wait_until
from eport_card_bridge.outcomes import Outcome, Stop
from eport_card_bridge.portal_client import PortalClient
from eport_card_bridge.signing import MOST_UNSENT


class Network:
    """Stands between bridge and portal, for signatures only: held back, or lost, as a test wants it."""

    def __init__(self, monkeypatch) -> None:
        self.is_open, self.trouble = threading.Event(), None
        self.is_open.set()
        self.order: list[int] = []
        real = PortalClient.store_signatures

        async def store(client, first, signatures):
            while not self.is_open.is_set():
                await asyncio.sleep(0.01)
            if self.trouble:
                raise Stop(self.trouble)
            await real(client, first, signatures)
            self.order += range(first, first + len(signatures))

        monkeypatch.setattr(PortalClient, "store_signatures", store)
        monkeypatch.setattr("eport_card_bridge.signing.RETRY_PAUSES", (0.01,))


@pytest.fixture
def network(monkeypatch):
    return Network(monkeypatch)


@pytest.fixture
def start(new_stage):
    """Starts a batch; gives the stage, the browser, and the messages that the card has signed so far."""

    def start(count: int, delay_ms: int = 0):
        stage = new_stage(delay_ms=delay_ms)
        made, answer = [], stage.card.applet.answer
        stage.card.applet.answer = lambda apdu: (apdu[1] == 0x2A and made.append(apdu)) or answer(apdu)
        anna = Browser(stage)
        anna.open(anna.ask("batch", count)).enter_pin()
        return stage, anna, made

    return start


def here(stage) -> str:
    return stage.bridge_origin + stage.request.here


def press_stop(browser: Browser) -> Browser:
    return browser.open(here(browser.stage)).submit("/stop")


def test_the_card_signs_on_while_a_signature_is_on_its_way_but_not_without_end(start, network):
    network.is_open.clear()
    stage, _, made = start(MOST_UNSENT + 10)
    wait_until(lambda: len(made) == MOST_UNSENT)
    assert stage.row.signed == {}
    network.is_open.set()
    wait_until(lambda: stage.row.state == "finished")
    wait_until(lambda: network.order == list(range(MOST_UNSENT + 10)))
    assert len(set(made)) == len(made) == MOST_UNSENT + 10


def test_a_portal_that_takes_several_at_once_gets_them_together(new_stage, network):
    stage = new_stage()
    stage.portal.signatures_at_once = 10
    anna = Browser(stage)
    network.is_open.clear()
    anna.open(anna.ask("batch", 90)).enter_pin()
    wait_until(lambda: len(stage.request.unsent) == MOST_UNSENT)
    network.is_open.set()
    wait_until(lambda: stage.row.state == "finished")
    assert stage.portal.calls_with_several >= 1
    wait_until(lambda: network.order == list(range(90)))


def test_one_that_does_not_say_so_gets_them_one_by_one(start, network):
    network.is_open.clear()
    stage, _, _ = start(5)
    wait_until(lambda: len(stage.request.unsent) == 5)
    network.is_open.set()
    wait_until(lambda: stage.row.state == "finished")
    assert stage.portal.calls_with_several == 0


def test_what_was_signed_and_not_sent_is_sent_after_the_next_pin_not_signed_again(start, network):
    network.trouble = Outcome.UNREACHABLE
    stage, anna, made = start(6)
    wait_until(lambda: stage.request.stage == "stopped")
    assert stage.request.signed == 0
    assert len(made) >= 1
    assert "9713" in anna.open(here(stage)).text
    network.trouble = None
    anna.enter_pin()
    wait_until(lambda: stage.row.state == "finished")
    assert len(made) == 6
    wait_until(lambda: network.order == list(range(6)))


def test_a_pulled_card_loses_no_signature_that_was_not_sent_yet(start, network):
    network.is_open.clear()
    stage, anna, made = start(20, delay_ms=20)
    wait_until(lambda: len(made) >= 4)
    stage.card.pull()
    network.is_open.set()
    wait_until(lambda: stage.request.stage == "stopped")
    assert "9722" in anna.open(here(stage)).text
    signed = stage.request.signed
    assert len(made) - 1 <= signed <= len(made), "the last one may have been cut off"
    assert sorted(stage.row.signed) == list(range(signed))
    stage.card.insert()
    anna.enter_pin()
    wait_until(lambda: stage.row.state == "finished")
    wait_until(lambda: network.order == list(range(20)))


def test_a_card_pulled_after_its_last_signature_stops_nothing(start, network):
    network.is_open.clear()
    stage, anna, made = start(3)
    wait_until(lambda: len(made) == 3 and len(stage.request.unsent) == 3)
    stage.card.pull()
    network.is_open.set()
    wait_until(lambda: stage.request.stage == "done")
    assert "9604" in anna.open(here(stage)).text
    stage.card.insert()


def test_a_portal_that_ends_the_request_ends_the_signing(start, network):
    network.trouble = Outcome.EXPIRED
    stage, _, made = start(60, delay_ms=5)
    wait_until(lambda: stage.row.reports == [("signing", 111)])
    assert 1 <= len(made) <= MOST_UNSENT


def test_stop_ends_between_two_messages_and_the_pin_goes_on(start, network):
    stage, anna, made = start(30, delay_ms=40)
    wait_until(lambda: len(stage.row.signed) >= 3)
    assert "停下" in anna.open(here(stage)).text
    press_stop(anna)
    assert stage.request.stage == "stopped"
    done = stage.request.signed
    assert 3 <= done < 30
    assert len(made) == done, "all that was signed is stored"
    assert "9763" in anna.text
    assert f"从第{done + 1}份继续" in anna.text
    assert ("signing", 163) in stage.row.reports
    anna.enter_pin()
    wait_until(lambda: stage.row.state == "finished")
    wait_until(lambda: network.order == list(range(30)))
    assert len(made) == 30


def test_stopped_work_leaves_no_pin_on_the_card(start):
    stage, anna, _ = start(30, delay_ms=40)
    wait_until(lambda: len(stage.row.signed) >= 1)
    press_stop(anna)
    status = stage.card.applet.answer(bytes.fromhex("0088000020") + bytes(33))
    assert status == bytes.fromhex("6982"), "the PIN page has looked at the card again: selected, but no PIN"


def test_stop_before_the_portal_has_released_signs_nothing(stage, anna):
    anna.open(anna.ask("batch", 3)).submit("/pin", hops=1, pin="88888888")
    wait_until(lambda: stage.request.code_sent)
    press_stop(anna)
    assert stage.request.stage == "stopped"
    assert stage.row.signed == {}


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.test"}, {}, {"Origin": "null"}])
def test_a_website_cannot_stop_the_signing(headers, start):
    stage, anna, _ = start(12, delay_ms=40)
    token = anna.open(here(stage)).field("token")
    path = f"{stage.bridge_origin}/requests/{stage.request.request_id}/stop"
    anna.open(path, "POST", {"portal": stage.origin, "token": token}, headers)
    assert anna.status == 403
    wait_until(lambda: stage.row.state == "finished")


def test_stop_needs_a_token_of_its_own_form_for_its_own_request(start):
    stage, anna, _ = start(12, delay_ms=40)
    tokens = stage.bridge.tokens
    path = f"{stage.bridge_origin}/requests/{stage.request.request_id}/stop"
    for token in (
        "",
        "made-up",
        tokens.new("pin", stage.origin, stage.request.request_id),
        tokens.new("stop", "x", "y"),
    ):
        anna.open(path, "POST", {"portal": stage.origin, "token": token}, {"Origin": stage.bridge_origin})
        assert "9716" in anna.text
    assert anna.open(path).status == 405
    wait_until(lambda: stage.row.state == "finished")


def test_stop_after_the_end_changes_nothing(start):
    stage, anna, _ = start(4, delay_ms=100)
    anna.open(here(stage))
    wait_until(lambda: stage.request.stage == "done")
    assert "9604" in anna.submit("/stop").text
    assert "已经办好" in anna.find("outcome")

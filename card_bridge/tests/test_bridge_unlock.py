"""用解锁码解锁 (page 9608): what unlocks a card, what must not, and what it costs."""

import logging
import threading

import pytest
from bridge_stage import PHRASE, PIN, Browser, Readers
from card_authority import COMPANY
from eport_card_bridge.outcomes import Outcome, Stop
from eport_card_bridge.profiles import open_card
from eport_card_bridge.vpcd import VirtualReader
from test_bridge_piv import make_card

from sandbox.card import __main__ as program
from sandbox.card.state import change_state, read_state

CODE, WRONG, NEW = "20262026", "00000000", "271828"


@pytest.fixture(params=["eport", "piv"])
def blocked(request, new_stage, authority, tmp_path):
    """A stage with a blocked card of either profile, whose unlock code is known, and a browser."""
    stage = new_stage()
    if request.param == "piv":
        stage.card.pull()
        stage.card = stage.put_in(stage.reader, make_card(authority, tmp_path / "piv.json", "rsa"))
    change_state(stage.card.path, tries=0, unlock_code=CODE)
    stage.card.put_back()
    return stage, Browser(stage)


@pytest.fixture
def stage(new_stage):
    stage = new_stage()
    change_state(stage.card.path, tries=0, unlock_code=CODE)
    stage.card.put_back()
    return stage


def open_page(browser: Browser) -> Browser:
    return browser.open(browser.stage.bridge_origin + "/unlock")


def unlock(browser: Browser, code: str = CODE, new: str = NEW, again: str | None = None, **fields) -> Browser:
    return browser.submit("/unlock", code=code, new_pin=new, new_pin_again=new if again is None else again, **fields)


def state_of(stage) -> tuple:
    """(tries of the PIN, PIN, tries of the code)"""
    state = read_state(stage.card.path)
    return state["tries"], state["pin"], state["unlock_tries"]


def test_a_blocked_card_leads_there_and_is_unlocked(blocked):
    stage, anna = blocked
    anna.open(anna.ask()).enter_pin()
    assert "9707" in anna.text
    assert 'href="/unlock"' in anna.text
    open_page(anna)
    assert "9608" in anna.text
    assert anna.find("phrase") == PHRASE
    assert COMPANY in anna.text
    assert "已经锁住" in anna.text
    unlock(anna)
    assert "卡已经解锁" in anna.find("outcome")
    assert "9604" in anna.text
    assert state_of(stage)[:2] == (6, NEW)
    assert "state=finished" in anna.open(anna.ask()).enter_pin(NEW).text


def test_a_wrong_code_tells_what_is_left_and_unlocks_nothing(blocked):
    stage, anna = blocked
    unlock(open_page(anna), WRONG)
    assert "9751" in anna.text
    assert "还可以试9次" in anna.text
    assert state_of(stage) == (0, PIN, 9)


def test_after_two_wrong_codes_the_card_must_come_out(blocked):
    stage, anna = blocked
    unlock(open_page(anna), WRONG)
    unlock(anna, WRONG)
    assert "9758" in unlock(anna).text
    assert state_of(stage) == (0, PIN, 8)
    stage.card.put_back()
    unlock(open_page(anna))
    assert state_of(stage)[:2] == (6, NEW)


def test_a_code_that_is_used_up_is_said(blocked):
    stage, anna = blocked
    change_state(stage.card.path, unlock_tries=0)
    stage.card.put_back()
    unlock(open_page(anna))
    assert "9752" in anna.text
    assert "制卡中心" in anna.text
    assert state_of(stage) == (0, PIN, 0)


def test_before_the_last_try_of_the_code_the_card_must_come_out(stage, anna):
    change_state(stage.card.path, unlock_tries=1)
    stage.card.put_back()
    assert "9758" in unlock(open_page(anna), WRONG).text
    stage.card.put_back()
    assert "9752" in unlock(open_page(anna), WRONG).text
    assert state_of(stage) == (0, PIN, 0)


def test_a_card_that_is_not_blocked_gets_a_new_pin_too(stage, anna):
    """The holder who has forgotten the PIN need not burn the other tries first."""
    change_state(stage.card.path, tries=6)
    stage.card.put_back()
    unlock(open_page(anna))
    assert state_of(stage)[:2] == (6, NEW)


def test_an_old_card_without_an_unlock_code_is_said_to_be_one(stage, anna):
    open_page(anna)
    answer = stage.card.applet.answer
    refused = {bytes.fromhex("00CA0104"): "6A88", bytes.fromhex("002C0081"): "6D00"}
    stage.card.applet.answer = lambda apdu: bytes.fromhex(refused[apdu[:4]]) if apdu[:4] in refused else answer(apdu)
    assert "9753" in unlock(anna).text


@pytest.mark.parametrize("status,number", [("6D00", "9753"), ("6A80", "9746"), ("6581", "9756"), ("6985", "9757")])
def test_what_the_card_answers_is_said(status, number, stage, anna):
    open_page(anna)
    answer = stage.card.applet.answer
    stage.card.applet.answer = lambda apdu: bytes.fromhex(status) if apdu[1] == 0x2C else answer(apdu)
    assert number in unlock(anna).text


def test_a_card_pulled_in_the_middle_is_said_to_be_unsure(stage, anna):
    open_page(anna)
    answer = stage.card.applet.answer

    def pulled(apdu):
        if apdu[1] == 0x2C:
            answer(apdu)
            raise EOFError
        return answer(apdu)

    stage.card.applet.answer = pulled
    threading.Thread(target=lambda: (stage.card._thread.join(10), stage.card._socket.close())).start()
    assert "9756" in unlock(anna).text
    stage.card.pull()
    stage.card.insert()


@pytest.mark.parametrize(
    "code,new,again,number",
    [
        (CODE, NEW, "314159", "9744"),
        (CODE, "12345", "12345", "9743"),
        (CODE, "12345a", "12345a", "9743"),
        ("1234567", NEW, NEW, "9754"),
        ("123456789", NEW, NEW, "9754"),
        ("1234567a", NEW, NEW, "9754"),
        ("１２３４５６７８", NEW, NEW, "9754"),
        ("", NEW, NEW, "9754"),
    ],
)
def test_what_cannot_be_is_said_before_the_card_is_asked(code, new, again, number, stage, anna):
    assert number in unlock(open_page(anna), code, new, again).text
    assert state_of(stage) == (0, PIN, 10)


def test_cancel_changes_nothing(stage, anna):
    assert "9755" in unlock(open_page(anna), answer="no").text
    assert state_of(stage) == (0, PIN, 10)


def test_the_factory_pin_is_taken_with_an_advice(stage, anna):
    assert "谁都知道" in unlock(open_page(anna), CODE, "88888888").find("outcome")
    assert state_of(stage)[:2] == (6, "88888888")


def test_no_code_and_no_pin_is_shown_logged_or_kept(stage, anna, caplog):
    caplog.set_level(logging.DEBUG)
    shown = []
    for code in (WRONG, CODE):
        unlock(open_page(anna), code)
        shown += [anna.text, anna.url, str(anna.headers)]
    kept = [path.read_text("utf-8") for path in (stage.folder / "data").rglob("*") if path.is_file()]
    for secret in (CODE, NEW):
        assert secret not in "".join([*shown, *kept, caplog.text])


def test_nothing_is_taken_from_an_address(stage, anna):
    anna.open(stage.bridge_origin + f"/unlock?code={CODE}&new_pin={NEW}")
    assert "9716" in anna.text
    assert state_of(stage) == (0, PIN, 10)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_a_website_cannot_send_the_form(headers, stage, anna):
    token = open_page(anna).field("token")
    fields = {"token": token, "answer": "yes", "card": "8600000000024", "code": CODE}
    new = {"new_pin": NEW, "new_pin_again": NEW}
    anna.open(stage.bridge_origin + "/unlock", "POST", {**fields, **new}, headers)
    assert anna.status == 403
    assert state_of(stage) == (0, PIN, 10)


def test_a_token_of_another_form_or_one_used_up_is_refused(stage, anna, monkeypatch):
    monkeypatch.setattr("eport_card_bridge.pin_change.SAME_CLICK_SECONDS", 0)
    used = open_page(anna).field("token")
    unlock(anna, WRONG)
    for token in (used, stage.bridge.tokens.new("change-pin"), "made-up", ""):
        fields = {"token": token, "answer": "yes", "card": "", "code": CODE, "new_pin": NEW, "new_pin_again": NEW}
        anna.open(stage.bridge_origin + "/unlock", "POST", fields, {"Origin": stage.bridge_origin})
        assert "9716" in anna.text
    assert state_of(stage) == (0, PIN, 9)


def test_a_reload_sends_nothing_again(stage, anna):
    unlock(open_page(anna), WRONG)
    anna.open(anna.url)
    assert "9751" in anna.text
    assert state_of(stage) == (0, PIN, 9)


def test_without_a_card_no_code_is_asked_for(stage, anna):
    stage.card.pull()
    open_page(anna)
    assert "9703" in anna.text
    assert "<input" not in anna.text
    stage.card.insert()


def test_of_several_cards_only_the_chosen_one_is_unlocked(new_stage):
    readers = (VirtualReader(0), VirtualReader(0))
    for number, reader in enumerate(readers):
        reader.name = f"Reader {number}"
    stage = new_stage(source=Readers(*readers))
    cards = [stage.put_in(readers[0], stage.authority.rsa_card), stage.put_in(readers[1], stage.authority.sm2_card)]
    for card in cards:
        change_state(card.path, tries=0, unlock_code=CODE)
        card.put_back()
    anna = Browser(stage)
    assert open_page(anna).text.count('type="radio"') == 2
    assert "9727" in unlock(anna).text
    unlock(anna, card="8600000000024")
    assert [card.tries for card in cards] == [0, 6]
    for card in cards:
        card.pull()
    stage.reader.close()


def test_the_code_of_a_piv_card_is_its_puk(authority, tmp_path):
    path = make_card(authority, tmp_path / "card.json", "ec")
    change_state(path, unlock_code=CODE)
    applet = program.open_card(path)

    def transmit(apdu: bytes) -> tuple[bytes, int]:
        answer = applet.answer(apdu)
        return answer[:-2], int.from_bytes(answer[-2:], "big")

    card = open_card(transmit)
    with pytest.raises(Stop) as stop:
        card.unlock(WRONG, NEW)
    assert (stop.value.outcome, stop.value.left) == (Outcome.UNLOCK_CODE_WRONG, 9)
    card.unlock(CODE, NEW)
    card.verify_pin(NEW)

"""修改卡密码: a page of the bridge alone. What changes the PIN, what must not, and what it costs."""

import logging
import threading

import pytest
from bridge_stage import PHRASE, PIN, Browser, Readers, wait_until
from card_authority import COMPANY, HOLDER
from eport_card_bridge.vpcd import VirtualReader

from sandbox.card.state import change_state, read_state

NEW = "271828"
OTHER = "314159"


def open_page(browser: Browser) -> Browser:
    return browser.open(browser.stage.bridge_origin + "/pin")


def change(browser: Browser, old: str = PIN, new: str = NEW, again: str | None = None, **fields) -> Browser:
    """Sends the form that is open."""
    return browser.submit("/pin", pin=old, new_pin=new, new_pin_again=new if again is None else again, **fields)


def post(browser: Browser, headers: dict[str, str], token: str | None = None, **fields) -> Browser:
    """Posts a good form with these headers, wherever the browser stands."""
    stage = browser.stage
    token = stage.bridge.tokens.new("change-pin") if token is None else token
    pins = {"pin": PIN, "new_pin": NEW, "new_pin_again": NEW}
    return browser.open(
        stage.bridge_origin + "/pin", "POST", {"token": token, "answer": "yes", **pins, **fields}, headers
    )


def pin_of(card) -> str:
    return read_state(card.path)["pin"]


def note_commands(card) -> list[bytes]:
    seen, answer = [], card.applet.answer
    card.applet.answer = lambda apdu: seen.append(apdu) or answer(apdu)
    return seen


def test_the_new_pin_works_and_the_old_one_no_longer(stage, anna):
    change(open_page(anna))
    assert "9604" in anna.text
    assert "卡密码已经改好" in anna.find("outcome")
    assert "还可以试5次" in anna.open(anna.ask()).enter_pin(PIN).text
    assert "state=finished" in anna.enter_pin(NEW).text


def test_an_rsa_card_changes_its_pin_too(new_stage):
    stage = new_stage(algorithm="rsa")
    change(open_page(Browser(stage)))
    assert pin_of(stage.card) == NEW


def test_the_start_page_leads_there_and_the_page_says_whose_card_it_is(stage, anna):
    assert 'href="/pin"' in anna.open(stage.bridge_origin + "/").text
    open_page(anna)
    assert "9607" in anna.text
    assert anna.find("phrase") == PHRASE
    assert anna.find("card").endswith("卡号8600000000024")
    assert COMPANY in anna.text
    assert HOLDER in anna.text
    assert anna.text.count('class="pin" type="text"') == 3


def test_a_wrong_old_pin_counts_and_changes_nothing(stage, anna):
    change(open_page(anna), old="00000000")
    assert "还可以试5次" in anna.text
    assert "9735" in anna.text
    assert (stage.card.tries, pin_of(stage.card)) == (5, PIN)


def test_after_two_wrong_ones_and_before_the_last_try_the_card_must_come_out(stage, anna):
    change(open_page(anna), old="00000000")
    change(anna, old="00000001")
    assert "拔出" in change(anna).text
    assert (stage.card.tries, pin_of(stage.card)) == (4, PIN)
    stage.card.put_back()
    change(open_page(anna), old="00000002")
    change(anna, old="00000003")
    stage.card.put_back()
    change(open_page(anna), old="00000004")
    assert "9706" in change(anna).text, "before the last try too"
    assert (stage.card.tries, pin_of(stage.card)) == (1, PIN)
    stage.card.put_back()
    change(open_page(anna))
    assert (stage.card.tries, pin_of(stage.card)) == (6, NEW)


def test_wrong_pins_of_login_and_of_the_change_are_counted_together(stage, anna):
    anna.open(anna.ask()).enter_pin("00000000")
    change(open_page(anna), old="00000001")
    assert "拔出" in change(anna).text
    assert stage.card.tries == 4


def test_a_blocked_card_is_said_to_be_blocked(stage, anna):
    change_state(stage.card.path, tries=0)
    assert "9707" in change(open_page(anna)).text
    assert pin_of(stage.card) == PIN


@pytest.mark.parametrize(
    "old,new,again,number",
    [
        (PIN, NEW, OTHER, "9744"),
        (PIN, NEW, "", "9744"),
        (PIN, "12345", "12345", "9743"),
        (PIN, "123456789", "123456789", "9743"),
        (PIN, "12345a", "12345a", "9743"),
        (PIN, "１２３４５６", "１２３４５６", "9743"),
        (PIN, "", "", "9743"),
        (PIN, PIN, PIN, "9745"),
        ("123", NEW, NEW, "9729"),
        ("", NEW, NEW, "9729"),
        ("密码密码", NEW, NEW, "9729"),
    ],
)
def test_what_cannot_be_is_said_before_the_card_is_asked(old, new, again, number, stage, anna):
    open_page(anna)
    seen = note_commands(stage.card)
    change(anna, old, new, again)
    assert number in anna.text
    assert not [apdu for apdu in seen if apdu[1] in (0x20, 0x24)]
    assert (stage.card.tries, pin_of(stage.card)) == (6, PIN)


def test_the_factory_pin_is_taken_with_an_advice(stage, anna):
    change_state(stage.card.path, pin=OTHER)
    change(open_page(anna), OTHER, PIN)
    assert "谁都知道" in anna.find("outcome")
    assert pin_of(stage.card) == PIN


def test_cancel_changes_nothing(stage, anna):
    change(open_page(anna), answer="no")
    assert "卡密码没有改" in anna.find("outcome")
    assert (stage.card.tries, pin_of(stage.card)) == (6, PIN)


def test_no_pin_is_shown_logged_kept_or_left_on_the_card(stage, anna, caplog):
    caplog.set_level(logging.DEBUG)
    shown = []
    for old, again in ((OTHER, NEW), (OTHER, "1618033"), (PIN, NEW)):
        change(open_page(anna), old, NEW, again)
        shown += [anna.text, anna.url, str(anna.headers)]
    kept = [path.read_text("utf-8") for path in (stage.folder / "data").rglob("*") if path.is_file()]
    for secret in (NEW, OTHER, "1618033"):
        assert secret not in "".join([*shown, *kept, caplog.text])
    assert stage.card.applet.answer(bytes.fromhex("0088000020") + bytes(33)) == bytes.fromhex("6985"), (
        "the card was reset"
    )


def test_what_is_remembered_of_a_wrong_pin_does_not_hold_the_pin(stage, anna):
    """An exception keeps the frames that it came through, and in them what was typed."""
    token = open_page(anna).field("token")
    change(anna, old="00000000")
    task, _ = stage.bridge.pin_changes._rows[token]
    anna.open(anna.ask()).enter_pin("00000001")
    for stop in (task.result(), stage.request.stop):
        assert stop.outcome.name.startswith("PIN_WRONG")
        assert (stop.__traceback__, stop.__context__, stop.__cause__) == (None, None, None)


def test_without_a_card_no_pin_is_asked_for(stage, anna):
    stage.card.pull()
    open_page(anna)
    assert "9703" in anna.text
    assert "<input" not in anna.text
    stage.card.insert()
    change(open_page(anna))
    assert pin_of(stage.card) == NEW


def test_a_card_pulled_before_the_form_is_sent_costs_nothing(stage, anna):
    open_page(anna)
    stage.card.pull()
    change(anna)
    assert "9703" in anna.text
    stage.card.insert()
    assert (stage.card.tries, pin_of(stage.card)) == (6, PIN)


def cut(card, instruction: int):
    """Pulls the card when this command comes; it gets no answer."""
    answer = card.applet.answer

    def pulled(apdu):
        if apdu[1] == instruction:
            answer(apdu)
            raise EOFError
        return answer(apdu)

    card.applet.answer = pulled


def test_a_card_pulled_in_the_middle_may_hold_either_pin_and_that_is_said(stage, anna):
    open_page(anna)
    cut(stage.card, 0x24)
    threading.Thread(target=lambda: (stage.card._thread.join(10), stage.card._socket.close())).start()
    change(anna)
    assert "9747" in anna.text
    assert "不知道改成没有" in anna.text
    stage.card.pull()
    stage.card.insert()
    assert "state=finished" in anna.open(anna.ask()).enter_pin(pin_of(stage.card)).text


def test_a_card_pulled_before_the_command_is_said_to_be_unchanged(stage, anna):
    open_page(anna)
    answer, asked = stage.card.applet.answer, []

    def pulled(apdu):
        """Once for the look at the card, then in the transaction of the change."""
        asked.append(apdu[:4] == bytes.fromhex("00CA0102"))
        if sum(asked) == 2:
            raise EOFError
        return answer(apdu)

    stage.card.applet.answer = pulled
    threading.Thread(target=lambda: (stage.card._thread.join(10), stage.card._socket.close())).start()
    change(anna)
    assert "9749" in anna.text
    stage.card.pull()
    stage.card.insert()
    assert (stage.card.tries, pin_of(stage.card)) == (6, PIN)


@pytest.mark.parametrize("status,number", [("6A80", "9746"), ("6581", "9747"), ("6985", "9749"), ("6D00", "9749")])
def test_what_the_card_answers_is_said(status, number, stage, anna):
    open_page(anna)
    answer = stage.card.applet.answer
    stage.card.applet.answer = lambda apdu: bytes.fromhex(status) if apdu[1] == 0x24 else answer(apdu)
    assert number in change(anna).text


def test_a_card_swapped_after_the_page_was_shown_is_left_alone(stage, anna):
    open_page(anna)
    stage.card.pull()
    other = stage.put_in(stage.reader, stage.authority.rsa_card)
    assert "9704" in change(anna).text
    assert (other.tries, pin_of(other)) == (6, PIN)
    other.pull()


def test_a_card_swapped_at_the_last_moment_is_left_alone(stage, anna):
    open_page(anna)
    real, others = stage.reader.card, []

    def swapped(reset=True):
        if reset:
            stage.card.pull()
            others.append(stage.put_in(stage.reader, stage.authority.rsa_card))
        return real(reset)

    stage.reader.card = swapped
    assert "9704" in change(anna).text
    (other,) = others
    assert (other.tries, pin_of(other)) == (6, PIN)
    other.pull()


def test_an_expired_card_changes_its_pin_all_the_same(new_stage, authority):
    stage = new_stage()
    stage.card.pull()
    card = stage.put_in(stage.reader, authority.card("rsa", "8600000000102", (-9, -1)))
    change(open_page(Browser(stage)))
    assert pin_of(card) == NEW
    card.pull()


def test_of_several_cards_only_the_chosen_one_is_changed(new_stage):
    readers = (VirtualReader(0), VirtualReader(0))
    for number, reader in enumerate(readers):
        reader.name = f"Reader {number}"
    stage = new_stage(source=Readers(*readers))
    cards = [stage.put_in(readers[0], stage.authority.rsa_card), stage.put_in(readers[1], stage.authority.sm2_card)]
    anna = Browser(stage)
    assert open_page(anna).text.count('type="radio"') == 2
    assert "9727" in change(anna).text
    change(anna, card="8600000000024")
    assert [pin_of(card) for card in cards] == [PIN, NEW]
    for card in cards:
        card.pull()
    stage.reader.close()


def test_a_card_held_by_another_program_is_said_and_the_pins_forgotten(stage, anna, monkeypatch):
    for name in ("HELD_SECONDS", "LOOK_SECONDS"):
        monkeypatch.setattr(f"eport_card_bridge.bridge.{name}", 0.2)
    open_page(anna)
    free, real = threading.Event(), stage.reader.card

    def blocked(reset=True):
        free.wait(10)
        return real(reset)

    stage.reader.card = blocked
    assert "9709" in change(anna).text
    free.set()
    wait_until(lambda: stage.reader.lock.acquire(blocking=False))
    stage.reader.lock.release()
    assert pin_of(stage.card) == PIN, "nothing is changed once the user has been told"


def test_a_double_click_shows_what_came_of_the_first_and_changes_once(stage, anna, bert):
    token = open_page(anna).field("token")
    seen, own = note_commands(stage.card), {"Origin": stage.bridge_origin}
    for browser in (anna, bert):
        assert "卡密码已经改好" in post(browser, own, token).text
    assert len([apdu for apdu in seen if apdu[1] == 0x24]) == 1
    again = anna.url
    assert "卡密码已经改好" in anna.open(again).text, "a reload too"
    assert len([apdu for apdu in seen if apdu[1] == 0x24]) == 1


def test_a_token_is_for_one_use(stage, anna, monkeypatch):
    monkeypatch.setattr("eport_card_bridge.pin_change.SAME_CLICK_SECONDS", 0)
    token, own = open_page(anna).field("token"), {"Origin": stage.bridge_origin}
    assert "还可以试5次" in post(anna, own, token, pin="00000000").text
    assert post(anna, own, token).status == 403
    assert (stage.card.tries, pin_of(stage.card)) == (5, PIN)


@pytest.mark.parametrize("purpose", [("settings",), ("pin", "http://127.0.0.1", "x")])
def test_a_token_of_another_form_is_refused(purpose, stage, anna):
    assert post(anna, {"Origin": stage.bridge_origin}, stage.bridge.tokens.new(*purpose)).status == 403
    assert post(anna, {"Origin": stage.bridge_origin}, "").status == 403
    assert pin_of(stage.card) == PIN


@pytest.mark.parametrize(
    "headers,status",
    [
        ({"Origin": "https://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:{port}"}, 403),
        ({}, 403),
        ({"Referer": "{own}.evil.test/"}, 403),
        ({"Origin": "{own}", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "{own}", "Sec-Fetch-Dest": "iframe"}, 403),
        ({"Origin": "{own}", "Host": "evil.test:{port}"}, 421),
        ({"Origin": "{own}", "Host": "localhost:{port}"}, 421),
    ],
)
def test_a_post_from_elsewhere_is_refused_even_with_a_token(headers, status, stage, anna):
    filled = {name: value.format(own=stage.bridge_origin, port=stage.bridge_port) for name, value in headers.items()}
    assert post(anna, filled).status == status
    assert pin_of(stage.card) == PIN


def test_a_post_without_origin_is_taken_with_the_bridges_referer(stage, anna):
    post(anna, {"Referer": stage.bridge_origin + "/pin"})
    assert pin_of(stage.card) == NEW


@pytest.mark.parametrize(
    "headers,status",
    [
        ({"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, 403),
        ({"Sec-Purpose": "prefetch"}, 403),
        ({"Sec-Fetch-Dest": "iframe"}, 403),
        ({"Host": "evil.test:61230"}, 421),
    ],
)
def test_subresource_prefetch_frame_and_rebinding_do_not_reach_the_card(headers, status, stage, anna):
    seen = note_commands(stage.card)
    anna.open(stage.bridge_origin + "/pin", headers=headers)
    assert (anna.status, seen) == (status, [])


def test_a_pin_in_the_address_is_neither_taken_nor_shown(stage, anna):
    url = stage.bridge_origin + "/pin"
    token = open_page(anna).field("token")
    anna.open(f"{url}?token={token}&answer=yes&pin={PIN}&new_pin={NEW}&new_pin_again={NEW}")
    assert anna.status == 403
    assert NEW not in anna.text
    assert pin_of(stage.card) == PIN
    assert anna.open(f"{url}?seen=<script>").status == 200
    assert "<script>" not in anna.text


def test_the_page_cannot_be_framed_or_stored(stage, anna):
    open_page(anna)
    assert "frame-ancestors 'none'; form-action 'self'" in anna.headers["Content-Security-Policy"]
    assert anna.headers["Cache-Control"] == "no-store"

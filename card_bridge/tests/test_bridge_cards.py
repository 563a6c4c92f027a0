"""What happens with cards and PINs: wrong PINs, pulled cards, other programs, several readers."""

import contextlib
import threading
import time

import pytest
from bridge_stage import PIN, Browser, Readers, wait_until
from eport_card_bridge.vpcd import VirtualReader

SIGN = bytes.fromhex("0088000020") + bytes(32) + b"\0"


def start_batch(browser: Browser, count: int, signed: int) -> None:
    """Starts a batch and waits until some messages are signed."""
    browser.open(browser.ask("batch", count)).enter_pin()
    wait_until(lambda: len(browser.stage.row.signed) >= signed)


def here(stage) -> str:
    return stage.bridge_origin + stage.request.here


def test_two_wrong_pins_then_the_card_must_come_out(stage, anna):
    anna.open(anna.ask())
    assert "还可以试5次" in anna.enter_pin("11111111").text
    anna.enter_pin("22222222")
    assert "拔出" in anna.enter_pin(PIN).text
    assert stage.card.tries == 4
    stage.card.put_back()
    anna.enter_pin("33333333").enter_pin("44444444")
    stage.card.put_back()
    anna.enter_pin("55555555")
    assert stage.card.tries == 1
    assert "拔出" in anna.enter_pin(PIN).text, "before the last try too"
    stage.card.put_back()
    assert "state=finished" in anna.enter_pin(PIN).text
    assert stage.card.tries == 6
    told = [outcome for _, outcome in stage.row.reports]
    assert told[:3] == [135, 134, 106]


def test_a_blocked_card_is_said_to_be_blocked(stage, anna):
    from sandbox.card.state import change_state

    change_state(stage.card.path, tries=0)
    assert "已经锁住" in anna.open(anna.ask()).enter_pin().text
    assert stage.row.reports == [("pin", 107)]


@pytest.mark.parametrize("pin", ["", "123", "1" * 17, "密码密码"])
def test_a_pin_that_cannot_be_one_costs_no_try(pin, stage, anna):
    assert "次数没有少" in anna.open(anna.ask()).enter_pin(pin).text
    assert stage.card.tries == 6


def test_the_pin_is_gone_from_the_card_afterwards(stage, anna):
    anna.open(anna.ask()).enter_pin()
    wait_until(lambda: stage.request.stage == "done")
    assert stage.card.applet.answer(SIGN) == bytes.fromhex("6985")


def test_no_card_is_said_and_the_card_may_come_later(stage, anna):
    stage.card.pull()
    anna.open(anna.ask())
    assert "9703" in anna.text
    assert "9703" in anna.enter_pin().text
    stage.card.insert()
    assert "state=finished" in anna.enter_pin().text


def test_a_card_pulled_in_a_batch_goes_on_at_the_first_unsigned_message(new_stage):
    stage = new_stage(delay_ms=100)
    anna = Browser(stage)
    start_batch(anna, 6, 2)
    stage.card.pull()
    wait_until(lambda: stage.request.stage == "stopped")
    done, kept = stage.request.signed, dict(stage.row.signed)
    assert 2 <= done < 6
    assert "卡被拔出来了" in anna.open(here(stage)).text
    stage.card.insert()
    assert f"从第{done + 1}份继续" in anna.open(here(stage)).text
    anna.enter_pin()
    wait_until(lambda: stage.row.state == "finished")
    assert {index: stage.row.signed[index] for index in kept} == kept
    assert len(stage.row.signed) == 6


def test_a_batch_goes_on_only_with_its_own_card(new_stage):
    stage = new_stage(delay_ms=100)
    anna = Browser(stage)
    start_batch(anna, 6, 2)
    stage.card.pull()
    wait_until(lambda: stage.request.stage == "stopped")
    other = stage.put_in(stage.reader, stage.authority.rsa_card)
    assert "不是本页写的那张卡" in anna.open(here(stage)).enter_pin().text
    assert other.tries == 6
    other.pull()


def test_a_batch_goes_on_when_the_browser_is_closed(new_stage):
    stage = new_stage(delay_ms=50)
    anna = Browser(stage)
    start_batch(anna, 5, 1)
    assert "正在签名" in anna.open(here(stage)).text
    wait_until(lambda: stage.row.state == "finished")


def test_after_a_restart_a_new_challenge_over_the_rest_is_signed(new_stage):
    stage = new_stage(delay_ms=100)
    anna = Browser(stage)
    start_batch(anna, 4, 1)
    stage.card.pull()
    wait_until(lambda: stage.request.stage == "stopped")
    stage.stop_bridge()
    stage.start_bridge()
    stage.card.insert()
    anna.open(anna.ask("batch", 3)).enter_pin()
    wait_until(lambda: stage.row.state == "finished")


def test_a_lost_reply_to_a_signature_costs_no_new_pin(stage, anna, monkeypatch):
    monkeypatch.setattr("eport_card_bridge.signing.RETRY_PAUSES", (0.05,))
    stage.portal.lose_replies_to_signature = 1
    anna.open(anna.ask("batch")).enter_pin()
    wait_until(lambda: stage.request.stage == "done")
    assert sorted(stage.row.signed) == [0, 1]
    assert stage.portal.lose_replies_to_signature is None


def test_a_lost_reply_to_the_answer_is_mended_by_the_same_answer(stage, anna, monkeypatch):
    from eport_card_bridge.outcomes import Outcome, Stop
    from eport_card_bridge.portal_client import PortalClient

    real, lost = PortalClient.answer, []

    async def lose_one(self, body):
        code = await real(self, body)
        if not lost:
            lost.append(1)
            raise Stop(Outcome.UNREACHABLE)
        return code

    monkeypatch.setattr(PortalClient, "answer", lose_one)
    assert "连不上网站" in anna.open(anna.ask()).enter_pin().text
    assert "state=finished" in anna.enter_pin().text


def test_a_reset_by_another_program_stops_and_asks_for_the_pin_again(new_stage):
    stage = new_stage(delay_ms=100)
    anna = Browser(stage)
    start_batch(anna, 6, 2)
    stage.card.applet.reset()
    wait_until(lambda: stage.request.stage == "stopped")
    assert "被别的程序重置" in anna.open(here(stage)).text
    anna.enter_pin()
    wait_until(lambda: stage.row.state == "finished")


def test_a_slow_portal_does_not_leave_the_card_idle(stage, anna, monkeypatch):
    """Windows resets a card whose transaction is idle for 5 s: a harmless command is sent meanwhile."""
    monkeypatch.setattr("eport_card_bridge.signing.KEEP_ALIVE_SECONDS", 0.05)
    seen, answer = [], stage.card.applet.answer
    stage.card.applet.answer = lambda apdu: seen.append(apdu) or answer(apdu)
    anna.open(anna.ask("batch")).submit("/pin", hops=1, pin=PIN)
    idle = len(seen)
    wait_until(lambda: len(seen) > idle + 3)
    assert set(seen[idle:]) == {bytes.fromhex("00CA010200")}
    anna.open(anna.headers["Location"])
    wait_until(lambda: stage.row.state == "finished")


def test_a_card_held_by_another_program_is_said_and_the_pin_forgotten(stage, anna, monkeypatch):
    monkeypatch.setattr("eport_card_bridge.bridge.HELD_SECONDS", 0.2)
    anna.open(anna.ask())
    free = threading.Event()
    real = stage.reader.card

    def blocked(reset=True):
        free.wait(10)
        return real(reset)

    stage.reader.card = blocked
    monkeypatch.setattr("eport_card_bridge.bridge.LOOK_SECONDS", 0.2)
    anna.enter_pin()
    assert "被别的程序占用" in anna.text
    free.set()
    wait_until(lambda: stage.reader.lock.acquire(blocking=False))
    stage.reader.lock.release()
    assert stage.row.state == "claimed", "nothing is signed once the user has been told"
    assert "state=finished" in anna.open(here(stage)).enter_pin().text


def test_one_login_right_after_another_waits_for_the_card(stage, anna):
    real = stage.reader.card

    @contextlib.contextmanager
    def slow_to_end(reset=True):
        with real(reset) as card:
            yield card
        time.sleep(0.2 if reset else 0)

    stage.reader.card = slow_to_end
    for _ in range(3):
        assert "state=finished" in anna.open(anna.ask()).enter_pin().text


def test_an_expired_card_and_one_of_tomorrow_cost_no_try(new_stage, authority):
    for number, days, words in (("8600000000100", (-9, -1), "已经过期"), ("8600000000101", (2, 9), "还没到生效")):
        stage = new_stage()
        stage.card.pull()
        card = stage.put_in(stage.reader, authority.card("rsa", number, days))
        anna = Browser(stage)
        assert words in anna.open(anna.ask()).enter_pin("00000000").text
        assert card.tries == 6
        card.pull()


def test_a_blank_card_is_not_an_eport_card(stage, anna, tmp_path):
    from sandbox.card.state import new_card

    stage.card.pull()
    new_card(tmp_path / "blank.json", "sm2", "8600000000999")
    blank = stage.put_in(stage.reader, tmp_path / "blank.json")
    assert "不是电子口岸卡" in anna.open(anna.ask()).text
    blank.pull()


def test_a_batch_that_does_not_take_the_cards_algorithm_costs_no_try(stage, anna):
    link = anna.ask("batch")
    stage.row.payload = stage.row.payload.replace(b'"sm2-sm3"', b'"sm9"')
    assert "网站这次不收" in anna.open(link).enter_pin("00000000").text
    assert stage.card.tries == 6


@pytest.fixture
def two_cards(new_stage):
    """A stage with two readers and two cards."""
    readers = (VirtualReader(0), VirtualReader(0))
    for number, reader in enumerate(readers):
        reader.name = f"Reader {number}"
    stage = new_stage(source=Readers(*readers))
    cards = [
        stage.put_in(readers[0], stage.authority.rsa_card),
        stage.put_in(readers[1], stage.authority.sm2_card),
    ]
    yield stage, cards
    for card in cards:
        card.pull()
    stage.reader.close()


def test_of_several_cards_the_user_chooses_one(two_cards):
    stage, _ = two_cards
    anna = Browser(stage)
    anna.open(anna.ask())
    assert anna.text.count('type="radio"') == 2
    assert "不止一张卡" in anna.enter_pin().text
    anna.enter_pin(card="8600000000024")
    assert "state=finished" in anna.text
    assert stage.row.answer["algorithm"] == "eport-auth-sm2-sm3"


def test_the_reader_that_has_a_card_is_taken(two_cards):
    stage, cards = two_cards
    cards[0].pull()
    anna = Browser(stage)
    anna.open(anna.ask())
    assert 'type="radio"' not in anna.text
    assert "state=finished" in anna.enter_pin().text
    cards[0].insert()


def test_a_card_swapped_after_the_page_was_shown_is_noticed(stage, anna):
    anna.open(anna.ask())
    stage.card.pull()
    other = stage.put_in(stage.reader, stage.authority.rsa_card)
    assert "不是本页写的那张卡" in anna.enter_pin().text
    assert other.tries == 6
    other.pull()

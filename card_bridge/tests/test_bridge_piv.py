"""A PIV card (NIST SP 800-73-4) does what an e-port card does; what it cannot do is said before a try is spent."""

import base64
import gzip

import pytest
from bridge_stage import PIN, Browser, wait_until
from card_authority import COMPANY, HOLDER, name
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key
from eport_card_bridge.outcomes import Outcome, Stop
from eport_card_bridge.piv import read_object, tlv
from eport_card_bridge.profiles import open_card

from sandbox.card import __main__ as program
from sandbox.card.state import change_state, new_card, put_certificate, read_state

NUMBER = "8600000000048"
NEW = "271828"


def make_card(authority, path, algorithm: str, number: str = NUMBER):
    public = load_pem_public_key(new_card(path, algorithm, "not in a PIV card", profile="piv"))
    parts = {"number": number} if number else {}
    subject = name(country="CN", company=COMPANY, holder=HOLDER, **parts)
    put_certificate(path, authority.certificate(subject, public).public_bytes(Encoding.DER))
    return path


@pytest.fixture(params=["rsa", "ec"])
def algorithm(request):
    return request.param


@pytest.fixture
def piv_stage(new_stage, authority, tmp_path):
    """Starts a stage whose reader holds a PIV card."""

    def start(algorithm: str):
        stage = new_stage()
        stage.card.pull()
        stage.card = stage.put_in(stage.reader, make_card(authority, tmp_path / f"piv-{algorithm}.json", algorithm))
        return stage, Browser(stage)

    return start


def transmitter(path):
    card = program.open_card(path)

    def transmit(apdu: bytes) -> tuple[bytes, int]:
        answer = card.answer(apdu)
        return answer[:-2], int.from_bytes(answer[-2:], "big")

    return card, transmit


def test_login_is_signed_by_the_authentication_key(piv_stage, algorithm):
    stage, anna = piv_stage(algorithm)
    anna.open(anna.ask())
    assert f"卡号后四位{NUMBER[-4:]}" in anna.find("card")
    assert "state=finished" in anna.enter_pin().text
    assert stage.row.answer["algorithm"] == {"rsa": "rsa-sha256", "ec": "ecdsa-sha256"}[algorithm]


def test_a_batch_is_signed_by_an_rsa_card(piv_stage):
    stage, anna = piv_stage("rsa")
    anna.open(anna.ask("batch", 3)).enter_pin()
    wait_until(lambda: stage.row.state == "finished")
    assert sorted(stage.row.signed) == [0, 1, 2]


def test_a_batch_is_refused_with_a_p256_card_before_a_try_is_spent(piv_stage):
    stage, anna = piv_stage("ec")
    assert "9728" in anna.open(anna.ask("batch")).enter_pin("00000000").text
    assert stage.card.tries == 6


def test_a_wrong_pin_tells_the_tries_and_the_rule_of_tries_holds(piv_stage, algorithm):
    stage, anna = piv_stage(algorithm)
    assert "还可以试5次" in anna.open(anna.ask()).enter_pin("11111111").text
    anna.enter_pin("22222222")
    assert "9706" in anna.enter_pin(PIN).text
    assert stage.card.tries == 4
    stage.card.put_back()
    assert "state=finished" in anna.enter_pin().text


def test_the_last_wrong_pin_says_that_the_card_is_blocked(piv_stage, algorithm):
    stage, anna = piv_stage(algorithm)
    change_state(stage.card.path, tries=1)
    stage.card.put_back()
    anna.open(anna.ask()).enter_pin("11111111")
    assert "9706" in anna.text, "before the last try the card comes out"
    stage.card.put_back()
    assert "9707" in anna.enter_pin("11111111").text
    assert "9707" in anna.enter_pin().text
    assert stage.card.tries == 0


def test_a_pin_that_no_piv_card_can_have_costs_no_try(piv_stage):
    _, anna = piv_stage("ec")
    assert "9759" in anna.open(anna.ask()).enter_pin("123456789").text
    assert "state=finished" in anna.enter_pin().text


def test_the_pin_is_changed_and_is_gone_from_the_card(piv_stage, algorithm):
    stage, anna = piv_stage(algorithm)
    anna.open(stage.bridge_origin + "/pin").submit("/pin", pin=PIN, new_pin=NEW, new_pin_again=NEW)
    assert "9604" in anna.text
    assert read_state(stage.card.path)["pin"] == NEW
    block = tlv(0x7C, tlv(0x82, b"") + tlv(0x81, bytes(32)))
    apdu = bytes([0, 0x87, {"rsa": 7, "ec": 0x11}[algorithm], 0x9A, len(block)]) + block + b"\0"
    assert stage.card.applet.answer(apdu)[-2:] == bytes.fromhex("6985"), "reset: not even selected any more"


def test_a_card_without_a_card_number_is_not_an_eport_card(authority, tmp_path):
    _, transmit = transmitter(make_card(authority, tmp_path / "card.json", "ec", number=""))
    with pytest.raises(Stop) as refused:
        open_card(transmit)
    assert refused.value.outcome is Outcome.UNKNOWN_CARD


def test_a_card_of_another_kind_is_said_to_be_none_of_ours():
    with pytest.raises(Stop) as refused:
        open_card(lambda apdu: (b"", 0x6A82))
    assert refused.value.outcome is Outcome.UNKNOWN_CARD


def test_a_compressed_certificate_is_unpacked_up_to_a_limit(authority):
    der = base64.b64decode(read_state(authority.rsa_card)["certificate"])

    def packed(data: bytes) -> bytes:
        return tlv(0x53, tlv(0x70, gzip.compress(data)) + tlv(0x71, b"\1") + tlv(0xFE, b""))

    assert read_object(packed(der)) == der
    assert len(read_object(packed(bytes(50_000_000)))) <= 32767


@pytest.mark.parametrize(
    "data", [b"", b"\x53", b"\x53\x82\xff", b"\x53\x05\x70\x84", b"\x70\x00", b"\x53\x04\x70\x02\x30\x80"]
)
def test_what_is_no_certificate_is_not_taken_for_one(data, authority, tmp_path):
    _, real = transmitter(make_card(authority, tmp_path / "card.json", "ec"))
    with pytest.raises(Stop) as refused:
        open_card(lambda apdu: (data, 0x9000) if apdu[1] == 0xCB else real(apdu))
    assert refused.value.outcome is Outcome.UNKNOWN_CARD


@pytest.mark.parametrize("data", [b"", b"\x7c", b"\x7c\x02\x81\x00", b"\x7c\x04\x82\x10\x00\x00"])
def test_an_answer_without_a_signature_stops_the_work(data, authority, tmp_path):
    _, real = transmitter(make_card(authority, tmp_path / "card.json", "ec"))
    card = open_card(lambda apdu: (data, 0x9000) if apdu[1] == 0x87 else real(apdu))
    card.verify_pin(PIN)
    with pytest.raises(Stop) as stopped:
        card.sign_statement(bytes(146))
    assert stopped.value.outcome is Outcome.STOPPED


def test_a_verified_card_does_not_tell_its_tries(authority, tmp_path):
    _, transmit = transmitter(make_card(authority, tmp_path / "card.json", "ec"))
    card = open_card(transmit)
    assert card.tries_left() == 6
    card.verify_pin(PIN)
    assert card.tries_left() is None


def test_a_reset_in_the_middle_of_a_batch_asks_for_the_pin_again(piv_stage):
    stage, anna = piv_stage("rsa")
    change_state(stage.card.path, delay_ms=100)
    stage.card.put_back()
    anna.open(anna.ask("batch", 5)).enter_pin()
    wait_until(lambda: len(stage.row.signed) >= 2)
    stage.card.applet.reset()
    wait_until(lambda: stage.request.stage == "stopped")
    assert "9708" in anna.open(stage.bridge_origin + stage.request.here).text
    anna.enter_pin()
    wait_until(lambda: stage.row.state == "finished")

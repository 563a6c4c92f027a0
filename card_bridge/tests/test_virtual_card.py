"""The virtual card as a reader sees it: commands, PIN counter, state file, and the program that puts it in."""

import os
import signal
import subprocess
import sys
import time

import pytest
from bridge_stage import wait_until
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from eport_card_bridge.vpcd import VirtualReader

from sandbox.card.applet import AID, DIGEST_INFO, Applet
from sandbox.card.state import change_state, new_card, put_certificate, read_state

SELECT = bytes([0, 0xA4, 4, 0, len(AID)]) + AID
SHA1_INFO, SHA256_INFO = (prefix + bytes(hash.digest_size) for prefix, hash in DIGEST_INFO.items())
ROOT = os.fspath(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def verify(pin: bytes) -> bytes:
    return bytes([0, 0x20, 0, 0x81, len(pin)]) + pin


def sign(block: bytes) -> bytes:
    return bytes([0, 0x2A, 0x9E, 0x9A, len(block)]) + block + b"\0"


@pytest.fixture
def rsa_card(tmp_path):
    """State file and public key of a card without certificate."""
    path = tmp_path / "card.json"
    return path, new_card(path, "rsa", "8600000000017")


@pytest.fixture
def sm2_card(tmp_path):
    path = tmp_path / "sm2.json"
    return path, new_card(path, "sm2", "8600000000024", pin="123456", tries=3)


def test_a_new_card_has_one_key_and_no_certificate(rsa_card):
    path, _ = rsa_card
    card = Applet(path)
    assert card.answer(SELECT).endswith(b"\x90\x00")
    assert card.answer(bytes.fromhex("00CA010100")) == b"8600000000017\x90\x00"
    assert card.answer(bytes.fromhex("00B0000000")) == bytes.fromhex("6A82")
    put_certificate(path, bytes(range(256)) * 2)
    card.answer(SELECT)
    assert card.answer(bytes.fromhex("00B0010000"))[:-2] == bytes(range(256))
    assert card.answer(bytes.fromhex("00B0020000")) == bytes.fromhex("6B00")


def test_a_key_is_never_overwritten(rsa_card):
    with pytest.raises(FileExistsError):
        new_card(rsa_card[0], "rsa", "8600000000017")
    with pytest.raises(ValueError):
        new_card(rsa_card[0].with_name("x"), "dsa", "8600000000017")


def test_the_state_file_is_the_owners_alone(rsa_card):
    assert rsa_card[0].stat().st_mode & 0o777 == 0o600


def test_nothing_is_signed_without_selection_and_pin(rsa_card):
    card = Applet(rsa_card[0])
    assert card.answer(sign(SHA1_INFO)) == bytes.fromhex("6985")
    card.answer(SELECT)
    assert card.answer(sign(SHA1_INFO)) == bytes.fromhex("6982")
    assert card.answer(verify(b"88888888")) == bytes.fromhex("9000")
    assert len(card.answer(sign(SHA1_INFO))) == 258
    card.reset()
    assert card.answer(sign(SHA1_INFO)) == bytes.fromhex("6985")


def test_the_signature_is_that_of_the_public_key(rsa_card):
    path, pem = rsa_card
    card = Applet(path)
    card.answer(SELECT), card.answer(verify(b"88888888"))
    signature = card.answer(bytes.fromhex("0088000004") + b"mmmm" + b"\0")[:-2]
    key = serialization.load_pem_public_key(pem)
    key.verify(signature, b"EPORT-AUTH\0mmmm", padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("block", [b"", bytes(20), bytes(32), SHA1_INFO[:-1], SHA1_INFO + b"\0"])
def test_only_known_digests_are_signed(block, rsa_card):
    card = Applet(rsa_card[0])
    card.answer(SELECT), card.answer(verify(b"88888888"))
    assert len(card.answer(sign(block))) == 2


def test_an_sm2_card_signs_32_bytes_and_takes_only_its_own_key(sm2_card):
    card = Applet(sm2_card[0])
    card.answer(SELECT), card.answer(verify(b"123456"))
    assert len(card.answer(sign(bytes(32)))) == 66
    assert card.answer(sign(SHA256_INFO)) == bytes.fromhex("6A80")
    assert card.answer(bytes.fromhex("002241B603800102")) == bytes.fromhex("9000")
    assert card.answer(bytes.fromhex("002241B603800101")) == bytes.fromhex("6A80")


def test_wrong_pins_count_down_across_resets_until_the_card_is_blocked(sm2_card):
    path, _ = sm2_card
    for answer in ("63C2", "63C1", "6983"):
        card = Applet(path)
        card.answer(SELECT)
        assert card.answer(verify(b"000000")) == bytes.fromhex(answer)
    assert card.answer(verify(b"123456")) == bytes.fromhex("6983"), "the right PIN too"
    change_state(path, tries=3)
    card.answer(SELECT)
    assert card.answer(verify(b"")[:4]) == bytes.fromhex("63C3"), "asking costs no try"
    assert card.answer(verify(b"123456")) == bytes.fromhex("9000")


def test_the_pin_is_changed_by_the_old_one(sm2_card):
    card = Applet(sm2_card[0])
    card.answer(SELECT)

    def change(old: bytes, new: bytes) -> str:
        return card.answer(bytes([0, 0x24, 0, 0x81, 32]) + old.ljust(16, b"\xff") + new.ljust(16, b"\xff")).hex()

    assert change(b"000000", b"654321") == "63c2"
    assert change(b"123456", b"12345") == "6a80"
    assert change(b"123456", b"654321") == "9000"
    assert card.answer(verify(b"123456")) == bytes.fromhex("63C2")
    assert card.answer(verify(b"654321")) == bytes.fromhex("9000")


def pair(ins: int, first: bytes, second: bytes) -> bytes:
    """CHANGE REFERENCE DATA (24) or RESET RETRY COUNTER (2C)."""
    return bytes([0, ins, 0, 0x81, 32]) + first.ljust(16, b"\xff") + second.ljust(16, b"\xff")


@pytest.fixture
def blocked(sm2_card):
    """A card whose PIN tries are used up, selected; with its state file and the right unlock code."""
    path, _ = sm2_card
    change_state(path, tries=0)
    card = Applet(path)
    card.answer(SELECT)
    return card, path, read_state(path)["unlock_code"].encode()


def test_the_unlock_code_gives_a_blocked_card_a_new_pin_and_all_its_tries(blocked):
    card, path, code = blocked
    assert card.answer(pair(0x2C, code, b"654321")) == bytes.fromhex("9000")
    assert card.answer(sign(bytes(32))) == bytes.fromhex("6982"), "unlocking is not logging in"
    assert card.answer(verify(b"123456")) == bytes.fromhex("63C2"), "the old PIN is gone"
    assert card.answer(verify(b"654321")) == bytes.fromhex("9000")
    assert read_state(path)["tries"] == 3


def test_a_wrong_unlock_code_counts_down_until_the_code_is_blocked(blocked):
    card, path, code = blocked
    wrong = b"00000000" if code != b"00000000" else b"11111111"
    change_state(path, unlock_tries=2)
    card.answer(SELECT)
    assert card.answer(pair(0x2C, wrong, b"654321")) == bytes.fromhex("63C1")
    assert card.answer(bytes.fromhex("00CA010400")) == bytes.fromhex("019000")
    assert card.answer(pair(0x2C, wrong, b"654321")) == bytes.fromhex("6983")
    assert card.answer(pair(0x2C, code, b"654321")) == bytes.fromhex("6983"), "the right code too"
    assert (read_state(path)["pin"], read_state(path)["tries"]) == ("123456", 0)


def test_a_right_unlock_code_brings_its_own_tries_back(blocked):
    card, path, code = blocked
    change_state(path, unlock_tries=1)
    card.answer(SELECT)
    card.answer(pair(0x2C, code, b"654321"))
    assert read_state(path)["unlock_tries"] == 10


@pytest.mark.parametrize("new", [b"", b"12345", "密码密码".encode()])
def test_unlocking_with_a_pin_that_cannot_be_one_leaves_the_card_blocked(new, blocked):
    card, path, code = blocked
    assert card.answer(pair(0x2C, code, new)) == bytes.fromhex("6A80")
    assert read_state(path)["tries"] == 0


@pytest.mark.parametrize("data", [b"", bytes(16), bytes(31), bytes(33)])
def test_half_an_unlock_command_costs_no_try_of_the_code(data, blocked):
    card, path, _ = blocked
    length = bytes([len(data)]) if data else b""
    assert card.answer(b"\0\x2c\0\x81" + length + data) == bytes.fromhex("6700")
    assert read_state(path)["unlock_tries"] == 10


def test_the_rest_of_an_answer_is_lost_to_the_command_in_between(rsa_card):
    card = Applet(rsa_card[0])
    card.answer(SELECT), card.answer(verify(b"88888888"))
    short = bytes([0, 0x2A, 0x9E, 0x9A, len(SHA1_INFO)]) + SHA1_INFO + b"\x80"
    assert card.answer(short)[-2:] == b"\x61\x80"
    assert len(card.answer(bytes.fromhex("00C0000080"))) == 130
    card.answer(short), card.answer(verify(b""))
    assert card.answer(bytes.fromhex("00C0000080")) == bytes.fromhex("6985")


@pytest.mark.parametrize(
    "command,status",
    [
        ("00", "6700"),
        ("80CA010100", "6E00"),
        ("00FF0000", "6D00"),
        ("00A4040003F04550", "6A82"),
        ("0020008109AA", "6700"),
    ],
)
def test_commands_that_are_not_understood_are_answered_by_status(command, status, rsa_card):
    assert Applet(rsa_card[0]).answer(bytes.fromhex(command)) == bytes.fromhex(status)


def test_a_slow_card_takes_its_time(rsa_card):
    path, _ = rsa_card
    change_state(path, delay_ms=200)
    card = Applet(path)
    card.answer(SELECT), card.answer(verify(b"88888888"))
    begun = time.monotonic()
    card.answer(sign(SHA1_INFO))
    assert time.monotonic() - begun >= 0.2


def test_the_program_is_the_card_in_the_reader_and_its_end_pulls_it(rsa_card):
    path, _ = rsa_card
    reader = VirtualReader(0)
    try:
        for _ in range(2):
            before = reader.presence()
            command = [sys.executable, "-m", "sandbox.card", "--state", str(path), "--port", str(reader.port)]
            program = subprocess.Popen(command, cwd=ROOT)
            wait_until(lambda: reader.presence()[0])
            with reader.transaction() as transmit:
                assert transmit(SELECT)[1] == 0x9000
                assert transmit(verify(b"00000000")) == (b"", 0x63C0 | read_state(path)["tries"])
            program.send_signal(signal.SIGTERM)
            assert program.wait(5) == 0
            wait_until(lambda: not reader.presence()[0])
            assert reader.presence()[1] == before[1] + 2
    finally:
        reader.close()
    assert read_state(path)["tries"] == 4


def test_without_a_reader_the_program_says_so(rsa_card):
    command = [sys.executable, "-m", "sandbox.card", "--state", str(rsa_card[0]), "--port", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no virtual reader" in done.stderr

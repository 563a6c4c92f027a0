"""The virtual PIV card: the commands of NIST SP 800-73-4 as a reader sends them, and OpenSC as an independent reader."""

import base64
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bridge_stage import free_port, wait_until
from card_authority import name
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

from sandbox.card import stack
from sandbox.card.piv import PivCard
from sandbox.card.state import change_state, new_card, put_certificate, read_state

SELECT = bytes.fromhex("00A404000BA00000030800001000010000")
ASK = bytes.fromhex("00200080")
GET_CERTIFICATE = bytes.fromhex("00CB3FFF055C035FC10500")
OPENSC = "opensc-pkcs11.so"
ROOT = Path(__file__).parents[2]
MESSAGE = b"M" * 146


def make(path: Path, algorithm: str, authority, number: str = "8600000000031"):
    """A card with a certificate; gives its state file and its public key."""
    public = serialization.load_pem_public_key(new_card(path, algorithm, number, profile="piv"))
    certificate = authority.certificate(name(company="示例外贸", holder="李明", number=number), public)
    put_certificate(path, certificate.public_bytes(serialization.Encoding.DER))
    return path, public


@pytest.fixture
def ec_card(tmp_path, authority):
    return make(tmp_path / "ec.json", "ec", authority)


@pytest.fixture
def rsa_card(tmp_path, authority):
    return make(tmp_path / "rsa.json", "rsa", authority)


@pytest.fixture
def card(ec_card):
    """A P-256 card, selected."""
    return selected(ec_card[0])


def selected(path: Path) -> PivCard:
    card = PivCard(path)
    assert card.answer(SELECT).endswith(b"\x90\x00")
    return card


def padded(*secrets: str) -> bytes:
    return b"".join(secret.encode().ljust(8, b"\xff") for secret in secrets)


def send(card: PivCard, head: str, data: bytes) -> str:
    """A short command with data; gives status in hex."""
    return card.answer(bytes.fromhex(head) + bytes([len(data)]) + data)[-2:].hex()


def verify(card: PivCard, pin: str) -> str:
    return send(card, "00200080", padded(pin))


def challenge(block: bytes) -> bytes:
    """7C { 82 (empty), 81 block }."""
    length = bytes([len(block)]) if len(block) < 128 else b"\x82" + len(block).to_bytes(2, "big")
    inner = b"\x82\0\x81" + length + block
    length = bytes([len(inner)]) if len(inner) < 128 else b"\x82" + len(inner).to_bytes(2, "big")
    return b"\x7c" + length + inner


def signature_of(answer: bytes) -> bytes:
    """What 7C { 82 signature } holds; the heads are longer for RSA."""
    assert answer[-2:] == b"\x90\x00", answer[-2:].hex()
    head = 8 if answer[1] == 0x82 else 4
    assert answer[0] == 0x7C
    assert answer[head // 2] == 0x82
    return answer[head:-2]


def pkcs1_block(data: bytes) -> bytes:
    """EMSA-PKCS1-v1_5 of SHA-256 for 2048 bits (RFC 8017 §9.2)."""
    info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(data).digest()
    return b"\0\1" + b"\xff" * (253 - len(info)) + b"\0" + info


def in_short_apdus(card: PivCard, head: bytes, data: bytes) -> bytes:
    """Command chaining there, GET RESPONSE back."""
    while len(data) > 255:
        assert card.answer(b"\x10" + head + b"\xff" + data[:255]) == b"\x90\x00"
        data = data[255:]
    answer = card.answer(b"\0" + head + bytes([len(data)]) + data + b"\0")
    whole = answer[:-2]
    while answer[-2] == 0x61:
        answer = card.answer(bytes([0, 0xC0, 0, 0, answer[-1]]))
        whole += answer[:-2]
    return whole + answer[-2:]


def test_it_is_selected_by_its_name_with_or_without_version(ec_card):
    for aid in ("A000000308000010000100", "A00000030800001000"):
        data = bytes.fromhex(aid)
        answer = PivCard(ec_card[0]).answer(bytes([0, 0xA4, 4, 0, len(data)]) + data + b"\0")
        assert answer == bytes.fromhex("61114f0600001000010079074f05a0000003089000")
    for aid in ("A000000308", "A000000308000010000101", "F0455031434152440001"):
        data = bytes.fromhex(aid)
        assert PivCard(ec_card[0]).answer(bytes([0, 0xA4, 4, 0, len(data)]) + data)[-2:] == bytes.fromhex("6A82")


def test_the_certificate_is_the_object_5fc105(card, ec_card, tmp_path):
    answer = in_short_apdus(card, bytes.fromhex("CB3FFF"), bytes.fromhex("5C035FC105"))
    der = base64.b64decode(read_state(ec_card[0])["certificate"])
    parts = b"\x70\x82" + len(der).to_bytes(2, "big") + der + bytes.fromhex("710100FE00")
    assert answer == b"\x53\x82" + len(parts).to_bytes(2, "big") + parts + b"\x90\x00"
    new_card(tmp_path / "blank.json", "ec", "8600000000048", profile="piv")
    assert selected(tmp_path / "blank.json").answer(GET_CERTIFICATE) == bytes.fromhex("6A82")


@pytest.mark.parametrize("data", ["5C", "5D035FC105", "5C035FC1", "5C045FC105", "5C035FC1FF"])
def test_other_objects_and_broken_requests_give_nothing(data, card):
    assert send(card, "00CB3FFF", bytes.fromhex(data)) in ("6a80", "6a82")


def test_a_p256_card_signs_the_digest_after_the_pin(ec_card):
    path, public = ec_card
    card = selected(path)
    block = challenge(hashlib.sha256(MESSAGE).digest())
    assert send(card, "0087119A", block) == "6982"
    assert verify(card, "88888888") == "9000"
    signature = signature_of(in_short_apdus(card, bytes.fromhex("87119A"), block))
    public.verify(signature, MESSAGE, ec.ECDSA(hashes.SHA256()))
    card.reset()
    assert send(card, "0087119A", block) == "6985"


@pytest.mark.parametrize("extended", [False, True])
def test_an_rsa_card_does_the_bare_operation_on_256_bytes(extended, rsa_card):
    path, public = rsa_card
    card = selected(path)
    verify(card, "88888888")
    block = challenge(pkcs1_block(MESSAGE))
    if extended:
        answer = card.answer(bytes.fromhex("0087079A00") + len(block).to_bytes(2, "big") + block + b"\0\0")
    else:
        answer = in_short_apdus(card, bytes.fromhex("87079A"), block)
    public.verify(signature_of(answer), MESSAGE, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize(
    "data",
    [b"", b"\x7c", b"\x7c\x82", b"\x7c\x05\x82\0", challenge(b""), challenge(bytes(31)), b"\x7c\x02\x82\0", b"\x30\0"],
)
def test_what_is_not_a_challenge_is_not_signed(data, card):
    verify(card, "88888888")
    assert send(card, "0087119A", data or b"\0") == "6a80"


def test_a_block_beyond_the_modulus_or_of_another_length_is_not_signed(rsa_card):
    card = selected(rsa_card[0])
    verify(card, "88888888")
    for block in (b"\xff" * 256, bytes(255), bytes(257)):
        assert in_short_apdus(card, bytes.fromhex("87079A"), challenge(block)) == bytes.fromhex("6A80")


def test_the_other_algorithm_and_other_keys_are_refused(card):
    verify(card, "88888888")
    block = challenge(hashlib.sha256(MESSAGE).digest())
    assert (send(card, "0087079A", block), send(card, "0087119C", block)) == ("6a86", "6a86")


def test_a_chain_that_another_command_breaks_is_forgotten_and_one_without_end_refused(rsa_card):
    card = selected(rsa_card[0])
    verify(card, "88888888")
    block = challenge(pkcs1_block(MESSAGE))
    assert send(card, "1087079A", block[:200]) == "9000"
    assert card.answer(ASK) == b"\x90\x00"
    assert send(card, "0087079A", block[200:]) == "6a80"
    said = [send(card, "1087079A", bytes(255)) for _ in range(17)]
    assert said == ["9000"] * 16 + ["6700"]
    assert len(signature_of(in_short_apdus(card, bytes.fromhex("87079A"), block))) == 256, "and goes on as before"


def test_wrong_pins_count_down_across_resets_until_the_card_is_blocked(ec_card):
    path, _ = ec_card
    change_state(path, tries=2)
    assert verify(selected(path), "000000") == "63c1"
    card = selected(path)
    assert card.answer(ASK) == bytes.fromhex("63C1")
    assert (verify(card, "000000"), verify(card, "88888888"), card.answer(ASK).hex()) == ("6983", "6983", "6983")


@pytest.mark.parametrize("pin", [b"88888888"[:7], b"12345\xff\xff\xff", b"letters\xff", b"123456\xff", b"1" * 9])
def test_what_cannot_be_a_pin_costs_no_try(pin, card, ec_card):
    assert send(card, "00200080", pin) == "6a80"
    assert send(card, "00240080", b"88888888" + pin) == "6a80"
    assert send(card, "002C0080", b"00000000" + pin) == "6a80"
    kept = read_state(ec_card[0])
    assert (kept["tries"], kept["unlock_tries"], kept["pin"]) == (6, 10, "88888888")


def test_the_pin_is_changed_by_the_old_one_and_then_counts_as_verified(card):
    assert send(card, "00240080", padded("000000", "271828")) == "63c5"
    assert send(card, "00240080", padded("88888888", "271828")) == "9000"
    assert card.answer(ASK) == b"\x90\x00", "SP 800-73-4: who gave the old PIN need not give the new one"
    assert (verify(card, "88888888"), verify(card, "271828")) == ("63c5", "9000")


def test_a_verified_pin_can_be_taken_back(card):
    verify(card, "88888888")
    assert card.answer(bytes.fromhex("0020FF80")) == b"\x90\x00"
    assert card.answer(ASK) == bytes.fromhex("63C6")


def test_the_puk_gives_a_blocked_card_a_new_pin_until_it_is_blocked_itself(ec_card):
    path, _ = ec_card
    puk = read_state(path)["unlock_code"]
    wrong = "00000000" if puk != "00000000" else "11111111"
    change_state(path, tries=0, unlock_tries=2)
    card = selected(path)
    assert send(card, "002C0080", padded(wrong, "271828")) == "63c1"
    assert send(card, "002C0080", padded(puk, "271828")) == "9000"
    assert card.answer(ASK) == bytes.fromhex("63C6"), "all tries are back, and nobody is logged in"
    assert verify(card, "271828") == "9000"
    change_state(path, tries=0, unlock_tries=1)
    card = selected(path)
    assert (send(card, "002C0080", padded(wrong, "314159")), send(card, "002C0080", padded(puk, "314159"))) == (
        "6983",
        "6983",
    )


def test_no_card_has_the_key_of_the_other_profile(tmp_path):
    for algorithm, profile in (("sm2", "piv"), ("ec", "eport")):
        with pytest.raises(ValueError):
            new_card(tmp_path / "x.json", algorithm, "8600000000048", profile=profile)


@pytest.fixture
def opensc(tmp_path, ec_card, rsa_card):
    """Runs pkcs11-tool on the P-256 card in slot 0 and the RSA card in slot 1 of a real pcscd."""
    if not shutil.which("pkcs11-tool"):
        pytest.skip("opensc is not installed")
    port, programs = free_port(), []
    try:
        stack.start(tmp_path / "pcscd", port)
    except stack.StackError as error:
        pytest.skip(str(error))

    def run(slot: int, *options: str) -> subprocess.CompletedProcess:
        command = ["pkcs11-tool", "--module", OPENSC, "--slot-index", str(slot), *options]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)

    try:
        for slot, (path, _) in enumerate((ec_card, rsa_card)):
            command = [sys.executable, "-m", "sandbox.card", "--state", str(path), "--port", str(port + slot)]
            programs.append(subprocess.Popen(command, cwd=ROOT))
        wait_until(lambda: run(1, "-L").stdout.count("token label") == 2)
        yield run
    finally:
        for program in programs:
            program.terminate()
            program.wait(5)
        stack.stop(tmp_path / "pcscd")


@pytest.mark.xdist_group("pcsc")
def test_opensc_reads_the_cards_signs_with_them_and_changes_the_pin(opensc, tmp_path, ec_card, rsa_card):
    (tmp_path / "m").write_bytes(MESSAGE)
    sign = ("--sign", "-i", "m", "-o", "signature", "--id", "01", "--login", "--pin")
    assert "8600000000031" in opensc(0, "-O").stdout
    assert "CKR_PIN_INCORRECT" in opensc(0, *sign, "000000", "-m", "ECDSA-SHA256").stderr
    assert read_state(ec_card[0])["tries"] == 5
    opensc(0, *sign, "88888888", "-m", "ECDSA-SHA256", "--signature-format", "openssl")
    ec_card[1].verify((tmp_path / "signature").read_bytes(), MESSAGE, ec.ECDSA(hashes.SHA256()))
    for mechanism, scheme in (
        ("SHA256-RSA-PKCS", padding.PKCS1v15()),
        ("SHA256-RSA-PKCS-PSS", padding.PSS(padding.MGF1(hashes.SHA256()), 32)),
    ):
        opensc(1, *sign, "88888888", "-m", mechanism)
        rsa_card[1].verify((tmp_path / "signature").read_bytes(), MESSAGE, scheme, hashes.SHA256())
    opensc(1, "--login", "--pin", "88888888", "--change-pin", "--new-pin", "271828")
    assert read_state(rsa_card[0])["pin"] == "271828"

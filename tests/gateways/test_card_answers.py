"""What a card answered: the statement byte by byte, every check of the certificate, SM2 against the openssl command."""

import ctypes
import datetime
import gc
import hashlib
import subprocess
import threading

import pytest
from card_authority import COMPANY, HOLDER, TEXTS, USCC, RsaPki
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from gateways import sm2
from gateways.card_answers import (
    PURPOSES,
    Answer,
    NotVerified,
    Question,
    check_answer,
    check_certificate,
    check_number,
    read_authorities,
    read_certificate,
    request_id,
    statement,
)

QUESTION = Question("login", "https://portal.example", bytes(range(32)), "{'用途':'登录'}".encode())


def signed_by(card, question=QUESTION, authenticated=False, algorithm="") -> Answer:
    hash_name = "sm3" if card.algorithm == "sm2" else "sha256"
    m = statement(question, card.der, hash_name)
    data = b"EPORT-AUTH\0" + hashlib.new(hash_name, m).digest() if authenticated else m
    plain = "sm2-sm3" if card.algorithm == "sm2" else "rsa-sha256"
    name = algorithm or ("eport-auth-" + plain if authenticated else plain)
    return Answer(card.der, name, card.sign(data, "sha256"))


def reason_of(call, *arguments) -> str:
    with pytest.raises(NotVerified) as refusal:
        call(*arguments)
    return refusal.value.reason


def test_the_statement_has_its_fixed_vector():
    m = statement(Question("login", "https://portal.example", bytes(32), b""), b"", "sha256")
    assert len(m) == 146
    assert m[:18] == b"eport-portal/v1\0\x01\x01"
    assert hashlib.sha256(m).hexdigest() == "5bd04474b5e4361ea3f38bdf5c2ab20b0f660520775b915c2c18bda1e1d7bdf6"


def test_the_statement_says_purpose_hash_origin_nonce_certificate_and_payload():
    m = statement(Question("batch", "https://p.test", b"n" * 32, b"list"), b"cert", "sm3")
    assert (m[16], m[17]) == (PURPOSES["batch"], 2)
    parts = [hashlib.new("sm3", x).digest() for x in (b"https://p.test", b"cert", b"list")]
    assert m[18:] == parts[0] + b"n" * 32 + parts[1] + parts[2]


def test_a_statement_needs_a_nonce_of_32_bytes():
    with pytest.raises(ValueError, match="32 bytes"):
        statement(Question("login", "https://p.test", b"short", b""), b"", "sha256")


def test_request_id_and_check_number_have_their_fixed_vectors():
    request = request_id("cookie")
    assert request == "130-fBT725Txp9L7vvBDmdQ0PSPI6JQCzqENiAgjaPM"
    assert check_number(request) == "6564"


@pytest.mark.parametrize("authenticated", [False, True])
def test_an_answer_says_whose_card_it_was(card, authorities, now, authenticated):
    who = check_answer(signed_by(card, authenticated=authenticated), QUESTION, authorities, set(), now)
    assert (who.company, who.uscc, who.org_code, who.holder) == (COMPANY, USCC, "MA0000001", HOLDER)
    assert (who.card_number, who.card_type, who.algorithm) == ("8600000000017", "02", card.algorithm)
    assert "11010519491231002X" not in repr(who)


@pytest.mark.parametrize(
    "other",
    [
        Question("bind", QUESTION.origin, QUESTION.nonce, QUESTION.payload),
        Question("login", "https://p0rtal.example", QUESTION.nonce, QUESTION.payload),
        Question("login", QUESTION.origin, bytes(32), QUESTION.payload),
        Question("login", QUESTION.origin, QUESTION.nonce, b"{}"),
    ],
    ids=["purpose", "origin", "nonce", "payload"],
)
@pytest.mark.parametrize("authenticated", [False, True])
def test_an_answer_to_another_question_is_refused(card, authorities, now, other, authenticated):
    answer = signed_by(card, other, authenticated)
    assert reason_of(check_answer, answer, QUESTION, authorities, set(), now) == "signature"


@pytest.mark.parametrize("name", ["", "none", "rsa-sha1", "ecdsa-sha256", "eport-auth-rsa-sha1"])
def test_an_algorithm_that_does_not_fit_the_key_is_refused(card, authorities, now, name):
    answer = signed_by(card)
    assert (
        reason_of(check_answer, Answer(card.der, name, answer.signature), QUESTION, authorities, set(), now)
        == "algorithm"
    )


def test_a_plain_signature_does_not_pass_as_an_authenticated_one(rsa_card, authorities, now):
    answer = signed_by(rsa_card, algorithm="eport-auth-rsa-sha256")
    assert reason_of(check_answer, answer, QUESTION, authorities, set(), now) == "signature"


def test_a_pki_of_the_same_name_is_not_trusted(authorities, now):
    assert reason_of(check_certificate, RsaPki().card().der, authorities, set(), now) == "chain"


def test_an_authority_past_its_own_validity_vouches_for_nothing(card, authorities, now):
    later = now + datetime.timedelta(days=400)
    assert reason_of(check_certificate, card.der, authorities, set(), later) == "chain"


def test_a_card_cannot_issue_cards(pki, now):
    issuer = pki.card(days=(-1, 300))
    chained = RsaPki.__new__(RsaPki)
    chained.name, chained.key, chained.card_key = read_subject(issuer), pki.card_key, pki.card_key
    trusted = [load(issuer)]
    assert reason_of(check_certificate, chained.card().der, trusted, set(), now) == "chain"


@pytest.mark.parametrize(
    "how, reason",
    [
        ({"days": (-30, -1)}, "validity-expired"),
        ({"days": (1, 30)}, "not-yet-valid"),
        ({"signs": False}, "key-usage"),
        ({"is_ca": True}, "key-usage"),
        ({"texts": {}}, "certificate"),
        ({"raw": {"1.2.3.4": b"\xff"}, "texts": {**TEXTS, "1.2.156.10260.4.1.4": ""}}, "certificate"),
        ({"key": rsa.generate_private_key(public_exponent=65537, key_size=1024)}, "algorithm"),
        ({"key": ed25519.Ed25519PrivateKey.generate()}, "algorithm"),
    ],
    ids=["expired", "not yet valid", "no signing", "a CA", "no company", "no USCC", "short key", "other key"],
)
def test_a_certificate_that_does_not_hold_is_refused_with_its_reason(pki, authorities, now, how, reason):
    assert reason_of(check_certificate, pki.card(**how).der, authorities, set(), now) == reason


@pytest.mark.parametrize("value", [b"", b"\x0c\x05abc", b"\x02\x01\x05", b"\x0c\x81", b"\x0c\x02\xff\xff"])
def test_an_extension_that_is_no_text_is_refused(pki, authorities, now, value):
    texts = {oid: text for oid, text in TEXTS.items() if oid != "1.2.156.10260.4.1.4"}
    der = pki.card(texts=texts, raw={"1.2.156.10260.4.1.4": value}).der
    assert reason_of(check_certificate, der, authorities, set(), now) == "certificate"


def test_old_cards_with_gbk_texts_are_read(pki):
    texts = {oid: text for oid, text in TEXTS.items() if not oid.endswith("100.5.1")}
    name = "电子口岸".encode("gbk")
    der = pki.card(texts=texts, raw={"1.3.6.1.4.1.5315.100.5.1": b"\x16" + bytes([len(name)]) + name}).der
    assert read_certificate(der).company == "电子口岸"


def test_a_card_reported_lost_is_refused_by_serial_or_by_card_number(card, authorities, now):
    serial = read_certificate(card.der).serial_hex
    assert reason_of(check_certificate, card.der, authorities, {serial}, now) == "reported-lost"
    assert reason_of(check_certificate, card.der, authorities, {"8600000000017"}, now) == "reported-lost"


@pytest.mark.parametrize("der", [b"", b"\x30\x03\x02\x01\x01", b"-----BEGIN CERTIFICATE-----", bytes(5000)])
def test_bytes_that_are_no_certificate_are_refused(authorities, now, der):
    assert reason_of(check_certificate, der, authorities, set(), now) == "certificate"


def test_a_certificate_changed_in_one_byte_is_refused(card, authorities, now):
    place = card.der.index(USCC.encode())
    changed = card.der[:place] + b"8" + card.der[place + 1 :]
    assert reason_of(check_certificate, changed, authorities, set(), now) == "chain"


def test_a_file_that_is_no_certificate_is_named(tmp_path):
    (tmp_path / "notes.txt").write_text("is ignored")
    assert read_authorities(tmp_path) == ()
    (tmp_path / "wrong.pem").write_text("nothing")
    with pytest.raises(ValueError, match=r"wrong\.pem"):
        read_authorities(tmp_path)


def test_a_card_with_an_elliptic_key_answers_too(pki, authorities, now):
    key = ec.generate_private_key(ec.SECP256R1())
    der = pki.card(key=key).der
    answer = Answer(der, "ecdsa-sha256", key.sign(statement(QUESTION, der, "sha256"), ec.ECDSA(hashes.SHA256())))
    assert check_answer(answer, QUESTION, authorities, set(), now).algorithm == "ec"


def load(card):
    return x509.load_der_x509_certificate(card.der)


def read_subject(card):
    return load(card).subject


# SM2


def test_the_openssl_command_verifies_what_we_sign_with_sm2(sm2_card, folder, tmp_path):
    raw = sm2_card.sign(b"data")
    (tmp_path / "data").write_bytes(b"data")
    (tmp_path / "sig").write_bytes(
        encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    )
    command = [
        "openssl",
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        str(folder / "card.pub"),
        "-rawin",
        "-digest",
        "sm3",
    ]
    command += ["-in", "data", "-sigfile", "sig", "-pkeyopt", "distid:1234567812345678"]
    assert (
        "Verified Successfully"
        in subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
    )


def test_sm2_verifies_by_certificate_and_by_bare_public_point(sm2_card, folder):
    raw = sm2_card.sign(b"data")
    spki = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", str(folder / "card.pub"), "-outform", "DER"],
        capture_output=True,
        check=True,
    ).stdout
    for key in (sm2_card.der, spki[-65:]):
        assert sm2.verify(key, raw, b"data")
        assert not sm2.verify(key, raw, b"date")
        assert not sm2.verify(key, raw[:-1], b"data")
        assert not sm2.verify(key, bytes(64), b"data")
        assert not sm2.verify_der(key, b"\x30\x00", b"data")


def test_a_key_that_is_not_sm2_is_refused(rsa_card):
    for key in (rsa_card.der, b"\4" + bytes(64), b"", b"nothing"):
        with pytest.raises(sm2.BadKey):
            sm2.verify(key, bytes(64), b"data")
    for pem in (rsa_card.pem, b"nothing"):
        with pytest.raises(sm2.BadKey):
            sm2.sign(pem, b"data")


def test_an_encrypted_key_is_refused_and_asks_nobody(sm2_card):
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    )
    with pytest.raises(sm2.BadKey):
        sm2.sign(pem, b"data")


def test_sm2_works_from_several_threads(sm2_card):
    raw, wrong = sm2_card.sign(b"data"), []

    def work():
        wrong.extend(
            1 for _ in range(50) if not sm2.verify(sm2_card.der, raw, b"data") or sm2.verify(sm2_card.der, raw, b"x")
        )

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


class MallocState(ctypes.Structure):
    """struct mallinfo2 of glibc."""

    _fields_ = [(f"before_{n}", ctypes.c_size_t) for n in range(7)]
    _fields_ += [("uordblks", ctypes.c_size_t), ("fordblks", ctypes.c_size_t), ("keepcost", ctypes.c_size_t)]


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="needs glibc 2.33 or later")
def test_ten_thousand_verifications_and_a_thousand_keys_leave_no_memory_behind(sm2_card):
    ask = ctypes.CDLL(None).mallinfo2
    ask.restype = MallocState
    raw = sm2_card.sign(b"data")

    def verify(times: int) -> None:
        for n in range(times):
            assert sm2.verify(sm2_card.der, raw, b"data")
            if n % 10 == 0:
                sm2._public_key.cache_clear()
                sm2._private_key.cache_clear()
                sm2_card.sign(b"data")

    verify(500)
    gc.collect()
    before = ask().uordblks
    verify(10_000)
    gc.collect()
    assert (
        ask().uordblks - before < 50_000
    )  # bytes: a thousand lost keys, BIOs or certificates are more than twice that

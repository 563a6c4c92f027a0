"""What software gets from the client control that asks wrongly, has the wrong PIN, or wants what is not offered."""

import base64
import hashlib
import json
import re

import pytest
from bridge_stage import PIN, Browser, Readers, wait_until
from control_client import ControlClient
from control_stage import ERP, RAW, TEXT, certificate_of, open_control
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, utils
from eport_card_bridge import VERSION
from eport_card_bridge.outcomes import Outcome, Stop
from eport_card_bridge.vpcd import VirtualReader

from sandbox.card.state import put_certificate


@pytest.fixture(params=["rsa", "sm2"])
def algorithm(request):
    return request.param


@pytest.fixture
def shop(new_stage, algorithm):
    """A stage whose card has the algorithm, with a client connected; both under names that a test reads well."""
    stage = new_stage(algorithm=algorithm)
    stage.control_port = open_control(stage)
    with ControlClient(stage.control_port) as client:
        stage.client = client
        yield stage


@pytest.fixture
def rsa_shop(new_stage):
    stage = new_stage(algorithm="rsa")
    stage.control_port = open_control(stage)
    return stage


@pytest.mark.parametrize(
    "method",
    [
        *("base_choosefile", "base_OpenFileAsBase64", "base_PrintPdf", "base_FileDownload", "base_StartClickOnceApp"),
        *("base_movefiles", "upload_FileBatchUpload", "pdf-sign_PdfAddSign", "update", "fullupdate", "getfilepath"),
        *("ra_WriteCpuCard", "ra_unlockPasswd", "swc_postdata", "swc_security_login", "security_login"),
        *("security_PdfAddSign", "cus-sec_SpcRSAEncrypt", "cus-sec_", "other_SpcGetCardID", "SpcGetCardID"),
        *("cus-sec_SpcGetCardID\n", "cus-sec_spcgetcardid", "x_cus-sec_SpcGetCardID", "cus-sec___class__", "open"),
    ],
)
def test_files_printing_updates_and_all_else_are_not_offered(shop, method):
    assert shop.client.error(method, path="/etc/passwd", passwd=PIN, inData=TEXT) == "Err:Bridge9771"


@pytest.mark.parametrize(
    "text,expected",
    [
        ("", (0, "")),
        ("{", (0, "")),
        ("[]", (0, "")),
        ('{"_id": 3}', (3, "")),
        ('{"_id": 3, "_method": ""}', (3, "")),
        ('{"_id": 3, "_method": "ver", "args": []}', (3, "ver")),
        ('{"_id": 3, "_method": "ver", "args": "{}"}', (3, "ver")),
        ('{"_id": {}, "_method": "ver"}', (0, "")),
        ('{"_id": true, "_method": "ver"}', (0, "")),
        (json.dumps({"_id": "x" * 129, "_method": "ver"}), (0, "")),
        (json.dumps({"_id": 3, "_method": "x" * 129}), (3, "")),
        ("[" * 50_000, (0, "")),
    ],
)
def test_what_is_no_request_is_said_to_be_none(shop, text, expected):
    shop.client.send(text)
    answer = shop.client.receive()
    assert (answer["_id"], answer["_method"]) == expected
    assert answer["_args"]["Error"][1] == "Err:Base50000"
    assert shop.client.data("ver") == [VERSION], "the connection goes on"


@pytest.mark.parametrize(
    "method,args",
    [
        ("SpcSignDataAsPEM", {"passwd": PIN}),
        ("SpcSignDataAsPEM", {"inData": 7, "passwd": PIN}),
        ("SpcSignDataAsPEM", {"inData": "\ud800", "passwd": PIN}),
        ("SpcSignPemDataAsPem", {"inData": "no base64!", "passwd": PIN}),
        ("SpcSignPemDataAsPem", {"inData": {"a": 1}, "passwd": PIN}),
        ("SpcSignRandom", {"random": [256], "passwd": PIN}),
        ("SpcDecodePEMAsString", {"inData": "/w=="}),
        ("SpcDecodePEM", {"inData": [1.5]}),
        ("SpcSHA1Digest", {}),
    ],
)
def test_wrong_arguments_are_said_and_cost_no_try(shop, method, args):
    assert shop.client.error("cus-sec_" + method, **args) == "Err:Base50000"
    assert shop.card.tries == 6


@pytest.mark.parametrize("given", [{}, {"passwd": ""}, {"passwd": 88888888}, {"passwd": None}])
def test_a_pin_of_before_does_not_sign(shop, given):
    shop.client.data("security_SpcVerifyPIN", passwd=PIN)
    assert shop.client.error("security_SpcSignDataAsPEM", inData=TEXT, **given) == "Err:Bridge9774"


@pytest.mark.parametrize("pin", ["123", "1" * 17, "密码密码密码", "8888 8888"])
def test_what_cannot_be_a_pin_is_not_sent_to_the_card(shop, pin):
    assert shop.client.error("cus-sec_SpcVerifyPIN", passwd=pin) == "Err:Bridge9729"
    assert shop.card.tries == 6


def test_each_request_ends_with_a_reset_so_that_the_pin_is_gone(shop):
    for method, args in (("SpcVerifyPIN", {}), ("SpcSignDataAsPEM", {"inData": TEXT})):
        shop.client.data("cus-sec_" + method, passwd=PIN, **args)
        with shop.reader.card(reset=False) as card, pytest.raises(Stop) as stopped:
            card.sign_message(b"by another program")
        assert stopped.value.outcome is Outcome.CARD_RESET


def test_two_wrong_pins_and_the_card_must_be_taken_out(shop):
    client = shop.client
    assert client.error("cus-sec_SpcVerifyPIN", passwd="00000000") == "Err:Bridge9735"
    assert client.error("cus-sec_SpcSignDataAsPEM", inData=TEXT, passwd="00000000") == "Err:Bridge9734"
    for method in ("SpcVerifyPIN", "SpcSignDataAsPEM", "SpcSignRandom", "SpcChangePIN"):
        args = {"inData": TEXT, "passwd": PIN, "random": "AAAA", "oldPin": PIN, "newPin": "135790"}
        assert client.error("cus-sec_" + method, **args) == "Err:Bridge9706"
    assert shop.card.tries == 4
    shop.card.put_back()
    assert client.data("cus-sec_SpcVerifyPIN", passwd=PIN) == []


def test_wrong_pins_here_count_on_the_bridges_own_page_and_the_other_way_round(shop):
    anna = Browser(shop)
    anna.open(anna.ask()).enter_pin("00000000")
    assert shop.client.error("cus-sec_SpcVerifyPIN", passwd="00000000") == "Err:Bridge9734"
    assert "请把卡拔出再插入" in anna.enter_pin().text
    assert shop.card.tries == 4


def test_the_pin_is_changed(shop):
    client = shop.client
    assert client.data("cus-sec_SpcChangePIN", oldPin=PIN, newPin="13579024") == []
    assert client.error("cus-sec_SpcVerifyPIN", passwd=PIN) == "Err:Bridge9735"
    assert client.data("security_SpcVerifyPINAll", passwd="13579024") == []


@pytest.mark.parametrize("new,code", [("12345", "9743"), ("abcdefgh", "9743"), (PIN, "9745")])
def test_a_new_pin_that_cannot_be_costs_no_try(shop, new, code):
    assert shop.client.error("cus-sec_SpcChangePIN", oldPin=PIN, newPin=new) == f"Err:Bridge{code}"
    assert shop.card.tries == 6


def test_without_a_card_the_controls_own_error_is_given(shop):
    shop.card.pull()
    answer = shop.client.call("cus-sec_SpcSignDataAsPEM", inData=TEXT, passwd=PIN)
    text, code = answer["Error"]
    assert code == "Err:Custom50200"
    assert text.startswith("[读卡器底层库]打开读卡器失败:错误码=50200")
    assert "编号9703" in text
    assert shop.client.error("cus-sec_SpcInitEnvEx") == "Err:Custom50200"


def test_of_two_cards_none_is_chosen(new_stage, authority, tmp_path):
    readers = VirtualReader(0), VirtualReader(0)
    readers[1].name = "Virtual PCD 2"
    stage = new_stage(source=Readers(*readers))
    cards = [stage.put_in(readers[0], authority.rsa_card), stage.put_in(readers[1], authority.sm2_card)]
    try:
        with ControlClient(open_control(stage)) as client:
            assert client.error("cus-sec_SpcSignDataAsPEM", inData=TEXT, passwd=PIN) == "Err:Bridge9727"
            cards[1].pull()
            assert client.data("cus-sec_SpcVerifyPIN", passwd=PIN) == []
    finally:
        for card in cards:
            card.pull()
        for reader in readers:
            reader.close()


def test_a_card_that_has_expired_signs_nothing(new_stage, authority):
    stage = new_stage(algorithm="rsa")
    old = x509.load_der_x509_certificate(certificate_of(stage))
    expired = authority.certificate(old.subject, old.public_key(), days=(-20, -10))
    put_certificate(stage.card.path, expired.public_bytes(serialization.Encoding.DER))
    stage.card.put_back()
    with ControlClient(open_control(stage)) as client:
        assert client.error("cus-sec_SpcSignDataAsPEM", inData=TEXT, passwd=PIN) == "Err:Bridge9719"
    assert stage.card.tries == 6


def test_no_pin_and_no_text_gets_into_the_log(shop, caplog):
    caplog.set_level("DEBUG")
    shop.client.data("cus-sec_SpcSignDataAsPEM", inData=TEXT, passwd=PIN)
    shop.client.error("cus-sec_SpcVerifyPIN", passwd="13572468")
    shop.client.data("cus-sec_SpcChangePIN", oldPin=PIN, newPin="24681357")
    wait_until(lambda: "SpcChangePIN" in caplog.text)
    assert "'cus-sec_SpcSignDataAsPEM' of a local program done" in caplog.text
    assert not re.search(r"88888888|13572468|24681357|三百台", caplog.text)


def test_a_bare_digest_is_signed_for_the_one_origin_that_may(rsa_shop):
    digest = hashlib.sha1(TEXT.encode()).digest()
    args = {"inData": base64.b64encode(digest).decode(), "passwd": PIN}
    with ControlClient(rsa_shop.control_port, RAW) as client:
        signature, number = client.data("cus-sec_SpcSignDataNoHashAsPEM", **args)
        public = x509.load_der_x509_certificate(certificate_of(rsa_shop)).public_key()
        raw = base64.b64decode(signature)
        public.verify(raw, digest, padding.PKCS1v15(), utils.Prehashed(hashes.SHA1()))
        assert number == client.data("cus-sec_SpcGetCertNo")[0]
        assert bytes(client.data("security_SpcSignDataNoHash", **args)[0]) == raw
        verify = "cus-sec_SpcVerifySignDataNoHash"
        assert client.data(verify, inData=args["inData"], signData=signature) == ["成功!"]
        assert client.error(verify, inData="AAAA", signData=signature) == "Err:Bridge9778"
        for size in (0, 19, 21, 32):
            wrong = base64.b64encode(bytes(size)).decode() or "="
            assert client.error("cus-sec_SpcSignDataNoHash", inData=wrong, passwd=PIN) == "Err:Base50000"
        assert client.error("cus-sec_SpcRSADecrypt", inData=args["inData"], passwd=PIN) == "Err:Bridge9777"


@pytest.mark.parametrize("origin", [None, ERP])
@pytest.mark.parametrize(
    "method", ["SpcSignDataNoHash", "SpcSignDataNoHashAsPEM", "SpcVerifySignDataNoHash", "SpcRSADecrypt"]
)
def test_nobody_else_gets_a_bare_digest_signed_or_anything_decrypted(rsa_shop, origin, method):
    digest = base64.b64encode(bytes(20)).decode()
    with ControlClient(rsa_shop.control_port, origin) as client:
        for family in ("cus-sec_", "security_"):
            answer = client.error(family + method, inData=digest, signData="AAAA", passwd=PIN)
            assert answer == "Err:Bridge9772"

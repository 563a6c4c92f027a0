"""What software written for the client control gets from the card, over a real connection, verified independently."""

import base64
import datetime
import hashlib
import json
import re

import portal_checks as checks
import pytest
from bridge_stage import PIN, Browser, Readers, Stage, wait_until
from card_authority import COMPANY, HOLDER, messages, name
from control_client import ControlClient, split
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from eport_card_bridge import VERSION
from eport_card_bridge.__main__ import bind_exclusively
from eport_card_bridge.client_control.certificate_fields import read_fields
from eport_card_bridge.client_control.options import ControlOptions
from eport_card_bridge.messages import build_signed_info, parse_message
from eport_card_bridge.outcomes import Outcome, Stop
from eport_card_bridge.vpcd import VirtualReader

from sandbox.card.state import put_certificate

ERP = "http://erp.example.com"
RAW = "https://old.example.com"
TEXT = '<单证 编号="1">三百台</单证>\r\n'


def open_control(stage: Stage) -> int:
    """Starts the bridge again, now with the client control; gives its port."""
    stage.stop_bridge()
    sock = bind_exclusively(0)
    stage.options.client_control = ControlOptions(sock, frozenset([ERP, RAW]), frozenset([RAW]))
    stage.start_bridge()
    return sock.getsockname()[1]


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


def certificate_of(stage) -> bytes:
    return base64.b64decode(json.loads(stage.card.path.read_text("utf-8"))["certificate"])


def is_signed(der: bytes, signature: bytes, data: bytes) -> bool:
    """By the system's OpenSSL for SM2, by cryptography for RSA."""
    certificate = x509.load_der_x509_certificate(der)
    if checks.is_sm2(certificate):
        return checks.sm2_verify(der, signature, data)
    try:
        certificate.public_key().verify(signature, data, padding.PKCS1v15(), hashes.SHA1())
    except InvalidSignature:
        return False
    return True


def test_it_says_hello(shop):
    args = {"Result": True, "Data": [], "Error": []}
    assert shop.client.hello == {"_id": 0, "_method": "open", "_status": "00", "_args": args}


@pytest.mark.parametrize("family", ["cus-sec_", "security_"])
def test_a_text_is_signed_and_the_signature_holds(shop, family):
    signature, number = shop.client.data(family + "SpcSignDataAsPEM", inData=TEXT, passwd=PIN)
    der = certificate_of(shop)
    assert is_signed(der, base64.b64decode(signature), TEXT.encode())
    assert int(number, 16) == x509.load_der_x509_certificate(der).serial_number
    assert number == number.lower()


def test_the_same_signature_as_bytes(shop):
    (signature,) = shop.client.data("cus-sec_SpcSignData", inData=TEXT, passwd=PIN)
    assert is_signed(certificate_of(shop), bytes(signature), TEXT.encode())


@pytest.mark.parametrize("method,argument", [("SpcSignPemDataAsPem", "inData"), ("SpcSignRandom", "random")])
def test_what_comes_as_base64_is_signed_as_the_bytes_it_stands_for(shop, method, argument):
    random = bytes(range(256))
    args = {argument: base64.b64encode(random).decode(), "passwd": PIN}
    signature, _ = shop.client.data("cus-sec_" + method, **args)
    assert is_signed(certificate_of(shop), base64.b64decode(signature), random)


def test_a_customs_message_signed_this_way_is_one_that_customs_takes(shop, algorithm):
    (unsigned,) = messages(1, 1)
    profile = {"rsa": "rsa-sha1", "sm2": "sm2-sm3"}[algorithm]
    info = build_signed_info(parse_message(unsigned), profile).decode()
    signature, _ = shop.client.data("cus-sec_SpcSignDataAsPEM", inData=info, passwd=PIN)
    assert checks.signed_message(unsigned, certificate_of(shop), base64.b64decode(signature))


def test_the_card_tells_who_it_is(shop):
    der = certificate_of(shop)
    certificate = x509.load_der_x509_certificate(der)
    state = json.loads(shop.card.path.read_text("utf-8"))
    client = shop.client
    assert client.data("cus-sec_SpcInitEnvEx") == []
    assert client.data("cus-sec_SpcGetCardID") == [state["serial"]]
    assert client.data("cus-sec_SpcGetUName") == [HOLDER]
    assert client.data("cus-sec_SpcGetEntName") == [COMPANY]
    (number,) = client.data("cus-sec_SpcGetCertNo")
    assert int(number, 16) == certificate.serial_number
    assert client.data("cus-sec_SpcGetSignCertAsPEM") == [base64.b64encode(der).decode()]
    assert bytes(client.data("security_SpcGetSignCert")[0]) == der
    (info,) = client.data("cus-sec_SpcGetCardUserInfo")
    parts = info.split("||")
    until = china(certificate.not_valid_after_utc)
    assert (parts[0], parts[5], parts[12]) == (number, state["serial"], until)
    assert client.data("security_getGetCardUserInfoAll") == [info]
    assert client.data("security_getGetCardUserInfoAll", userpin=PIN) == [info]
    valid = {"szStartTime": china(certificate.not_valid_before_utc), "szEndTime": until}
    assert client.data("cus-sec_SpcGetValidTimeFromCert") == [valid]
    assert client.data("cus-sec_SpcGetValidTimeFromCert", cert=base64.b64encode(der).decode()) == [valid]
    assert client.data("security_SpcGetValidTimeFromCert", certByteArray=list(der)) == [valid]
    assert client.data("cus-sec_SpcClearEnv") == []


def china(moment: datetime.datetime) -> str:
    return (moment + datetime.timedelta(hours=8)).strftime("%Y%m%d%H%M%S")


@pytest.mark.parametrize(
    "codes,expected",
    [
        ({"1.2.156.10260.4.1.4": "91110105MA00000000", "1.3.6.1.4.1.5315.100.5.11": "MA0000001"}, ["MA0000001"]),
        ({"1.2.156.10260.4.1.4": "91110105MA00000000"}, ["91110105MA00000000"]),
        ({}, []),
    ],
)
def test_the_company_number_comes_from_the_certificate(rsa_shop, codes, expected):
    put_certificate(rsa_shop.card.path, home_made(rsa_shop, codes))
    rsa_shop.card.put_back()
    with ControlClient(rsa_shop.control_port) as client:
        answer = client.call("cus-sec_SpcGetEntID")
    assert answer["Data"] == expected
    assert answer["Error"][1:] == ([] if expected else ["Err:Bridge9777"])


def home_made(stage, codes: dict[str, str], key=None, until: datetime.datetime | None = None) -> bytes:
    """A certificate with UTF8String extensions, for the card's key or for another one."""
    authority, card_key = stage.authority, json.loads(stage.card.path.read_text("utf-8"))["key"]
    signer = serialization.load_pem_private_key(card_key.encode(), None)
    builder = authority.certificate(name(number="8600000000017"), (key or signer).public_key())
    builder = (
        x509.CertificateBuilder(builder.issuer, builder.subject, builder.public_key(), builder.serial_number)
        .not_valid_before(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(until or datetime.datetime(2036, 1, 1, tzinfo=datetime.UTC))
    )
    for oid, text in codes.items():
        value = b"\x0c" + bytes([len(text)]) + text.encode()
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value), False)
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_a_certificate_without_end_has_its_end_said_all_the_same(rsa_shop):
    forever = datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)
    der = home_made(rsa_shop, {}, until=forever)
    with ControlClient(rsa_shop.control_port) as client:
        (valid,) = client.data("cus-sec_SpcGetValidTimeFromCert", cert=base64.b64encode(der).decode())
    assert valid == {"szStartTime": "20260101080000", "szEndTime": "99991231235959"}


@pytest.mark.parametrize(
    "method",
    ["SpcGetEnvCertAsPEM", "SpcGetEnvCert", "SpcGetCardAttachInfo", "SpcGetCardAttachInfoAsPEM", "SpcGetEntMode"],
)
def test_what_is_not_on_the_card_is_not_made_up(shop, method):
    assert shop.client.error("cus-sec_" + method) == "Err:Bridge9777"


def test_digests_and_base64_need_no_card(shop):
    shop.card.pull()
    client, sha1 = shop.client, hashlib.sha1(TEXT.encode()).digest()
    assert client.data("cus-sec_SpcSHA1DigestAsPEM", szInfo=TEXT) == [base64.b64encode(sha1).decode()]
    assert bytes(client.data("cus-sec_SpcSHA1Digest", szInfo=TEXT)[0]) == sha1
    pem = base64.b64encode(TEXT.encode()).decode()
    assert client.data("cus-sec_SpcEncodePEM", inData=TEXT) == [pem]
    assert client.data("cus-sec_SpcDecodePEMAsString", inData=pem) == [TEXT]
    lines = f"-----BEGIN DATA-----\n{pem[:20]}\n{pem[20:]}\n-----END DATA-----\n"
    assert bytes(client.data("security_SpcDecodePEM", inData=lines)[0]) == TEXT.encode()
    assert client.data("ver") == [VERSION]


def test_a_signature_is_verified_with_the_cards_certificate_or_a_given_one(shop):
    client = shop.client
    signature, _ = client.data("cus-sec_SpcSignDataAsPEM", inData=TEXT, passwd=PIN)
    verify = "cus-sec_SpcVerifySignData"
    assert client.data(verify, inData=TEXT, signData=signature) == ["成功!"]
    pem = base64.encodebytes(certificate_of(shop)).decode()
    shop.card.pull()
    given = f"-----BEGIN CERTIFICATE-----\n{pem}-----END CERTIFICATE-----\n"
    assert client.data(verify, inData=TEXT, signData=signature, certDataPEM=given) == ["成功!"]
    wrong = base64.b64encode(bytes(reversed(base64.b64decode(signature)))).decode()
    for args in (
        {"inData": TEXT + " ", "signData": signature},
        {"inData": TEXT, "signData": wrong},
        {"inData": TEXT, "signData": signature[:-4]},
        {"inData": TEXT, "signData": base64.b64encode(bytes(len(base64.b64decode(signature)))).decode()},
    ):
        assert client.error(verify, certDataPEM=given, **args) == "Err:Bridge9778"


def test_the_others_signatures_are_verified_too(new_stage, authority):
    stage = new_stage(algorithm="sm2")
    with ControlClient(open_control(stage)) as client:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        der = authority.certificate(name(number="8600000000099"), key.public_key())
        pem = base64.b64encode(der.public_bytes(serialization.Encoding.DER)).decode()
        signature = base64.b64encode(key.sign(TEXT.encode(), padding.PKCS1v15(), hashes.SHA1())).decode()
        args = {"inData": TEXT, "signData": signature, "certDataPEM": pem}
        assert client.data("cus-sec_SpcVerifySignData", **args) == ["成功!"]
        sha256 = base64.b64encode(key.sign(TEXT.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
        assert client.error("cus-sec_SpcVerifySignData", **args | {"signData": sha256}) == "Err:Bridge9778"


@pytest.mark.parametrize("certificate", ["AAAA", "MIIB", "!", [1, 2, 300], [], 7, "MAA=", [48] * 5000])
def test_a_certificate_that_is_none_is_a_wrong_argument(shop, certificate):
    args = {"inData": TEXT, "signData": "AAAA", "certDataPEM": certificate or "="}
    assert shop.client.error("cus-sec_SpcVerifySignData", **args) == "Err:Base50000"


def test_a_key_of_monstrous_size_is_not_computed_with(rsa_shop):
    """Verification with an exponent of a million bits would stand still for hours."""
    der = home_made(rsa_shop, {})
    numbers = x509.load_der_x509_certificate(der).public_key().public_numbers()
    small = b"\x02\x03" + numbers.e.to_bytes(3, "big")
    large = b"\x02\x82\xff\xf0" + b"\x7f" * 0xFFF0
    grown = der.replace(small, large)
    with pytest.raises(Stop) as stopped:
        read_fields(grown)
    assert stopped.value.outcome is Outcome.CONTROL_ARGUMENTS


def test_answers_are_matched_by_id(shop):
    client = shop.client
    ids = [client.ask("cus-sec_SpcEncodePEM", call_id, inData=str(call_id)) for call_id in (7, "7", "零", 0, -1)]
    answers = [client.receive() for _ in ids]
    assert [answer["_id"] for answer in answers] == ids
    for answer in answers:
        assert base64.b64decode(answer["_args"]["Data"][0]).decode() == str(answer["_id"])


def test_a_request_may_come_in_blocks(shop):
    client = shop.client
    text = TEXT * 6_000
    request = json.dumps(
        {"_method": "cus-sec_SpcSignDataAsPEM", "_id": 5, "args": {"inData": text, "passwd": PIN}}, ensure_ascii=False
    )
    said = client.send_in_blocks(request, 40 * 1024)
    assert len(said) == len(split(request, 40 * 1024)) > 2
    assert all(one["Result"] and one["Error"] == [] for one in said)
    answer = client.receive()
    assert answer["_id"] == 5
    assert is_signed(certificate_of(shop), base64.b64decode(answer["_args"]["Data"][0]), text.encode())


def test_a_request_that_no_block_brings_through_is_given_up(shop):
    shop.client.send("BLOCKTXT" + "?" * 200)
    answer = shop.client.receive()
    assert answer["_method"] == "_nextBlock"
    assert answer["_args"]["Error"][1] == "Err:Base50000"
    said = shop.client.send_in_blocks("no request", 4)
    assert said[-1]["Result"] is True
    assert shop.client.receive()["_args"]["Error"][1] == "Err:Base50000"


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

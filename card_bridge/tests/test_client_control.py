"""What software written for the client control gets from the card, over a real connection, verified independently."""

import base64
import datetime
import hashlib
import json

import portal_checks as checks
import pytest
from bridge_stage import PIN
from card_authority import COMPANY, HOLDER, messages, name
from control_client import ControlClient, split
from control_stage import TEXT, certificate_of, is_signed, open_control
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from eport_card_bridge import VERSION
from eport_card_bridge.client_control.certificate_fields import read_fields
from eport_card_bridge.messages import build_signed_info, parse_message
from eport_card_bridge.outcomes import Outcome, Stop

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

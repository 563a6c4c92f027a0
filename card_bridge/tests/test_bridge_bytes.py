"""Statement, canonical form, SignedInfo and origins without HTTP, each against an implementation that is not ours."""

import base64
import hashlib
import shutil
import subprocess

import portal_checks
import portal_stub
import pytest
from card_authority import Authority, messages
from cryptography import x509
from eport_card_bridge import certificate, origins, statement
from eport_card_bridge.applet import sm2_digest
from eport_card_bridge.canonical import BadMessage, Canonicalizer
from eport_card_bridge.messages import build_signed_info, parse_message
from eport_card_bridge.profiles import open_card
from lxml import etree

from sandbox.card import sm2
from sandbox.card.applet import Applet
from sandbox.card.state import read_state

CEB = 'xmlns="http://www.chinaport.gov.cn/ceb"'
VECTOR = "5bd04474b5e4361ea3f38bdf5c2ab20b0f660520775b915c2c18bda1e1d7bdf6"


@pytest.mark.parametrize("name,byte", [("sha256", 1), ("sm3", 2)])
@pytest.mark.parametrize("purpose", statement.PURPOSES)
def test_both_sides_build_the_same_146_bytes(purpose, name, byte):
    values = {"nonce": bytes(range(32)), "certificate": b"cert", "payload": "载荷".encode()}
    ours = statement.build_statement(purpose, name, origin="https://portal.test:8443", **values)
    assert ours == portal_checks.statement(purpose, byte, "https://portal.test:8443", **values)
    assert len(ours) == 146


def test_statement_vector():
    values = {"nonce": bytes(32), "certificate": b"", "payload": b""}
    m = statement.build_statement("login", "sha256", origin="https://portal.example", **values)
    assert m[:18] == b"eport-portal/v1\0\x01\x01"
    assert hashlib.sha256(m).hexdigest() == VECTOR


def test_a_short_nonce_is_refused():
    with pytest.raises(ValueError):
        statement.build_statement("login", "sm3", origin="https://a.b", nonce=bytes(31), certificate=b"", payload=b"")


def test_check_numbers_agree():
    for _ in range(50):
        row = portal_stub.Challenge("login", b"", [])
        assert statement.REQUEST_ID.match(row.id)
        assert statement.check_number(row.id) == row.check_number


@pytest.mark.parametrize(
    "text",
    [
        *("https://Portal.test", "https://portal.test/", "https://portal.test:443", "https://a@portal.test"),
        *("https://portal.test?x", "http://portal.test", "http://localhost:8080", "http://127.0.0.2", "https://a..b"),
        *("https://portal.test.", "https://门户.test", "https://portal.test#", "javascript:alert(1)", "https://[::1]"),
        *("https://portal.test:0", "https://portal.test:99999", "https://por%74al.test", "https://portal.test\n"),
        *("", "null", "file:///etc/passwd"),
    ],
)
def test_only_canonical_origins_are_read(text):
    with pytest.raises(origins.BadOrigin):
        origins.parse_origin(text, allow_http_loopback=True)


def test_http_needs_the_flag():
    assert origins.parse_origin("http://127.0.0.1:8080", True)
    with pytest.raises(origins.BadOrigin):
        origins.parse_origin("http://127.0.0.1:8080")


@pytest.mark.parametrize(
    "text",
    [
        '<a xmlns="u:1" xmlns:b="u:2" z="1" b:y="2" a="3"><b:c d="&lt;&amp;&quot;&#9;&#10;&#13;>"/></a>',
        "<?xml version='1.0' encoding='UTF-8'?>\r\n<a>一\r\n<![CDATA[<&>]]></a>\n",
        "<a>&#13;&gt;&amp;&lt;\t\n</a>",
        '<b:a xmlns:b="u:b" xmlns:a="u:a" xmlns:c="u:0" c:x="1" a:y="2" b:z="3"><b:q/></b:a>',
        "<a b='  x  y '/>",
    ],
)
def test_the_canonical_form_is_that_of_libxml2(text):
    assert Canonicalizer(lambda path, text: None).run(text.encode()) == portal_checks.canonical(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        *(
            "<a><!-- c --></a>",
            "<?p?><a/>",
            "<!DOCTYPE a><a/>",
            '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
            "<a>&b;</a>",
        ),
        *(
            '<a><b xmlns="u:1"/></a>',
            '<a xml:lang="zh"/>',
            "<p:a/>",
            "<a>1<b/></a>",
            "<a><b/>1</a>",
            "<a",
            "<a/><b/>",
            "",
        ),
        *('<a xmlns:p="u" xmlns:q="u" p:x="1" q:x="2"/>', '<a xmlns:p=""/>', "<a>" * 33 + "</a>" * 33),
    ],
)
def test_what_could_show_one_text_and_sign_another_is_refused(text):
    with pytest.raises(BadMessage):
        Canonicalizer(lambda path, text: None).run(text.encode())


def order(head: str) -> str:
    return f"<CEB303Message {CEB}><Order><OrderHead>{head}</OrderHead></Order></CEB303Message>"


NUMBER = "<orderNo>order-1</orderNo>"
MONEY = "<goodsValue>1.5</goodsValue><currency>502</currency>"
GOOD = NUMBER + MONEY


@pytest.mark.parametrize(
    "text",
    [
        *("<x/>", "<CEB303Message/>", f"<CEB999Message {CEB}/>", f"<CEB303Message {CEB}/>", order("")),
        order(GOOD).replace("<Order>", '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/><Order>'),
        order(GOOD)
        .replace("<Order>", "<d:Signature/><Order>")
        .replace(CEB, CEB + ' xmlns:d="http://www.w3.org/2000/09/xmldsig#"'),
        order(GOOD).replace(CEB, CEB + ' xmlns:ds="u:other"'),
        *(
            order(GOOD + MONEY),
            order(GOOD + NUMBER),
            order(MONEY),
            order(f"<x>{NUMBER}</x>{MONEY}"),
            order("<orderNo></orderNo>" + MONEY),
            order(GOOD.replace("order-1", "1" * 61)),
            order(GOOD.replace("1.5", "-1")),
            order(GOOD.replace("1.5", "1e9")),
            order(f"{NUMBER}<x>{MONEY}</x>"),
        ),
        order(GOOD).replace("<Order>", "<Other>").replace("</Order>", "</Other>"),
    ],
)
def test_only_known_messages_with_plain_sums_are_signed(text):
    with pytest.raises(BadMessage):
        parse_message(text.encode())


def test_a_good_order_is_read():
    """What the refused ones above are made from."""
    assert parse_message(order(GOOD).encode()).numbers == ("order-1", "order-1")


def test_sums_and_count_come_from_every_order_of_the_message():
    message = parse_message(messages(2, orders=3)[1])
    assert (message.documents, message.sums["142"] * 2) == (3, 609)
    assert message.numbers == ("order-3", "order-5")
    assert message.sha256 == hashlib.sha256(portal_checks.canonical(messages(2, orders=3)[1])).hexdigest()


COP = "<copNo>{}</copNo>"
OTHER_KINDS = {  # inner text of the root with the place of each number, documents, sums
    "213": ("<InvtRefund><InvtRefundHead><invtNo>{}</invtNo></InvtRefundHead><InvtRefundList/></InvtRefund>", 1, {}),
    "403": (
        "<Receipts><orderNo>{}</orderNo><charge>2.5</charge><currency>142</currency></Receipts>" * 2,
        2,
        {"142": 5},
    ),
    "505": (
        "<Logistics><logisticsNo>{}</logisticsNo><freight>7</freight><insuredFee>1</insuredFee>"
        "<currency>502</currency></Logistics>",
        1,
        {"502": 7},
    ),
    "507": (f"<Arrival><ArrivalHead>{COP}</ArrivalHead><ArrivalList/></Arrival>", 1, {}),
    "509": (f"<Departure><DepartureHead>{COP}</DepartureHead><DepartureList/></Departure>", 1, {}),
    "603": (
        "<Inventory><InventoryHead><orderNo>{}</orderNo><copNo>c</copNo><freight>9</freight></InventoryHead>"
        + "<InventoryList><currency>502</currency><price>1</price><totalPrice>3</totalPrice></InventoryList>" * 2
        + "</Inventory>",
        1,
        {"502": 6},
    ),
    "605": (f"<InvtCancel>{COP}<reason>1</reason></InvtCancel>" * 3, 3, {}),
    "607": (f"<WayBill><WayBillHead>{COP}</WayBillHead><WayBillList/></WayBill>", 1, {}),
    "701": (f"<SummaryApply><SummaryApplyHead>{COP}</SummaryApplyHead></SummaryApply>", 1, {}),
}


def numbered(number: str) -> str:
    """The inner text of a kind, its documents numbered n1, n2, …"""
    inner, documents, _ = OTHER_KINDS[number]
    return inner.format(*(f"n{index + 1}" for index in range(documents)))


def of_kind(number: str, inner: str) -> bytes:
    return f"<CEB{number}Message {CEB}>{inner}</CEB{number}Message>".encode()


@pytest.mark.parametrize("number", OTHER_KINDS)
def test_documents_of_every_kind_are_counted_and_their_amounts_added(number):
    _, documents, sums = OTHER_KINDS[number]
    message = parse_message(of_kind(number, numbered(number)))
    assert (message.documents, message.sums) == (documents, sums)
    assert message.numbers == ("n1", f"n{documents}")


@pytest.mark.parametrize("number", OTHER_KINDS)
def test_a_document_hidden_in_another_element_is_refused(number):
    inner = numbered(number)
    with pytest.raises(BadMessage):
        parse_message(of_kind(number, f"{inner}<Other>{inner}</Other>"))
    with pytest.raises(BadMessage):
        parse_message(of_kind(number, "<BaseTransfer/>"))


@pytest.mark.parametrize("number", [number for number in OTHER_KINDS if OTHER_KINDS[number][2]])
def test_an_amount_that_is_none_is_refused_in_every_kind(number):
    inner = numbered(number)
    for name in ("charge", "freight", "totalPrice"):
        inner = inner.replace(f"<{name}>", f"<{name}>-")
    with pytest.raises(BadMessage):
        parse_message(of_kind(number, inner))


def test_the_certificate_is_read_as_cryptography_reads_it(authority: Authority):
    for path, algorithm, kind in ((authority.rsa_card, "rsa", "电子口岸卡"), (authority.sm2_card, "sm2", "操作员卡")):
        der = base64.b64decode(read_state(path)["certificate"])
        ours, theirs = certificate.read_certificate(der), x509.load_der_x509_certificate(der)
        assert (ours.not_before, ours.not_after) == (theirs.not_valid_before_utc, theirs.not_valid_after_utc)
        assert (ours.algorithm, ours.holder, ours.kind) == (algorithm, "李明", kind)
        for length in range(0, len(der), 7):
            with pytest.raises(certificate.BadCertificate):
                certificate.read_certificate(der[:length])


def test_the_names_on_an_old_card_are_read_although_they_are_gbk(authority: Authority):
    der = base64.b64decode(read_state(authority.rsa_card)["certificate"])
    old = der.replace("李明".encode(), "老李".encode("gbk") + b"  ")
    assert certificate.read_certificate(old).holder.strip() == "老李"


def sign(path, data: bytes) -> tuple[bytes, bytes]:
    """Signs one message with the virtual card; gives certificate and signature."""
    card = Applet(path)

    def transmit(apdu: bytes) -> tuple[bytes, int]:
        answer = card.answer(apdu)
        return answer[:-2], int.from_bytes(answer[-2:], "big")

    opened = open_card(transmit)
    opened.verify_pin("88888888")
    profile = {"rsa": "rsa-sha1", "sm2": "sm2-sm3"}[opened.algorithm]
    return opened.certificate_der, opened.sign_message(build_signed_info(parse_message(data), profile))


@pytest.mark.parametrize("index", [0, 1])
def test_an_rsa_sha1_message_is_verified_by_xmlsec1(index, authority, tmp_path):
    if not shutil.which("xmlsec1"):
        pytest.skip("xmlsec1 is not installed")
    message = messages()[index]
    der, signature = sign(authority.rsa_card, message)
    (tmp_path / "rsa.der").write_bytes(der)
    signed = portal_checks.signed_message(message, der, signature)
    command = ["xmlsec1", "--verify", "--pubkey-cert-der", str(tmp_path / "rsa.der"), str(tmp_path / "m.xml")]
    for text, code in ((signed, 0), (signed.replace(b"order-", b"order_"), 1)):
        (tmp_path / "m.xml").write_bytes(text)
        assert subprocess.run(command, capture_output=True, check=False).returncode == code


@pytest.mark.parametrize("index", [0, 1])
def test_an_sm2_sm3_message_is_verified_by_openssl(index, authority):
    message = messages()[index]
    der, signature = sign(authority.sm2_card, message)
    signed = etree.fromstring(portal_checks.signed_message(message, der, signature))
    raw = base64.b64decode(signed.findtext(".//{*}SignatureValue"))
    assert portal_checks.sm2_verify(der, raw, build_signed_info(parse_message(message), "sm2-sm3"))
    assert not portal_checks.sm2_verify(der, raw, build_signed_info(parse_message(message), "rsa-sha1"))


def test_the_bridge_and_the_card_hash_for_sm2_alike():
    point = sm2.public_point(sm2.new_key())
    assert sm2_digest(point, b"x") == sm2.digest(point, b"x")

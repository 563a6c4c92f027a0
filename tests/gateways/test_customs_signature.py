"""The business signature: equal to what XML libraries compute, verified by programs that are not ours."""

import base64
import hashlib
import shutil
import subprocess

import pytest
from ceb_documents import SAMPLES, changed
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

from gateways.customs_dxp import signature
from gateways.customs_dxp.messages import types
from gateways.customs_dxp.messages.ceb303 import build
from gateways.customs_dxp.signature import CHINAPORT, DS, NotVerified

GUID = "311AF125-6FED-4603-8C5D-49B1FA4B4B9B"


@pytest.fixture
def message(make_order, transfer):
    return build([make_order(n, item_name="A&B <盒>\r\n😀") for n in range(1, 4)], transfer, GUID)


def sign(card, message: bytes) -> bytes:
    value = card.sign(signature.signed_info(card.profile, message))
    return signature.assemble(message, card.profile, card.der, value)


def reason_of(call, *arguments) -> str:
    with pytest.raises(NotVerified) as refusal:
        call(*arguments)
    return refusal.value.reason


def test_a_signed_message_is_valid_canonical_and_verifies(card, message, schema, authorities, now):
    signed = sign(card, message)
    root = etree.fromstring(signed)
    assert etree.tostring(root, method="c14n") == signed.partition(b"\n")[2]
    assert signature.verify(signed, authorities, now).uscc == "91130100MA0000001X"
    schema("ceb_export_202205").assertValid(root)


def test_key_name_is_the_serial_number_as_cards_print_it(sm2_card, message):
    assert b"<ds:KeyName>03000000000cde6f</ds:KeyName>" in sign(sm2_card, message)


def test_the_digest_is_that_of_the_document_without_its_signature(card, message):
    root = etree.fromstring(sign(card, message))
    root.remove(root.find(f"{{{DS}}}Signature"))
    digest = hashlib.new("sm3" if card.algorithm == "sm2" else "sha1", etree.tostring(root, method="c14n")).digest()
    assert digest == signature.digest(card.profile, message)


@pytest.fixture(params=types.TYPES)
def any_message(request, transfer):
    return types.build(request.param, [SAMPLES[request.param], changed(request.param, 2)], transfer, GUID)


def test_a_message_of_every_kind_is_signed_valid_and_verifies(card, any_message, schema, authorities, now):
    signed = sign(card, any_message)
    root = etree.fromstring(signed)
    assert etree.tostring(root, method="c14n") == signed.partition(b"\n")[2]
    assert signature.verify(signed, authorities, now).uscc == "91130100MA0000001X"
    schema("ceb_export_202205").assertValid(root)


@pytest.mark.skipif(not shutil.which("xmlsec1"), reason="xmlsec1 is not installed")
def test_xmlsec1_verifies_rsa_and_refuses_a_changed_message(rsa_card, any_message, tmp_path):
    signed = sign(rsa_card, any_message)
    (tmp_path / "card.der").write_bytes(rsa_card.der)
    command = ["xmlsec1", "--verify", "--pubkey-cert-der", str(tmp_path / "card.der"), str(tmp_path / "signed.xml")]
    (tmp_path / "signed.xml").write_bytes(signed)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (tmp_path / "signed.xml").write_bytes(signed.replace(b"20260101120000", b"20260101120001"))
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


def test_the_openssl_command_verifies_sm2_over_the_canonical_signed_info(sm2_card, any_message, folder, tmp_path):
    root = etree.fromstring(sign(sm2_card, any_message))
    raw = base64.b64decode(root.findtext(f".//{{{DS}}}SignatureValue"))
    info = root.find(f".//{{{DS}}}SignedInfo")
    top = etree.Element(info.tag, nsmap=info.nsmap)
    top.extend(info)
    (tmp_path / "info").write_bytes(etree.tostring(top, method="c14n"))
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    (tmp_path / "sig").write_bytes(der)
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
    command += ["-in", "info", "-sigfile", "sig", "-pkeyopt", "distid:1234567812345678"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verified Successfully" in done.stdout, done.stderr


def test_a_wrong_signature_value_is_never_assembled(card, message):
    value = card.sign(b"something else")
    assert reason_of(signature.assemble, message, card.profile, card.der, value) == "signature"


def test_the_key_must_fit_the_profile(rsa_card, sm2_card, message):
    assert reason_of(signature.assemble, message, "sm2-sm3", rsa_card.der, b"\1" * 64) == "algorithm"
    assert reason_of(signature.assemble, message, "rsa-sha1", sm2_card.der, b"\1" * 256) == "algorithm"
    assert reason_of(signature.assemble, message, "rsa-sha1", b"no certificate", b"\1" * 256) == "certificate"


@pytest.mark.parametrize(
    "change",
    [
        lambda m: b'<?xml version="1.0"?>' + m,
        lambda m: m.replace(b" guid=", b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" guid=', 1),
        lambda m: m.replace(b"CEB303Message", b"CEB999Message", 1),
        lambda m: m + b"\n",
        lambda m: m.replace(b"</ceb:BaseTransfer>", b"</ceb:BaseTransfer><x/>"),
        lambda m: b"",
    ],
)
def test_only_our_canonical_form_is_signed(change, message):
    assert reason_of(signature.signed_info, "sm2-sm3", change(message)) == "form"


def test_a_signed_message_is_not_signed_again(card, message):
    signed = sign(card, message).partition(b"\n")[2]
    assert reason_of(signature.signed_info, card.profile, signed) == "form"


CHANGES = {
    "an order": (lambda s: s.replace(b"order-1", b"order-9"), "digest"),
    "white space": (lambda s: s.replace(b"<ds:Signature ", b"\n<ds:Signature "), "digest"),
    "white space behind the signature": (lambda s: s.replace(b"</ds:Signature>", b"</ds:Signature>\n"), "digest"),
    "an instruction": (lambda s: s.replace(b"<ceb:Order>", b"<?x y?><ceb:Order>", 1), "digest"),
    "an instruction before the root": (lambda s: s.replace(b"<ceb:CEB", b"<?x y?><ceb:CEB", 1), "digest"),
    "the digest": (lambda s: s.replace(b"<ds:DigestValue>", b"<ds:DigestValue>AAAA"), "signature"),
    "the reference": (lambda s: s.replace(b'URI=""', b'URI="#x"'), "form"),
    "the transform": (lambda s: s.replace(b"enveloped-signature", b"base64"), "form"),
    "the canonical form": (lambda s: s.replace(b"REC-xml-c14n-20010315", b"REC-xml-c14n-2001031"), "form"),
    "the algorithm": (
        lambda s: s.replace(b"<ds:SignatureMethod Algorithm=", b'<ds:SignatureMethod Algorithm="" x='),
        "algorithm",
    ),
    "base64": (lambda s: s.replace(b"<ds:SignatureValue>", b"<ds:SignatureValue>*"), "form"),
    "a namespace": (lambda s: s.replace(b" guid=", b' xmlns:x="urn:y" guid=', 1), "signature"),
    "a relative namespace": (lambda s: s.replace(b" guid=", b' xmlns:x="y" guid=', 1), "form"),
    "xml:lang": (lambda s: s.replace(b" guid=", b' xml:lang="zh" guid=', 1), "form"),
    "no signature": (lambda s: s[: s.index(b"<ds:Sig")] + s[s.index(b"</ceb:CEB") :], "form"),
    "two signatures": (
        lambda s: s.replace(b"</ds:Signature>", b"</ds:Signature>" + s[s.index(b"<ds:Sig") : s.index(b"</ceb:CEB")]),
        "form",
    ),
    "a DTD": (lambda s: s.replace(b"<ceb:CEB", b"<!DOCTYPE a><ceb:CEB", 1), "form"),
    "the end": (lambda s: s[:-5], "form"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_message_does_not_verify(change, card, message):
    alter, reason = CHANGES[change]
    assert reason_of(signature.verify, alter(sign(card, message))) == reason


def test_comments_do_not_count_as_the_canonical_form_has_none(card, message):
    signature.verify(sign(card, message).replace(b"<ceb:Order>", b"<!-- c --><ceb:Order>", 1))


def test_a_stranger_certificate_does_not_verify_against_the_authorities(card, message, authorities, now):
    others = [a for a in authorities if ("SM2" in a.subject.rfc4514_string()) != (card.algorithm == "sm2")]
    assert reason_of(signature.verify, sign(card, message), others, now) == "chain"


def signed_otherwise(card, message: bytes, **parts: str) -> bytes:
    """A signature of another hand: default namespace, xmlns:xsi on the root, wrapped base64, given addresses."""
    message = message.replace(b" guid=", b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" guid=', 1)
    digest = base64.b64encode(hashlib.new(parts["hash_name"], message).digest()).decode()
    content = (
        f'<CanonicalizationMethod Algorithm="{signature.C14N}"></CanonicalizationMethod>'
        f'<SignatureMethod Algorithm="{parts["method"]}"></SignatureMethod><Reference URI=""><Transforms>'
        f'<Transform Algorithm="{DS}enveloped-signature"></Transform></Transforms>'
        f'<DigestMethod Algorithm="{parts["digest_method"]}"></DigestMethod><DigestValue>{digest}</DigestValue></Reference>'
    )
    spaces = f' xmlns="{DS}" xmlns:ceb="http://www.chinaport.gov.cn/ceb" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    value = base64.encodebytes(card.sign(f"<SignedInfo{spaces}>{content}</SignedInfo>".encode())).decode()
    block = (
        f'<Signature xmlns="{DS}"><SignedInfo>{content}</SignedInfo><SignatureValue>\n{value}</SignatureValue><KeyInfo>'
        f"<X509Data><X509Certificate>{base64.encodebytes(card.der).decode()}</X509Certificate></X509Data></KeyInfo></Signature>"
    )
    return message.replace(b"</ceb:CEB303Message>", block.encode() + b"</ceb:CEB303Message>")


@pytest.mark.parametrize("method", [DS + "sm2-sm3", CHINAPORT + "sm2-sm3"])
@pytest.mark.parametrize("hash_name, digest_method", [("sha1", DS + "sha1"), ("sm3", CHINAPORT + "sm3")])
def test_what_other_programs_send_is_verified_too(sm2_card, message, method, hash_name, digest_method):
    signed = signed_otherwise(sm2_card, message, method=method, hash_name=hash_name, digest_method=digest_method)
    assert signature.verify(signed).card_number == "8600000000017"
    assert reason_of(signature.verify, signed.replace(b"order-2", b"order-3")) == "digest"


def test_rsa_with_a_default_namespace_is_verified_too(rsa_card, message):
    signed = signed_otherwise(rsa_card, message, method=DS + "rsa-sha1", hash_name="sha1", digest_method=DS + "sha1")
    assert signature.verify(signed).algorithm == "rsa"


def test_the_official_sample_with_its_dummy_signature_does_not_verify(facts):
    sample = facts("samples/official_202205_CEB303Message.xml").read_bytes()
    assert reason_of(signature.verify, sample) in ("algorithm", "signature")


def test_digests_have_the_vectors_of_their_standards():
    sm3 = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"  # GB/T 32905 appendix A.1
    assert signature.digest("sm2-sm3", b"abc").hex() == sm3
    assert signature.digest("rsa-sha1", b"abc").hex() == "a9993e364706816aba3e25717850c26c9cd0d89d"  # FIPS 180

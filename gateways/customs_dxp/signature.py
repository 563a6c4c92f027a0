"""The business signature (业务签) of a CEB message: enveloped XML-DSig, inclusive C14N 1.0, RSA-SHA1 or SM2-SM3.

`digest`, `signed_info` and `assemble` work on the bytes of our own canonical form (messages/canonical.py), without an XML
library; `verify` reads any document. Profile: 企业对接报文规范 202205 chapter 6.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from datetime import datetime

from cryptography import x509
from lxml import etree

from ..certificates import CardCertificate, NotVerified, check_chain, load, read_certificate, verify_signature
from .hardened_xml import BadXml, parse
from .messages.canonical import NAMESPACE as CEB

DS = "http://www.w3.org/2000/09/xmldsig#"
CHINAPORT = "http://www.chinaport.gov.cn/2022/04/xmldsig#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
PROFILES = {  # name → SignatureMethod, DigestMethod, hash
    "rsa-sha1": (DS + "rsa-sha1", DS + "sha1", "sha1"),
    "sm2-sm3": (CHINAPORT + "sm2-sm3", CHINAPORT + "sm3", "sm3"),
}
# What a verifier takes besides (CUSTOMS_MESSAGES §2.2): the older address of SM2, and SHA-1 digests under SM2.
_SCHEMES = {DS + "rsa-sha1": "rsa-sha1", CHINAPORT + "sm2-sm3": "sm2-sm3", DS + "sm2-sm3": "sm2-sm3"}
_HASHES = {DS + "sha1": "sha1", CHINAPORT + "sm3": "sm3", DS + "sm3": "sm3"}

_START = re.compile(
    rb'<ceb:(CEB[0-9]{3}Message) xmlns:ceb="%b" guid="[0-9A-Z-]{36}" version="1\.0">' % re.escape(CEB.encode())
)
_IN_SCOPE = f' xmlns:ceb="{CEB}" xmlns:ds="{DS}"'
_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_SPACE = re.compile(r"\s+")


def digest(profile: str, canonical: bytes) -> bytes:
    """The digest of the unsigned message under the profile ("rsa-sha1" | "sm2-sm3")."""
    return hashlib.new(PROFILES[profile][2], canonical).digest()


def signed_info(profile: str, canonical: bytes) -> bytes:
    """The bytes of ds:SignedInfo that the card signs: canonical, with the namespaces in scope at the root.

    Raises NotVerified("form") for a message that is not in our canonical form.
    """
    _end_tag(canonical)
    return f"<ds:SignedInfo{_IN_SCOPE}>{_info_content(profile, canonical)}</ds:SignedInfo>".encode()


def _info_content(profile: str, canonical: bytes) -> str:
    signature_uri, digest_uri, _ = PROFILES[profile]
    return (
        f'<ds:CanonicalizationMethod Algorithm="{C14N}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{signature_uri}"></ds:SignatureMethod>'
        f'<ds:Reference URI=""><ds:Transforms><ds:Transform Algorithm="{DS}enveloped-signature"></ds:Transform>'
        f'</ds:Transforms><ds:DigestMethod Algorithm="{digest_uri}"></ds:DigestMethod>'
        f"<ds:DigestValue>{_base64(digest(profile, canonical))}</ds:DigestValue></ds:Reference>"
    )


def _end_tag(canonical: bytes) -> bytes:
    """The end tag of the root. Raises NotVerified("form") unless the message has our form and no signature yet."""
    start = _START.match(canonical)
    end = b"</ceb:%b>" % start[1] if start else b""
    if not start or not canonical.endswith(b"</ceb:BaseTransfer>" + end):
        raise NotVerified("form", "not an unsigned message in our canonical form")
    return end


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def assemble(message: bytes, profile: str, certificate_der: bytes, signature_value: bytes) -> bytes:
    """The signed message, ready to send, with XML declaration.

    `signature_value`: RSA PKCS#1 v1.5, or SM2 as r‖s (64 bytes). It is verified before anything is returned. Raises
    NotVerified (form, algorithm, certificate, signature).
    """
    end = _end_tag(message)
    content = _info_content(profile, message)
    info = f"<ds:SignedInfo{_IN_SCOPE}>{content}</ds:SignedInfo>".encode()
    verify_signature(certificate_der, profile, signature_value, info)
    serial = load(certificate_der).serial_number
    key_name = serial.to_bytes((serial.bit_length() + 7) // 8 or 1, "big").hex()
    block = (
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>{content}</ds:SignedInfo>'
        f"<ds:SignatureValue>{_base64(signature_value)}</ds:SignatureValue><ds:KeyInfo><ds:KeyName>{key_name}</ds:KeyName>"
        f"<ds:X509Data><ds:X509Certificate>{_base64(certificate_der)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        "</ds:Signature>"
    )
    return b"".join((_DECLARATION, message[: -len(end)], block.encode(), end))


def verify(
    signed_message: bytes, authorities: Iterable[x509.Certificate] | None = None, now: datetime | None = None
) -> CardCertificate:
    """Who signed the message. Raises NotVerified.

    Takes the ds: prefix or a default namespace, both SM2 addresses, SHA-1 digests under SM2, and wrapped base64. With
    `authorities` the certificate must be issued by one of them, with `now` it must be valid then.
    """
    try:
        root = parse(signed_message, for_signature=True)
    except BadXml as error:
        raise NotVerified("form", str(error)) from error
    signature = _only(root, "Signature")
    info, reference = _checked_info(signature)
    hash_name = _HASHES.get(_only(reference, "DigestMethod").get("Algorithm", ""))
    scheme = _SCHEMES.get(_only(info, "SignatureMethod").get("Algorithm", ""))
    if not hash_name or not scheme:
        raise NotVerified("algorithm", "unknown address")
    certificate = _bytes(_only(_only(_only(signature, "KeyInfo"), "X509Data"), "X509Certificate"))
    verify_signature(certificate, scheme, _bytes(_only(signature, "SignatureValue")), _canonical_info(info))
    expected = _bytes(_only(reference, "DigestValue"))
    _remove(signature)
    if hashlib.new(hash_name, _canonical(root.getroottree())).digest() != expected:
        raise NotVerified("digest")
    card = read_certificate(certificate)
    if authorities is not None:
        check_chain(certificate, authorities, now)
    if now is not None and not card.not_before <= now <= card.not_after:
        raise NotVerified("validity-expired" if now > card.not_after else "not-yet-valid")
    return card


def _only(node: etree._Element, name: str) -> etree._Element:
    """The one child of that name; a second one could show a reader something else than what was signed."""
    found = node.findall(f"{{{DS}}}{name}")
    if len(found) != 1:
        raise NotVerified("form", f"{name}: found {len(found)} times")
    return found[0]


def _checked_info(signature: etree._Element) -> tuple[etree._Element, etree._Element]:
    """SignedInfo and its Reference, if they are of the one profile: the whole document but the signature, C14N 1.0."""
    info = _only(signature, "SignedInfo")
    reference = _only(info, "Reference")
    transforms = _only(reference, "Transforms")
    if (
        _only(info, "CanonicalizationMethod").get("Algorithm") != C14N
        or reference.get("URI") != ""
        or len(transforms) != 1
        or _only(transforms, "Transform").get("Algorithm") != DS + "enveloped-signature"
    ):
        raise NotVerified("form", "not the enveloped profile")
    root = signature.getparent()
    if any(name.startswith("{http://www.w3.org/XML/1998/namespace}") for name in (*root.attrib, *signature.attrib)):
        raise NotVerified("form", "xml: attribute")  # inclusive C14N would carry it into SignedInfo
    return info, reference


def _canonical_info(info: etree._Element) -> bytes:
    """Inclusive C14N of SignedInfo as a part of the document: with every namespace that is in scope."""
    top = etree.Element(info.tag, info.attrib, nsmap=info.nsmap)
    top.text = info.text
    for child in etree.fromstring(etree.tostring(info, with_tail=False)):
        top.append(child)
    return _canonical(top)


def _canonical(node: etree._Element | etree._ElementTree) -> bytes:
    try:
        return etree.tostring(node, method="c14n", with_comments=False)
    except etree.C14NError as error:  # a relative namespace address
        raise NotVerified("form", "has no canonical form") from error


def _bytes(node: etree._Element) -> bytes:
    try:
        return base64.b64decode(_SPACE.sub("", node.text or ""), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotVerified("form", f"{etree.QName(node).localname} is not base64") from error


def _remove(signature: etree._Element) -> None:
    """Takes the signature out of its document; the text behind it stays."""
    parent, before = signature.getparent(), signature.getprevious()
    tail = signature.tail or ""
    parent.remove(signature)  # takes the tail with it
    if before is None:
        parent.text = (parent.text or "") + tail
    else:
        before.tail = (before.tail or "") + tail

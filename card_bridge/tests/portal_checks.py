"""What a portal verifies, written without a line of the bridge: statement M, card answers, signed messages."""

import base64
import ctypes
import ctypes.util
import datetime
import hashlib
import struct

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

PURPOSE_BYTES = {"login": 1, "bind": 2, "unbind": 3, "real-name": 4, "batch": 5, "device-report": 6}
SM2_CERTIFICATE = "1.2.156.10197.1.501"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
CHINAPORT = "http://www.chinaport.gov.cn/2022/04/xmldsig#"
URIS = {
    "rsa-sha1": (DSIG + "rsa-sha1", DSIG + "sha1", "sha1"),
    "sm2-sm3": (CHINAPORT + "sm2-sm3", CHINAPORT + "sm3", "sm3"),
}


class NotVerified(Exception):
    """The answer must not be released; the text says which check failed."""


def statement(purpose: str, byte17: int, origin: str, *, nonce: bytes, certificate: bytes, payload: bytes) -> bytes:
    """M, 146 bytes, from the portal's own row and its public origin."""

    def h(data: bytes) -> bytes:
        return hashlib.new("sha256" if byte17 == 1 else "sm3", data).digest()

    head = (b"eport-portal/v1", PURPOSE_BYTES[purpose], byte17)
    return struct.pack("16sBB32s32s32s32s", *head, h(origin.encode()), nonce, h(certificate), h(payload))


_crypto = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")


def _call(name: str, *arguments, result=ctypes.c_void_p):
    function = getattr(_crypto, name)
    function.restype = result
    kinds = {int: ctypes.c_size_t, bytes: ctypes.c_char_p}
    function.argtypes = [kinds.get(type(argument), ctypes.c_void_p) for argument in arguments]
    return function(*arguments)


def sm2_verify(certificate: bytes, raw: bytes, data: bytes) -> bool:
    """SM2-with-SM3 by the system's OpenSSL 3, with the key of `certificate` (DER); `raw` is r‖s, or already DER."""
    if len(raw) == 64:
        raw = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    bio = _call("BIO_new_mem_buf", certificate, len(certificate))
    cert = _call("d2i_X509_bio", bio, None)
    key = _call("X509_get_pubkey", cert)
    context, key_context = _call("EVP_MD_CTX_new"), _call("EVP_PKEY_CTX_new", key, None)
    _call("EVP_PKEY_CTX_set1_id", key_context, b"1234567812345678", 16)
    _call("EVP_MD_CTX_set_pkey_ctx", context, key_context)
    good = _call("EVP_DigestVerifyInit", context, None, _call("EVP_sm3"), None, key, result=ctypes.c_int) == 1
    good = good and _call("EVP_DigestVerify", context, raw, len(raw), data, len(data), result=ctypes.c_int) == 1
    for free, what in (("EVP_MD_CTX_free", context), ("EVP_PKEY_CTX_free", key_context), ("EVP_PKEY_free", key)):
        _call(free, what)
    _call("X509_free", cert)
    _call("BIO_free", bio)
    return good


def check_certificate(der: bytes, authorities: list[bytes]) -> x509.Certificate:
    cert = x509.load_der_x509_certificate(der)
    now = datetime.datetime.now(datetime.UTC)
    if not cert.not_valid_before_utc <= now <= cert.not_valid_after_utc:
        raise NotVerified("validity")
    if not any(_is_issued_by(cert, authority) for authority in authorities):
        raise NotVerified("chain")
    return cert


def _is_issued_by(cert: x509.Certificate, authority_der: bytes) -> bool:
    authority = x509.load_der_x509_certificate(authority_der)
    if cert.issuer != authority.subject:
        return False
    if cert.signature_algorithm_oid.dotted_string == SM2_CERTIFICATE:
        return sm2_verify(authority_der, cert.signature, cert.tbs_certificate_bytes)
    cert.verify_directly_issued_by(authority)
    return True


def is_sm2(cert: x509.Certificate) -> bool:
    return cert.signature_algorithm_oid.dotted_string == SM2_CERTIFICATE


def check_answer(answer: dict, purpose: str, origin: str, nonce: bytes, payload: bytes) -> None:
    """Verifies the signature over M; the algorithm named must be one of the certificate's key."""
    der, signature = base64.b64decode(answer["certificate"]), base64.b64decode(answer["signature"])
    cert = x509.load_der_x509_certificate(der)
    sm = is_sm2(cert)
    m = statement(purpose, 2 if sm else 1, origin, nonce=nonce, certificate=der, payload=payload)
    authenticated = b"EPORT-AUTH\0" + hashlib.new("sm3" if sm else "sha256", m).digest()
    match answer["algorithm"]:
        case "eport-auth-sm2-sm3" if sm:
            good = sm2_verify(der, signature, authenticated)
        case "eport-auth-rsa-sha256" if is_rsa(cert):
            good = _rsa(cert, signature, authenticated, hashes.SHA256())
        case "rsa-sha256" if is_rsa(cert):
            good = _rsa(cert, signature, m, hashes.SHA256())
        case "ecdsa-sha256" if not sm and not is_rsa(cert):
            good = _ecdsa(cert, signature, m)
        case _:
            raise NotVerified("algorithm")
    if not good:
        raise NotVerified("signature over M")


def is_rsa(cert: x509.Certificate) -> bool:
    return not is_sm2(cert) and isinstance(cert.public_key(), rsa.RSAPublicKey)


def _ecdsa(cert: x509.Certificate, signature: bytes, data: bytes) -> bool:
    try:
        cert.public_key().verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _rsa(cert: x509.Certificate, signature: bytes, data: bytes, algorithm: hashes.HashAlgorithm) -> bool:
    try:
        cert.public_key().verify(signature, data, padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        return False
    return True


def canonical(message: bytes) -> bytes:
    return etree.tostring(etree.fromstring(message), method="c14n")


def signed_message(message: bytes, der: bytes, signature: bytes) -> bytes:
    """Assembles the signed message, parses it again and verifies it as a receiver would (SignedInfo as a node of the
    document, canonicalised by libxml2). Raises NotVerified."""
    cert = x509.load_der_x509_certificate(der)
    signature_uri, digest_uri, hash_name = URIS["sm2-sm3" if is_sm2(cert) else "rsa-sha1"]
    root = etree.fromstring(message)
    digest = hashlib.new(hash_name, canonical(message)).digest()

    def add(parent, name: str, text: str | None = None, **attributes: str):
        node = etree.SubElement(parent, f"{{{DSIG}}}{name}", attributes, nsmap={"ds": DSIG})
        node.text = text
        return node

    block = add(root, "Signature")
    info = add(block, "SignedInfo")
    add(info, "CanonicalizationMethod", Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315")
    add(info, "SignatureMethod", Algorithm=signature_uri)
    reference = add(info, "Reference", URI="")
    add(add(reference, "Transforms"), "Transform", Algorithm=DSIG + "enveloped-signature")
    add(reference, "DigestMethod", Algorithm=digest_uri)
    add(reference, "DigestValue", base64.b64encode(digest).decode())
    add(block, "SignatureValue", base64.b64encode(signature).decode())
    key = add(block, "KeyInfo")
    add(key, "KeyName", f"{cert.serial_number:x}")
    add(add(key, "X509Data"), "X509Certificate", base64.b64encode(der).decode())
    result = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    info_bytes = _subset(etree.fromstring(result))
    good = sm2_verify(der, signature, info_bytes) if is_sm2(cert) else _rsa(cert, signature, info_bytes, hashes.SHA1())
    if not good:
        raise NotVerified("message signature")
    return result


def _subset(root) -> bytes:
    """Inclusive C14N of SignedInfo as a document subset: its tree with all namespaces that are in scope."""
    info = root.find(f".//{{{DSIG}}}SignedInfo")
    top = etree.Element(info.tag, info.attrib, nsmap=dict(info.nsmap))
    for child in etree.fromstring(etree.tostring(info)):
        top.append(child)
    return etree.tostring(top, method="c14n")

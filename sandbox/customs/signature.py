"""The ds:Signature of a CEB message (规范 202205 §6): digest, value, certificate and its chain to the card authorities."""

import base64
import binascii
import ctypes
import ctypes.util
import datetime
import hashlib
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

DSIG = "http://www.w3.org/2000/09/xmldsig#"
CHINAPORT = "http://www.chinaport.gov.cn/2022/04/xmldsig#"
DS = f"{{{DSIG}}}"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
METHODS = {DSIG + "rsa-sha1": "rsa", CHINAPORT + "sm2-sm3": "sm2", DSIG + "sm2-sm3": "sm2"}
DIGESTS = {DSIG + "sha1": "sha1", CHINAPORT + "sm3": "sm3", DSIG + "sm3": "sm3"}
SM2_SIGNATURE = "1.2.156.10197.1.501"
USCC = x509.ObjectIdentifier("1.2.156.10260.4.1.4")
COMPANY = x509.ObjectIdentifier("1.3.6.1.4.1.5315.100.5.1")


class BadSignature(Exception):
    """The text says which check failed."""


@dataclass(frozen=True)
class Signer:
    uscc: str
    company: str
    not_before: datetime.datetime
    not_after: datetime.datetime


def verify(root: etree._Element, authorities: tuple[bytes, ...]) -> Signer:
    """Checks the enveloped signature of the message. Takes it out of `root`. Raises BadSignature."""
    blocks = root.findall(DS + "Signature")
    if len(blocks) != 1:
        raise BadSignature("报文没有加签")
    block = blocks[0]
    info = block.find(DS + "SignedInfo")
    if info is None:
        raise BadSignature("签名缺少SignedInfo")
    algorithm, digest_name = _profile(info)
    der = _base64(block, f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate")
    certificate, signer = _certificate(der, authorities)
    name = block.findtext(f"{DS}KeyInfo/{DS}KeyName") or ""
    if name.strip().lower().lstrip("0") != f"{certificate.serial_number:x}":
        raise BadSignature("KeyName不是证书序列号")
    signed = _canonical_info(info)
    _take_out(block)
    content = etree.tostring(root, method="c14n", with_comments=False)
    if hashlib.new(digest_name, content).digest() != _base64(info, f"{DS}Reference/{DS}DigestValue"):
        raise BadSignature("摘要与报文不符，报文在加签后被改动")
    if not _is_signed(algorithm, certificate, der, _base64(block, DS + "SignatureValue"), signed):
        raise BadSignature("验签失败")
    now = datetime.datetime.now(datetime.UTC)
    if not signer.not_before <= now <= signer.not_after:
        raise BadSignature("加签证书不在有效期内")
    return signer


def _profile(info: etree._Element) -> tuple[str, str]:
    def uri(path: str) -> str:
        found = info.findall(path)
        return found[0].get("Algorithm", "") if len(found) == 1 else ""

    references = info.findall(DS + "Reference")
    if uri(DS + "CanonicalizationMethod") != C14N or len(references) != 1 or references[0].get("URI") != "":
        raise BadSignature("规范化算法或Reference不符合规范")
    if uri(f"{DS}Reference/{DS}Transforms/{DS}Transform") != DSIG + "enveloped-signature":
        raise BadSignature("Transform应为enveloped-signature")
    algorithm = METHODS.get(uri(DS + "SignatureMethod"))
    digest_name = DIGESTS.get(uri(f"{DS}Reference/{DS}DigestMethod"))
    if not algorithm or not digest_name:
        raise BadSignature("签名算法或摘要算法不受理")
    return algorithm, digest_name


def _base64(element: etree._Element, path: str) -> bytes:
    try:
        return base64.b64decode("".join((element.findtext(path) or "").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSignature(f"{path.rpartition('}')[2]}不是base64") from error


def _canonical_info(info: etree._Element) -> bytes:
    """Inclusive C14N of SignedInfo as part of its document: with every namespace that is in scope."""
    alone = etree.Element(info.tag, dict(info.attrib), nsmap=info.nsmap)
    alone.text = info.text
    alone.extend(deepcopy(list(info)))
    return etree.tostring(alone, method="c14n", with_comments=False)


def _take_out(block: etree._Element) -> None:
    """Removes the signature and keeps the text behind it, which belongs to the signed document."""
    parent, before = block.getparent(), block.getprevious()
    if block.tail and before is not None:
        before.tail = (before.tail or "") + block.tail
    elif block.tail:
        parent.text = (parent.text or "") + block.tail
    parent.remove(block)


def _is_signed(algorithm: str, certificate: x509.Certificate, der: bytes, value: bytes, data: bytes) -> bool:
    if algorithm == "sm2":
        if len(value) != 64:
            return False
        r, s = int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big")
        return sm2_verify(der, encode_dss_signature(r, s), data)
    if _is_elliptic(certificate):
        return False
    try:
        certificate.public_key().verify(value, data, padding.PKCS1v15(), hashes.SHA1())
    except InvalidSignature:
        return False
    return True


def _is_elliptic(certificate: x509.Certificate) -> bool:
    return certificate.public_key_algorithm_oid.dotted_string == "1.2.840.10045.2.1"


@lru_cache(1024)
def _certificate(der: bytes, authorities: tuple[bytes, ...]) -> tuple[x509.Certificate, Signer]:
    try:
        certificate = x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise BadSignature("加签证书读不出来") from error
    if not any(is_issued_by(certificate, authority) for authority in authorities):
        raise BadSignature("加签证书不是口岸卡证书机构签发的")
    signer = Signer(
        _extension(certificate, USCC), _extension(certificate, COMPANY),
        certificate.not_valid_before_utc, certificate.not_valid_after_utc,
    )  # fmt: skip
    return certificate, signer


def _extension(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    """The text of a DER UTF8String extension; empty when there is none."""
    for extension in certificate.extensions:
        if extension.oid == oid:
            value = extension.value.public_bytes()
            start = 2 if value[1] < 0x80 else 2 + (value[1] & 0x7F)
            return value[start:].decode()
    return ""


def is_issued_by(certificate: x509.Certificate, authority_der: bytes) -> bool:
    authority = x509.load_der_x509_certificate(authority_der)
    if certificate.issuer != authority.subject:
        return False
    if certificate.signature_algorithm_oid.dotted_string == SM2_SIGNATURE:
        return sm2_verify(authority_der, certificate.signature, certificate.tbs_certificate_bytes)
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def load_authorities(folder: Path) -> tuple[bytes, ...]:
    """The *.pem certificates of the folder, as DER."""
    pems = [path.read_bytes() for path in sorted(folder.glob("*.pem"))]
    return tuple(x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER) for pem in pems)


# SM2 with SM3 through the system's OpenSSL 3: the cryptography package does not know the curve.

_library = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
_pointer, _size, _int, _text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_char_p


def _function(name: str, result, *arguments):
    function = getattr(_library, name)
    function.restype, function.argtypes = result, arguments
    return function


_bio_new = _function("BIO_new_mem_buf", _pointer, _text, _int)
_bio_free = _function("BIO_free", _int, _pointer)
_read_certificate = _function("d2i_X509_bio", _pointer, _pointer, _pointer)
_free_certificate = _function("X509_free", None, _pointer)
_key_of = _function("X509_get_pubkey", _pointer, _pointer)
_context_new = _function("EVP_MD_CTX_new", _pointer)
_context_free = _function("EVP_MD_CTX_free", None, _pointer)
_key_context_new = _function("EVP_PKEY_CTX_new", _pointer, _pointer, _pointer)
_key_context_free = _function("EVP_PKEY_CTX_free", None, _pointer)
_set_id = _function("EVP_PKEY_CTX_set1_id", _int, _pointer, _text, _int)
_attach = _function("EVP_MD_CTX_set_pkey_ctx", None, _pointer, _pointer)
_sm3 = _function("EVP_sm3", _pointer)
_verify_init = _function("EVP_DigestVerifyInit", _int, _pointer, _pointer, _pointer, _pointer, _pointer)
_verify = _function("EVP_DigestVerify", _int, _pointer, _text, _size, _text, _size)


@lru_cache(1024)
def _public_key(der: bytes) -> int | None:
    """A libcrypto key handle, kept as long as the cache keeps it (a few hundred bytes each)."""
    bio = _bio_new(der, len(der))
    certificate = _read_certificate(bio, None)
    key = _key_of(certificate) if certificate else None
    if certificate:
        _free_certificate(certificate)
    _bio_free(bio)
    return key


def sm2_verify(der: bytes, signature: bytes, data: bytes) -> bool:
    """SM2-with-SM3, user id 1234567812345678, DER signature, with the key of the certificate `der`."""
    key = _public_key(der)
    if not key:
        return False
    context, key_context = _context_new(), _key_context_new(key, None)
    try:
        if _set_id(key_context, b"1234567812345678", 16) != 1:
            return False
        _attach(context, key_context)
        if _verify_init(context, None, _sm3(), None, key) != 1:
            return False
        return _verify(context, signature, len(signature), data, len(data)) == 1
    finally:
        _context_free(context)
        _key_context_free(key_context)

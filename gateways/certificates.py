"""Card certificates (docs/protocols/card-certificate.md): what they say, who issued them, what their key signed.

authorities = read_authorities(Path("authorities"))               # *.pem, *.crt and *.cer, PEM or DER
card = check_certificate(der, authorities, {"01a2…"}, now)         # raises NotVerified with a reason
card.company, card.uscc, card.holder, card.algorithm               # "rsa" | "ec" | "sm2"
"""

import functools
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from . import sm2

SM2_WITH_SM3 = "1.2.156.10197.1.501"
_EPORT = "1.3.6.1.4.1.5315.100.5."
_EXTENSIONS = {
    "uscc": "1.2.156.10260.4.1.4",
    "company": _EPORT + "1",
    "card_type": _EPORT + "3",
    "holder_id": _EPORT + "8",
    "card_number": _EPORT + "9",
    "org_code": _EPORT + "11",
}
_TEXT_TAGS = {0x0C, 0x13, 0x16}  # UTF8String, PrintableString, IA5String


class NotVerified(Exception):
    """A certificate or signature does not hold. `reason` is one of the keys below, `detail` is for the log.

    certificate | chain | not-yet-valid | validity-expired | key-usage | reported-lost | algorithm | signature;
    of customs messages also form | digest.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True)
class CardCertificate:
    """What a card certificate says; texts that it does not carry are empty."""

    company: str
    uscc: str  # 统一社会信用代码
    org_code: str  # 组织机构代码
    holder: str
    holder_id: str = field(repr=False)
    card_number: str
    card_type: str  # "01" 法人卡, "02" 操作员卡
    algorithm: str  # of the key: "rsa" | "ec" | "sm2"
    serial_hex: str  # lower case, an even number of digits: what ds:KeyName carries
    not_before: datetime
    not_after: datetime


def read_authorities(folder: Path) -> tuple[x509.Certificate, ...]:
    """The card CAs that the operator put into `folder`. Raises ValueError naming a file that holds none."""
    found: list[x509.Certificate] = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in (".pem", ".crt", ".cer"):
            continue
        data = path.read_bytes()
        try:
            if b"-----BEGIN" in data:
                found += x509.load_pem_x509_certificates(data)
            else:
                found.append(x509.load_der_x509_certificate(data))
        except ValueError as error:
            raise ValueError(f"{path.name} is not a certificate") from error
    return tuple(found)


@functools.lru_cache(maxsize=256)
def load(der: bytes) -> x509.Certificate:
    """The parsed certificate; raises NotVerified("certificate")."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        _ = certificate.extensions, certificate.subject, certificate.issuer, certificate.not_valid_after_utc
    except (ValueError, x509.DuplicateExtension) as error:
        raise NotVerified("certificate", str(error)) from error
    return certificate


@functools.lru_cache(maxsize=256)
def _key(der: bytes):
    """("rsa" | "ec" | "sm2", public key or None for SM2); raises NotVerified("algorithm") for any other key."""
    try:
        key = load(der).public_key()
    except UnsupportedAlgorithm:
        if sm2.SPKI_PREFIX not in der:
            raise NotVerified("algorithm", "unknown key") from None
        return "sm2", None
    except ValueError as error:
        raise NotVerified("certificate", str(error)) from error
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
        return "rsa", key
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= 256:
        return "ec", key
    raise NotVerified("algorithm", "weak or unknown key")


def key_algorithm(der: bytes) -> str:
    """ "rsa", "ec" or "sm2"; raises NotVerified("algorithm")."""
    return _key(der)[0]


def verify_signature(der: bytes, scheme: str, signature: bytes, data: bytes) -> None:
    """Checks `signature` by the certificate's key: rsa-sha1, rsa-sha256, ecdsa-sha256, sm2-sm3 (raw r‖s).

    Raises NotVerified("algorithm") if the scheme does not fit the key, NotVerified("signature") if it does not hold.
    """
    algorithm, key = _key(der)
    try:
        match algorithm, scheme:
            case "rsa", "rsa-sha1":
                key.verify(signature, data, padding.PKCS1v15(), hashes.SHA1())
            case "rsa", "rsa-sha256":
                key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
            case "ec", "ecdsa-sha256":
                key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
            case "sm2", "sm2-sm3":
                if not sm2.verify(der, signature, data):
                    raise NotVerified("signature")
            case _:
                raise NotVerified("algorithm", f"{scheme} with a key for {algorithm}")
    except InvalidSignature as error:
        raise NotVerified("signature") from error
    except sm2.BadKey as error:
        raise NotVerified("certificate", str(error)) from error


def _is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether the signature under `certificate` was made by `authority`, which says that it is a CA."""
    if certificate.issuer != authority.subject or not _is_authority(authority):
        return False
    try:
        if certificate.signature_algorithm_oid.dotted_string == SM2_WITH_SM3:
            issuer = authority.public_bytes(Encoding.DER)
            return sm2.verify_der(issuer, certificate.signature, certificate.tbs_certificate_bytes)
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):  # ValueError: sm2.BadKey too
        return False
    return True


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        if not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound as error:
        return error.oid == x509.KeyUsage.oid  # a CA certificate without key usage may sign


def check_chain(der: bytes, authorities: Iterable[x509.Certificate], now: datetime | None = None) -> None:
    """Raises NotVerified("chain") unless one of `authorities` (each trusted as it stands) issued the certificate.

    With `now` the authority itself must be valid then. No intermediate is looked for: the operator lists each issuer.
    """
    certificate = load(der)
    for authority in authorities:
        if now is not None and not authority.not_valid_before_utc <= now <= authority.not_valid_after_utc:
            continue
        if _is_issued_by(certificate, authority):
            return
    raise NotVerified("chain")


def check_certificate(
    der: bytes, authorities: Iterable[x509.Certificate], revoked: Container[str], now: datetime
) -> CardCertificate:
    """Chain, validity at `now` (aware), key usage, loss list (挂失), then what the certificate says.

    `revoked` holds serial numbers as in `serial_hex`, or card numbers. Raises NotVerified.
    """
    certificate = load(der)
    check_chain(der, authorities, now)
    if now < certificate.not_valid_before_utc:
        raise NotVerified("not-yet-valid")
    if now > certificate.not_valid_after_utc:
        raise NotVerified("validity-expired")
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound as error:
        raise NotVerified("key-usage", "not stated") from error
    if not usage.digital_signature or _is_authority(certificate):
        raise NotVerified("key-usage")
    card = read_certificate(der)
    if card.serial_hex in revoked or card.card_number in revoked:
        raise NotVerified("reported-lost")
    if not (card.uscc and card.company and card.card_number):
        raise NotVerified("certificate", "names no company or no card")
    return card


def read_certificate(der: bytes) -> CardCertificate:
    """What the certificate says, unchecked. Raises NotVerified("certificate" | "algorithm")."""
    certificate = load(der)
    texts = dict.fromkeys(_EXTENSIONS, "")
    for extension in certificate.extensions:
        for name, oid in _EXTENSIONS.items():
            if extension.oid.dotted_string == oid:
                texts[name] = _text(extension.value.public_bytes())
    serial = certificate.serial_number
    return CardCertificate(
        company=texts["company"] or _subject(certificate, NameOID.ORGANIZATION_NAME),
        uscc=texts["uscc"],
        org_code=texts["org_code"],
        holder=_subject(certificate, NameOID.COMMON_NAME),
        holder_id=texts["holder_id"],
        card_number=texts["card_number"] or _subject(certificate, NameOID.SERIAL_NUMBER),
        card_type=texts["card_type"],
        algorithm=key_algorithm(der),
        serial_hex=serial.to_bytes((serial.bit_length() + 7) // 8 or 1, "big").hex(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


def _subject(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    found = certificate.subject.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""


def _text(der: bytes) -> str:
    """A DER string of less than 128 bytes. Cards from before 2022 put GBK into an IA5String, so that is read too."""
    if len(der) < 2 or der[0] not in _TEXT_TAGS:
        raise NotVerified("certificate", "extension is not a text")
    length, start = der[1], 2
    if length == 0x81 and len(der) > 2:
        length, start = der[2], 3
    value = der[start:]
    if len(value) != length:
        raise NotVerified("certificate", "extension is not DER")
    for encoding in ("utf-8", "gb18030"):
        try:
            return value.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise NotVerified("certificate", "extension is not a text")

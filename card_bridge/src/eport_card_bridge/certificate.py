"""Reads from a card's certificate what the bridge needs: algorithm, validity, holder. Trust is the portal's matter."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

RSA_KEY = bytes.fromhex("2a864886f70d010101")
EC_KEY = bytes.fromhex("2a8648ce3d0201")
SM2_CURVE, P256_CURVE = bytes.fromhex("2a811ccf5501822d"), bytes.fromhex("2a8648ce3d030107")
CURVES = {SM2_CURVE: "sm2", P256_CURVE: "ec"}
COMMON_NAME, SERIAL_NUMBER, ORGANIZATION = b"\x55\x04\x03", b"\x55\x04\x05", b"\x55\x04\x0a"
CARD_TYPE = bytes.fromhex("2b06010401a943640503")  # 1.3.6.1.4.1.5315.100.5.3
KEY_USAGE, DIGITAL_SIGNATURE = b"\x55\x1d\x0f", 0x80
CARD_TYPES = {"01": "法人卡", "02": "操作员卡"}
OID, UTC_TIME = 0x06, 0x17
VERSION, EXTENSIONS, BMP_STRING = 0xA0, 0xA3, 0x1E


class BadCertificate(ValueError):
    """The bytes are not a certificate with an RSA, P-256 or SM2 key."""


@dataclass(frozen=True)
class CardCertificate:
    """`algorithm` is "rsa", "ec" (P-256) or "sm2"; `point` is the key on a curve as 04‖x‖y, empty for RSA; `key_bytes`
    the length of modulus or coordinate. The words are for the page."""

    algorithm: str
    point: bytes
    key_bytes: int
    not_before: datetime.datetime
    not_after: datetime.datetime
    company: str
    holder: str
    card_number: str
    kind: str
    serial_number: str  # lower-case hex of the certificate's number, as KeyName of a CEB message has it
    may_sign: bool  # false: a certificate for encryption only


def read_certificate(der: bytes) -> CardCertificate:
    """Reads X.509 (RFC 5280) in DER; raises BadCertificate."""
    try:
        ((_, certificate),) = items(der)
        (_, to_be_signed), *_ = items(certificate)
        fields = [item for item in items(to_be_signed) if item[0] != VERSION]
        serial, _algorithm, _issuer, validity, subject, key, *more = fields
        names = dict(_names(subject[1]))
        algorithm, point, key_bytes = _key(key[1])
        not_before, not_after = (_time(tag, value) for tag, value in items(validity[1]))
        return CardCertificate(
            algorithm,
            point,
            key_bytes,
            not_before,
            not_after,
            names.get(ORGANIZATION, ""),
            names.get(COMMON_NAME, ""),
            names.get(SERIAL_NUMBER, ""),
            CARD_TYPES.get(extension(more, CARD_TYPE), "电子口岸卡"),
            serial[1].removeprefix(b"\0").hex(),
            _may_sign(more),
        )
    except (IndexError, ValueError) as error:
        raise BadCertificate("not a card certificate") from error


def items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Walks the (tag, value) items of a DER value; raises ValueError when one runs over the end."""
    at = 0
    while at < len(data):
        tag, length, start = data[at], data[at + 1], at + 2
        if length & 0x80:
            count = length & 0x7F
            if not 1 <= count <= 3:
                raise ValueError("length")
            length, start = int.from_bytes(data[start : start + count], "big"), start + count
        at = start + length
        if at > len(data):
            raise ValueError("item runs over the end")
        yield tag, data[start:at]


def _names(subject: bytes) -> Iterator[tuple[bytes, str]]:
    for _, group in items(subject):
        for _, pair in items(group):
            (_, oid), (tag, value) = items(pair)
            yield oid, _text(tag, value)


def _text(tag: int, value: bytes) -> str:
    """Old cards carry GBK in strings of any type; the words are for the page only, so what is unreadable is replaced."""
    if tag == BMP_STRING:
        return value.decode("utf-16-be", "replace")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("gb18030", "replace")


def _key(key_info: bytes) -> tuple[str, bytes, int]:
    (_, algorithm), (_, bits) = items(key_info)
    (_, oid), *parameters = items(algorithm)
    if oid == RSA_KEY:
        ((_, numbers),) = items(bits[1:])
        (_, modulus), _exponent = items(numbers)
        return "rsa", b"", len(modulus.lstrip(b"\0"))
    point = bits[1:]
    curve = parameters[0][1] if oid == EC_KEY and len(parameters) == 1 and parameters[0][0] == OID else b""
    if curve in CURVES and len(point) == 65 and point[0] == 4:
        return CURVES[curve], point, 32
    raise ValueError("neither RSA, P-256 nor SM2")


def _time(tag: int, value: bytes) -> datetime.datetime:
    text = value.decode("ascii")
    if tag == UTC_TIME:  # RFC 5280: two digits from 50 on mean 19xx
        text = ("19" if text >= "5" else "20") + text
    return datetime.datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=datetime.UTC)


def extension(fields: list[tuple[int, bytes]], wanted: bytes) -> str:
    """Returns the text of an extension whose value is one DER string, or an empty text."""
    tag, text = _extension(fields, wanted)
    return _text(tag, text)


def _extension(fields: list[tuple[int, bytes]], wanted: bytes) -> tuple[int, bytes]:
    """The one DER value of an extension; (0, b"") if there is none."""
    for field, value in fields:
        if field != EXTENSIONS:
            continue
        ((_, extensions),) = items(value)
        for _, entry in items(extensions):
            parts = list(items(entry))
            if parts[0][1] == wanted:
                ((tag, content),) = items(parts[-1][1])
                return tag, content
    return 0, b""


def _may_sign(fields: list[tuple[int, bytes]]) -> bool:
    """keyUsage digitalSignature (RFC 5280 §4.2.1.3), or no keyUsage at all."""
    _, bits = _extension(fields, KEY_USAGE)
    return not bits or (len(bits) > 1 and bool(bits[1] & DIGITAL_SIGNATURE))

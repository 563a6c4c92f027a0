"""The methods that a card can answer, by their names without the family (`cus-sec_`, `security_`).

Left out on purpose: files, printing, updates, downloads, card making. A method gives the list `Data` or raises Stop.
"""

import base64
import binascii
import contextlib
import datetime
import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Any

from .. import VERSION
from ..outcomes import PIN_CHANGE_ENDS, Outcome, Stop
from ..pin_change import PIN_FORMAT, TypedPins
from . import verify
from .certificate_fields import CertificateFields, read_fields
from .desk import CardDesk, SeenCard
from .wire import Call

FAMILY = re.compile(r"(?:cus-sec|security)_(?P<name>\w+)\Z")
# What a card signs to log in at a portal begins with one of these (docs/protocols/card-bridge.md, statement M).
LOGIN_BEGINNINGS = (b"eport-portal/", b"EPORT-AUTH")
CHINA = datetime.timezone(datetime.timedelta(hours=8))
VERIFIED = "成功!"
USER_INFO_PARTS, CERTIFICATE_NUMBER, CARD_NUMBER, VALID_UNTIL = 13, 0, 5, 12
Method = Callable[[Call, CardDesk], Awaitable[list[Any]]]


async def answer(call: Call, desk: CardDesk, may_use_raw: bool) -> list[Any]:
    """`may_use_raw`: the client was given the methods that sign a bare digest or decrypt. Raises Stop."""
    if call.method == "ver":
        return [VERSION]
    match = FAMILY.match(call.method)
    name = match["name"] if match else ""
    if name in RAW_METHODS and not may_use_raw:
        raise Stop(Outcome.CONTROL_RAW)
    if name not in METHODS:
        raise Stop(Outcome.CONTROL_METHOD)
    return await METHODS[name](call, desk)


# Arguments


def text(call: Call, name: str) -> str:
    value = call.args.get(name)
    if not isinstance(value, str) or not value:
        raise Stop(Outcome.CONTROL_ARGUMENTS)
    return value


def pin(call: Call, name: str = "passwd") -> str:
    """PINs are not kept from one request to the next, as the real control does after VerifyPIN."""
    value = call.args.get(name)
    if not isinstance(value, str) or not value:
        raise Stop(Outcome.CONTROL_PIN)
    if not PIN_FORMAT.match(value):
        raise Stop(Outcome.PIN_FORMAT)
    return value


def plain(call: Call, name: str) -> bytes:
    try:
        return text(call, name).encode()
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise Stop(Outcome.CONTROL_ARGUMENTS) from error


def decoded(call: Call, *names: str) -> bytes:
    """Bytes that came as base64 (with or without lines of PEM), or as the list of numbers that this program gives."""
    value = next((call.args[name] for name in names if call.args.get(name)), None)
    try:
        if isinstance(value, list):
            return bytes(value)
        if isinstance(value, str):
            return base64.b64decode("".join(re.sub(r"-----[A-Z ]+-----", "", value).split()), validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise Stop(Outcome.CONTROL_ARGUMENTS) from error
    raise Stop(Outcome.CONTROL_ARGUMENTS)


def pem(data: bytes) -> str:
    """The control's PEM: base64 on one line, no BEGIN and END."""
    return base64.b64encode(data).decode()


# Without a card


async def nothing(call: Call, desk: CardDesk) -> list[Any]:
    """There is nothing to open, close or prefer: each request is a transaction of its own."""
    return []


async def encode_pem(call: Call, desk: CardDesk) -> list[Any]:
    return [pem(plain(call, "inData"))]


async def decode_pem(call: Call, desk: CardDesk) -> list[Any]:
    return [list(decoded(call, "inData"))]


async def decode_pem_as_string(call: Call, desk: CardDesk) -> list[Any]:
    try:
        return [decoded(call, "inData").decode()]
    except UnicodeDecodeError as error:
        raise Stop(Outcome.CONTROL_ARGUMENTS) from error


async def sha1_digest(call: Call, desk: CardDesk) -> list[Any]:
    return [list(hashlib.sha1(plain(call, "szInfo")).digest())]


async def sha1_digest_as_pem(call: Call, desk: CardDesk) -> list[Any]:
    return [pem(hashlib.sha1(plain(call, "szInfo")).digest())]


# With a card, without a PIN


def fact(read: Callable[[SeenCard], Any]) -> Method:
    """A method that tells one thing of the card that is in."""

    async def tell(call: Call, desk: CardDesk) -> list[Any]:
        value = read(await desk.look())
        if not value:
            raise Stop(Outcome.NOT_ON_CARD)
        return [value]

    return tell


async def open_card(call: Call, desk: CardDesk) -> list[Any]:
    await desk.look()
    return []


async def not_on_card(call: Call, desk: CardDesk) -> list[Any]:
    """Encryption certificate and key, 附加信息, 单位类别: a card has one key and one certificate, for signatures."""
    await desk.look()
    raise Stop(Outcome.NOT_ON_CARD)


async def valid_time(call: Call, desk: CardDesk) -> list[Any]:
    """Of the certificate in the arguments, else of the card's; both ends in Chinese time."""
    given = any(call.args.get(name) for name in ("cert", "certByteArray"))
    fields = read_fields(decoded(call, "cert", "certByteArray")) if given else (await desk.look()).fields
    words = fields.words
    return [{"szStartTime": in_china(words.not_before), "szEndTime": in_china(words.not_after)}]


def in_china(moment: datetime.datetime) -> str:
    with contextlib.suppress(OverflowError):  # 99991231235959Z: without end (RFC 5280 §4.1.2.5)
        moment = moment.astimezone(CHINA)
    return moment.strftime("%Y%m%d%H%M%S")


def user_info(card: SeenCard) -> str:
    """Parts joined by ||. Known are three of them; the others are not published and stay empty."""
    parts = [""] * USER_INFO_PARTS
    parts[CERTIFICATE_NUMBER], parts[CARD_NUMBER] = card.fields.words.serial_number, card.serial
    parts[VALID_UNTIL] = in_china(card.fields.words.not_after)
    return "||".join(parts)


async def verify_sign_data(call: Call, desk: CardDesk) -> list[Any]:
    return await verify_signature(call, desk, lambda fields: verify.digest(fields, plain(call, "inData")))


async def verify_sign_data_no_hash(call: Call, desk: CardDesk) -> list[Any]:
    return await verify_signature(call, desk, lambda fields: decoded(call, "inData"))


async def verify_signature(call: Call, desk: CardDesk, digest: Callable[[CertificateFields], bytes]) -> list[Any]:
    """With the certificate in the arguments, else the card's. Whether that certificate is good is not looked at."""
    signature = decoded(call, "signData")
    given = call.args.get("certDataPEM")
    fields = read_fields(decoded(call, "certDataPEM")) if given else (await desk.look()).fields
    if not verify.is_signature(fields, digest(fields), signature):
        raise Stop(Outcome.SIGNATURE_WRONG)
    return [VERIFIED]


# With a PIN


async def verify_pin(call: Call, desk: CardDesk) -> list[Any]:
    await desk.use(pin(call), lambda card: None)
    return []


async def change_pin(call: Call, desk: CardDesk) -> list[Any]:
    old, new = pin(call, "oldPin"), pin(call, "newPin")
    stop = await desk.change_pin(TypedPins(True, "", old, new, new))
    if stop.outcome not in PIN_CHANGE_ENDS:
        raise stop
    return []


async def user_info_all(call: Call, desk: CardDesk) -> list[Any]:
    """With `userpin` the PIN is verified too."""
    if call.args.get("userpin"):
        await desk.use(pin(call, "userpin"), lambda card: None)
    return [user_info(await desk.look())]


async def sign(call: Call, desk: CardDesk, data: bytes) -> tuple[bytes, str]:
    """Signature (RSA-SHA1 or SM2-SM3, as the card's key is) and number of the certificate. Nothing that could pass for a
    login at a portal is signed here, for there the user must see who asks."""
    if data.startswith(LOGIN_BEGINNINGS):
        raise Stop(Outcome.CONTROL_TEXT)
    return await desk.use(pin(call), lambda card: (card.sign_message(data), card.certificate.serial_number))


async def sign_data(call: Call, desk: CardDesk) -> list[Any]:
    signature, _ = await sign(call, desk, plain(call, "inData"))
    return [list(signature)]


async def sign_data_as_pem(call: Call, desk: CardDesk) -> list[Any]:
    signature, number = await sign(call, desk, plain(call, "inData"))
    return [pem(signature), number]


async def sign_pem_data_as_pem(call: Call, desk: CardDesk) -> list[Any]:
    signature, number = await sign(call, desk, decoded(call, "inData"))
    return [pem(signature), number]


async def sign_random(call: Call, desk: CardDesk) -> list[Any]:
    """VerifyPIN and SignPemDataAsPem in one, as the login pages use it."""
    signature, number = await sign(call, desk, decoded(call, "random"))
    return [pem(signature), number]


async def sign_digest(call: Call, desk: CardDesk) -> tuple[bytes, str]:
    """Only a SHA-1, and only by an RSA key: logins use SHA-256 there, but with SM2 any 32 bytes may be one."""
    digest, secret = decoded(call, "inData"), pin(call)
    if (await desk.look()).fields.algorithm != "rsa":
        raise Stop(Outcome.CONTROL_TEXT)
    if len(digest) != verify.SHA1_SIZE:
        raise Stop(Outcome.CONTROL_ARGUMENTS)
    return await desk.use(secret, lambda card: (card.sign_digest(digest), card.certificate.serial_number))


async def sign_data_no_hash(call: Call, desk: CardDesk) -> list[Any]:
    signature, _ = await sign_digest(call, desk)
    return [list(signature)]


async def sign_data_no_hash_as_pem(call: Call, desk: CardDesk) -> list[Any]:
    signature, number = await sign_digest(call, desk)
    return [pem(signature), number]


METHODS: dict[str, Method] = {
    "SpcInitEnvEx": open_card,
    "SpcClearEnv": nothing,
    "SpcSetInitEnvPriority": nothing,
    "SpcGetCardID": fact(lambda card: card.serial),
    "SpcGetCertNo": fact(lambda card: card.fields.words.serial_number),
    "SpcGetUName": fact(lambda card: card.fields.words.holder),
    "SpcGetEntID": fact(lambda card: card.fields.company_id),
    "SpcGetEntName": fact(lambda card: card.fields.words.company),
    "SpcGetEntMode": not_on_card,
    "SpcGetCardUserInfo": fact(user_info),
    "getGetCardUserInfoAll": user_info_all,
    "SpcGetCardAttachInfo": not_on_card,
    "SpcGetCardAttachInfoAsPEM": not_on_card,
    "SpcGetSignCert": fact(lambda card: list(card.certificate_der)),
    "SpcGetSignCertAsPEM": fact(lambda card: pem(card.certificate_der)),
    "SpcGetEnvCert": not_on_card,
    "SpcGetEnvCertAsPEM": not_on_card,
    "SpcGetValidTimeFromCert": valid_time,
    "SpcVerifyPIN": verify_pin,
    "SpcVerifyPINAll": verify_pin,
    "SpcChangePIN": change_pin,
    "SpcEncodePEM": encode_pem,
    "SpcDecodePEM": decode_pem,
    "SpcDecodePEMAsString": decode_pem_as_string,
    "SpcSHA1Digest": sha1_digest,
    "SpcSHA1DigestAsPEM": sha1_digest_as_pem,
    "SpcSignData": sign_data,
    "SpcSignDataAsPEM": sign_data_as_pem,
    "SpcSignPemDataAsPem": sign_pem_data_as_pem,
    "SpcSignRandom": sign_random,
    "SpcVerifySignData": verify_sign_data,
    "SpcSignDataNoHash": sign_data_no_hash,
    "SpcSignDataNoHashAsPEM": sign_data_no_hash_as_pem,
    "SpcVerifySignDataNoHash": verify_sign_data_no_hash,
    "SpcRSADecrypt": not_on_card,
}
RAW_METHODS = {"SpcSignDataNoHash", "SpcSignDataNoHashAsPEM", "SpcVerifySignDataNoHash", "SpcRSADecrypt"}

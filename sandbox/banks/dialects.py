"""How each bank reads a request and writes an answer (docs/protocols/bank-ukey.md), seen from the bank."""

import base64
import binascii
import datetime
import json
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from lxml import etree

from sandbox.banks.keys import CHINA, BankKeys

REQUEST, ANSWER = "eport-bank-request/v1", "eport-bank-answer/v1"
FARTHEST = datetime.timedelta(hours=1)  # so long ahead may a request end


class NotAsked(Exception):
    """The bank takes no such request; the text says why."""


@dataclass(frozen=True)
class Dialect:
    """Names in requests and answers by what they mean; whether the bank compares the company; what browsers it takes."""

    name: str
    ukey: str
    request: dict[str, str]
    answer: dict[str, str]
    compares: bool = False
    browsers: str = ""


BANKS = {
    "ccb": Dialect(
        "中国建设银行", "「跨境 e+」网银盾",
        {"kind": "TXCODE", "bank": "BANKID", "number": "ORDERID", "nonce": "NONCE", "origin": "MERCHANT",
         "return_url": "RETURL", "company": "ENTNAME", "uscc": "USCC", "org_code": "ORGCODE", "expires": "TIMEOUT"},
        {"kind": "TXCODE", "bank": "BANKID", "number": "ORDERID", "nonce": "NONCE", "result": "RESULT",
         "reason": "REASON", "company": "ENTNAME", "uscc": "USCC", "org_code": "ORGCODE", "owner": "OPERATOR",
         "at": "TXTIME"},
        browsers="仅支持 IE8 及以上浏览器",
    ),
    "abc": Dialect(
        "中国农业银行", "K宝",
        {"kind": "FunctionID", "bank": "BankID", "number": "TrxID", "nonce": "Random", "origin": "MerchantOrigin",
         "return_url": "ResultNotifyURL", "company": "CorpName", "uscc": "CorpUSCC", "org_code": "CorpOrgCode",
         "expires": "ValidUntil"},
        {"kind": "FunctionID", "bank": "BankID", "number": "TrxID", "nonce": "Random", "result": "ReturnCode",
         "reason": "ErrorReason", "company": "CorpName", "uscc": "CorpUSCC", "org_code": "CorpOrgCode",
         "owner": "OperatorSealed", "at": "HostTime"},
        compares=True,
    ),
    "cmbc": Dialect(
        "中国民生银行", "U宝",
        {"kind": "typ", "bank": "aud", "number": "jti", "nonce": "nonce", "origin": "iss", "return_url": "redirectUri",
         "company": "enterpriseName", "uscc": "uscc", "org_code": "orgCode", "expires": "exp"},
        {"kind": "typ", "bank": "iss", "number": "jti", "nonce": "nonce", "result": "result", "reason": "reason",
         "company": "enterpriseName", "uscc": "uscc", "org_code": "orgCode", "owner": "operator", "at": "iat"},
    ),
}  # fmt: skip


def read_request(slug: str, given: dict[str, str], keys: BankKeys, portal: str, now: datetime.datetime) -> dict:
    """What the portal asks, by meaning. Raises NotAsked: unsigned, altered, expired, for another bank or another site."""
    try:
        message, signature, named = OPENERS[slug](given)
    except (KeyError, ValueError, binascii.Error, etree.XMLSyntaxError) as error:
        raise NotAsked("请求读不懂，或没有签名") from error
    if not keys.is_of_portal(message, signature):
        raise NotAsked("签名不是单一窗口的")
    names = BANKS[slug].request
    if named.keys() != set(names.values()):
        raise NotAsked("请求的内容不全，或多出了内容")
    asked = {key: named[name] for key, name in names.items()}
    if (asked["kind"], asked["bank"]) != (REQUEST, slug):
        raise NotAsked("请求不是发给本行的")
    if (asked["origin"], asked["return_url"]) != (portal, f"{portal}/realname/bank/return/{slug}"):
        raise NotAsked("返回的地址没有在本行登记")
    if not now < _read_time(slug, asked["expires"]) < now + FARTHEST:
        raise NotAsked("请求已经过期")
    return asked


def write_answer(slug: str, said: dict[str, str], keys: BankKeys, now: datetime.datetime) -> str:
    """The query of the way back. `said`: number, nonce, result, reason, company, uscc, org_code, owner (sealed)."""
    said = said | {"kind": ANSWER, "bank": slug, "at": _write_time(slug, now)}
    named = {name: said[key] for key, name in BANKS[slug].answer.items()}
    return urlencode(CLOSERS[slug](named, lambda message: keys.sign(slug, message)))


def _sorted_pairs(named: dict[str, str]) -> bytes:
    return "&".join(f"{name}={quote(named[name], safe='')}" for name in sorted(named)).encode()


def _open_fields(given: dict) -> tuple[bytes, bytes, dict]:
    named = {name: value for name, value in given.items() if name != "SIGN"}
    return _sorted_pairs(named), base64.b64decode(given["SIGN"], validate=True), named


def _close_fields(named: dict, sign) -> dict:
    return named | {"SIGN": base64.b64encode(sign(_sorted_pairs(named))).decode()}


def _open_xml(given: dict) -> tuple[bytes, bytes, dict]:
    message = base64.b64decode(given["MSG"], validate=True)
    root = etree.fromstring(message, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    if root.getroottree().docinfo.doctype or root.tag != "MSG":
        raise ValueError
    named = {child.tag: child.text or "" for child in root}
    return message, base64.b64decode(given["Signature"], validate=True), named


def _close_xml(named: dict, sign) -> dict:
    root = etree.Element("MSG")
    for name, value in named.items():
        etree.SubElement(root, name).text = value
    message = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return {"MSG": base64.b64encode(message).decode(), "Signature": base64.b64encode(sign(message)).decode()}


def _open_token(given: dict) -> tuple[bytes, bytes, dict]:
    header, body, signature = given["context"].split(".")
    if json.loads(_from_url(header)) != {"alg": "RS256", "typ": "JWT"}:
        raise ValueError
    named = json.loads(_from_url(body))
    if not isinstance(named, dict) or not all(isinstance(value, str) for value in named.values()):
        raise ValueError
    return f"{header}.{body}".encode(), _from_url(signature), named


def _close_token(named: dict, sign) -> dict:
    parts = [_to_url(json.dumps(part, ensure_ascii=False).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, named)]
    return {"context": ".".join((*parts, _to_url(sign(".".join(parts).encode()))))}


def _to_url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


OPENERS = {"ccb": _open_fields, "abc": _open_xml, "cmbc": _open_token}
CLOSERS = {"ccb": _close_fields, "abc": _close_xml, "cmbc": _close_token}


def _write_time(slug: str, moment: datetime.datetime) -> str:
    if slug == "ccb":
        return f"{moment.astimezone(CHINA):%Y%m%d%H%M%S}"
    return moment.astimezone(CHINA).isoformat(timespec="seconds") if slug == "abc" else str(int(moment.timestamp()))


def _read_time(slug: str, text: str) -> datetime.datetime:
    """Raises NotAsked."""
    try:
        if slug == "ccb":
            return datetime.datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=CHINA)
        if slug == "abc":
            return datetime.datetime.fromisoformat(text).astimezone(CHINA)
        return datetime.datetime.fromtimestamp(int(text), datetime.UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise NotAsked("请求的时间读不懂") from error

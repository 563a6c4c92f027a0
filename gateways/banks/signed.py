"""What all dialects share: which statements are signed, how they are read, and the bank's state page."""

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qsl, quote, urlencode

from ..http_json import JsonClient
from ..outcomes import Unavailable
from .keys import BankKeys
from .port import CANCELLED, REASONS, REFUSED, VERIFIED, BankAnswer, BankRequest, NotGenuine

REQUEST, ANSWER = "eport-bank-request/v1", "eport-bank-answer/v1"  # one never passes for the other
LONGEST = 8192  # characters of a return's query
CHINA = timezone(timedelta(hours=8))
_SHAPES: dict[str, Callable] = {
    "number": re.compile(r"[0-9a-f]{32}").fullmatch,
    "nonce": re.compile(r"[A-Za-z0-9_-]{43}").fullmatch,
    "result": re.compile(f"{VERIFIED}|{CANCELLED}|{REFUSED}").fullmatch,
    "reason": re.compile("|".join(("", *REASONS))).fullmatch,
    "company": re.compile(r"[^\x00-\x1f\x7f]{0,200}").fullmatch,
    "uscc": re.compile(r"([0-9A-Z]{18})?").fullmatch,
    "org_code": re.compile(r"([0-9A-Z]{9})?").fullmatch,
    "owner": re.compile(r"[A-Za-z0-9+/=]{0,800}").fullmatch,
}


class SignedBank:
    """A dialect adds `pack` and `unpack`, how it writes times, and its names for what is said."""

    slug: str
    request_names: dict[str, str]  # ours: the bank's
    answer_names: dict[str, str]

    def __init__(self, url: str, keys: BankKeys, timeout: float = 3.0) -> None:
        self._url, self._keys = url.rstrip("/"), keys
        self._state = JsonClient(self._url, "", timeout)

    def check_is_open(self) -> None:
        """Raises Unavailable, so that nobody is sent to a page that does not open."""
        status, answer = self._state.call("GET", "/state")
        if status != 200 or answer.get("open") is not True:
            raise Unavailable("closed")

    def address_of(self, request: BankRequest) -> str:
        said = {
            "kind": REQUEST, "bank": self.slug, "number": request.number, "nonce": request.nonce, "origin": request.origin,
            "return_url": request.return_url, "company": request.company, "uscc": request.uscc,
            "org_code": request.org_code, "expires": self.write_time(request.expires),
        }  # fmt: skip
        named = {self.request_names[key]: value for key, value in said.items()}
        return f"{self._url}/verify?{urlencode(self.pack(named))}"

    def read_return(self, query: str, now: datetime) -> BankAnswer:
        named = self.unpack(pairs_of(query), now)
        if named.keys() != set(self.answer_names.values()):
            raise NotGenuine("form", "other names")
        said = {key: named[name] for key, name in self.answer_names.items()}
        if (said["kind"], said["bank"]) != (ANSWER, self.slug):
            raise NotGenuine("form", "another statement")
        bad = [key for key, shape in _SHAPES.items() if not shape(said[key])]
        if bad or (said["result"] == REFUSED) != bool(said["reason"]):
            raise NotGenuine("form", ", ".join(bad) or "reason")
        try:
            at = self.read_time(said["at"])
        except (ValueError, OverflowError, OSError) as error:
            raise NotGenuine("form", "at") from error
        owner, owner_id = self._owner(said["owner"])
        copied = ("number", "nonce", "result", "reason", "company", "uscc", "org_code")
        return BankAnswer(**{key: said[key] for key in copied}, owner=owner, owner_id=owner_id, at=at)

    def _owner(self, sealed: str) -> tuple[str, str]:
        """Name and ID number: encrypted for us, since addresses are written down in many places."""
        if not sealed:
            return "", ""
        try:
            name, id_number = self._keys.open(decoded(sealed)).decode().split("\n")
        except ValueError as error:
            raise NotGenuine("form", "owner") from error
        return name, id_number

    # -- the dialect's part

    def write_time(self, moment: datetime) -> str:
        raise NotImplementedError

    def read_time(self, text: str) -> datetime:
        """Aware. Raises ValueError."""
        raise NotImplementedError

    def pack(self, named: dict[str, str]) -> dict[str, str]:
        """The signed parameters of an address."""
        raise NotImplementedError

    def unpack(self, pairs: dict[str, str], now: datetime) -> dict[str, str]:
        """What is said, after its signature was checked. Raises NotGenuine."""
        raise NotImplementedError


def pairs_of(query: str) -> dict[str, str]:
    """The parameters of an address, each once. Raises NotGenuine."""
    if len(query) > LONGEST:
        raise NotGenuine("form", "too long")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=20)
    except ValueError as error:
        raise NotGenuine("form", "no query") from error
    named = dict(pairs)
    if len(named) != len(pairs):
        raise NotGenuine("form", "a parameter twice")
    return named


def only(pairs: dict[str, str], *names: str) -> list[str]:
    """The values of just these parameters. Raises NotGenuine."""
    if pairs.keys() != set(names):
        raise NotGenuine("form", "other parameters")
    return [pairs[name] for name in names]


def sorted_pairs(named: dict[str, str]) -> bytes:
    """`A=…&B=…` by name, each value percent-encoded, so that no value can pass for two."""
    return "&".join(f"{name}={quote(named[name], safe='')}" for name in sorted(named)).encode()


def decoded(text: str) -> bytes:
    """Raises NotGenuine."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotGenuine("form", "base64") from error


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def in_utc(moment: datetime) -> datetime:
    """Raises ValueError for a time without zone."""
    if moment.tzinfo is None:
        raise ValueError("no zone")
    return moment.astimezone(UTC)

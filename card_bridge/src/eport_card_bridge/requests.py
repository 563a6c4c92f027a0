"""A request as the bridge holds it, in memory only, and how it is claimed and read before the PIN page is shown."""

import asyncio
import base64
import binascii
import json
import time
from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from . import VERSION
from .messages import KINDS, PROFILES, BadMessage, Message, parse_message
from .outcomes import Outcome, Stop
from .portal_client import PortalClient
from .readers import CardInReader
from .statement import NONCE_BYTES, PURPOSES

FIRST_PROTOCOL = "1.0"  # what a portal speaks that does not name its version
OLDEST_PROTOCOL = "1.0"  # what this bridge still understands
PIN_SECONDS = 300
BATCH_SECONDS = 7200
MOST_LINES, LONGEST_LINE = 16, 200
CURRENCIES = {
    "110": "港币",
    "116": "日元",
    "121": "澳门元",
    "132": "新加坡元",
    "142": "人民币",
    "300": "欧元",
    "303": "英镑",
    "344": "俄罗斯卢布",
    "501": "加拿大元",
    "502": "美元",
    "601": "澳大利亚元",
}


@dataclass
class Request:
    """`stage`: reading, pin, signing, stopped (may go on after a new PIN), done, failed."""

    origin: str
    request_id: str
    client: PortalClient
    stage: str = "reading"
    purpose: str = ""
    payload: bytes = b""
    nonce: bytes = b""
    lines: list[tuple[str, str]] = field(default_factory=list)
    profiles: list[str] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    documents: int = 0
    to_read: int = 0
    deadline: float = 0.0
    ends: float = field(default_factory=lambda: time.monotonic() + BATCH_SECONDS)
    signed: int = 0  # stored by the portal
    unsent: deque[str] = field(default_factory=deque)  # signatures (base64) of the messages after those
    at_once: int = 1  # signatures that the portal takes in one call
    is_to_pause: bool = False
    signing_since: tuple[float, int] = (0.0, 0)
    card: CardInReader | None = None
    certificate: bytes = b""
    answer: dict[str, str] | None = None
    code_sent: bool = False
    stop: Stop | None = None
    ended: float = 0.0
    task: asyncio.Task | None = None

    @property
    def here(self) -> str:
        return f"/requests/{self.request_id}?portal={self.origin}"


async def claim(request: Request, may_sign_messages: bool) -> None:
    """Claims the request and reads everything that will be signed; raises Stop."""
    answer = await request.client.claim()
    if is_older(VERSION, str(answer.get("minimum_version", "0"))):
        raise Stop(Outcome.TOO_OLD)
    if is_older(str(answer.get("protocol", FIRST_PROTOCOL)), OLDEST_PROTOCOL):
        raise Stop(Outcome.PORTAL_TOO_OLD)
    try:
        request.purpose = answer["purpose"]
        request.nonce = base64.b64decode(answer["nonce"], validate=True)
        request.payload = answer["payload"].encode("utf-8")
        seconds = float(answer["seconds_left"])
        request.at_once = max(1, int(answer.get("signatures_at_once", 1)))
        content = json.loads(request.payload)
        if request.purpose not in PURPOSES or len(request.nonce) != NONCE_BYTES or not isinstance(content, dict):
            raise Stop(Outcome.CONTENT)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError, AttributeError, binascii.Error) as error:
        raise Stop(Outcome.CONTENT) from error
    request.deadline = time.monotonic() + min(PIN_SECONDS, seconds)
    if request.purpose != "batch":
        request.lines = [(safe_text(key), safe_text(value)) for key, value in content.items()]
    elif may_sign_messages:
        await _read_batch(request, content)
    else:
        raise Stop(Outcome.ORIGIN)
    if not request.lines or len(request.lines) > MOST_LINES:
        raise Stop(Outcome.CONTENT)


async def _read_batch(request: Request, content: dict[str, Any]) -> None:
    """Fetches every message, checks it against the list and computes counts and sums itself: the words on the PIN page
    must come from what is signed, not from what the portal says of it."""
    try:
        listed, names = list(content["sha256"]), [content[name] for name in ("task", "enterprise", "uscc")]
        names += [content[name] for name in ("customs_code", "dxp_id")]
        claimed = {str(key): Decimal(str(value)) for key, value in content["sums"].items()}
        if not all(value.is_finite() for value in claimed.values()):  # a NaN that signals cannot even be compared
            raise Stop(Outcome.CONTENT)
        request.profiles = [name for name in content["profiles"] if name in PROFILES]
        counts = (content["count"], content["orders"])
    except (KeyError, TypeError, AttributeError, InvalidOperation) as error:
        raise Stop(Outcome.CONTENT) from error
    request.to_read = len(listed)
    sums: dict[str, Decimal] = {}
    for index, expected in enumerate(listed):
        data = await request.client.message(index)
        try:
            message = await asyncio.to_thread(parse_message, data)
        except BadMessage as error:
            raise Stop(Outcome.CONTENT) from error
        if message.sha256 != expected:
            raise Stop(Outcome.CONTENT)
        for currency, amount in message.sums.items():
            sums[currency] = sums.get(currency, Decimal(0)) + amount
        request.documents += message.documents
        request.messages.append(message)
    if not listed or sums != claimed or counts != (len(listed), request.documents):
        raise Stop(Outcome.CONTENT)
    task, enterprise, uscc, customs_code, dxp_id = (safe_text(name) for name in names)
    request.lines = [
        ("要签什么", f"任务{task}，{_in_words(request.messages)}，签{len(listed)}次"),
        *_numbers_in_words(request.messages),
        ("哪家企业", f"{enterprise}（{uscc}）"),
        ("海关编码", f"{customs_code}，传输ID {dxp_id}"),
    ]


def _in_words(messages: list[Message]) -> str:
    """How many documents of each kind, and their sums: 出口订单6单，合计606.00人民币."""
    said = []
    for name in dict.fromkeys(message.kind for message in messages):
        of_kind = [message for message in messages if message.kind == name]
        said.append(f"{KINDS[name].words}{sum(message.documents for message in of_kind)}单")
        for code in sorted({code for message in of_kind for code in message.sums}):
            amount = sum(message.sums.get(code, Decimal(0)) for message in of_kind)
            said.append(f"{KINDS[name].sum_words}{amount:,}{CURRENCIES.get(code, '币制' + code)}")
    return "，".join(said)


def _numbers_in_words(messages: list[Message]) -> list[tuple[str, str]]:
    """First and last number of each kind, as they stand in the messages."""
    lines = []
    for name in dict.fromkeys(message.kind for message in messages):
        of_kind = [message for message in messages if message.kind == name]
        first, last = safe_text(of_kind[0].numbers[0]), safe_text(of_kind[-1].numbers[1])
        lines.append((KINDS[name].number_words, first if first == last else f"从{first}到{last}"))
    return lines


def safe_text(value: Any) -> str:
    """One line for the page; raises Stop if it holds what can change how the rest reads (controls, text direction)."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) > LONGEST_LINE or not text.isprintable() or isinstance(value, dict | list):
        raise Stop(Outcome.CONTENT)
    return text


def is_older(own: str, wanted: str) -> bool:
    """Compares versions like "1.0" and "1.2.3" number by number; what is not a version asks for nothing."""
    try:
        return [int(part) for part in own.split(".")] < [int(part) for part in wanted.split(".")]
    except ValueError:
        return False

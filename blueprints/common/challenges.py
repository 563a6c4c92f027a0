"""Card challenges for every area: asking a card (login, bind, real-name, batch), and what is done when it has answered.

    challenge, cookie = create_challenge("batch", payload, user_id=…, enterprise_id=…, task_id=…, items=[ids],
                                         next_path=…, again_path=…)
    session.commit()
    return open_challenge(challenge, cookie)             # 303 to page 3004, with the challenge's own cookie

An area registers what it does (at import, so its `__init__` imports the module):

    @on_release("batch")     begin(challenge, card) -> path | response | None
        Once, when M is verified and the right browser came back. `card`: CardCertificate; `challenge.certificate`: DER.
        `raise NotAccepted(Sentence(…))` ends the request with those words. Adds and flushes, never commits.
    @serves_messages         message_of(challenge, index) -> bytes
        The unsigned canonical message whose SHA-256 is payload["sha256"][index]; `challenge.items[index]` is its id.
    @on_signature            keep_signature(challenge, index, signature, signed_message) -> None
        Once per message, verified; inside the short transaction that holds the challenge's row. No commit.
        `challenge.is_complete` tells the last one.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from datetime import timedelta

from flask import current_app, redirect, request, url_for

from gateways.card_answers import PURPOSES, CardCertificate, request_id
from models.challenges import Challenge, find_challenge, lock_open_challenges
from models.database import session

from . import clock
from .bridge_words import OUTCOMES
from .limits import Limit
from .numbers import Sentence

PIN_TIME, BATCH_TIME, IDLE_TIME = timedelta(minutes=5), timedelta(hours=2), timedelta(minutes=15)
WAY_BACK = timedelta(minutes=1)  # a PIN typed in the last second still reaches us
BY_USER = Limit("card-challenge", 30, 10)
BY_ADDRESS = Limit("card-challenge-address", 300, 10)
CARD_TYPES = {"01": "法人卡", "02": "操作员卡"}
REFUSALS = {
    "expired": Sentence("90511", "这次请求过期了（5分钟内要输入卡密码），请回到原来的页面重新开始"),
    "second-claim": Sentence("90512", "这次请求被领取了两次，为安全已经作废，什么也没签，请回到原来的页面重新开始"),
    "wrong-post-key": Sentence("90513", "有别的程序想插手这次请求，为安全已经作废，请回到原来的页面重新开始"),
    "second-answer": Sentence("90514", "这次请求收到了两个不同的回答，为安全已经作废，请回到原来的页面重新开始"),
    "browser-differs": Sentence("90515", "这次请求是在另一个浏览器里开始的，已经作废；请在同一个浏览器里从头办"),
    "user-differs": Sentence("90516", "开始时登录的账号和现在的不一样，已经作废；请用自己的账号重新开始"),
    "replaced": Sentence("90517", "同一个任务已经开始了新的签名请求，这一次作废；请看最新的那一页"),
    "cancelled": Sentence("90520", "您已经取消，什么也没签"),
    "certificate": Sentence("90521", "卡里的证书读不懂，请带卡到制卡中心检查"),
    "chain": Sentence("90522", "卡的证书不是本平台认可的机构签发的，请换用中国电子口岸的卡"),
    "not-yet-valid": Sentence("90523", "卡的证书还没到生效的日子，请等到那一天再办"),
    "validity-expired": Sentence("90524", "卡的证书已经过期，请先到制卡中心更新证书"),
    "key-usage": Sentence("90525", "这张卡的证书不能用来签名，请换用法人卡或操作员卡"),
    "reported-lost": Sentence("90526", "这张卡已经挂失，不能再用；找回来了请先解除挂失"),
    "algorithm": Sentence("90527", "卡的算法和这次要求的不一样，请换一张卡"),
    "signature": Sentence("90528", "卡的签名核对不上，什么也没办成，请回到原来的页面重新开始"),
}
_HOOKS: dict[str, Callable] = {}


class NotAccepted(Exception):
    """The card is genuine but may not do this here; the text is the numbered sentence for the user."""

    def __init__(self, sentence: Sentence):
        super().__init__(sentence)
        self.sentence = sentence


def on_release(purpose: str) -> Callable:
    def register(function: Callable) -> Callable:
        _HOOKS[f"release {purpose}"] = function
        return function

    return register


def serves_messages(function: Callable) -> Callable:
    _HOOKS["message"] = function
    return function


def on_signature(function: Callable) -> Callable:
    _HOOKS["signature"] = function
    return function


def release_hook(purpose: str) -> Callable:
    return _HOOKS[f"release {purpose}"]


def message_hook() -> Callable:
    return _HOOKS["message"]


def signature_hook() -> Callable:
    return _HOOKS["signature"]


def create_challenge(
    purpose: str,
    payload: dict,
    *,
    next_path: str,
    again_path: str,
    user_id=None,
    enterprise_id=None,
    task_id=None,
    items: list[str] = (),
) -> tuple[Challenge, str]:
    """The row and its cookie's value. An unfinished request of the same task is ended, so that nothing is signed twice.

    `payload`: words for the PIN page, {Chinese label: value}, at most 16 lines of 200 characters; for a batch as in
    docs/protocols/card-bridge.md. Raises `NotAccepted` when there were too many requests lately.
    """
    if purpose not in PURPOSES or f"release {purpose}" not in _HOOKS:
        raise ValueError(purpose)
    limit, subject = (BY_USER, str(user_id)) if user_id else (BY_ADDRESS, request.remote_addr or "")
    if wait := limit.minutes_left(subject):
        raise NotAccepted(Sentence("90518", "开始的次数太多，请过{wait}分钟再试", wait=wait))
    limit.add(subject)
    for older in lock_open_challenges(task_id) if task_id else ():
        end(older, "replaced")
    cookie, now = secrets.token_urlsafe(32), clock.now()
    challenge = Challenge(
        id_hash=digest(request_id(cookie)), cookie_hash=digest(cookie), purpose=purpose, nonce=secrets.token_bytes(32),
        payload=json.dumps(payload, ensure_ascii=False).encode(), message_count=len(payload.get("sha256", ())),
        items=list(items), user_id=user_id, enterprise_id=enterprise_id, task_id=task_id, state="new", signed_count=0,
        next_path=next_path, again_path=again_path, created_at=now, progress_at=now,
    )  # fmt: skip
    session.add(challenge)
    session.flush()
    return challenge, cookie


def open_challenge(challenge: Challenge, cookie: str):
    """To page 3004. One cookie per challenge, so that two tabs do not end each other's."""
    secure = current_app.config["SETTINGS"].is_https
    response = redirect(url_for("auth.show_challenge", id=challenge.id), 303)
    age = BATCH_TIME if challenge.purpose == "batch" else IDLE_TIME
    response.set_cookie(
        cookie_name(challenge), cookie, httponly=True, samesite="Lax", secure=secure, path="/", max_age=age
    )
    return response


def asked_of(principal, what: str) -> dict:
    """The payload of a request that concerns an account: what the PIN page says."""
    return {
        "网站": current_app.config["REGION"]["name"],
        "要做什么": what,
        "账号": principal.name,
        "单位": principal.enterprise_name,
        "统一社会信用代码": principal.uscc or "",
        "时间": f"{clock.local(clock.now()):%Y-%m-%d %H:%M}",
    }


def cookie_prefix() -> str:
    return "__Host-eport-card-" if current_app.config["SETTINGS"].is_https else "eport-card-"


def cookie_name(challenge: Challenge) -> str:
    return cookie_prefix() + challenge.id_hash.hex()[:12]


def held_cookie(challenge: Challenge) -> str | None:
    """The challenge's cookie, if this browser holds it."""
    cookie = request.cookies.get(cookie_name(challenge), "")
    return cookie if hmac.compare_digest(digest(cookie), challenge.cookie_hash) else None


def digest(secret: str) -> bytes:
    """What is kept of a secret (256 random bits, so a plain hash will do)."""
    return hashlib.sha256(secret.encode()).digest()


def is_expired(challenge: Challenge) -> bool:
    now = clock.now()
    if challenge.is_waiting:
        on_its_way = timedelta() if challenge.state == "new" else WAY_BACK
        return now > challenge.created_at + PIN_TIME + on_its_way
    idle = challenge.state == "released" and now > challenge.progress_at + IDLE_TIME
    return idle or now > challenge.created_at + BATCH_TIME


def end(challenge: Challenge, key: str, sentence: Sentence | None = None) -> None:
    """Ends a locked request for good; what is finished stays finished."""
    if challenge.state in ("finished", "killed"):
        return
    sentence = sentence or REFUSALS[key]
    challenge.state, challenge.answer, challenge.code_hash = "killed", None, None
    challenge.refusal = {"key": key, "number": sentence.number, "words": str(sentence)}


def kill(challenge: Challenge, key: str, sentence: Sentence | None = None) -> None:
    """Locks, ends and commits."""
    end(find_challenge(lock=True, id=challenge.id), key, sentence)
    session.commit()


def refusal_of(challenge: Challenge) -> Sentence | None:
    found = challenge.refusal
    return Sentence(found["number"], "{words}", words=found["words"]) if found else None


def last_report(challenge: Challenge) -> Sentence | None:
    """What the bridge said last, in words."""
    return OUTCOMES.get(challenge.report_outcome)


def lines_of(challenge: Challenge) -> list[tuple[str, str]]:
    """What the card is asked to confirm, as on the PIN page."""
    content = json.loads(challenge.payload)
    if challenge.purpose != "batch":
        return list(content.items())
    return [
        ("任务", content["task"]),
        ("企业", f"{content['enterprise']}（{content['uscc']}）"),
        ("海关编码", content["customs_code"]),
        ("传输ID", content["dxp_id"]),
        ("订单", f"{content['orders']}单，签{content['count']}次"),
    ]


def card_type(card: CardCertificate) -> str:
    return CARD_TYPES.get(card.card_type, "操作员卡")

"""Codes and links by mail or SMS (验证码): six digits for 10 minutes and 5 tries, a link for 30 minutes and one use.

    proof = send_code("mobile", "sms", "13800000001", user=user, words=…, keep={…})
    cookie_session["mobile-proof"] = str(proof.id)
    …
    proof = check_code("mobile", cookie_session.get("mobile-proof"), typed)      # raises WrongProof

Where nobody is to be written to (no such account), `to` is None: the row is made all the same, so that pages and times
do not tell. Addresses get at most so many messages an hour.
"""

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from models.accounts import User
from models.database import session
from models.proofs import Proof, find_proof, lock_proof

from . import clock
from .gateways import gateways
from .limits import Limit
from .notices import notify, notify_by_sms, notify_nobody
from .numbers import Sentence

CODE_MINUTES, LINK_MINUTES, TRIES = 10, 30, 5
BY_TARGET = Limit("proof-target", 5, 60)  # messages to one address or number
BY_BROWSER = Limit("proof-address", 60, 60)  # messages asked for from one network address
WAYS = {"mail": "邮箱", "sms": "手机"}


class WrongProof(Exception):
    """`sentence`: why the code or link does not count, and what to do."""

    def __init__(self, sentence: Sentence):
        super().__init__(sentence)
        self.sentence = sentence


class TooManyMessages(WrongProof):
    pass


def can_sms() -> bool:
    return gateways().sms.is_on


def send_code(purpose: str, way: str, to: str | None, *, asker: str, subject: str, words: str = "", user: User | None = None,
              keep: dict | None = None) -> Proof:  # fmt: skip
    """`asker`: network address of who asks. `subject`: what the code is for. Raises `TooManyMessages`."""
    proof_id, digits = _new_id(), f"{secrets.randbelow(10**6):06d}"
    proof = _add(proof_id, purpose, way, _code_hash(proof_id, digits), CODE_MINUTES, to, asker, user, keep)
    text = f"您的验证码是 {digits}，{CODE_MINUTES}分钟内有效，用于{subject}。{words}不是您本人在办，请不要告诉别人。"
    _tell(way, to, f"{subject}的验证码", text)
    return proof


def send_link(purpose: str, to: str | None, address_of, *, asker: str, subject: str, words: str, user: User | None = None,
              keep: dict | None = None, minutes: int = LINK_MINUTES, way: str = "mail") -> Proof:  # fmt: skip
    """`address_of(token)`: the absolute address of the page that uses the link."""
    token = secrets.token_urlsafe(32)
    proof = _add(_new_id(), purpose, way, _link_hash(token), minutes, to, asker, user, keep)
    life = f"{minutes}分钟" if minutes < 120 else f"{minutes // 60}小时"
    text = f"{words}\n\n{address_of(token)}\n\n链接{life}内有效，只能用一次。不要转给别人。"
    _tell(way, to, subject, text)
    return proof


def check_code(purpose: str, proof_id: str | None, typed: str) -> Proof:
    """The proof, used up. Commits a wrong try. Raises `WrongProof`."""
    proof = lock_proof(UUID(proof_id)) if proof_id else None
    if proof is None or proof.purpose != purpose or proof.used_at:
        raise WrongProof(Sentence("90241", "验证码已经用过或作废了，请重新获取"))
    if clock.now() > proof.until:
        raise WrongProof(Sentence("90242", "验证码已过{minutes}分钟，请重新获取；别的内容都留着", minutes=CODE_MINUTES))
    if proof.tries >= TRIES:
        raise WrongProof(Sentence("90243", "验证码输错了{tries}次，这个验证码作废，请重新获取", tries=TRIES))
    digits = "".join(typed.split())
    if not proof.is_sent or _code_hash(proof.id, digits) != proof.secret_hash:
        proof.tries += 1
        left = TRIES - proof.tries
        session.commit()
        if left == 0:
            raise WrongProof(Sentence("90243", "验证码输错了{tries}次，这个验证码作废，请重新获取", tries=TRIES))
        raise WrongProof(Sentence("90244", "验证码不对，请看最新的一条再输，还能试{left}次", left=left))
    proof.used_at = clock.now()
    return proof


def read_link(purpose: str, token: str) -> Proof:
    """The proof behind a link, not yet used up (`proof.used_at = now` does). Raises `WrongProof`."""
    proof = find_proof(_link_hash(token))
    if proof is None or proof.purpose != purpose:
        raise WrongProof(Sentence("90245", "链接不完整或已作废，请从邮件里整段复制，或重新申请一封"))
    if proof.used_at:
        raise WrongProof(Sentence("90246", "这个链接已经用过了；还要办，请重新申请一封"))
    if clock.now() > proof.until:
        raise WrongProof(Sentence("90247", "这个链接已经过期，请重新申请一封"))
    return proof


def count_message(purpose: str, target: str, asker: str) -> None:
    """One message more to `target`, asked for by `asker`. Raises `TooManyMessages`."""
    BY_TARGET.lock(f"{purpose}|{target}")
    BY_BROWSER.lock(asker)
    if wait := max(BY_TARGET.minutes_left(f"{purpose}|{target}"), BY_BROWSER.minutes_left(asker)):
        raise TooManyMessages(Sentence("90248", "发的次数太多，请过{wait}分钟再试，或打客服热线", wait=wait))
    BY_TARGET.add(f"{purpose}|{target}")
    BY_BROWSER.add(asker)


def _add(proof_id, purpose, way, secret_hash, minutes, to, asker, user, keep) -> Proof:
    count_message(purpose, to or (keep or {}).get("asked", ""), asker)
    proof = Proof(id=proof_id, purpose=purpose, way=way, secret_hash=secret_hash, user_id=user and user.id, is_sent=bool(to),
                  tries=0, at=clock.now(), until=clock.now() + timedelta(minutes=minutes))  # fmt: skip
    proof.data = {"to": to or "", **(keep or {})}
    session.add(proof)
    session.flush()
    return proof


def _tell(way: str, to: str | None, subject: str, text: str) -> None:
    if not to:
        notify_nobody(subject, text)
    elif way == "sms":
        notify_by_sms(to, text)
    else:
        notify(to, subject, text)


def _new_id() -> UUID:
    return UUID(bytes=secrets.token_bytes(16), version=4)


def _code_hash(proof_id: UUID, digits: str) -> bytes:
    return hashlib.sha256(proof_id.bytes + digits.encode()).digest()


def _link_hash(token: str) -> bytes:
    return hashlib.sha256(b"link|" + token.encode()).digest()

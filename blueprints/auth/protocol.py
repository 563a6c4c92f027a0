"""The portal's side of signing by redirect (docs/protocols/card-bridge.md): claim, quarantine, release, signatures.

Functions raise `BridgeRefusal` for the bridge and `NotReleased` for the browser. They commit themselves: a refusal that
ends a request must stand although the answer is an error, and nothing is verified while a row is held.
"""

import base64
import binascii
import re
import secrets
from hmac import compare_digest

from flask import current_app

from blueprints.common import clock
from blueprints.common.bridge_words import OUTCOMES, PAGES
from blueprints.common.challenges import (
    PIN_TIME,
    NotAccepted,
    digest,
    is_expired,
    kill,
    message_hook,
    release_hook,
    signature_hook,
)
from gateways.card_answers import (
    Answer,
    CardCertificate,
    NotVerified,
    Question,
    check_answer,
    read_authorities,
    read_certificate,
)
from gateways.certificates import key_algorithm
from gateways.customs_dxp.signature import assemble
from models.challenges import Challenge, StoredSignature, find_challenge, is_signed, lost_marks
from models.database import session

REQUEST_ID, ALGORITHM_NAME = re.compile(r"[A-Za-z0-9_-]{43}"), re.compile(r"[a-z0-9-]+")
PROFILES = {"rsa": "rsa-sha1", "sm2": "sm2-sm3"}
LIMITS = {"certificate": 16384, "algorithm": 40, "signature": 1024}  # characters
PROTOCOL, AT_ONCE = "1.0", 32  # version of docs/protocols/card-bridge.md; signatures taken in one call
TOO_OLD = 123


class BridgeRefusal(Exception):
    """What the bridge is told: HTTP status and reason."""

    def __init__(self, status: int, reason: str = ""):
        super().__init__(status, reason)
        self.status, self.reason = status, reason


class NotReleased(Exception):
    """The browser's code releases nothing. `challenge` is None where the code belongs to none (any more)."""

    def __init__(self, challenge: Challenge | None = None):
        super().__init__()
        self.challenge = challenge


def get_request(request_id: str) -> Challenge:
    """Raises BridgeRefusal: 404 unknown or ended, 410 expired (which ends it)."""
    known = REQUEST_ID.fullmatch(request_id)
    challenge = find_challenge(id_hash=digest(request_id)) if known else None
    if challenge is None or challenge.state == "killed":
        raise BridgeRefusal(404, public_reason(challenge))
    if is_expired(challenge):
        kill(challenge, "expired")
        raise BridgeRefusal(410, "expired")
    return challenge


def public_reason(challenge: Challenge | None) -> str:
    key = challenge.refusal["key"] if challenge else ""
    return {"reported-lost": "revoked", "validity-expired": "revoked"}.get(key, key)


def get_claimed(request_id: str, key: str) -> Challenge:
    """As `get_request`, for the one program that claimed it. A wrong key ends the request."""
    challenge = get_request(request_id)
    if not key or not compare_digest(digest(key), challenge.post_key_hash or b""):
        kill(challenge, "wrong-post-key")
        raise BridgeRefusal(403, "wrong-post-key")
    return challenge


def claim(request_id: str, version: object) -> dict:
    """Nonce, payload and post key, once. A bridge that is too old is refused before it can spoil the request."""
    challenge = get_request(request_id)
    if is_too_old(version):
        challenge.report_page, challenge.report_outcome = "entry", TOO_OLD
        session.commit()
        raise BridgeRefusal(426, "too-old")
    challenge = find_challenge(lock=True, id=challenge.id)
    if challenge.state != "new":
        kill(challenge, "second-claim")
        raise BridgeRefusal(409, "second-claim")
    key = secrets.token_urlsafe(32)
    challenge.state, challenge.post_key_hash = "claimed", digest(key)
    session.commit()
    return {
        "purpose": challenge.purpose,
        "nonce": base64.b64encode(challenge.nonce).decode(),
        "payload": challenge.payload.decode(),
        "post_key": key,
        "seconds_left": (challenge.created_at + PIN_TIME - clock.now()).total_seconds(),
        "protocol": PROTOCOL,
        "signatures_at_once": AT_ONCE,
    }


def is_too_old(version: object) -> bool:
    """Number by number; what names no version is too old."""
    wanted = current_app.config["SETTINGS"].bridge_minimum
    if not isinstance(version, str) or not re.fullmatch(r"\d{1,4}(\.\d{1,4}){0,3}", version):
        return True
    return [int(part) for part in version.split(".")] < [int(part) for part in wanted.split(".")]


def message_of(request_id: str, key: str, index: int) -> bytes:
    challenge = get_claimed(request_id, key)
    if index >= challenge.message_count:
        raise BridgeRefusal(404, "no-message")
    return message_hook()(challenge, index)


def take_answer(request_id: str, key: str, body: object) -> str:
    """Into quarantine; gives the code that only the right browser can use. The same answer again gets a fresh code."""
    challenge = get_claimed(request_id, key)
    if not is_answer(body):
        raise BridgeRefusal(400, "form")
    challenge = find_challenge(lock=True, id=challenge.id)
    is_other = challenge.answer is not None and challenge.answer != body
    if challenge.state not in ("claimed", "quarantined") or is_other:
        kill(challenge, "second-answer")
        raise BridgeRefusal(409, "second-answer")
    code = secrets.token_urlsafe(32)
    challenge.answer, challenge.state, challenge.code_hash = body, "quarantined", digest(code)
    session.commit()
    return code


def is_answer(body: object) -> bool:
    """{certificate, algorithm, signature}, nothing else, base64 within the limits, the algorithm a plain name."""
    if not isinstance(body, dict) or body.keys() != LIMITS.keys():
        return False
    if not all(isinstance(body[name], str) and 0 < len(body[name]) <= most for name, most in LIMITS.items()):
        return False
    if not ALGORITHM_NAME.fullmatch(body["algorithm"]):
        return False
    return decoded(body["certificate"]) is not None and decoded(body["signature"]) is not None


def decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def release(code: str, has_cookie, user_id):
    """What the purpose's hook gives (path, response or None), and the challenge. Raises NotReleased.

    `has_cookie(challenge)`: whether this browser holds the challenge's cookie; `user_id` of who is logged in.
    """
    challenge = find_challenge(code_hash=digest(code))
    if challenge is None:
        raise NotReleased
    refusal = refused_before_verifying(challenge, has_cookie, user_id)
    if refusal:
        kill(challenge, refusal)
        raise NotReleased(challenge)
    body = challenge.answer
    answer = Answer(decoded(body["certificate"]), body["algorithm"], decoded(body["signature"]))
    try:
        card = verified(challenge, answer)
    except NotVerified as error:
        current_app.logger.info("card answer %s refused: %s", challenge.id, error)
        kill(challenge, error.reason)
        raise NotReleased(challenge) from error
    challenge = find_challenge(lock=True, id=challenge.id)
    if challenge.code_hash != digest(code):
        session.rollback()
        raise NotReleased
    return finish(challenge, answer, card), challenge


def refused_before_verifying(challenge: Challenge, has_cookie, user_id) -> str:
    if not has_cookie(challenge):
        return "browser-differs"
    if is_expired(challenge):
        return "expired"
    return "user-differs" if challenge.user_id not in (None, user_id) else ""


def verified(challenge: Challenge, answer: Answer) -> CardCertificate:
    """Everything from our own row and PUBLIC_ORIGIN; nothing of it comes with the answer. Raises NotVerified."""
    settings = current_app.config["SETTINGS"]
    question = Question(challenge.purpose, settings.public_origin, challenge.nonce, challenge.payload)
    read = read_certificate(answer.certificate)
    lost = lost_marks(read.serial_hex, read.card_number)
    session.commit()
    authorities = read_authorities(settings.card_authorities) if settings.card_authorities.is_dir() else ()
    card = check_answer(answer, question, authorities, lost, clock.now())
    if challenge.purpose == "batch" and card.algorithm not in PROFILES:
        raise NotVerified("algorithm", "no profile of customs")
    return card


def finish(challenge: Challenge, answer: Answer, card: CardCertificate):
    """The row is held: what the card may do here happens now, once."""
    challenge.certificate, challenge.answer, challenge.code_hash = answer.certificate, None, None
    challenge.progress_at = clock.now()
    challenge.state = "released" if challenge.purpose == "batch" else "finished"
    try:
        result = release_hook(challenge.purpose)(challenge, card)
    except NotAccepted as refused:
        session.rollback()
        kill(challenge, "not-accepted", refused.sentence)
        raise NotReleased(challenge) from refused
    session.commit()
    return result


def store_signature(request_id: str, key: str, index: int, text: object) -> None:
    """Verified against the message as it stands here, then kept. A stored signature sent again is stored already."""
    challenge = get_claimed(request_id, key)
    if index < challenge.message_count and is_signed(challenge.id, index):
        return
    if challenge.state != "released" or index >= challenge.message_count:
        raise BridgeRefusal(409, "not-released")
    signature = decoded(text) if isinstance(text, str) and len(text) <= LIMITS["signature"] else None
    if not signature:
        raise BridgeRefusal(400, "form")
    message, certificate = message_hook()(challenge, index), challenge.certificate
    session.commit()
    try:
        signed = assemble(message, PROFILES[key_algorithm(certificate)], certificate, signature)
    except NotVerified as error:
        raise BridgeRefusal(422, "signature") from error
    keep_signature(challenge, index, signature, signed)


def store_signatures(request_id: str, key: str, first: object, texts: object) -> None:
    """Several in the order of the list, each kept before the next is looked at: what came before a bad one stays."""
    get_claimed(request_id, key)
    if not isinstance(first, int) or not isinstance(texts, list) or not 1 <= len(texts) <= AT_ONCE or first < 0:
        raise BridgeRefusal(400, "form")
    for index, text in enumerate(texts, first):
        store_signature(request_id, key, index, text)


def keep_signature(challenge: Challenge, index: int, signature: bytes, signed: bytes) -> None:
    challenge = find_challenge(lock=True, id=challenge.id)
    if is_signed(challenge.id, index):
        session.commit()
        return
    if challenge.state != "released":
        session.commit()
        raise BridgeRefusal(409, "not-released")
    session.add(StoredSignature(challenge_id=challenge.id, index=index, at=clock.now()))
    challenge.signed_count += 1
    challenge.progress_at = clock.now()
    signature_hook()(challenge, index, signature, signed)
    if challenge.is_complete:
        challenge.state = "finished"
    session.commit()


def note_report(request_id: str, key: str, page: object, outcome: object) -> None:
    """Page and outcome number, never more."""
    challenge = get_claimed(request_id, key)
    if page not in PAGES or not isinstance(outcome, int) or outcome not in OUTCOMES:
        raise BridgeRefusal(400, "form")
    challenge.report_page, challenge.report_outcome = page, outcome
    session.commit()

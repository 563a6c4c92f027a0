"""Signing without anybody there (加密机, 加签 service): only for a company that switched it on from a card session.

may_sign(line) → None or the sentence why not; start_signing(push_id, line, by) defers the job. Each signature is verified
and the certificate is the company's own before a message counts as ready to send.
"""

import time
from contextlib import closing
from datetime import timedelta
from uuid import UUID

from blueprints.common import clock
from blueprints.common.numbers import Sentence
from gateways.certificates import CardCertificate, NotVerified
from gateways.customs_dxp import signature
from gateways.outcomes import NotLetIn, Unavailable
from gateways.signers import Signer
from models import channels, pushes
from models.accounts import Enterprise
from models.channels import Line, ProfileChannel
from models.database import session
from models.orders import Push
from models.queue import defer

from .channels import OffList, Problem, check_signer, open_signer, signer_words
from .pushing import keep_signed
from .sending import FIRST, as_row, ask_to_send, from_row, pause_after

STEP, TURN = 20, 2.0  # messages that are stored together; seconds that one job signs, then others have their turn
LEASE = timedelta(minutes=1)  # a job that was lost is asked for again


def may_sign(line: Line) -> Sentence | None:
    """None: the line's signer signs by itself."""
    row = channels.settings_of_line(line)
    if row is None or not row.signer:
        return Sentence("90802", "没有选加签地址，请先在企业资料里选好「加签地址」")
    if row.unattended_at is None:
        return Sentence("90801", "还没有打开自动加签，请管理员插卡登录后，在「发送情况」里打开")
    return from_row(row.problem)


def start_signing(push_id: UUID, line: Line, by: str) -> None:
    """The push is signed by the line's signer. Raises Problem when that is not allowed."""
    if sentence := may_sign(line):
        raise Problem(sentence)
    now = clock.now()
    channels.order_signing(push_id, by, now, now + LEASE)
    _ask_to_sign(push_id, FIRST)


def sign_by_itself(push: Push, by: str) -> bool:
    """True when the line's signer was asked to sign the push; False: a card must."""
    line = channels.line_of_push(push.id)
    if line is None or may_sign(line):
        return False
    start_signing(push.id, line, by)
    return True


def _ask_to_sign(push_id: UUID, priority: int) -> None:
    defer("sign_push", queue="push", lock=f"sign:{push_id}", priority=priority, push_id=str(push_id))


def wake_signing() -> None:
    """Loop: pushes that wait for their signer, and those that a killed worker left."""
    now = clock.now()
    for push_id in channels.take_signing_left(now, now + LEASE):
        _ask_to_sign(push_id, 0)
    session.commit()


def sign_push(push_id: str) -> None:
    """Job. Signs what of the push is unsigned, for its turn."""
    order, line = channels.find_signing_order(UUID(push_id)), channels.line_of_push(UUID(push_id))
    if order is None or order.done_at or line is None:
        session.commit()
        return
    row, hold = channels.settings_of_line(line), channels.find_hold(line, "sign")
    if sentence := may_sign(line):
        channels.end_signing(order.push_id, clock.now(), as_row(sentence))
        session.commit()
        return
    company = session.get(Enterprise, line.enterprise_id)
    session.commit()
    name = "加签"
    try:
        signer, name = open_signer(row)
        with closing(signer):
            card = check_signer(signer.certificate, company)
            session.commit()
            _sign_in_turn(order.push_id, signer, card)
    except (OffList, NotLetIn) as error:
        _stop(order.push_id, row, signer_words(error, name))
    except Unavailable as error:
        _wait(order.push_id, line, hold.failures + 1 if hold else 1, error, name)
    except Problem as problem:
        _stop(order.push_id, row, problem.sentence)
    else:
        if hold:
            channels.let_go(line, "sign")
    session.commit()


def _sign_in_turn(push_id: UUID, signer: Signer, card: CardCertificate) -> None:
    ends, by = time.monotonic() + TURN, f"{card.holder} {card.card_number}"
    while unsigned := channels.unsigned_of(push_id, STEP):
        session.commit()
        signed = {message_id: _signed(signer, canonical) for message_id, canonical in unsigned.items()}
        for message in pushes.lock_messages(list(signed)):
            if message.state == "unsigned" and message.push_id == push_id:
                keep_signed(message, signed[message.id], by)
        session.flush()
        ask_to_send(push_id)
        session.commit()
        if time.monotonic() > ends:
            channels.lease_signing(push_id, clock.now() + LEASE)
            _ask_to_sign(push_id, 0)
            return
    channels.end_signing(push_id, clock.now())


def _signed(signer: Signer, canonical: bytes) -> bytes:
    value = signer.sign(signature.signed_info(signer.profile, canonical))
    try:
        return signature.assemble(canonical, signer.profile, signer.certificate, value)
    except NotVerified as refused:
        raise Problem(Sentence("90804", "加签设备给的签名验不过，没有发出去，请报给客服热线")) from refused


def _stop(push_id: UUID, row: ProfileChannel, sentence: Sentence) -> None:
    """Not tried again by itself: a wrong password could lock the account or the token."""
    session.rollback()
    found = channels.find_settings(row.profile_id, lock=True)
    found.problem = as_row(sentence)
    channels.end_signing(push_id, clock.now(), as_row(sentence))


def _wait(push_id: UUID, line: Line, failures: int, error: Exception, name: str) -> None:
    session.rollback()
    now = clock.now()
    next_at = now + pause_after(error, failures)
    channels.hold(line, "sign", failures, next_at, as_row(signer_words(error, name)), now)
    channels.lease_signing(push_id, next_at)

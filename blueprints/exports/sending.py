"""Sending: what is signed goes to customs by the company's channel, byte-identical every time.

A channel that does not answer holds its own line (a company's 传输ID) for 1, 2, 4 … 300 s; a message that the other
side refuses MOST_REFUSALS times is a dead letter. Companies take turns, and small pushes come first.
"""

import random
import time
from contextlib import closing
from datetime import datetime, timedelta
from uuid import UUID

from blueprints.common import clock
from blueprints.common.numbers import Sentence
from gateways.customs_dxp import envelope
from gateways.customs_dxp.folder_channel import DIFFERS
from gateways.customs_dxp.port import Channel
from gateways.outcomes import NotLetIn, Unavailable
from models import channels, pushes
from models.channels import Line
from models.database import session
from models.orders import Message
from models.queue import defer, is_waiting

from .channels import is_remote, open_sending, words_of

STALE = timedelta(seconds=60)  # a message may be in `sending` no longer
LEFT = timedelta(seconds=1)  # so long after its signature a message waits for its job
TURN = 1.0  # seconds that one job sends; then others have their turn
SMALL, FIRST = 5, 10  # messages of a small push, and the priority of its job
MOST_REFUSALS = 5
TOO_LARGE = Sentence("90809", "这份报文超过4096KB，平台收不下：请删除后拆成几个任务，每个任务少一些明细再报")
LONGEST, NOT_LET_IN = 300, 900  # seconds of back-off; the latter for a password, so that the account is not locked


def ask_to_send(push_id: UUID) -> None:
    """Defers the job, unless it waits already: more jobs would be more turns."""
    lock = f"push:{push_id}"
    if not is_waiting(lock):
        is_small = channels.count_ready(push_id, SMALL + 1) <= SMALL
        defer("send_messages", queue="push", lock=lock, priority=FIRST if is_small else 0, push_id=str(push_id))


def send_messages(push_id: str) -> None:
    """Job. `sending` is committed before the channel is written; killed in between, the message is sent again as it is."""
    line = channels.line_of_push(UUID(push_id))
    hold = line and channels.find_hold(line, "send")
    if line is None or channels.is_held(hold, clock.now()):
        session.commit()
        return
    failures = hold.failures if hold else 0
    try:
        channel, name = open_sending(line)
    except (Unavailable, OSError) as error:
        _hold(line, [], error, failures, "发送通道")
    else:
        with closing(channel):
            _send_in_turn(UUID(push_id), line, channel, name, failures)
    session.commit()


def _send_in_turn(push_id: UUID, line: Line, channel: Channel, name: str, failures: int) -> None:
    ends = time.monotonic() + TURN
    while ids := channels.take_to_send(push_id, clock.now() - STALE, clock.now(), channel.step):
        session.commit()
        try:
            _send(channel, ids)
        except (Unavailable, OSError) as error:
            _hold(line, ids, error, failures, name)
            return
        if failures:
            channels.let_go(line, "send")
            failures = 0
        session.commit()
        if time.monotonic() > ends:
            ask_to_send(push_id)
            return


def _send(channel: Channel, message_ids: list[UUID]) -> None:
    rows = pushes.to_send(message_ids)
    session.commit()
    files, too_large = {}, []
    for row in rows:
        try:
            files[row[0]] = wrap(*row)
        except ValueError:
            too_large.append(row[0])
    refused = channel.send_all(files.values())
    said = {message_id: refused[name] for message_id, (name, _) in files.items() if name in refused}
    pushes.mark_sent([message_id for message_id in files if message_id not in said], clock.now())
    for message_id, reason in said.items():
        _refuse(message_id, reason)
    for message_id in too_large:
        channels.refuse(message_id, as_row(TOO_LARGE), clock.now())
        channels.bury(message_id, str(TOO_LARGE))


def _refuse(message_id: UUID, reason: str) -> None:
    """Asked again a little later, MOST_REFUSALS times in all; then it is a dead letter."""
    now = clock.now()
    sentence = Sentence("90793", "通道不收这份报文，说的是：{reason}", reason=reason or "没有说明原因")
    if reason == DIFFERS:
        sentence = Sentence("90794", "同一个编号以前发过另一份内容，没有再发，请报给客服热线")
    count = channels.refuse(message_id, as_row(sentence), now)
    if count >= MOST_REFUSALS:
        channels.bury(message_id, str(sentence))
    else:
        channels.put_back([message_id], now - STALE + pause_after(None, count))


def _hold(line: Line, message_ids: list[UUID], error: Exception, failures: int, name: str) -> None:
    now = clock.now()
    next_at = now + pause_after(error, failures + 1)
    channels.hold(line, "send", failures + 1, next_at, as_row(words_of(error, name)), now)
    channels.put_back(message_ids, now - STALE)


def pause_after(error: Exception | None, failures: int) -> timedelta:
    """1, 2, 4 … LONGEST seconds, up to a quarter more or less, so that not all companies come back at once."""
    if isinstance(error, NotLetIn):
        return timedelta(seconds=NOT_LET_IN)
    return timedelta(seconds=min(2 ** min(failures - 1, 10), LONGEST) * random.uniform(0.75, 1.25))


def as_row(sentence: Sentence) -> dict:
    return {"number": sentence.number, "template": sentence.template, "parts": sentence.parts}


def from_row(row: dict | None) -> Sentence | None:
    return Sentence(row["number"], row["template"], **row["parts"]) if row else None


def send_left_over() -> None:
    """What a killed worker left, and what waited for its channel. Folders at once; hosts by a job, since they may be slow
    and this is everybody's loop."""
    now = clock.now()
    channels.settle_answered(now - STALE, now)
    session.commit()
    left = channels.pushes_left(now - LEFT, now - STALE, now)
    for push_id, line in left:
        if is_remote(line):
            ask_to_send(push_id)
            session.commit()
        else:
            send_messages(str(push_id))
    session.commit()


def wrap(message_id: UUID, kind: str, dxp_id: str, wrapped_at: datetime, signed: bytes) -> tuple[str, bytes]:
    """File name and envelope; the same row gives the same bytes."""
    created = clock.local(wrapped_at.replace(microsecond=0))
    parcel = envelope.DxpMsg(
        str(message_id).upper(), dxp_id, (envelope.CUSTOMS_EXPORT,), created, f"CEB{kind}Message", signed
    )
    return envelope.file_name(parcel), envelope.build(parcel)


def resend(message: Message) -> bool:
    """Sends a message that did not get through again, byte-identical. False if its answer may still come."""
    message = next(iter(pushes.lock_messages([message.id])))
    if message.signed is None or message.state not in ("sent", "refused"):
        return False
    message.state, message.problem = "ready", ""
    channels.forget_refusals([message.id])
    session.flush()
    ask_to_send(message.push_id)
    return True

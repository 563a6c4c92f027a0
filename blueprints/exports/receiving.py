"""Answers of customs: raw bytes stored and committed, then acknowledged, then read and applied to orders."""

import hashlib
import itertools
import json
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from blueprints.common import clock
from gateways.customs_dxp import envelope
from gateways.customs_dxp.messages import ceb304
from gateways.customs_dxp.messages.returns import Returned, parse_returns
from gateways.customs_dxp.port import Channel
from models import receipts
from models.accounts import Enterprise
from models.database import session

from .channels import customs_folder, folder_of
from .modes import platform_words
from .sending import send_left_over

NUMBERS = {"preNo": "pre_no", "invtNo": "invt_no", "sumNo": "sum_no"}  # elements of receipts and our names for them
LOG = logging.getLogger(__name__)
STEP = 200  # files taken in at once
GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
LEFT_OVER = timedelta(seconds=30)


@dataclass(frozen=True)
class Found:
    """What one file says: receipts (as `read_receipts` gives them), a transport receipt, or nothing that can be read."""

    verdict: str  # receipts | reply | garbled
    note: str = ""
    rows: list[tuple] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    reply: envelope.DxpRep | None = None


class Arrived(NamedTuple):
    name: str
    sha256: bytes
    content: bytes
    found: Found


def poll_channels() -> None:
    """Loop, every second: sends what was left, takes in what came. Any number of workers may do it at once."""
    send_left_over()
    take_in_all()
    read_left_over()


def take_in_all() -> None:
    root = customs_folder()
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        try:
            enterprise_id = UUID(folder.name)
        except ValueError:
            continue
        known = session.get(Enterprise, enterprise_id)
        session.commit()
        if not known:
            continue
        try:
            take_in_from(folder_of(enterprise_id), enterprise_id)
        except OSError as error:  # one company's folder must not hold up the others
            session.rollback()
            LOG.warning("folder of %s: %s", enterprise_id, error)


def take_in_from(channel: Channel, enterprise_id: UUID) -> None:
    """All that waits in one company's channel. While the database works on one batch the next is read."""
    with ThreadPoolExecutor(1) as reader:
        batch = read_batch(channel)
        while batch:
            files = [(each.name, each.sha256, each.content) for each in batch]
            new = receipts.keep_files(enterprise_id, files, clock.now())
            session.commit()
            channel.acknowledge_all(each.name for each in batch)
            next_batch = reader.submit(read_batch, channel) if len(batch) == STEP else None
            found = {(each.name, each.sha256): each.found for each in batch}
            _apply(enterprise_id, {id: found[name, digest] for id, (name, digest) in new.items()})
            batch = next_batch and next_batch.result()


def read_batch(channel: Channel) -> list[Arrived]:
    """Up to `STEP` files."""
    return [
        Arrived(name, hashlib.sha256(data).digest(), data, read_file(data))
        for name, data in itertools.islice(channel.receive(), STEP)
    ]


def read_left_over() -> None:
    """Files that were stored by a worker that died before it read them."""
    rows = receipts.files_not_looked_at(clock.now() - LEFT_OVER)
    session.commit()
    by_company: dict[UUID, dict[UUID, Found]] = {}
    for file_id, enterprise_id, content in rows:
        by_company.setdefault(enterprise_id, {})[file_id] = read_file(content)
    for enterprise_id, files in by_company.items():
        _apply(enterprise_id, files)


def read_file(content: bytes) -> Found:
    try:
        parsed = envelope.parse(content)
        if isinstance(parsed, envelope.DxpRep):
            return Found("reply", reply=parsed)
        rows, refused = read_receipts(parsed.data)
    except (envelope.BadEnvelope, ceb304.BadReceipt) as error:
        return Found("garbled", note=str(error))
    return Found("receipts", rows=rows, refused=refused)


def read_receipts(data: bytes) -> tuple[list[tuple], list[tuple[str, str]]]:
    """([(guid, status, time, number, info, extra as JSON or None)], [(CopMsgId, words) of messages nobody could read]).

    The latter are format receipts (CEB900). Raises BadReceipt.
    """
    unread: list[tuple[str, str]] = []
    if b"CEB304Message" in data[:200]:
        found = [(r.guid, r.status, r.time, r.order_no, r.info, None) for r in ceb304.parse_receipts(data)]
    else:
        returned = [each for each in parse_returns(data) if each.status is not None]
        unread = [(r.number, f"{r.info}（{r.status}）") for r in returned if "oriCopMsgId" in r.extra]
        found = [
            (r.guid, r.status, r.time, r.number, r.info, extra_of(r)) for r in returned if "oriCopMsgId" not in r.extra
        ]
    if not all(map(GUID.fullmatch, [each[0] for each in found])):
        raise ceb304.BadReceipt("a guid that is none")
    return [(*each[:4], each[4].replace("\0", ""), each[5]) for each in found], unread


def extra_of(returned: Returned) -> str | None:
    """The numbers that customs gave, by our names."""
    given = {ours: returned.extra[theirs] for theirs, ours in NUMBERS.items() if returned.extra.get(theirs)}
    return json.dumps(given) if given else None


def _apply(enterprise_id: UUID, files: dict[UUID, Found]) -> None:
    if not files:
        return
    won = receipts.judge_files({file_id: (found.verdict, found.note) for file_id, found in files.items()})
    judged = [(file_id, found) for file_id, found in files.items() if file_id in won]
    rows = [(file_id, *row) for file_id, found in judged for row in found.rows]
    receipts.apply_receipts(enterprise_id, rows, clock.now())
    for _, found in judged:
        if found.reply:
            _note_reply(enterprise_id, found.reply)
        for message_id, words in found.refused:
            _note_refusal(enterprise_id, message_id, words)
    session.commit()


def _note_reply(enterprise_id: UUID, reply: envelope.DxpRep) -> None:
    for response in reply.responses:
        words = platform_words().get(response.code, "数据交换平台没有收")
        said = f"{words}（{response.code}）{response.info}"
        _note_refusal(enterprise_id, response.cop_msg_id, said, is_good=response.code == "0")


def _note_refusal(enterprise_id: UUID, message_id: str, words: str, is_good: bool = False) -> None:
    """What was said of a whole message; an id that is none of ours changes nothing."""
    with suppress(ValueError):
        receipts.answer_of_platform(UUID(message_id), enterprise_id, is_good, words)

"""Answers of customs: raw bytes stored and committed, then acknowledged, then read and applied to orders."""

import hashlib
import re
from datetime import timedelta
from uuid import UUID

from blueprints.common import clock
from gateways.customs_dxp import envelope
from gateways.customs_dxp.messages import ceb304
from gateways.customs_dxp.port import Channel
from models import receipts
from models.accounts import Enterprise
from models.database import session

from .channels import customs_folder, folder_of
from .modes import platform_words
from .sending import send_left_over

STEP = 100  # files taken in at once
GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
LEFT_OVER = timedelta(seconds=30)


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
        if known:
            take_in_from(folder_of(enterprise_id), enterprise_id)


def take_in_from(channel: Channel, enterprise_id: UUID) -> None:
    """All that waits in one company's channel."""
    while _take_in(channel, enterprise_id):
        pass


def _take_in(channel: Channel, enterprise_id: UUID) -> bool:
    """Up to `STEP` files; False when that was all."""
    files = []
    for name, data in channel.receive():
        files.append((name, hashlib.sha256(data).digest(), data))
        if len(files) == STEP:
            break
    if not files:
        return False
    new = receipts.keep_files(enterprise_id, files, clock.now())
    session.commit()
    channel.acknowledge_all(name for name, _, _ in files)
    _read(enterprise_id, {file_id: content for file_id, (_, content) in new.items()})
    return len(files) == STEP


def read_left_over() -> None:
    """Files that were stored by a worker that died before it read them."""
    rows = receipts.files_not_looked_at(clock.now() - LEFT_OVER)
    session.commit()
    by_company: dict[UUID, dict[UUID, bytes]] = {}
    for file_id, enterprise_id, content in rows:
        by_company.setdefault(enterprise_id, {})[file_id] = content
    for enterprise_id, contents in by_company.items():
        _read(enterprise_id, contents)


def _read(enterprise_id: UUID, contents: dict[UUID, bytes]) -> None:
    verdicts, rows, replies = {}, [], []
    for file_id, content in contents.items():
        try:
            parsed = envelope.parse(content)
            if isinstance(parsed, envelope.DxpRep):
                verdicts[file_id] = ("reply", "")
                replies.append((file_id, parsed))
                continue
            found = ceb304.parse_receipts(parsed.data)
            if not all(map(GUID.fullmatch, [each.guid for each in found])):
                raise ceb304.BadReceipt("a guid that is none")
        except (envelope.BadEnvelope, ceb304.BadReceipt) as error:
            verdicts[file_id] = ("garbled", str(error))
            continue
        verdicts[file_id] = ("receipts", "")
        rows += [(file_id, r.guid, r.status, r.time, r.order_no, r.info.replace("\0", "")) for r in found]
    _apply(enterprise_id, verdicts, rows, replies)


def _apply(enterprise_id: UUID, verdicts: dict, rows: list[tuple], replies: list) -> None:
    if not verdicts:
        return
    won = receipts.judge_files(verdicts)
    receipts.apply_receipts(enterprise_id, [row for row in rows if row[0] in won], clock.now())
    for file_id, reply in replies:
        if file_id in won:
            _note_reply(enterprise_id, reply)
    session.commit()


def _note_reply(enterprise_id: UUID, reply: envelope.DxpRep) -> None:
    for response in reply.responses:
        try:
            message_id = UUID(response.cop_msg_id)
        except ValueError:
            continue
        words = platform_words().get(response.code, "数据交换平台没有收")
        said = f"{words}（{response.code}）{response.info}"
        receipts.answer_of_platform(message_id, enterprise_id, response.code == "0", said)

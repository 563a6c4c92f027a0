"""Sending: what is signed goes to customs by the company's channel, byte-identical every time."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

from flask import current_app

from blueprints.common import clock
from gateways.customs_dxp import envelope
from gateways.customs_dxp.folder_channel import FolderChannel
from models import pushes
from models.database import session
from models.orders import Message
from models.queue import defer

STALE = timedelta(seconds=60)  # a message may be in `sending` no longer
SEND_STEP = 50


def send_messages(push_id: str) -> None:
    """Job. `sending` is committed before the channel is written; killed in between, the message is sent again as it is."""
    while ids := pushes.take_ready(UUID(push_id), clock.now(), SEND_STEP):
        session.commit()
        _send(ids)
    session.commit()


def send_left_over() -> None:
    """What a killed worker left: signed but not taken up, or taken up and not known to be sent."""
    now = clock.now()
    stale = pushes.take_stale(now - STALE, now, SEND_STEP)
    session.commit()
    if stale:
        _send(stale)
    for push_id in pushes.pushes_left_ready(now - timedelta(seconds=1)):
        send_messages(str(push_id))
    session.commit()


def _send(message_ids: list[UUID]) -> None:
    rows = pushes.to_send(message_ids)
    session.commit()
    by_company: dict[UUID, list[tuple[str, bytes]]] = {}
    for message_id, enterprise_id, dxp_id, wrapped_at, signed in rows:
        by_company.setdefault(enterprise_id, []).append(wrap(message_id, dxp_id, wrapped_at, signed))
    for enterprise_id, files in by_company.items():
        channel_of(enterprise_id).send_all(files)
    pushes.mark_sent(message_ids, clock.now())
    session.commit()


def wrap(message_id: UUID, dxp_id: str, wrapped_at, signed: bytes) -> tuple[str, bytes]:
    """File name and envelope; the same row gives the same bytes."""
    created = clock.local(wrapped_at.replace(microsecond=0))
    parcel = envelope.DxpMsg(
        str(message_id).upper(), dxp_id, (envelope.CUSTOMS_EXPORT,), created, "CEB303Message", signed
    )
    return envelope.file_name(parcel), envelope.build(parcel)


def customs_folder() -> Path:
    return Path(current_app.config["SETTINGS"].customs_folder)


def channel_of(enterprise_id: UUID) -> FolderChannel:
    """The company's own folder: from its id, never from what anybody typed."""
    return FolderChannel(customs_folder() / enterprise_id.hex)


def resend(message: Message) -> bool:
    """Sends a message that did not get through again, byte-identical. False if its answer may still come."""
    message = next(iter(pushes.lock_messages([message.id])))
    if message.signed is None or message.state not in ("sent", "refused"):
        return False
    message.state, message.problem = "ready", ""
    defer("send_messages", queue="push", lock=f"push:{message.push_id}", push_id=str(message.push_id))
    return True

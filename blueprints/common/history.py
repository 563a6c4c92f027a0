"""Audit events: who did what to what, written in the transaction of the act and sealed by a job afterwards."""

import hashlib
import hmac
import json

from sqlalchemy import select, text

from models.database import session
from models.documents import HistoryEvent
from models.types import keyring

from . import clock
from .access import Principal


def record(act: str, subject: str, principal: Principal | None = None, *, by: str = "", enterprise_id=None, **details):
    """Adds one event. `subject`: `document:<id>`, `task:<id>` …; `details` hold no personal data and no secrets."""
    session.add(
        HistoryEvent(
            enterprise_id=enterprise_id or (principal and principal.enterprise_id),
            user_name=by or (principal.name if principal else "未登录"),
            act=act,
            subject=subject,
            details=details,
            at=clock.now(),
        )
    )


def seal_events(limit: int = 1000) -> int:
    """Chains unsealed events per company with an HMAC; gives how many. One process at a time (advisory lock)."""
    session.execute(text("SELECT pg_advisory_xact_lock(7303014)"))
    unsealed = select(HistoryEvent).where(HistoryEvent.seal.is_(None)).order_by(HistoryEvent.id).limit(limit)
    events = list(session.scalars(unsealed))
    last: dict = {}
    for event in events:
        key = event.enterprise_id
        before = last[key] if key in last else _last_seal(key)
        event.seal = last[key] = _seal(event, before)
    return len(events)


def broken_events() -> list[int]:
    """Ids of sealed events that do not fit their chain: altered, or the one before them removed."""
    last, broken = {}, []
    for event in session.scalars(select(HistoryEvent).where(HistoryEvent.seal.isnot(None)).order_by(HistoryEvent.id)):
        if event.seal != _seal(event, last.get(event.enterprise_id, b"")):
            broken.append(event.id)
        last[event.enterprise_id] = event.seal
    return broken


def _last_seal(enterprise_id) -> bytes:
    same = HistoryEvent.enterprise_id == enterprise_id if enterprise_id else HistoryEvent.enterprise_id.is_(None)
    query = select(HistoryEvent.seal).where(same, HistoryEvent.seal.isnot(None)).order_by(HistoryEvent.id.desc())
    return session.scalar(query.limit(1)) or b""


def _seal(event: HistoryEvent, before: bytes) -> bytes:
    """HMAC-SHA-256 over the event and the seal before it."""
    content = [event.id, str(event.enterprise_id), event.user_name, event.act, event.subject, event.details]
    data = json.dumps([*content, event.at.isoformat()], ensure_ascii=False, sort_keys=True).encode()
    return hmac.digest(keyring().blind("events", "seal"), before + data, hashlib.sha256)

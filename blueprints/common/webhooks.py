"""Notices (推送通知) to the programs of companies: how one is made, and what a page says of it."""

import json
from uuid import uuid4

from models.clients import ImportClient
from models.webhooks import Delivery, Webhook

from . import clock
from .numbers import Sentence

CHANGED, TEST = "changed", "test"
EVENTS = {CHANGED: "有变化", TEST: "试发"}


def new_notice(webhook: Webhook, client: ImportClient, event: str, content: dict) -> Delivery:
    """To be sent at once. Its body is fixed here, so that each try sends the same bytes."""
    now, delivery_id = clock.now(), uuid4()
    body = {
        "id": str(delivery_id), "event": event, "at": clock.local(now).isoformat(timespec="seconds"),
        "customs_code": client.customs_code, **content,
    }  # fmt: skip
    return Delivery(
        id=delivery_id, webhook_id=webhook.id, event=event, body=json.dumps(body, ensure_ascii=False), created_at=now,
        next_at=now, tries=0,
    )  # fmt: skip


def sentence_of(delivery: Delivery) -> Sentence:
    """Where a notice stands."""
    if delivery.delivered_at:
        return Sentence("", "收到了（HTTP {status}）", status=delivery.status)
    if delivery.problem:
        return Sentence(delivery.problem["number"], delivery.problem["template"], **delivery.problem["parts"])
    return Sentence("", "正要发")

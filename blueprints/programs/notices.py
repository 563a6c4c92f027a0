"""Notices (推送通知) out: what changed is told to the programs that want to know, again and again until they take it.

A notice names what changed and where to read it; it is a nudge, the API has the truth. One program has one notice on
its way at a time, so what happens meanwhile goes together into the next.
"""

import time
from datetime import datetime, timedelta
from uuid import UUID

from flask import current_app

from blueprints.common import clock
from blueprints.common.numbers import Sentence
from blueprints.common.tokens import READ, holds_code, is_alive, principal_of
from blueprints.common.webhooks import CHANGED, TEST, new_notice
from gateways.webhooks import BadAddress, Unavailable, Unresolved, post, sign
from models import programs, webhooks
from models.clients import ImportClient
from models.database import session
from models.queue import defer
from models.webhooks import Delivery, Webhook

from .base import NEEDS, absolute, moment
from .documents import ALL, order_json
from .standing import import_json, task_json

LISTED = 100  # documents, tasks, imports of one notice
PAUSES = (10, 30, 60, 300, 900, 1800, 3600, 7200, 14400, 28800)  # seconds; after the last try the address is given up
LEASE = timedelta(minutes=1)
LAST = -5  # of jobs: pushes and imports come first
KEEP_REQUESTS, KEEP_DELIVERIES = timedelta(days=7), timedelta(days=30)
GONE = 410


def look_for_changes() -> None:
    """Loop: a notice for each program for whose company something changed. Any number of workers may do it at once."""
    until = programs.settled_until(clock.now())
    for webhook, client in webhooks.lock_webhooks_to_look_at(clock.now()):
        if until > webhook.seen_to and may_be_told(client):
            content = changes_between(client, webhook.seen_to, until)
            webhook.seen_to = until
            if content:
                session.add(new_notice(webhook, client, CHANGED, content))
    session.commit()


def may_be_told(client: ImportClient) -> bool:
    """What its token might read if it asked now."""
    return is_alive(client) and holds_code(client) and not NEEDS[READ].unmet(principal_of(client))


def changes_between(client: ImportClient, since: datetime, until: datetime) -> dict:
    """Empty where nothing changed. `more`: there is more than is listed here."""
    owner = client.enterprise_id, client.customs_code
    query = programs.changed_between(programs.documents(*owner), since, until)
    rows = programs.page_by_change(query, None, LISTED + 1)
    tasks = programs.tasks_between(*owner, since, until, LISTED + 1)
    imports = programs.imports_between(*owner, since, until, LISTED + 1)
    if not (rows or tasks or imports):
        return {}
    names = ("id", "kind", "order_no", "task", "state", "return_status", "url")
    documents = [order_json(*row) for row in rows[:LISTED]]
    return {
        "changed_since": moment(since), "orders": [{name: each[name] for name in names} for each in documents],
        "tasks": [task_json(row) for row in tasks[:LISTED]], "imports": [import_json(row) for row in imports[:LISTED]],
        "more": max(len(rows), len(tasks), len(imports)) > LISTED,
        "url": absolute("programs.list_orders", kind=ALL, changed_since=moment(since)),
    }  # fmt: skip


def send_due() -> None:
    """Loop: a job for each notice whose turn it is."""
    now = clock.now()
    for delivery_id in webhooks.take_due(now, now + LEASE):
        defer(
            "deliver_notice",
            queue="programs",
            lock=f"notice:{delivery_id}",
            priority=LAST,
            delivery_id=str(delivery_id),
        )
    session.commit()


def deliver_notice(delivery_id: str) -> None:
    """Job. One try; nothing of the answer is kept but its status."""
    found = webhooks.find_delivery(UUID(delivery_id))
    if found is None or found[0].next_at is None:
        session.commit()
        return
    delivery, webhook = found
    body, url, secret = delivery.body.encode(), webhook.url, webhook.secret
    headers = {
        "User-Agent": "eport-portal", "Eport-Event": delivery.event, "Eport-Delivery": str(delivery.id),
        "Eport-Signature": sign(secret, int(time.time()), body),
    }  # fmt: skip
    session.commit()
    status, problem = None, None
    try:
        status = post(url, body, headers, current_app.config["SETTINGS"].sandbox_origin)
        if not 200 <= status < 300:
            problem = Sentence("90873", "通知地址回了HTTP {status}，要回200到299才算收到", status=status)
    except BadAddress:
        problem = Sentence("90870", "通知地址指向内网或本机，没有发；请换一个公网上能打开的地址")
    except Unresolved:
        problem = Sentence("90871", "查不到通知地址里的域名，请核对")
    except Unavailable:
        problem = Sentence("90872", "通知地址连不上、证书不对，或者没有按时答复")
    end_try(delivery.id, status, problem)


def end_try(delivery_id: UUID, status: int | None, problem: Sentence | None) -> None:
    found = webhooks.find_delivery(delivery_id)
    if found is None:  # the address was removed meanwhile
        session.commit()
        return
    delivery, webhook = found
    now = clock.now()
    delivery.status, delivery.tried_at, delivery.tries = status, now, delivery.tries + 1
    delivery.problem = problem and {"number": problem.number, "template": problem.template, "parts": problem.parts}
    if problem is None:
        delivery.delivered_at, delivery.next_at = now, None
    elif delivery.event == TEST:
        delivery.next_at = None
    elif status == GONE or delivery.tries > len(PAUSES):
        give_up(delivery, webhook, now)
    else:
        delivery.next_at = now + timedelta(seconds=PAUSES[delivery.tries - 1])
    session.commit()


def give_up(delivery: Delivery, webhook: Webhook, now: datetime) -> None:
    """What it spoke of is told anew when somebody opens the address again."""
    delivery.next_at, webhook.stopped_at = None, now
    webhook.seen_to = min(webhook.seen_to, delivery.created_at - LEASE)


def forget_old() -> None:
    """Loop."""
    now = clock.now()
    programs.forget_requests(now - KEEP_REQUESTS)
    webhooks.forget_deliveries(now - KEEP_DELIVERIES)
    session.commit()

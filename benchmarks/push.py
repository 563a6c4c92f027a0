"""Orders a minute from the uploaded workbook to all receipts applied, RSA and SM2. `push [orders]`, 100 000 by default.

Included: reading, checks, COPY, CEB303, signatures, folder channel with fsync, the sandbox's customs (which verifies
each signature and answers each order twice), receipts, states; PostgreSQL with fsync; every step by the worker's own
jobs and loops. Not included: the browser, and the card: its key signs in this process, as an encryption machine would.
"""

import json
import platform
import sys
import time
import urllib.request

from blueprints.exports import generating, pushing
from gateways.customs_dxp import signature
from models import orders, pushes
from models.database import session
from models.exports import Import, Task
from models.queue import defer
from stack.programs import Programs

from .exporters import card_of, exporter, portal_of, upload, wait_for, workbook
from .house import demonstration

CARDS = {"push_orders_per_minute": "8600000000101", "push_sm2_orders_per_minute": "8600000000102"}
SIGN_STEP = 100


def main(count: int = 100_000) -> None:
    print(f"{platform.machine()}, Python {platform.python_version()}, {count} orders, one line each")
    with demonstration(fast=False) as programs, portal_of(programs.environment()):
        programs.stop("portal")
        principal, strategy = exporter()
        for figure, number in CARDS.items():
            card = card_of(programs.folder / "sandbox", number)
            data = workbook(count, card[1][:3].upper())
            seconds = push(principal, strategy, card, data, count)
            print(f"FIGURE {figure} {count / seconds * 60:.0f} orders/min")
        check(programs, count * len(CARDS))


def push(principal, strategy: str, card, data: bytes, count: int) -> float:
    began = last = time.monotonic()

    def lap(name: str) -> None:
        nonlocal last
        now = time.monotonic()
        print(f"  {name}: {now - last:.2f} s")
        last = now

    task, started = upload(principal, strategy, data)
    wait_for(lambda: not session.get(Import, started.id).is_running)
    lap("read, checked, stored")
    generating.start_generating(session.get(Task, task.id), "bench")
    session.commit()
    wait_for(lambda: not session.get(Task, task.id).is_generating)
    lap("messages made")
    query = orders.filtered(
        orders.declared_orders(principal.enterprise_id, principal.code),
        tasks=orders.select(Task.id).where(Task.id == task.id),
    )
    begun = pushing.start_push(query, principal)
    session.commit()
    sign(begun.id, card)
    lap("signed, verified, stored (sending goes on beside it)")
    wait_for(lambda: pushes.progress_of(begun.id).get(orders.SUCCESS, 0) == count, pause=0.25)
    lap("sent, answered, applied")
    return time.monotonic() - began


def sign(push_id, card) -> None:
    """Stands for the encryption machine: what the card bridge does otherwise."""
    certificate, profile, sign_one = card
    ids = [message.id for message in pushes.messages_of_push(push_id, "unsigned")]
    for start in range(0, len(ids), SIGN_STEP):
        chunk = pushes.canonicals_of(ids[start : start + SIGN_STEP])
        session.commit()
        signed = {}
        for message_id, canonical in chunk.items():
            value = sign_one(signature.signed_info(profile, canonical))
            signed[message_id] = signature.assemble(canonical, profile, certificate, value)
        for message in pushes.lock_messages(list(signed)):
            pushing.keep_signed(message, signed[message.id], "bench")
        defer("send_messages", queue="push", lock=f"push:{push_id}", push_id=str(push_id))
        session.commit()


def check(programs: Programs, count: int) -> None:
    """Customs must have seen each order once, and never one guid with two contents."""
    with urllib.request.urlopen(f"{programs.sandbox_origin}/customs/statistics", timeout=10) as answer:
        said = json.load(answer)
    print(f"customs counted {said}")
    if said["distinct_guids"] != count or said["violations"]:
        sys.exit("customs does not have each order once")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

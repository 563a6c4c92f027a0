"""Everybody's mailbox: an SMTP server that keeps every mail, pages and JSON to read them (no mail ever leaves)."""

import asyncio
import email
import email.policy
import re
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Blueprint, abort, jsonify, render_template, request

from sandbox.moods import LONGEST_SILENCE, get_mood
from sandbox.store import Store
from sandbox.web import world

bp = Blueprint("mail", __name__, url_prefix="/mail")
LINK = re.compile(r"https?://[^\s<>\"'，。；）】》]+")


class Receiver:
    """What the SMTP server does with a mail, by mood."""

    def __init__(self, store: Store):
        self._store = store

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list) -> str:
        mood = get_mood(self._store, "mail").name
        if mood == "down":
            return "421 4.3.2 Service not available"
        if mood == "garbled":
            return "*%& ?? 00"
        if mood == "silent":
            await asyncio.sleep(LONGEST_SILENCE)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        mood = get_mood(self._store, "mail")
        if mood.name == "refuse":
            return "550 5.1.1 No such mailbox"
        content = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = _read(content) | {"from": envelope.mail_from}
        delay = mood.seconds if mood.name == "late" else 0
        for recipient in envelope.rcpt_tos:
            for _ in range(2 if mood.name == "twice" else 1):
                self._store.arrive("mail", recipient.casefold(), body, delay)
        return "250 2.0.0 OK"


def _read(content: EmailMessage) -> dict:
    part = content.get_body(("plain", "html"))
    text = part.get_content() if part else ""
    return {
        "subject": str(content.get("Subject", "")),
        "text": text,
        "links": LINK.findall(text),
        "notice": str(content.get("X-Eport-Notice", "")),
    }


class MailServer:
    """The SMTP server in a thread of its own."""

    def __init__(self, store: Store, address: str, port: int):
        self.port = port
        self._store, self._address = store, address
        self._controller: Controller | None = None

    def start(self) -> None:
        self._controller = Controller(
            Receiver(self._store), hostname=self._address, port=self.port, enable_SMTPUTF8=True
        )
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
        self._controller = None


@bp.get("/")
def show_inbox():
    recipient = request.args.get("to", "").strip().casefold()
    return render_template("mail.html", mails=world().store.arrivals("mail", recipient), to=recipient)


@bp.get("/<int:number>")
def show_mail(number: int):
    found = [mail for mail in world().store.arrivals("mail", limit=5000) if mail["number"] == number]
    if not found:
        abort(404)
    return render_template("mail_one.html", mail=found[0])


@bp.get("/messages.json")
def list_mails():
    """The newest first: [{number, to, from, subject, text, links, notice, received}]."""
    return jsonify(world().store.arrivals("mail", request.args.get("to", "").strip().casefold()))

"""The SMS centre and everybody's telephone (docs/protocols/sms.md)."""

import re

from flask import Blueprint, jsonify, render_template, request

from sandbox.moods import get_mood
from sandbox.web import act_out, require_token, world

bp = Blueprint("sms", __name__, url_prefix="/sms")
_number = re.compile(r"\+?[0-9]{5,15}").fullmatch


@bp.post("/messages")
def send():
    """{id, to, text} → 202; the same id again is not sent again."""
    require_token(world().settings.sms_token)
    instead = act_out("sms", {"error": "maintenance"}, late_answers=False)
    if instead is not None:
        return instead
    fields = request.get_json(silent=True)
    mood = get_mood(world().store, "sms")
    if not isinstance(fields, dict) or not all(isinstance(fields.get(key), str) for key in ("id", "to", "text")):
        return jsonify({"error": "id, to and text must be strings"}), 400
    if mood.name == "refuse" or not _number(fields["to"]) or not fields["id"] or not fields["text"]:
        return jsonify({"error": "bad number or empty message"}), 400
    if not world().store.has_arrived("sms", fields["id"]):
        delay = mood.seconds if mood.name == "late" else 0
        for _ in range(2 if mood.name == "twice" else 1):
            world().store.arrive("sms", fields["to"], {"id": fields["id"], "text": fields["text"]}, delay)
    return jsonify({"accepted": True}), 202


@bp.get("/")
def show_inbox():
    recipient = request.args.get("to", "").strip()
    return render_template("sms.html", messages=world().store.arrivals("sms", recipient), to=recipient)


@bp.get("/messages.json")
def list_messages():
    """The newest first: [{number, id, to, text, received}]."""
    return jsonify(world().store.arrivals("sms", request.args.get("to", "").strip()))

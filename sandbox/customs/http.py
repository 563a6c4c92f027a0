"""Customs' HTTP channel (docs/protocols/customs-http.md): puts what comes into a company's folder, gives out its InBox.

A user is a 传输ID; the password is the same for all. Its folder is `line-<user>` beside those of the folder channel.
"""

import base64
import os
import re
from pathlib import Path

from flask import Blueprint, Response, abort, jsonify, render_template, request

from sandbox.customs import envelope
from sandbox.customs.envelope import BadEnvelope
from sandbox.moods import LONGEST_SILENCE, get_mood
from sandbox.web import wait_while, world

bp = Blueprint("customs-line", __name__, url_prefix="/customs-line")
PARTY = "customs-line"
PASSWORD = "sandbox"
LARGEST = 6 << 20  # bytes of a message
MOST, MOST_BYTES = 50, 4 << 20  # answers given at once
_user = re.compile(r"[A-Za-z0-9]{6,32}").fullmatch
_name = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,240}\.xml").fullmatch
SECOND = "second-"  # before the name of an answer that the mood gives twice


def user_of_request() -> str:
    """Ends the request with 401 for another password, with 503 while the line is down."""
    if get_mood(world().store, PARTY).name == "down":
        abort(_answer({"error": "maintenance"}, 503))
    given = request.authorization
    if given is None or given.type != "basic" or given.password != PASSWORD or not _user(given.username or ""):
        abort(_answer({"error": "unauthorized"}, 401))
    return given.username


def _answer(body: dict, status: int) -> Response:
    response = jsonify(body)
    response.status_code = status
    return response


def folder_of(user: str, box: str) -> Path:
    path = world().settings.customs_folder / f"line-{user}" / box
    path.mkdir(parents=True, exist_ok=True)
    return path


@bp.get("/state")
def say_state():
    user_of_request()
    return jsonify({"open": True})


@bp.post("/messages")
def take_message():
    """The envelope as it is; Idempotency-Key: "<file name>". 202; 400 with a reason; 422: other bytes under the key."""
    user = user_of_request()
    request.max_content_length = LARGEST
    name, data = request.headers.get("Idempotency-Key", "").strip('"'), request.get_data()
    mood = get_mood(world().store, PARTY)
    if mood.name == "refuse":
        return _answer({"error": mood.reason}, 400)
    if not _name(name):
        return _answer({"error": "Idempotency-Key是报文的文件名"}, 400)
    try:
        sender = envelope.read(data).sender
    except BadEnvelope as error:
        return _answer({"error": str(error)}, 400)
    if sender != user:
        return _answer({"error": "报文的SenderId不是这个用户的"}, 400)
    if not _keep(user, name, data):
        return _answer({"error": "同一个编号发过另一份内容"}, 422)
    return _acted_out(mood)


def _keep(user: str, name: str, data: bytes) -> bool:
    """Into OutBox, whole; False if the name was used for other bytes."""
    for box in ("SentBox", "FailBox", "OutBox"):
        known = folder_of(user, box) / name
        if known.exists() and known.read_bytes() != data:
            return False
    moves = "UPDATE channels SET folder = ? WHERE sender = ?"  # the company now comes this way
    world().ledger.run(moves, f"line-{user}", user)
    part = folder_of(user, "OutBox") / f"{name}.tmp"
    part.write_bytes(data)
    part.rename(part.with_suffix(""))
    return True


def _acted_out(mood) -> Response:
    """The answer to a message that was taken, as the mood gives it."""
    if mood.name == "silent":
        wait_while(PARTY, "silent", LONGEST_SILENCE)
        return Response(status=504)
    if mood.name == "late":
        wait_while(PARTY, "late", mood.seconds)
    if mood.name == "garbled":
        return Response('{"accepted": tr\ufffd', 200, content_type="application/json")
    return _answer({"accepted": True}, 202)


@bp.get("/answers")
def give_answers():
    """{"answers": [{name, content}]}: what waits, the oldest first; content in base64. They stay until they are stored."""
    entries = [entry for entry in os.scandir(folder_of(user_of_request(), "InBox")) if entry.name.endswith(".xml")]
    entries.sort(key=lambda entry: (entry.stat().st_mtime_ns, entry.name))
    rows, size = [], 0
    for entry in entries[:MOST]:
        data = Path(entry.path).read_bytes()
        size += len(data)
        if rows and size > MOST_BYTES:
            break
        rows.append({"name": entry.name, "content": base64.b64encode(data).decode()})
    if get_mood(world().store, PARTY).name == "twice":
        rows += [row | {"name": SECOND + row["name"]} for row in rows]
    return jsonify({"answers": rows})


@bp.post("/answers/stored")
def forget_answers():
    """{"names": […]}: they are not given again. Unknown names do no harm."""
    user = user_of_request()
    fields = request.get_json(silent=True)
    names = fields.get("names") if isinstance(fields, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) and _name(name) for name in names):
        return _answer({"error": "names"}, 400)
    for name in names:
        path = folder_of(user, "InBox") / name
        if path.exists():
            path.rename(folder_of(user, "ReadBox") / name)
    return jsonify({"stored": True})


@bp.get("/")
def show_line():
    root = world().settings.customs_folder
    users = [path.name.removeprefix("line-") for path in sorted(root.glob("line-*"))]
    waiting = {user: {box: len(list(folder_of(user, box).glob("*.xml"))) for box in BOXES} for user in users}
    return render_template("customs_line.html", waiting=waiting, boxes=BOXES, password=PASSWORD)


BOXES = ("OutBox", "SentBox", "FailBox", "InBox", "ReadBox")

"""What the parties' pages and protocols share: who may ask, how a mood shows in HTTP, answers as page or as JSON."""

import datetime
import time
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, flash, jsonify, redirect, request

from sandbox.moods import LONGEST_SILENCE, PARTIES, NoSuchMood, get_mood, set_mood

bp = Blueprint("web", __name__)


def world():
    """The World that this app serves."""
    return current_app.extensions["world"]


def require_token(token: str) -> None:
    """Ends the request with 401 unless it carries `Authorization: Bearer <token>`."""
    if request.headers.get("Authorization") != f"Bearer {token}":
        abort(Response('{"error":"unauthorized"}', 401, content_type="application/json"))


def act_out(party: str, down: dict, late_answers: bool = True) -> Response | None:
    """The answer that the party's mood gives instead of its own, or None; waits where the mood says so."""
    mood = get_mood(world().store, party)
    if mood.name == "down":
        return Response(current_app.json.dumps(down), 503, content_type="application/json")
    if mood.name == "garbled":
        return Response('{"result": "ma\ufffd', 200, content_type="application/json")
    if mood.name == "silent":
        wait_while(party, "silent", LONGEST_SILENCE)
        return Response(status=504)
    if mood.name == "late" and late_answers:
        wait_while(party, "late", mood.seconds)
    return None


def in_two_hours() -> str:
    """When a party that is down says it will be back."""
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=2)).isoformat(timespec="seconds")


def wait_while(party: str, mood: str, seconds: float) -> None:
    """Waits that long, or until somebody changes the mood."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and get_mood(world().store, party).name == mood:
        time.sleep(0.1)


def given() -> dict:
    """The fields of the request, from a form or from JSON."""
    if request.is_json:
        return request.get_json()
    return request.form.to_dict()


def done(words: str, page: str, body: dict | None = None, status: int = 200):
    """Says that it is done: JSON to a program, a redirect with a line on top to a browser."""
    if request.is_json:
        return jsonify(body or {"done": words}), status
    flash(words)
    return redirect(page, 303)


def refused(words: str, page: str):
    """Says why nothing was done."""
    if request.is_json:
        return jsonify({"error": words}), 400
    flash(f"没有办成：{words}")
    return redirect(page, 303)


def check_request() -> None:
    """Every request must name this machine; a POST must not come from another site's page."""
    if urlsplit(request.host_url).hostname not in ("127.0.0.1", "localhost", "::1"):
        abort(400, "unknown Host")
    if request.method != "POST":
        return
    origin = request.headers.get("Origin")
    if origin not in (None, request.host_url.rstrip("/")):
        abort(403, "wrong Origin")
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        abort(403, "cross-site request")


def protect(response: Response) -> Response:
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'",
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


@bp.get("/moods.json")
def list_moods():
    """{party: {name, seconds, reason}}."""
    return jsonify({party: vars(get_mood(world().store, party)) for party in PARTIES})


@bp.post("/moods/<party>")
def choose_mood(party: str):
    """Fields: mood, seconds (for late), reason (for customs' refusal)."""
    fields = given()
    try:
        seconds = float(fields.get("seconds") or 20)
        mood = set_mood(world().store, party, str(fields.get("mood", "")), seconds, str(fields.get("reason", "")))
    except (NoSuchMood, ValueError) as error:
        return refused(str(error), f"/{party}/")
    return done("从现在起照此办理。", f"/{party}/", vars(mood))


@bp.post("/reset")
def reset():
    world().reset()
    return done("外部世界已恢复到最初的样子。", "/")

"""The card panel: issue cards, put one into the reader, set PIN and tries; pages and JSON."""

import base64
import datetime

from flask import Blueprint, Response, abort, jsonify, render_template, request

from sandbox.panel.cards import ALGORITHMS, KINDS, PROFILES, SPEEDS, NoSuchCard, NotIssued
from sandbox.web import done, given, refused, world

bp = Blueprint("panel", __name__)
FIELDS = (
    "algorithm",
    "kind",
    "company",
    "uscc",
    "holder",
    "id_number",
    "valid_from",
    "valid_to",
    "number",
    "label",
    "medium",
    "pin",
)


@bp.errorhandler(NoSuchCard)
def say_unknown(error: NoSuchCard):
    return (jsonify({"error": "not-found"}), 404) if request.is_json else abort(404)


@bp.get("/cards")
@bp.get("/cards/")
def show_panel():
    today = datetime.date.today()
    return render_template(
        "cards.html", cards=world().cards.list(), inserted=world().cards.inserted, kinds=KINDS, algorithms=ALGORITHMS,
        speeds=SPEEDS, media=PROFILES, companies=world().store.all("company"), today=today.isoformat(),
        later=(today + datetime.timedelta(1095)).isoformat(), port=world().settings.vpcd_port,
        chosen=world().store.find("company", request.args.get("uscc", "")),
    )  # fmt: skip


@bp.get("/cards.json")
def list_cards():
    return jsonify({"inserted": world().cards.inserted, "cards": world().cards.list()})


@bp.post("/cards")
def issue():
    """Makes a card; a company that is in the register needs its USCC only."""
    fields = {key: str(value) for key, value in given().items() if value not in (None, "")}
    order = {key: fields[key] for key in FIELDS if key in fields}
    known = world().store.find("company", fields.get("uscc", "").strip().upper())
    today = datetime.date.today()
    defaults = {
        "algorithm": "rsa", "kind": "02", "valid_from": today.isoformat(), "company": known["name"] if known else "",
        "valid_to": (today + datetime.timedelta(1095)).isoformat(), "uscc": "", "holder": "", "id_number": "",
    }  # fmt: skip
    if known and fields.get("kind") == "01":
        who = known["legal_representative"]
        defaults |= {"holder": who["name"], "id_number": who["id_number"]}
    try:
        numbers = {key: int(fields[key]) for key in ("tries", "delay_ms") if key in fields}
        card = world().cards.issue(**(defaults | order), **numbers)
    except (NotIssued, ValueError) as error:
        return refused(str(error), "/cards/")
    return done(f"已制卡：{card['number']}，PIN是{card['pin']}。", "/cards/", card, 201)


@bp.post("/cards/<number>/insert")
def insert(number: str):
    try:
        world().cards.insert(number)
    except NotIssued as error:
        return refused(str(error), "/cards/")
    return done("卡已插入。", "/cards/", world().cards.get(number))


@bp.post("/cards/eject")
def eject():
    world().cards.eject()
    return done("卡已拔出。", "/cards/")


@bp.post("/cards/<number>/tries")
def change(number: str):
    """Sets any of: tries (0 = blocked), unlock_tries, pin, delay_ms."""
    fields = given()
    try:
        keys = [key for key in ("tries", "unlock_tries", "delay_ms") if str(fields.get(key, "")) != ""]
        numbers = {key: int(fields[key]) for key in keys}
        card = world().cards.change(number, **numbers, pin=fields.get("pin") or None)
    except (NotIssued, ValueError) as error:
        return refused(str(error), "/cards/")
    return done(f"卡{number}：PIN是{card['pin']}，剩{card['tries']}次。", "/cards/", card)


@bp.post("/cards/<number>/reset")
def reset(number: str):
    card = world().cards.reset(number)
    return done(f"卡{number}的次数已复原，PIN仍是{card['pin']}。", "/cards/", card)


@bp.post("/cards/<number>/expire")
def expire(number: str):
    card = world().cards.expire(number)
    return done(f"卡{number}已于{card['valid_to']}到期，请拔出后再插入。", "/cards/", card)


@bp.get("/cards/<number>.cer")
def download_certificate(number: str):
    der = base64.b64decode(world().cards.get(number)["certificate"])
    return Response(der, content_type="application/pkix-cert")

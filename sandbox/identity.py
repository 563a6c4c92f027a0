"""The identity authority (docs/protocols/identity.md): says whether a person's or a bank card's data agree, never which."""

from flask import Blueprint, jsonify, render_template, request

from sandbox.moods import LONGEST_SILENCE, get_mood
from sandbox.web import act_out, done, given, in_two_hours, refused, require_token, wait_while, world

bp = Blueprint("identity", __name__, url_prefix="/identity")
OUTCOMES = {"match": "一致", "mismatch": "不一致", "timeout": "超时"}
ENDLESS = ("00000000", "20991231", "99991231", "长期")


@bp.post("/checks")
def check():
    """{id, method, …} → {"result": "match" | "mismatch", "element": null}."""
    require_token(world().settings.identity_token)
    instead = act_out("identity", {"error": "maintenance", "until": in_two_hours()})
    if instead is not None:
        return instead
    asked = request.get_json(silent=True)
    if not isinstance(asked, dict) or asked.get("method") not in ("id-card", "bank-card") or not asked.get("id"):
        return jsonify({"error": "id and method are needed"}), 400
    outcome = _compare(asked)
    if get_mood(world().store, "identity").name == "refuse":
        outcome = "mismatch"
    shown = {"id": asked["id"], "method": asked["method"], "name": asked.get("name", ""), "outcome": outcome}
    world().store.arrive("check", str(asked.get("id_number", "")), shown)
    if outcome == "timeout":
        wait_while("identity", get_mood(world().store, "identity").name, LONGEST_SILENCE)
        return "", 504
    return jsonify({"result": outcome, "element": None})


def _compare(asked: dict) -> str:
    """match | mismatch | timeout, by the roll: every element that is asked about must agree."""
    store = world().store
    if asked["method"] == "bank-card":
        kept = store.find("bank-card", str(asked.get("card_number", "")))
        compared = ("name", "id_number", "phone")
    else:
        kept = store.find("person", str(asked.get("id_number", "")).upper())
        compared = ("name", "id_type", "valid_from", "valid_to")
    if kept is None:
        return "mismatch"
    if kept["outcome"] != "match":
        return kept["outcome"]
    given_ = [key for key in compared if asked.get(key)]
    agrees = "name" in given_ and all(_same(key, str(asked[key]), kept[key]) for key in given_)
    return "match" if agrees else "mismatch"


def _same(key: str, asked: str, kept: str) -> bool:
    if not key.startswith("valid"):
        return asked.strip() == kept
    asked, kept = asked.replace("-", ""), kept.replace("-", "")
    return asked == kept or (asked in ENDLESS and kept in ENDLESS)


@bp.get("/")
def show_roll():
    store = world().store
    return render_template(
        "identity.html", people=store.all("person"), bank_cards=store.all("bank-card"), outcomes=OUTCOMES,
        checks=store.arrivals("check", limit=30),
    )  # fmt: skip


@bp.post("/people")
def save_person():
    """Adds or changes a person: name, id_type, id_number, valid_from, valid_to, phone, outcome."""
    fields = {key: str(value).strip() for key, value in given().items()}
    if not fields.get("name") or not fields.get("id_number") or fields.get("outcome", "match") not in OUTCOMES:
        return refused("请填写姓名、证件号码和核验结果", "/identity/")
    kept = world().store.find("person", fields["id_number"].upper()) or {
        "id_type": "居民身份证", "valid_from": "2020-01-01", "valid_to": "2040-01-01", "phone": "", "outcome": "match",
        "note": "",
    }  # fmt: skip
    named = ("name", "id_type", "id_number", "valid_from", "valid_to", "phone", "outcome", "note")
    person = {key: value for key, value in (kept | fields).items() if key in named and key != "revision"}
    person["id_number"] = person["id_number"].upper()
    world().store.put("person", person["id_number"], person)
    return done("名册已更新。", "/identity/", person)


@bp.post("/bank-cards")
def save_bank_card():
    """Adds or changes a bank card: card_number, name, id_number, phone, outcome."""
    fields = {key: str(value).strip() for key, value in given().items()}
    if not all(fields.get(key) for key in ("card_number", "name", "id_number", "phone")):
        return refused("请填写卡号、姓名、证件号码和手机号", "/identity/")
    if fields.get("outcome", "match") not in OUTCOMES:
        return refused("没有这种核验结果", "/identity/")
    named = ("card_number", "name", "id_number", "phone", "outcome", "note")
    card = {"outcome": "match", "note": ""} | {key: fields[key] for key in named if key in fields}
    world().store.put("bank-card", card["card_number"], card)
    return done("名册已更新。", "/identity/", card)

"""The banks' pages: what the portal's user sees on the way through, and the counter where UKEYs are issued."""

import base64
import datetime
import secrets
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, jsonify, make_response, redirect, render_template, request

from sandbox.banks.dialects import BANKS, NotAsked, read_request, write_answer
from sandbox.banks.ukeys import TRIES, NotIssued, WrongPin
from sandbox.moods import LONGEST_SILENCE, get_mood
from sandbox.web import done, given, refused, wait_while, world

bp = Blueprint("banks", __name__)
RESULTS = {"verified": "通过", "cancelled": "用户放弃", "refused": "银行不办"}
REASONS = {
    "": "", "ukey-blocked": "Ukey锁死", "ukey-expired": "Ukey过期", "company-differs": "企业信息不一致", "not-now": "今天不办",
}  # fmt: skip


@bp.url_value_preprocessor
def know_bank(endpoint, values):
    if values["slug"] not in BANKS:
        abort(404)


@bp.after_request
def let_forms_lead_back(response: Response) -> Response:
    """The way back to the portal is the redirect after a form; browsers hold form-action against it."""
    response.headers["Content-Security-Policy"] = (
        f"default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self' {world().settings.portal}"
    )
    return response


def mood_of(slug: str) -> str:
    return get_mood(world().store, f"bank-{slug}").name


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


# the protocol


@bp.get("/bank-<slug>/state")
def say_state(slug):
    if mood_of(slug) == "down":
        until = (now() + datetime.timedelta(hours=2)).isoformat(timespec="seconds")
        return jsonify({"error": "maintenance", "until": until}), 503
    if mood_of(slug) == "silent":
        wait_while(f"bank-{slug}", "silent", LONGEST_SILENCE)
        return "", 504
    return jsonify({"open": True})


@bp.get("/bank-<slug>/verify")
def begin(slug):
    """The browser comes with the portal's request. Opened again it goes on where it was."""
    if mood_of(slug) == "down":
        return say_no(slug, "本行系统正在维护，请稍后再来。", 503)
    if mood_of(slug) == "silent":
        wait_while(f"bank-{slug}", "silent", LONGEST_SILENCE)
    if len(request.query_string) > 8192 or any(len(values) > 1 for _, values in request.args.lists()):
        return say_no(slug, "请求太长，或有参数写了两遍。", 400)
    try:
        asked = read_request(slug, request.args.to_dict(), world().bank_keys, world().settings.portal, now())
    except NotAsked as error:
        return say_no(slug, f"{error}。", 400)
    if find_visit(slug, asked["number"]) is None:
        world().store.put("bank-visit", asked["number"], asked | {"slug": slug, "step": "insert", "ukey": ""})
    return redirect(f"/bank-{slug}/visits/{asked['number']}", 303)


def say_no(slug: str, words: str, status: int):
    page = render_template("bank_refused.html", bank=BANKS[slug], words=words, portal=world().settings.portal)
    return make_response(page, status)


# the user's way: insert, check, pin, done


def find_visit(slug: str, number: str) -> dict | None:
    visit = world().store.find("bank-visit", number)
    return visit if visit and visit["slug"] == slug else None


def keep_visit(visit: dict, **changes) -> dict:
    visit = {key: value for key, value in (visit | changes).items() if key != "revision"}
    world().store.put("bank-visit", visit["number"], visit)
    return visit


@bp.get("/bank-<slug>/visits/<number>")
def show_visit(slug, number):
    return render_visit(find_visit(slug, number) or abort(404))


def render_visit(visit: dict, error: str = ""):
    slug, ukeys = visit["slug"], world().ukeys
    return render_template(
        "bank_visit.html", visit=visit, slug=slug, bank=BANKS[slug], ukeys=ukeys.of(slug), error=error, results=RESULTS,
        reasons=REASONS, ukey=ukeys.find(slug, visit["ukey"]), back=ways_back(visit) if visit["step"] == "done" else [],
        person=representative_of(visit["uscc"]),
    )  # fmt: skip


def representative_of(uscc: str) -> str:
    company = world().store.find("company", uscc)
    name = company["legal_representative"]["name"] if company else ""
    return name[:1] + "*" * (len(name) - 1) or "—"


@bp.post("/bank-<slug>/visits/<number>/<act>")
def go_on(slug, number, act):
    visit = find_visit(slug, number) or abort(404)
    if visit["step"] == "done":
        return redirect(f"/bank-{slug}/visits/{number}", 303)
    if act == "give-up":
        return finish(visit, "cancelled")
    if act != {"insert": "insert", "check": "confirm", "pin": "pin"}[visit["step"]]:
        return redirect(f"/bank-{slug}/visits/{number}", 303)
    return {"insert": insert, "confirm": confirm, "pin": enter_pin}[act](visit)


def insert(visit: dict):
    ukey = world().ukeys.find(visit["slug"], request.form.get("ukey", ""))
    if ukey is None:
        return render_visit(visit, "没有找到Ukey，请插好再点确定。")
    keep_visit(visit, ukey=ukey["number"], step="check")
    return redirect(f"/bank-{visit['slug']}/visits/{visit['number']}", 303)


def confirm(visit: dict):
    keep_visit(visit, step="pin")
    return redirect(f"/bank-{visit['slug']}/visits/{visit['number']}", 303)


def enter_pin(visit: dict):
    """The UKEY signs what the bank asks; the bank verifies that, and only then says whose it is."""
    slug, ukeys = visit["slug"], world().ukeys
    asked = f"{visit['number']} {secrets.token_urlsafe(16)}".encode()
    try:
        signature = ukeys.sign(visit["ukey"], request.form.get("pin", ""), asked)
    except WrongPin as wrong:
        if wrong.left:
            return render_visit(visit, f"密码不对，还能试{wrong.left}次。")
        return finish(visit, "refused", "ukey-blocked")
    ukey = ukeys.find(slug, visit["ukey"])
    if ukeys.is_expired(ukey, now()) or not ukeys.is_signed(ukey, asked, signature):
        return finish(visit, "refused", "ukey-expired")
    if mood_of(slug) == "refuse":
        return finish(visit, "refused", "not-now")
    if BANKS[slug].compares and (ukey["uscc"], ukey["org_code"]) != (visit["uscc"], visit["org_code"]):
        return finish(visit, "refused", "company-differs")
    return finish(visit, "verified")


def finish(visit: dict, result: str, reason: str = ""):
    """Back to the portal by itself; where the bank answers twice, by a page with both ways."""
    slug = visit["slug"]
    visit = keep_visit(visit, step="done", result=result, reason=reason)
    shown = {"company": visit["company"], "result": result, "reason": reason}
    world().store.arrive(f"bank-{slug}", visit["uscc"], shown)
    if mood_of(slug) == "late":
        wait_while(f"bank-{slug}", "late", get_mood(world().store, f"bank-{slug}").seconds)
    if mood_of(slug) == "twice":
        return redirect(f"/bank-{slug}/visits/{visit['number']}", 303)
    return redirect(way_back(visit), 303)


def ways_back(visit: dict) -> list[str]:
    return [way_back(visit) for _ in range(2 if mood_of(visit["slug"]) == "twice" else 1)]


def way_back(visit: dict) -> str:
    """The portal's address with a signed answer of this moment."""
    slug, keys = visit["slug"], world().bank_keys
    said = {"number": visit["number"], "nonce": visit["nonce"], "result": visit["result"], "reason": visit["reason"]}
    said |= dict.fromkeys(("company", "uscc", "org_code", "owner"), "")
    if visit["result"] == "verified":
        ukey = world().ukeys.find(slug, visit["ukey"])
        said |= {key: ukey[key] for key in ("company", "uscc", "org_code")}
        if ukey["owner"]:
            sealed = keys.seal(f"{ukey['owner']}\n{ukey['owner_id']}".encode())
            said["owner"] = base64.b64encode(sealed).decode()
    query = write_answer(slug, said, keys, now())
    if mood_of(slug) == "garbled":
        query = urlencode({"context": "乱码", "SIGN": query[-20:]})
    return f"{visit['return_url']}?{query}"


# the counter


@bp.get("/bank-<slug>/")
def show_counter(slug):
    today = datetime.date.today()
    return render_template(
        "bank.html", slug=slug, bank=BANKS[slug], party=f"bank-{slug}", ukeys=world().ukeys.of(slug), most=TRIES,
        today=today.isoformat(), later=(today + datetime.timedelta(1095)).isoformat(), results=RESULTS, reasons=REASONS,
        companies=world().store.all("company"), visits=world().store.arrivals(f"bank-{slug}", limit=30),
    )  # fmt: skip


@bp.get("/bank-<slug>/ukeys.json")
def list_ukeys(slug):
    return jsonify(world().ukeys.of(slug))


@bp.post("/bank-<slug>/ukeys")
def issue(slug):
    """A company that is in the register needs its USCC only; its legal representative gets the UKEY."""
    fields = {key: str(value).strip() for key, value in given().items() if str(value).strip()}
    known = world().store.find("company", fields.get("uscc", "").upper())
    today = datetime.date.today()
    order = {
        "company": known["name"] if known else "", "uscc": "", "owner": "", "owner_id": "",
        "valid_from": today.isoformat(), "valid_to": (today + datetime.timedelta(1095)).isoformat(),
    }  # fmt: skip
    if known and "owner" not in fields:
        who = known["legal_representative"]
        order |= {"owner": who["name"], "owner_id": who["id_number"]}
    order |= {key: fields[key] for key in (*order, "label", "pin") if key in fields}
    try:
        ukey = world().ukeys.issue(bank=slug, **order)
    except NotIssued as error:
        return refused(str(error), f"/bank-{slug}/")
    return done(f"已发Ukey：{ukey['number']}，密码是{ukey['pin']}。", f"/bank-{slug}/", ukey, 201)


@bp.post("/bank-<slug>/ukeys/<number>")
def change(slug, number):
    """Sets tries left (0 = blocked) and PIN."""
    fields = given()
    try:
        ukey = world().ukeys.change(slug, number, tries=int(fields.get("tries", -1)), pin=str(fields.get("pin", "")))
    except (NotIssued, ValueError) as error:
        return refused(str(error), f"/bank-{slug}/")
    return done(f"Ukey{number}：密码是{ukey['pin']}，剩{ukey['tries']}次。", f"/bank-{slug}/", ukey)

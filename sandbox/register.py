"""The company register (docs/protocols/company-register.md): companies with their legal representatives and 海关编码."""

import re

from flask import Blueprint, abort, jsonify, render_template, request

from sandbox.moods import get_mood
from sandbox.web import act_out, done, given, in_two_hours, refused, require_token, world

bp = Blueprint("register", __name__, url_prefix="/register")
TYPES = ("电子商务企业", "电子商务交易平台", "物流企业", "支付企业", "监管作业场所经营人")
CATEGORIES = ("进出口货物收发货人", "报关企业", "无报关权的其他企业")
CODES_ON_PAGE = 3
ENDLESS = "2099-12-31"  # 长期
_uscc = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}").fullmatch
_code = re.compile(r"[0-9A-Z]{10}").fullmatch
_date = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch


class NotRegistered(Exception):
    """The register refuses the entry; the text says what to mend."""


# the protocol


@bp.before_request
def follow_mood():
    if request.endpoint not in ("register.get_company", "register.get_customs_code"):
        return None
    require_token(world().settings.register_token)
    instead = act_out("register", {"error": "maintenance", "until": in_two_hours()})
    if instead is None and get_mood(world().store, "register").name == "refuse":
        return jsonify({"error": "not-found"}), 404
    return instead


@bp.get("/companies/<uscc>")
def get_company(uscc: str):
    company = world().store.find("company", uscc)
    if company is None:
        return jsonify({"error": "not-found"}), 404
    return jsonify({key: value for key, value in company.items() if key not in ("dxp_id", "note")})


@bp.get("/customs-codes/<code>")
def get_customs_code(code: str):
    for company in world().store.all("company"):
        for entry in company["customs_codes"]:
            if entry["code"] == code:
                return jsonify(entry | {key: company[key] for key in ("uscc", "name", "revision")})
    return jsonify({"error": "not-found"}), 404


# the pages


@bp.get("/")
def list_companies():
    return render_template("register.html", companies=world().store.all("company"))


@bp.get("/edit/", defaults={"uscc": ""})
@bp.get("/edit/<uscc>")
def edit(uscc: str):
    """The form for one company; an unknown USCC opens it empty, to add the company."""
    company = world().store.find("company", uscc)
    if uscc and company is None and not _uscc(uscc):
        abort(404)
    codes = company["customs_codes"] if company else [_suggestion()]
    return render_template(
        "register_edit.html", company=company or {"uscc": uscc}, codes=codes + [{}] * (CODES_ON_PAGE - len(codes)),
        types=TYPES, categories=CATEGORIES, people=world().store.all("person"),
    )  # fmt: skip


@bp.post("/edit")
def save():
    """Adds or changes a company: the protocol's fields as JSON, or the form. Its representative becomes known too."""
    fields = given()
    try:
        company = _check(fields if request.is_json else _from_form())
    except NotRegistered as error:
        return refused(str(error), f"/register/edit/{fields.get('uscc', '')}")
    store, who = world().store, company["legal_representative"]
    store.put("company", company["uscc"], company)
    if store.find("person", who["id_number"]) is None:
        store.put("person", who["id_number"], who | NEW_PERSON)
    return done("已登记。", f"/register/edit/{company['uscc']}", store.find("company", company["uscc"]))


NEW_PERSON = {
    "valid_from": "2020-01-01",
    "valid_to": "2040-01-01",
    "phone": "",
    "outcome": "match",
    "note": "随企业登记",
}


def _from_form() -> dict:
    form = request.form
    codes = [
        {
            "code": form.get(f"code{n}", "").strip(),
            "category": form.get(f"category{n}", CATEGORIES[0]),
            "valid_from": form.get(f"valid_from{n}", "").strip(),
            "valid_to": form.get(f"valid_to{n}", "").strip() or ENDLESS,
            "ecommerce_types": form.getlist(f"types{n}"),
        }
        for n in range(CODES_ON_PAGE)
    ]
    keep = ("uscc", "name", "english_name", "address", "org_code", "status", "dxp_id", "note")
    return {key: form.get(key, "") for key in keep} | {
        "legal_representative": {key: form.get(f"person_{key}", "") for key in ("name", "id_type", "id_number")},
        "customs_codes": [code for code in codes if code["code"]],
    }


def _check(company: dict) -> dict:
    """The company as it is kept. Raises NotRegistered."""
    uscc = str(company.get("uscc", "")).strip().upper()
    if not _uscc(uscc):
        raise NotRegistered("统一社会信用代码应为18位数字和大写字母")
    kept = world().store.find("company", uscc) or {}
    company = {key: value for key, value in (kept | company).items() if key != "revision"}
    who = {key: str(value).strip() for key, value in company.get("legal_representative", {}).items()}
    if not str(company.get("name", "")).strip() or not who.get("name") or not who.get("id_number"):
        raise NotRegistered("请填写企业名称、法定代表人姓名和证件号码")
    for entry in company.get("customs_codes", []):
        if not _code(entry["code"]) or not _date(entry["valid_from"]) or not _date(entry["valid_to"]):
            raise NotRegistered("海关编码应为10位，有效期应写成2026-01-31的样子")
        other = _owner(entry["code"])
        if other and other != uscc:
            raise NotRegistered(f"海关编码{entry['code']}已属于{other}")
    texts = {key: str(company.get(key, "")).strip() for key in ("name", "english_name", "address", "dxp_id", "note")}
    return texts | {
        "uscc": uscc,
        "org_code": str(company.get("org_code") or uscc[8:17]),
        "status": "注销" if company.get("status") == "注销" else "存续",
        "legal_representative": {"id_type": "居民身份证"} | {key: value for key, value in who.items() if value},
        "customs_codes": company.get("customs_codes", []),
    }


def _owner(code: str) -> str:
    for company in world().store.all("company"):
        if any(entry["code"] == code for entry in company["customs_codes"]):
            return company["uscc"]
    return ""


def _suggestion() -> dict:
    """A code that nobody has: 石家庄 (1301), 其他 (9), 私营企业 (6), serial."""
    used = {entry["code"] for company in world().store.all("company") for entry in company["customs_codes"]}
    code = next(f"130196{n:04}" for n in range(100, 10000) if f"130196{n:04}" not in used)
    return {"code": code, "valid_from": "2020-01-01", "valid_to": ENDLESS, "ecommerce_types": [TYPES[0]]}

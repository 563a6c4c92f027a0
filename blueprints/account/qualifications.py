"""Pages 4004, 4081, 4082: 我的资质 (M83–M85), the customs code in use and its change with what has to be signed again."""

import re

from flask import current_app, flash, request

from blueprints.common import clock
from blueprints.common.access import MEMBER, SEE, Needs, Principal, Reason, current, get_or_404, needs_right, page
from blueprints.common.codes import CannotRefresh, choose_code, refresh_codes
from blueprints.common.fields import DocumentForm, Problem, Rule, Secret, Text
from blueprints.common.history import record
from blueprints.common.numbers import Sentence
from blueprints.common.pages import go
from blueprints.common.plain_forms import error_line, page_case, summary_of, typed_fields
from gateways.company_register.port import UNLIMITED
from models.accounts import Enterprise, lock_enterprise
from models.agreements import EXACT, agreements_to_sign_again, entrustments_to_sign_again
from models.codes import codes_of
from models.database import session

from .base import bp, show_here

MOST = 100  # lines of what has to be signed again
NOT_HELD = ("90566", "请在有效的海关编码里选一个；没有要用的，请先从海关登记更新")


def legal_card_or_administrator(principal: Principal) -> Reason | None:
    """「法人卡或管理员账户登录」 (M62)."""
    if not principal.enterprise_id or principal.role == "administrator" or principal.medium == "法人卡":
        return None
    words = Sentence("90122", "改我的资质、更换海关编码，要用法人卡登录，或者由本单位的管理员账号来办")
    return Reason("90122", words, "用卡登录", "auth.show_card_login")


EDITOR = Needs(company=True, also=(legal_card_or_administrator,))
SIGNER = needs_right("agreements", SEE)

number_shape = Rule(
    "90123", "报检单位注册号是10位数字，请对照备案填写", lambda text: bool(re.fullmatch("[0-9]{10}", text))
)
password_size = Rule("90126", "检验检疫申报密码最多100个字，请核对", lambda text: len(text) <= 100)


class InspectionForm(DocumentForm):
    """报检资质备案."""

    number = Text("报检单位注册号", number_shape, number="400401", required=False, limit=20, hint="10位", code=True)
    account = Text("检验检疫申报账号", number="400402", required=False, limit=60)
    password = Secret("检验检疫申报密码", password_size, number="400403", required=False)


def inspection_form(company: Enterprise, typed=None) -> InspectionForm:
    kept = company.inspection or {}
    form = InspectionForm(
        page_case(), "inspection", typed, suggested={name: kept.get(name) for name in ("number", "account")}
    )
    form.password.is_kept = bool(kept.get("password"))
    return form


@bp.get("/qualifications")
@page("4004", "我的资质", MEMBER)
def show_qualifications():
    company = own_company()
    return show_sheet(company, edit=bool(request.args.get("edit")) and not EDITOR.unmet(current()))


def own_company() -> Enterprise:
    return session.get(Enterprise, current().enterprise_id)


def show_sheet(company: Enterprise, *, edit: bool, form=None, chosen=None, problems=()):
    """`chosen`: the code that stands selected while editing."""
    reasons, today = EDITOR.unmet(current()), clock.today()
    return show_here(
        "qualifications.html", company=company, edit=edit, form=form or inspection_form(company), problems=problems,
        codes=[code_line(row) for row in codes_of(company.id)], valid=codes_of(company.id, today),
        inspection=company.inspection or {}, reason=reasons[0] if reasons else None,
        chosen=chosen or company.active_code,
    )  # fmt: skip


def code_line(row) -> dict:
    today = clock.today()
    until = "长期" if row.valid_to == UNLIMITED else f"{row.valid_to}"
    valid = row.valid_from <= today <= row.valid_to
    state = ("tick", "有效") if valid else ("warn", "已过期" if today > row.valid_to else "未到生效日")
    return {"row": row, "until": until, "valid": valid, "state": state}


@bp.post("/qualifications")
@page("4004", "我的资质", EDITOR)
def save_qualifications():
    """The filing of inspection is stored at once; another code is asked about first."""
    company, typed = own_company(), typed_fields()
    codes, form = typed.pop("code", []), inspection_form(company, typed)
    problems = summary_of(problems_of(company, form))
    if codes and not holds(company, codes):
        problems = [error_line(Sentence(*NOT_HELD), "codes"), *problems]
    if problems:
        return show_sheet(company, edit=True, form=form, chosen=codes and codes[0], problems=problems)
    keep_inspection(form)
    session.commit()
    if codes and codes[0] != company.active_code:
        return go("account.ask_code", code=codes[0])
    flash("我的资质已经保存。")
    return go("account.show_qualifications")


def holds(company: Enterprise, codes: list[str]) -> bool:
    """Exactly one was chosen, and it is valid today."""
    return len(codes) == 1 and codes[0] in [row.code for row in codes_of(company.id, clock.today())]


def problems_of(company: Enterprise, form: InspectionForm) -> list[Problem]:
    """A password belongs to one account: the one that is kept does not go over to another."""
    problems, kept = form.check(), company.inspection or {}
    account, password = form.account, form.password
    if account.value and not password.value and account.value != kept.get("account"):
        password.errors = [Sentence("90124", "检验检疫申报账号是新填的或改过，请把它的密码也填上")]
    elif password.value and not account.value:
        account.errors = [Sentence("90125", "填了检验检疫申报密码，请把账号也填上")]
    else:
        return problems
    return [Problem(form.path(field), error.number, error) for field in form for error in field.errors]


def keep_inspection(form: InspectionForm) -> None:
    """Without an account its password is forgotten. What did not change leaves no event."""
    company = lock_enterprise(current().enterprise_id)
    kept, account = company.inspection or {}, form.account.value
    new = {"number": form.number.value, "account": account,
           "password": (form.password.value or kept.get("password", "")) if account else ""}  # fmt: skip
    if new != {name: kept.get(name, "") for name in new}:
        company.inspection = new
        record("修改报检资质备案", f"enterprise:{company.id}", current())


@bp.post("/qualifications/refresh")
@page("4004", "我的资质", EDITOR)
def update_codes():
    principal = current()
    try:
        count = refresh_codes(principal.enterprise_id)
    except CannotRefresh as problem:
        return show_sheet(own_company(), edit=False, problems=[error_line(problem.sentence, "codes")])
    record("codes-refreshed", f"enterprise:{principal.enterprise_id}", principal, valid=count)
    session.commit()
    flash(f"已经从海关登记更新，有效的海关编码有{count}个。")
    return go("account.show_qualifications")


@bp.get("/qualifications/code")
@page("4081", "更换海关编码", EDITOR)
def ask_code():
    company, code = own_company(), request.args.get("code", "")
    get_or_404(code if holds(company, [code]) else None)
    if code == company.active_code:
        return go("account.list_to_sign")
    rows = under_both(company, code)
    left = [(title, counted(old)) for title, old, _, _ in rows if old]
    shown = [(title, counted(old), counted(new), url) for title, old, new, url in rows]
    return show_here("code_change.html", company=company, code=code, rows=shown, left=left)


def under_both(company: Enterprise, code: str) -> list[tuple[str, int, int, str]]:
    """What stands under the code in use and under the other, from all areas: (title, count, count, url or "").

    A list shows what stands under the code of the login, so only there the counted things can be looked at.
    """
    hooks = [area.under_code for area in current_app.config["AREAS"] if area.under_code]
    new = {title: count for ask in hooks for title, count, _ in ask(company.id, code)}
    is_shown = current().code == company.active_code
    return [(title, count, new[title], url if is_shown else "")
            for ask in hooks for title, count, url in ask(company.id, company.active_code)]  # fmt: skip


def counted(count: int) -> str:
    """Areas count up to 10 000 exactly."""
    return f"{EXACT}以上" if count > EXACT else str(count)


@bp.post("/qualifications/code")
@page("4081", "更换海关编码", EDITOR)
def change_code():
    """Sent again, it changes nothing more; what somebody else changed meanwhile is shown first."""
    codes, company = request.form.getlist("code"), lock_enterprise(current().enterprise_id)
    before = company.active_code or ""
    if not holds(company, codes):
        session.rollback()
        return show_sheet(own_company(), edit=True, problems=[error_line(Sentence(*NOT_HELD), "codes")])
    if codes[0] != before and request.form.get("before") != before:
        session.rollback()
        flash(f"海关编码刚刚被换成了{before}，请再看一遍。")
        return go("account.ask_code", code=codes[0])
    if codes[0] != before:
        record("code-chosen", f"enterprise:{company.id}", current(), code=codes[0])
        choose_code(company.id, codes[0])
        flash("海关编码已经保存，变更将在重新登录后生效")
    session.commit()
    return go("account.list_to_sign")


@bp.get("/qualifications/signing")
@page("4082", "要重新签约的事", SIGNER)
def list_to_sign():
    company, today = own_company(), clock.today()
    return show_here(
        "code_signing.html", company=company, relogin=False, most=MOST,
        agreements=agreements_to_sign_again(company.id, company.active_code, today, MOST),
        entrustments=entrustments_to_sign_again(company.id, company.active_code, today, MOST),
        waits=company.active_code != current().code,
    )  # fmt: skip

"""Pages 5040 and 5041: 银行UKEY认证 (M108–M111), choosing the bank, and what became of the way there."""

from urllib.parse import urlsplit
from uuid import UUID

from flask import abort, current_app, redirect, request, url_for

from blueprints.common import clock
from blueprints.common.access import ADMINISTRATOR, PUBLIC, current, get_or_404, page
from blueprints.common.challenges import NotAccepted
from blueprints.common.gateways import gateways
from blueprints.common.numbers import Sentence
from blueprints.common.pages import CSP, go, show, show_problem
from gateways.banks import NotGenuine
from models.accounts import Enterprise, User
from models.banks import FINISHED, OPEN, BankVisit, find_visit, last_visit, visit_of_cookies
from models.database import session

from .bank_visits import (
    TIME,
    address_of,
    bank_named,
    begin,
    cookie_name,
    cookie_prefix,
    digest,
    end_and_commit,
    is_expired,
    is_held,
    offered,
    refusal,
    sentence_of,
    take,
)
from .results import check_may_verify
from .routes import bp


@bp.get("/bank")
@page("5040", "银行UKEY认证", ADMINISTRATOR)
def choose_bank():
    return render_choice()


def render_choice(error: Sentence | None = None):
    """`open_visit`: one that began lately and has no result yet."""
    principal = current()
    user, last = session.get(User, principal.user_id), last_visit(principal.user_id)
    banks = [row | {"is_on": row["code"] in gateways().banks} for row in offered()]
    return show(
        "realname/bank.html", banks=banks, error=error, reason=reason_against(user), minutes=TIME.seconds // 60,
        open_visit=last if last and last.state == OPEN and not is_expired(last) else None,
    )  # fmt: skip


def reason_against(user: User) -> Sentence | None:
    """Why this account cannot do it at all."""
    try:
        check_may_verify(user, user.enterprise)
    except NotAccepted as not_accepted:
        return not_accepted.sentence
    return None


@bp.post("/bank")
@page("5040", "银行UKEY认证", ADMINISTRATOR)
def start_bank():
    """To the bank. One cookie per visit, for this browser only; Lax, since the way back comes from another site."""
    try:
        address, visit, cookie = begin(current(), request.form.get("bank", ""))
    except NotAccepted as refused:
        return render_choice(refused.sentence)
    response = redirect(address, 303)
    secure = current_app.config["SETTINGS"].is_https
    response.set_cookie(
        cookie_name(visit), cookie, httponly=True, samesite="Lax", secure=secure, path="/", max_age=2 * TIME
    )
    return response


@bp.after_request
def let_the_form_lead_to_banks(response):
    """Chromium holds form-action against redirects too; the page that asks to send again has the same address."""
    if request.path == url_for("realname.choose_bank"):
        urls = (urlsplit(url) for url in current_app.config["SETTINGS"].bank_urls.values())
        origins = sorted({f" {url.scheme}://{url.netloc}" for url in urls})
        response.headers["Content-Security-Policy"] = CSP.format(bridge="".join(origins))
    return response


@bp.get("/bank/return/<slug>")
@page("5041", "银行UKEY认证进度", PUBLIC)
def come_back_from_bank(slug):
    """The bank's answer, by the browser that began under the account that began; used once."""
    if request.method == "HEAD" or request.headers.get("Sec-Purpose", request.headers.get("Purpose", "")):
        abort(405)  # a look ahead by the browser must not use the answer up
    bank, query = get_or_404(gateways().banks.get(slug)), request.query_string.decode("latin-1")
    session.commit()  # nothing is verified inside a transaction
    try:
        answer = bank.read_return(query, clock.now())
    except NotGenuine as error:
        current_app.logger.warning("bank %s: answer refused: %s", slug, error)
        return answer_not_genuine(slug)
    visit = find_visit(UUID(hex=answer.number), lock=True)
    if visit is None or visit.bank != slug:
        return answer_gone(refusal("browser-differs", slug))
    if stranger := stranger_to(visit):
        end_and_commit(visit.id, stranger)
        return answer_gone(refusal(stranger, slug))
    path = take(visit, answer, query)
    return redirect(path or url_for("realname.show_bank_visit", visit_id=visit.id), 303)


def stranger_to(visit: BankVisit) -> str:
    """Which of REFUSALS where this is not the browser or not the account that began, "" where both are."""
    if not is_held(visit):
        return "browser-differs"
    principal = current()
    is_same = principal and (principal.user_id, principal.enterprise_id) == (visit.user_id, visit.enterprise_id)
    return "" if is_same and not ADMINISTRATOR.unmet(principal) else "user-differs"


def answer_not_genuine(slug: str):
    """It names no request that could be believed: what this browser began with this bank is over."""
    held = [digest(value) for name, value in request.cookies.items() if name.startswith(cookie_prefix())]
    visit = visit_of_cookies(held, slug) if held else None
    if visit is None or stranger_to(visit):
        return answer_gone(refusal("not-genuine", slug))
    end_and_commit(visit.id, "not-genuine")
    return go("realname.show_bank_visit", visit_id=visit.id)


def answer_gone(sentence: Sentence):
    says = [("warn", "bad", sentence), ("tick", "ok", "账号和单位都没有变。"),
            ("pencil", "todo", "链接是别人发来的，一律不要打开；自己办的，请登录后从“单位实名认证”重新开始。")]  # fmt: skip
    actions = [("去单位实名认证", url_for("realname.show_methods"))]
    return show_problem(sentence.number, "银行的结果没有采用", says, http_status=410, actions=actions)


@bp.get("/bank/<uuid:visit_id>")
@page("5041", "银行UKEY认证进度", ADMINISTRATOR)
def show_bank_visit(visit_id):
    """Reports and completes nothing. The bank's page can be opened again while there is time, in the same browser."""
    visit = own_visit_or_404(visit_id)
    if visit.state == FINISHED:
        return go("realname.show_result")
    if is_expired(visit):
        visit = end_and_commit(visit.id, "expired")
    return show(
        "realname/bank_visit.html", visit=visit, bank=bank_named(visit.bank), refusal=sentence_of(visit),
        link=link_of(visit),
    )  # fmt: skip


def own_visit_or_404(visit_id: UUID) -> BankVisit:
    visit = find_visit(visit_id)
    return get_or_404(visit if visit and visit.user_id == current().user_id else None)


def link_of(visit: BankVisit) -> str:
    """The bank's page; "" where it cannot be opened from here."""
    if visit.state != OPEN or not is_held(visit) or visit.bank not in gateways().banks:
        return ""
    company = session.get(Enterprise, visit.enterprise_id)
    session.commit()
    try:
        return address_of(visit, company)
    except NotAccepted:
        return ""


@bp.post("/bank/<uuid:visit_id>/stop")
@page(None, "不去银行认证了", ADMINISTRATOR)
def stop_bank_visit(visit_id):
    visit = end_and_commit(own_visit_or_404(visit_id).id, "stopped")
    return go("realname.show_bank_visit", visit_id=visit.id)

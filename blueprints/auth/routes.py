"""Pages 3001–3099: login by password, what was kept for the user, log-out, renewing a login."""

from flask import Response, abort, current_app, flash, g, redirect, request, url_for
from werkzeug.exceptions import HTTPException

from blueprints.common import captcha, logins
from blueprints.common.access import PUBLIC, Needs, current, get_or_404, page
from blueprints.common.history import record
from blueprints.common.numbers import Sentence
from blueprints.common.pages import go, safe_next, show
from models.accounts import find_card
from models.database import session
from models.sessions import KeptPost

from .base import bp
from .entering import enter
from .services import check_login, missing_fields


@bp.get("/login")
@page("3001", "用户登录", PUBLIC)
def show_login():
    return show("auth/login.html", user="", errors=[], summary=[], next=safe_next(request.args.get("next")) or "")


@bp.post("/login")
@page("3001", "用户登录", PUBLIC)
def log_in():
    typed = request.form
    if typed.get("go") == "another":
        return ask_again([])
    if missing := missing_fields(typed):
        return ask_again(missing)
    user, sentence = check_login(typed["user"], typed["password"], typed["captcha"], typed.get("captcha_token", ""),
                                 request.remote_addr or "")  # fmt: skip
    if sentence:
        return ask_again([("captcha" if sentence.number == "90502" else "user", sentence)])
    response = enter(user, safe_next(typed.get("next")))
    session.commit()
    return response


def ask_again(errors: list[tuple[str, Sentence]]):
    """The page with a new captcha; the user name stays, the password never does."""
    summary = [{"number": sentence.number, "sentence": sentence, "href": f"#{name}"} for name, sentence in errors]
    return show("auth/login.html", user=request.form.get("user", "")[:100], errors=errors, summary=summary,
                next=safe_next(request.form.get("next")) or "")  # fmt: skip


@bp.get("/login/captcha.png")
@page(None, "验证码图片", PUBLIC)
def show_captcha():
    content = get_or_404(captcha.read_captcha(request.args.get("t", "")))
    return uncached(captcha.image_of(content), "image/png")


@bp.get("/login/captcha.wav")
@page(None, "验证码语音", PUBLIC)
def speak_captcha():
    content = get_or_404(captcha.read_captcha(request.args.get("t", "")))
    return uncached(captcha.voice_of(content), "audio/wav")


def uncached(data: bytes, kind: str) -> Response:
    return Response(data, mimetype=kind, headers={"Cache-Control": "no-store"})


@bp.post("/logout")
@page(None, "退出", PUBLIC)
def log_out():
    if principal := current():
        record("退出", f"user:{principal.user_id}", principal, medium=principal.medium)
    logins.log_out()
    session.commit()
    response = go("portal.show_home")
    response.delete_cookie(logins.login_cookie_name(), path="/", secure=current_app.config["SETTINGS"].is_https)
    return response


@bp.post("/login/renew")
@page(None, "重新登录", Needs())
def renew_login():
    """One button: the principal is taken anew. How long ago credentials were given stays as it was."""
    old = g.login
    if old.card_number and not is_still_bound(old):
        flash("卡的绑定变了，请重新用卡登录。")
        return go("auth.show_card_login")
    token = logins.log_in(old.user, old.medium, old.card_number, old.card_until)
    new = logins.find_login(logins.hash_token(token))
    new.at, new.place = old.at, old.place
    session.commit()
    flash("已经重新登录，新的资料和权限生效了。")
    return logins.set_login_cookie(go("portal.show_workspace"), token)


def is_still_bound(login) -> bool:
    card = find_card(login.card_number)
    return card is not None and card.user_id == login.user_id


@bp.get("/login/kept")
@page("3005", "找回刚才填的内容", Needs())
def show_kept():
    kept = logins.newest_kept_post(current())
    target = safe_next(request.args.get("next")) or url_for("portal.show_workspace")
    if kept is None:
        return redirect(target, 303)
    seen = [value for name, value in kept.fields if value and name not in ("go", "revision", "page")]
    return show("auth/kept.html", kept=kept, pairs=kept.fields, seen=seen, where=title_of(kept.path), target=target)


def title_of(path: str) -> str:
    """What the page is called that the POST was meant for."""
    try:
        endpoint, _ = current_app.url_map.bind("").match(path.partition("?")[0], method="POST")
    except HTTPException:
        return ""
    return current_app.view_functions[endpoint].page.title


@bp.post("/login/kept/<uuid:id>/send")
@page(None, "再提交一次", Needs())
def send_kept(id):
    """307: the browser sends the same body to where it belongs, under the CSRF token of now."""
    kept = get_own_kept(id)
    session.delete(kept)
    session.commit()
    return redirect(safe_next(kept.path) or "/", 307)


@bp.post("/login/kept/<uuid:id>/discard")
@page(None, "不要了", Needs())
def discard_kept(id):
    session.delete(get_own_kept(id))
    session.commit()
    flash("留着的内容已经删掉。")
    return redirect(safe_next(request.form.get("next")) or url_for("portal.show_workspace"), 303)


def get_own_kept(id) -> KeptPost:
    kept = session.get(KeptPost, id)
    return kept if kept and kept.user_id == current().user_id else abort(404)

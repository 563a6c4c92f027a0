"""Pages 3001–3099: login, log-out, renewing a login."""

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from flask import Blueprint, redirect, request, url_for

from blueprints.common import logins
from blueprints.common.access import PUBLIC, Needs, page
from blueprints.common.pages import safe_next, show
from models.accounts import find_user
from models.database import session

bp = Blueprint("auth", __name__)


@bp.get("/login")
@page("3001", "用户登录", PUBLIC)
def show_login():
    return show("auth/login.html")


@bp.post("/login")
@page("3001", "用户登录", PUBLIC)
def log_in():
    user = find_user(request.form.get("user", ""))
    try:
        PasswordHasher().verify(
            user.password_hash if user else "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAA", request.form["password"]
        )
    except VerificationError:
        return show("auth/login.html")
    token = logins.log_in(user)
    session.commit()
    target = safe_next(request.form.get("next")) or url_for("portal.show_workspace")
    return logins.set_login_cookie(redirect(target, 303), token)


@bp.get("/login/card")
@page("3003", "卡介质方式登录", PUBLIC)
def show_card_login():
    return show("auth/login.html")


@bp.post("/logout")
@page(None, "退出", PUBLIC)
def log_out():
    logins.log_out()
    session.commit()
    return redirect("/", 303)


@bp.post("/login/renew")
@page(None, "重新登录", Needs())
def renew_login():
    user = __import__("flask").g.login.user
    token = logins.log_in(user)
    session.commit()
    return logins.set_login_cookie(redirect("/member", 303), token)

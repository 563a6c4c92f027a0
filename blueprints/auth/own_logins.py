"""Page 3012: where one's own account is logged in, and ending what should not be."""

from datetime import timedelta

from flask import abort, current_app, flash, g

from blueprints.common import clock, devices, logins
from blueprints.common.access import Needs, current, page
from blueprints.common.history import record
from blueprints.common.pages import go, show
from models.database import session
from models.documents import last_events_about
from models.sessions import Login, end_logins, live_logins_of

from .base import bp
from .entering import medium_of

ACTS = ("登录", "退出", "登录失败")


@bp.get("/login/mine")
@page("3012", "我的登录", Needs())
def list_logins():
    subject = f"user:{current().user_id}"
    events = [
        (event.at, event.act, medium_of(event.details.get("medium", "")))
        for event in last_events_about(subject, ACTS, 10)
    ]
    return show("auth/logins.html", rows=[row_of(login) for login in alive_logins()], events=events)


def alive_logins() -> list[Login]:
    since = clock.now() - timedelta(minutes=current_app.config["SETTINGS"].session_minutes)
    return [login for login in live_logins_of(current().user_id, since) if logins.is_alive(login)]


def row_of(login: Login) -> dict:
    place = login.place or {}
    return {
        "id": login.id, "at": login.at, "seen_at": login.seen_at, "medium": medium_of(login.medium), "is_this": login.id == g.login.id,
        "browser": devices.words_of(place.get("agent", "")), "address": place.get("address", ""),
    }  # fmt: skip


@bp.post("/login/mine/<uuid:id>/end")
@page(None, "退出这一个", Needs())
def end_login(id):
    login = session.get(Login, id)
    if login is None or login.user_id != current().user_id or login.id == g.login.id:
        abort(404)
    login.ended_at = clock.now()
    record("退出", f"user:{login.user_id}", current(), medium=login.medium)
    session.commit()
    flash("那一个登录已经退出。")
    return go("auth.list_logins")


@bp.post("/login/mine/end-others")
@page(None, "退出其他全部", Needs())
def end_other_logins():
    count = end_logins(current().user_id, clock.now(), but=g.login.id)
    record("退出", f"user:{current().user_id}", current(), medium=g.login.medium, count=count)
    session.commit()
    flash("其他地方的登录都已经退出，只剩这一个。")
    return go("auth.list_logins")

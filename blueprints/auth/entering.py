"""What happens at every login, by whatever means: session, known browser, place, event, and what the owner is told."""

from flask import Response, flash, redirect, request, url_for

from blueprints.common import clock, devices, logins
from blueprints.common.history import record
from blueprints.common.notices import notify
from models.accounts import User
from models.sessions import Login

from .base import absolute, hotline

MEDIA = {"password": "账号密码", "sms": "手机号"}


def enter(user: User, target: str | None, **card) -> Response:
    """Logs in and goes to `target`; by way of page 3005 when a POST was kept for this user."""
    is_other = devices.remember(user)
    token = logins.log_in(user, **card)
    login = logins.find_login(logins.hash_token(token))
    logins.note_place(login)
    principal = logins.principal_of(login)
    record("登录", f"user:{user.id}", principal, medium=login.medium)
    bring_up_to_date(user, login)
    if is_other and user.email:
        tell_of_other_browser(user, login)
    if user.closing_at and user.closing_at > clock.now():
        flash(f"您的账号{clock.local(user.closing_at):%Y年%m月%d日}注销，要留下请到“账号信息”撤回注销")
    target = target or url_for("portal.show_workspace")
    if logins.newest_kept_post(principal):
        target = url_for("auth.show_kept", next=target)
    return devices.set_cookie(logins.set_login_cookie(redirect(target, 303), token))


def bring_up_to_date(user: User, login: Login) -> None:
    """A card proves more than a recovery could have taken; phones of older accounts get the index they are found by."""
    if login.card_number:
        user.guarded_until = None
    if user.mobile and user.mobile_index is None:
        user.keep_mobile(user.mobile)


def medium_of(medium: str) -> str:
    return MEDIA.get(medium, medium)


def tell_of_other_browser(user: User, login: Login) -> None:
    browser = devices.words_of(request.headers.get("User-Agent", ""))
    notify(
        user.email,
        "新的电脑登录了您的账号",
        f"账号：{user.shown_name}\n时间：{clock.local(login.at):%Y-%m-%d %H:%M}\n方式：{medium_of(login.medium)}\n浏览器：{browser}\n"
        f"网络地址：{login.place['address']}\n\n这个浏览器以前没有登录过您的账号。是您本人，就不用管。\n"
        f"不是您本人：请马上换密码 {absolute('auth.show_password_recovery')} ，换了以后别处的登录都会退出；再打客服热线{hotline()}。",
    )

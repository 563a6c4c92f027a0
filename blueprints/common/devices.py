"""Browsers that an owner used before (常用浏览器): they pass where strangers wait, and a new one is told by mail."""

import secrets
from datetime import timedelta
from uuid import UUID

from flask import current_app, g, request

from models.accounts import KnownDevice, User, find_device, has_devices
from models.database import session

from . import clock
from .logins import hash_token

LIFE = timedelta(days=400)
NOBODY = UUID(int=0)


def cookie_name() -> str:
    return "__Host-eport-browser" if current_app.config["SETTINGS"].is_https else "eport-browser"


def mark_of_browser() -> bytes | None:
    """Hash of this browser's mark; None before its first login."""
    mark = request.cookies.get(cookie_name())
    return hash_token(mark) if mark else None


def is_known(user: User | None) -> bool:
    """Looks as long where there is no such user."""
    mark = mark_of_browser()
    return bool(mark and find_device(user.id if user else NOBODY, mark))


def remember(user: User) -> bool:
    """Notes this browser at a login; True when it is another one than ever before. The cookie goes with `set_cookie`."""
    mark, now = request.cookies.get(cookie_name()) or secrets.token_urlsafe(24), clock.now()
    g.device_mark = mark
    found = find_device(user.id, hash_token(mark))
    if found:
        found.seen_at = now
        return False
    is_other = has_devices(user.id)
    session.add(KnownDevice(user_id=user.id, mark=hash_token(mark), first_at=now, seen_at=now))
    session.flush()
    return is_other


def set_cookie(response):
    if mark := g.get("device_mark"):
        secure = current_app.config["SETTINGS"].is_https
        response.set_cookie(cookie_name(), mark, max_age=int(LIFE.total_seconds()), httponly=True, samesite="Lax",
                            secure=secure, path="/")  # fmt: skip
    return response


def words_of(agent: str) -> str:
    """A browser in words a person knows: 「Chrome，Windows 7」."""
    browsers = (("Edg", "Edge"), ("QQBrowser", "QQ浏览器"), ("360", "360浏览器"), ("Firefox", "Firefox"), ("Chrome", "Chrome"),
                ("Trident", "IE"), ("MSIE", "IE"), ("Safari", "Safari"))  # fmt: skip
    systems = (("Windows NT 5", "Windows XP"), ("Windows NT 6.1", "Windows 7"), ("Windows NT 10", "Windows 10或11"), ("Windows", "Windows"),
               ("Android", "安卓手机"), ("iPhone", "iPhone"), ("Mac OS", "Mac"), ("Linux", "Linux"))  # fmt: skip
    browser = next((name for mark, name in browsers if mark in agent), "浏览器")
    system = next((name for mark, name in systems if mark in agent), "")
    return f"{browser}，{system}" if system else browser

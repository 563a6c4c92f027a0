"""Logins as server rows: the cookie holds a random token, the row its hash; the principal is made anew each request."""

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from flask import current_app, g, request
from flask import session as cookie_session

from models.accounts import Enterprise, User
from models.codes import codes_of
from models.database import session
from models.sessions import KeptPost, Login, find_login, kept_posts_of, touch_login

from . import clock
from .access import Principal

KEEP_FOR = timedelta(hours=24)
KEEP_MOST = 20  # lost POSTs of one user; the oldest go


def login_cookie_name() -> str:
    return "__Host-eport-login" if current_app.config["SETTINGS"].is_https else "eport-login"


def hash_token(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def load_principal() -> Principal | None:
    """From the login cookie. Notes in `g` whose login it was when that has ended, so that a lost POST can be kept."""
    g.login = g.ended_login = None
    token = request.cookies.get(login_cookie_name())
    login = find_login(hash_token(token)) if token else None
    if login is None:
        return None
    if not is_alive(login) or not login.user.is_active:
        g.ended_login = login
        return None
    if clock.now() - login.seen_at > timedelta(minutes=1):
        touch_login(login.id, clock.now())
        session.commit()
    g.login = login
    return principal_of(login)


def is_alive(login: Login) -> bool:
    settings = current_app.config["SETTINGS"]
    now = clock.now()
    idle, age = timedelta(minutes=settings.session_minutes), timedelta(hours=settings.login_hours)
    return login.ended_at is None and now - login.seen_at < idle and now - login.at < age


def principal_of(login: Login) -> Principal:
    """Rights taken away act at once: role, desks and level are those of now where they are less than at login."""
    user, company = login.user, login.user.enterprise
    return Principal(
        user_id=user.id,
        name=user.shown_name,
        role=user.role,
        enterprise_id=company.id if company else None,
        enterprise_name=company.name if company else "",
        uscc=company.uscc if company else None,
        code=code_of(login, company) if company else None,
        desks=frozenset(user.desks),
        medium=login.medium,
        card_number=login.card_number,
        card_until=login.card_until,
        level=min(login.level, company.level) if company else 0,
        origin=company.origin if company else "registered",
        login_id=login.id,
        account_type=company.account_type if company else "",
        rights=user.rights,
        guarded_until=user.guarded_until,
        is_new=user.is_new,
    )


def code_of(login: Login, company: Enterprise) -> str | None:
    """That of the login, unless the company does not hold it any more."""
    if login.code in (None, company.active_code):
        return login.code
    return login.code if login.code in [row.code for row in codes_of(company.id, clock.today())] else None


def log_in(user: User, medium: str = "password", card_number: str | None = None, card_until=None) -> str:
    """A new login row with a fresh token, which is given; the anonymous cookie session is emptied (no fixation)."""
    log_out()
    cookie_session.clear()
    token, now, company = secrets.token_urlsafe(32), clock.now(), user.enterprise
    session.add(
        Login(
            token_hash=hash_token(token), user_id=user.id, medium=medium, card_number=card_number,
            card_until=card_until, level=company.level if company else 0, code=company.active_code if company else None,
            at=now, seen_at=now, tabs=[],
        )
    )  # fmt: skip
    session.flush()
    return token


def note_place(login: Login) -> None:
    """From where: browser and address, for the owner's list of logins."""
    login.place = {"agent": request.headers.get("User-Agent", "")[:200], "address": request.remote_addr or ""}


def log_out() -> None:
    login = getattr(g, "login", None)
    if login:
        login.ended_at = clock.now()
    g.login = g.principal = None


def set_login_cookie(response, token: str):
    secure = current_app.config["SETTINGS"].is_https
    response.set_cookie(login_cookie_name(), token, httponly=True, samesite="Lax", secure=secure, path="/")
    return response


def has_gained_rights(principal: Principal) -> bool:
    """True when the company's level or code changed since the login: 「变更将在重新登录后生效」 (M70)."""
    company = g.login.user.enterprise if getattr(g, "login", None) else None
    return bool(company and (company.level > g.login.level or company.active_code != g.login.code))


def keep_post(user_id: UUID, page: str) -> None:
    """Keeps the fields of this POST, encrypted, for its user; secrets are left out."""
    pairs = [[name, value] for name, value in request.form.items(multi=True) if not is_secret(name)]
    for oldest in kept_posts_of(user_id, clock.now() - KEEP_FOR)[KEEP_MOST - 1 :]:
        session.delete(oldest)
    session.add(KeptPost(user_id=user_id, path=request.full_path.rstrip("?"), page=page, fields=pairs, at=clock.now()))
    session.commit()


def is_secret(name: str) -> bool:
    """Fields that are never kept, logged or given back."""
    return name == "csrf_token" or any(word in name for word in ("password", "pin", "captcha", "secret"))


def newest_kept_post(principal: Principal) -> KeptPost | None:
    kept = kept_posts_of(principal.user_id, clock.now() - KEEP_FOR)
    return kept[0] if kept else None

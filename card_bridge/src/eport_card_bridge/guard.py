"""The guards in front of every page, the headers on every page, and the one-use tokens of its forms."""

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from .health import answer_health, read_origin
from .outcomes import Outcome, Stop
from .pages import STYLE_HASH, Pages
from .peer import is_same_user

LOG = logging.getLogger(__name__)
TOKEN_SECONDS = 600
PAGES: web.AppKey[Pages] = web.AppKey("pages", Pages)
OWN_ORIGIN: web.AppKey[str] = web.AppKey("own_origin", str)
MAY_ASK: web.AppKey[Callable[[str], bool]] = web.AppKey("may_ask", Callable[[str], bool])  # for the version
FORBIDDEN = {Outcome.FORM, Outcome.ORIGIN}


def html(text: str, origin: str = "", status: int = 200) -> web.Response:
    """A page with the headers that every page carries.

    form-action names this one portal because browsers check the 303 after the form against it. Referrer-Policy is
    same-origin, not no-referrer, because with the latter the bridge's own POST carries `Origin: null`.
    """
    target = f" {origin}" if origin else ""
    policy = (
        f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; img-src data:; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action 'self'{target}"
    )
    headers = {
        "Content-Security-Policy": policy,
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8", headers=headers)


def redirect(url: str) -> web.Response:
    headers = {"Location": url, "Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
    return web.Response(status=303, headers=headers)


def text(form: Mapping[str, Any], name: str) -> str:
    """A field of a form; empty if it was not sent, or as a file."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


@web.middleware
async def guard(request: web.Request, handler) -> web.StreamResponse:
    """Refuses, before anything is done: another OS user, another host name (DNS rebinding), prefetches and subresource
    loads, and every POST that does not come from a page of this bridge. The one subresource is GET /health, for origins
    that the user has consented to."""
    sock = request.transport.get_extra_info("socket")
    own = request.app[OWN_ORIGIN]
    if not is_same_user(sock.getpeername()[:2], sock.getsockname()[:2]):
        return refuse(request, 403, "other user")
    if request.headers.getall("Host", []) != [own.removeprefix("http://")]:
        return refuse(request, 421, "host")
    asking = read_origin(request)
    if asking and (asking == own or request.app[MAY_ASK](asking)):
        return answer_health(asking)
    if request.method not in ("GET", "POST") or not is_navigation(request):
        return refuse(request, 403, "not a navigation")
    if request.method == "POST" and not is_own_post(request, own):
        return refuse(request, 403, "post from elsewhere")
    try:
        return await handler(request)
    except Stop as stop:
        return html(request.app[PAGES].done(stop), status=403 if stop.outcome in FORBIDDEN else 200)
    except web.HTTPException as error:
        return html(request.app[PAGES].done(Stop(Outcome.FORM)), status=error.status)


def refuse(request: web.Request, status: int, why: str) -> web.Response:
    LOG.warning("%s refused: %s, origin %r", request.method, why, request.headers.get("Origin"))
    return html(request.app[PAGES].done(Stop(Outcome.FORM)), status=status)


def is_navigation(request: web.Request) -> bool:
    """False for a prefetch, a frame, or a subresource, as far as the browser says so (Chromium 64 and 69 do not)."""
    purpose = "".join(request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Moz"))
    return (
        "prefetch" not in purpose
        and request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
        and request.headers.get("Sec-Fetch-Dest", "document") == "document"
    )


def is_own_post(request: web.Request, own: str) -> bool:
    """Origin must be the bridge's own. A browser too old to send Origin with a form must send the bridge's Referer
    (Referrer-Policy same-origin makes it do so)."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return False
    origins = request.headers.getall("Origin", [])
    if origins:
        return origins == [own]
    return request.headers.get("Referer", "").startswith(own + "/")


class Tokens:
    """One use, for one form of one request."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[tuple[str, ...], float]] = {}

    def new(self, *purpose: str) -> str:
        now = time.monotonic()
        self._rows = {token: row for token, row in self._rows.items() if row[1] > now}
        token = secrets.token_urlsafe(32)
        self._rows[token] = (purpose, now + TOKEN_SECONDS)
        return token

    def use(self, token: str, *purpose: str) -> None:
        """Raises Stop unless `token` was made for this purpose, not used yet and not too old."""
        row = self._rows.pop(token, None)
        if row is None or row[0] != purpose or row[1] < time.monotonic():
            raise Stop(Outcome.FORM)

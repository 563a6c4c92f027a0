"""The frame of every page: guard, errors in words, language, headers, and POSTs that nobody may lose."""

import hashlib
import logging
from pathlib import Path
from urllib.parse import urlsplit

from flask import (
    Flask,
    current_app,
    flash,
    g,
    get_flashed_messages,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask import session as cookie_session
from flask_babel import format_date, gettext
from flask_wtf.csrf import CSRFError
from jinja2 import pass_context
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, ServiceUnavailable

from models.database import session

from . import access, clock
from .codes import holds_several_codes
from .fields import as_list
from .files import look_up_upload
from .logins import has_gained_rights, is_secret, keep_post, load_principal
from .numbers import Sentence, in_fours, masked, spoken
from .tabs import note_tab, open_tabs

LOG = logging.getLogger(__name__)
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; form-action 'self'{bridge}; base-uri 'none'; frame-ancestors 'none'"
)
ACTIVATION = ("auth.show_activation", "auth.activate")  # all that a password handed over by somebody else opens
ERRORS = {
    400: ("90400", "这个请求看不懂", "可能是网址没有复制完整。"),
    403: ("90403", "这一页不能打开", "您的账号没有这一页的权限。"),
    404: ("90404", "没有找到这一页", "网址可能写错了，或者这份资料不属于您的单位。"),
    405: ("90405", "不能这样打开这一页", "请从首页重新点进来。"),
    409: ("90409", "这一步已经有人办过了", "请看最新的状态再决定下一步。"),
    413: ("90413", "上传的文件太大", "请压缩后再传，其他内容都留着。"),
    429: ("90429", "试的次数太多", "请过一会儿再来。"),
    500: ("90500", "这一页暂时打不开", "我们的系统出了错，已经记下来了。"),
    503: ("90924", "系统暂时停一下", "系统连不上自己的数据库，正在恢复，请过几分钟再试。"),
}
KEPT = "已经保存、签名和推送的都在，没有丢。"


def translated(text) -> str:
    """In the page's language. A `Sentence` is translated as template and parts."""
    if isinstance(text, Sentence):
        parts = {key: translated(part) if isinstance(part, str) else part for key, part in text.parts.items()}
        template = gettext(text.template) if text.template else ""
        return template.format(**parts) if parts else template
    return gettext(str(text)) if text else ""


def translated_choices(text: str) -> str:
    """The labels of chosen options, as `Choice.shown` joins them."""
    return translated("、").join(translated(label) for label in text.split("、"))


def is_partial() -> bool:
    """True when only `#main` is to be swapped (STYLE: neither boosted nor history restore)."""
    return bool(request.htmx) and not request.htmx.boosted and not request.htmx.history_restore_request


def show(template: str, *, number: str | None = None, http_status: int = 200, **values):
    """Renders a page under its spoken number (the view's own unless given)."""
    g.page_number = number or g.page_number
    response = make_response(render_template(template, **values), http_status)
    if is_partial() and http_status == 200 and request.method == "POST":
        response.headers["HX-Push-Url"] = "false"  # an invalid form is not a new place
    if is_partial() and request.htmx.target not in (None, "main"):
        response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#main", "innerHTML"  # a page, not a part
    return response


def show_problem(
    number: str, title: str, says: list, *, http_status: int = 200, actions=(), template="errors/problem.html"
):
    """A page that says: what happened, what is kept, what to do, whom to call, its number."""
    return show(template, number=number, http_status=http_status, title=title, says=says, actions=actions)


def go(endpoint: str, **values):
    return redirect(url_for(endpoint, **values), 303)


def safe_next(target: str | None) -> str | None:
    """A path of this portal, or None: a redirect never leaves the house."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    return target if not urlsplit(target).netloc else None


def init_pages(app: Flask) -> None:
    app.before_request(guard)
    app.context_processor(frame)
    app.after_request(add_headers)
    app.register_error_handler(CSRFError, answer_csrf)
    app.register_error_handler(HTTPException, answer_error)
    app.register_error_handler(OperationalError, answer_without_database)
    app.teardown_appcontext(lambda error: session.remove())
    app.add_template_filter(spoken)
    app.add_template_filter(in_fours)
    app.add_template_filter(masked)
    app.add_template_filter(pass_context(lambda context, text: translated(text)), "t")  # else folded at compile time
    app.add_template_filter(pass_context(lambda context, text: translated_choices(text)), "choices")
    app.add_template_filter(lambda ids: [file for one in as_list(ids) if (file := look_up_upload(one))], "files")
    app.add_template_filter(lambda moment: f"{clock.local(moment):%Y-%m-%d %H:%M}" if moment else "", "moment")
    app.add_template_filter(lambda moment: f"{clock.local(moment):%Y-%m-%d}" if moment else "", "day")


def guard():
    """Before every view: host, principal, page number, needs."""
    g.page_number, g.principal = "90404", None
    settings = current_app.config["SETTINGS"]
    if request.host != urlsplit(settings.public_origin).netloc and not current_app.config.get("ANY_HOST"):
        return "unknown host", 400
    if request.endpoint in (None, "static"):
        return None
    info = current_app.view_functions[request.endpoint].page
    g.principal, g.page_number = load_principal(), info.number or "1000"
    if g.principal and g.principal.is_new and info.needs.login and request.endpoint not in ACTIVATION:
        return go("auth.show_activation")
    reasons = info.needs.unmet(g.principal)
    if reasons:
        return answer_unmet(reasons)
    note_tab()
    return None


def answer_unmet(reasons):
    """Login is asked for; anything else is said with its reasons and the way to mend each."""
    if g.principal is None and reasons[0].number == "90101":
        if request.method == "POST":
            keep_lost_post()
        target = request.full_path if request.method == "GET" else None
        return go("auth.show_login", next=safe_next(target and target.rstrip("?")))
    return show("errors/needs.html", number="1090", http_status=403, reasons=reasons)


def keep_lost_post() -> None:
    """The POST outlived its session: it waits, encrypted, for the same user's next login."""
    login = g.ended_login
    if login is None:
        flash("请先登录，再办这一步。")
        return
    keep_post(login.user_id, request.form.get("page", ""))
    flash("登录时间已到，您刚才填的内容留着。请重新登录，登录后会还给您。")


def answer_csrf(error):
    """The form is older than the session."""
    return show_again("1091", 400, "这一页开得太久，安全标记过期了，还没有提交。")


def show_again(number: str, http_status: int, why: str):
    """What was typed is on the answer page, one click sends it again."""
    pairs = [(name, value) for name, value in request.form.items(multi=True) if not is_secret(name)]
    own = request.headers.get("Origin") in (None, "null", current_app.config["SETTINGS"].public_origin)
    lost = [name for name in request.form if is_secret(name) and name != "csrf_token"]
    return show(
        "errors/send_again.html", number=number, http_status=http_status, pairs=pairs if own else [], why=why,
        target=request.full_path.rstrip("?"), lost=lost, files=list(request.files),
    )  # fmt: skip


def answer_without_database(error: OperationalError):
    """The database is away, or could not do what several wanted of it at once. Nothing of the request has been done."""
    LOG.error("database: %s", str(error.orig).partition("\n")[0])
    session.rollback()
    g.principal = None  # the frame asks nothing
    if "csrf_token" in request.form:
        return show_again(ERRORS[503][0], 503, ERRORS[503][2])
    return current_app.handle_user_exception(ServiceUnavailable(retry_after=30))


def answer_error(error: HTTPException):
    if request.path.startswith(("/card/requests/", "/static/")):
        return error
    number, title, why = ERRORS.get(error.code, ERRORS[500 if error.code >= 500 else 400])
    if error.code >= 500:
        session.rollback()
    says = [("warn", "bad", why)] + ([("tick", "ok", KEPT)] if error.code == 503 else [])
    answer = show_problem(number, title, says, http_status=error.code)
    if wait := getattr(error, "retry_after", None):
        answer.headers["Retry-After"] = str(wait)
    return answer


def add_headers(response):
    settings = current_app.config["SETTINGS"]
    bridge = f" {settings.bridge_origin}" if g.get("allows_bridge") else ""
    response.headers.setdefault("Content-Security-Policy", CSP.format(bridge=bridge))
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if settings.is_https:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if response.mimetype == "text/html":
        response.headers.setdefault("Cache-Control", "no-store")
        response.vary.update(("HX-Request", "HX-Boosted", "HX-History-Restore-Request", "Cookie", "Accept-Language"))
    return response


def is_old_explorer() -> bool:
    agent = request.headers.get("User-Agent", "")
    return "MSIE " in agent or "Trident/" in agent


def frame() -> dict:
    """What every template may use."""
    principal = access.current()
    english = cookie_session.get("language") == "en"
    return {
        "layout": "layouts/partial.html" if is_partial() else "layouts/page.html",
        "region": current_app.config["REGION"],
        "settings": current_app.config["SETTINGS"],
        "principal": principal,
        "english": english,
        "large": cookie_session.get("size") == "large",
        "contrast": cookie_session.get("colours") == "contrast",
        "page_number": g.page_number,
        "today": format_date(clock.today(), "full"),
        "is_old_explorer": is_old_explorer(),
        "relogin": principal is not None and has_gained_rights(principal),
        "messages": get_flashed_messages(),
        "static_url": static_url,
        "header_entries": header_entries,
        "open_tabs": open_tabs,
        "holds_several_codes": holds_several_codes,
        "home_links": lambda: [link_of(row) for row in current_app.config["REGION"]["home"]["links"]],
        "kind_endpoint": lambda kind, act: current_app.config["KIND_PAGES"][kind.slug].endpoint_name(act),
    }


def static_url(name: str) -> str:
    """With the content's hash in the address, so that browsers may keep the file for a year."""
    known = current_app.extensions.setdefault("static_hashes", {})
    if name not in known:
        data = Path(current_app.static_folder, name).read_bytes()
        known[name] = hashlib.sha256(data).hexdigest()[:10]
    return url_for("static", filename=name, v=known[name])


PAGES = {
    "home": "portal.show_home", "announcements": "portal.list_announcements", "help": "portal.show_help",
    "guides": "portal.list_guides", "downloads": "portal.show_downloads", "applications": "portal.show_home",
}  # fmt: skip


def link_of(row: dict) -> dict:
    """A link of the region file: a page of ours, a Markdown page, or another address."""
    if "url" in row:
        url = row["url"]
    elif "page" in row:
        url = url_for(PAGES[row["page"]])
    else:
        url = url_for("portal.show_about", slug=row["content"])
    return {**row, "url": url, "is_here": url == request.path}


def header_entries() -> list[dict]:
    """The region's head line; of two entries that lead to this page only the first is said to be it."""
    header = current_app.config["REGION"]["header"]
    entries = [link_of(row) for row in header["member_nav" if access.current() else "nav"]]
    here = next((entry for entry in entries if entry["is_here"]), None)
    return [{**entry, "is_here": entry is here} for entry in entries]

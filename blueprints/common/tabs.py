"""Open tabs of the workspace (M20, M22): a row of links that the server keeps with the login, so every browser has it."""

from flask import current_app, g, request

from models.database import session
from models.sessions import keep_tabs

from .access import current

MOST = 8
HOME = "portal.show_workspace"


def open_tabs() -> list[dict]:
    """[{number, title, path, is_here}] of this login, without the home tab; empty for who has no workspace."""
    login = getattr(g, "login", None)
    if not has_workspace() or login is None:
        return []
    return [
        {"number": number, "title": title, "path": path, "is_here": path == request.path}
        for number, title, path in login.tabs
    ]


def has_workspace() -> bool:
    principal = current()
    return bool(principal and principal.enterprise_id and not principal.is_new)


def note_tab() -> None:
    """Before a page of the workspace is drawn: it gets a tab; the oldest goes where there are too many."""
    info = current_app.view_functions[request.endpoint].page
    asked = request.method == "GET" and info.number and info.needs.login and request.endpoint != HOME
    is_secret = "token" in (request.view_args or {})  # of a link: kept by hash, never by its address
    if is_secret or not (asked and has_workspace() and g.login):
        return
    number, title = info.tab or (info.number, info.title)
    tab = [number, title, request.path]
    kept = [list(each) for each in g.login.tabs if each[0] != number]
    places = [each[0] for each in g.login.tabs]
    kept.insert(places.index(number), tab) if number in places else kept.append(tab)
    keep(kept[-MOST:])


def keep(tabs: list) -> None:
    if tabs != [list(each) for each in g.login.tabs]:
        keep_tabs(g.login.id, tabs)
        session.commit()
        g.login.tabs = tabs


def close(number: str) -> None:
    """One tab, or with `all` every one."""
    if g.login:
        keep([] if number == "all" else [list(each) for each in g.login.tabs if each[0] != number])

"""Area 82: 货物申报, 报关单 from pushed orders for the single window's import client (M203, R46)."""

from flask import url_for

from blueprints.common.access import Principal
from blueprints.common.areas import Area
from models import declarations

from .base import MENU, NEEDS, bp
from .handing import poll_answers
from .routes import list_declarations  # noqa: F401  (its module adds the views)


def open_items(principal: Principal) -> list[tuple[str, str, str, str]]:
    """报关单 that came back."""
    if NEEDS.unmet(principal):
        return []
    count = declarations.count_declarations(principal.enterprise_id, principal.code, declarations.REFUSED)
    if not count:
        return []
    return [("没收下的报关单", "请看原因，改好再报", "", url_for("declarations.list_declarations"))]


def under_code(enterprise_id, code: str | None) -> list[tuple[str, int, str]]:
    """What is not finished under a customs code."""
    unfinished = (declarations.DRAFT, declarations.READY, declarations.HANDED, declarations.TAKEN)
    count = declarations.count_declarations(enterprise_id, code, *unfinished)
    return [("没办完的报关单", count, url_for("declarations.list_declarations"))]


AREA = Area(
    "82", "报关单", bp, menu=MENU, open_items=open_items, loops=((poll_answers, 1.0),), under_code=under_code
)  # fmt: skip

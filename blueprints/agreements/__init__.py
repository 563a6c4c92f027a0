"""Area 62: 通关无纸化三方协议 and 报关代理委托 under the customs code in use."""

from flask import url_for

from blueprints.common import clock
from blueprints.common.access import Principal
from blueprints.common.areas import Area
from blueprints.common.numbers import Sentence
from models.accounts import Enterprise
from models.agreements import (
    agreements_to_sign_again,
    count_agreements,
    count_valid_entrustments,
    entrustments_to_sign_again,
)
from models.database import session

from .routes import MENU, NEEDS, bp

MOST = 5  # lines of each sort on the member's home; page 4082 has all


def open_items(principal: Principal) -> list[tuple[str, str, str, str]]:
    """What was signed under another code and has to be signed again under the one in use."""
    if NEEDS.unmet(principal):
        return []
    code = session.get(Enterprise, principal.enterprise_id).active_code
    asked = (principal.enterprise_id, code, clock.today(), MOST)
    titles = [Sentence("", "和{name}重新签三方协议", name=row.district) for row in agreements_to_sign_again(*asked)]
    titles += [Sentence("", "和{name}重新签报关代理委托", name=name) for _, name in entrustments_to_sign_again(*asked)]
    return [(title, "签在另一个海关编码下，现在的编码查不到", "", url_for("account.list_to_sign")) for title in titles]


def under_code(enterprise_id, code: str | None) -> list[tuple[str, int, str]]:
    today = clock.today()
    return [
        ("通关无纸化三方协议", count_agreements(enterprise_id, code, today), url_for("agreements.list_agreements")),
        ("报关代理委托", count_valid_entrustments(enterprise_id, code, today), url_for("agreements.list_entrustments")),
    ]


AREA = Area("62", "货物申报", bp, menu=MENU, open_items=open_items, under_code=under_code)

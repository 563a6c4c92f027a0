"""Pages 5001–5099."""

from flask import Blueprint

bp = Blueprint("realname", __name__, url_prefix="/realname")
from blueprints.common.access import MEMBER, page
from blueprints.common.pages import show


@bp.get("/")
@page("5001", "单位实名认证", MEMBER)
def show_methods():
    return show("errors/problem.html", title="单位实名认证", says=[], actions=())

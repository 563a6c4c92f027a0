"""Pages 4001–4099."""

from flask import Blueprint

bp = Blueprint("account", __name__, url_prefix="/account")
from blueprints.common.access import MEMBER, page
from blueprints.common.pages import show


@bp.get("/company")
@page("4001", "单位管理员信息", MEMBER)
def show_company():
    return show("errors/problem.html", title="单位管理员信息", says=[], actions=())


@bp.get("/cards")
@page("4003", "我的IC卡", MEMBER)
def list_cards():
    return show("errors/problem.html", title="我的IC卡", says=[], actions=())

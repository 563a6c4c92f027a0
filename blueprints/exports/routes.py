"""Pages 8001–8099."""

from flask import Blueprint

bp = Blueprint("exports", __name__, url_prefix="/exports")
from blueprints.common.access import MEMBER, page
from blueprints.common.pages import show


@bp.get("/tasks")
@page("8010", "基础数据导入", MEMBER)
def list_tasks():
    return show("errors/problem.html", title="基础数据导入", says=[], actions=())


@bp.get("/profiles")
@page("8001", "企业资料维护", MEMBER)
def list_profiles():
    return show("errors/problem.html", title="企业资料维护", says=[], actions=())

"""The customs codes in use."""

from datetime import timedelta

from flask import flash, request

from blueprints.common import clock
from blueprints.common.access import ADMINISTRATOR, current, page
from blueprints.common.codes import CannotRefresh, NotHeld, choose_code, refresh_codes
from blueprints.common.history import record
from blueprints.common.numbers import Sentence
from blueprints.common.pages import go
from gateways.company_register.port import UNLIMITED
from models.database import session

from .base import bp

ID_TYPES = {"id-card": "居民身份证", "passport": "护照", "other": "其他"}
SOON = timedelta(days=30)


def code_line(row) -> dict:
    today = clock.today()
    until = "长期" if row.valid_to == UNLIMITED else f"{row.valid_to}"
    valid = row.valid_from <= today <= row.valid_to
    state = ("tick", "有效") if valid else ("warn", "已过期" if today > row.valid_to else "未到生效日")
    return {"row": row, "until": until, "valid": valid, "state": state}


@bp.post("/codes/refresh")
@page("4001", "单位管理员信息", ADMINISTRATOR)
def update_codes():
    principal = current()
    try:
        count = refresh_codes(principal.enterprise_id)
    except CannotRefresh as problem:
        return render_company(problem.sentence)
    record("codes-refreshed", f"enterprise:{principal.enterprise_id}", principal, valid=count)
    session.commit()
    flash(f"已经从海关登记更新，有效的海关编码有{count}个。")
    return go("account.show_company")


@bp.post("/codes/active")
@page("4001", "单位管理员信息", ADMINISTRATOR)
def use_code():
    principal, code = current(), request.form.get("code", "")
    try:
        choose_code(principal.enterprise_id, code)
    except NotHeld:
        session.rollback()
        return render_company(Sentence("90566", "请在有效的海关编码里选一个；没有要用的，请先从海关登记更新"))
    record("code-chosen", f"enterprise:{principal.enterprise_id}", principal, code=code)
    session.commit()
    flash("海关编码已经保存，变更将在重新登录后生效")
    return go("account.show_company")

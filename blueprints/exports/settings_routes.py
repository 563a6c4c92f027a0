"""Pages 8001–8003, 8008: 企业资料维护 and 海外仓."""

from flask import flash, redirect, url_for

from blueprints.common import access
from blueprints.common.access import get_or_404, page
from blueprints.common.plain_forms import PageCase, page_case, summary_of, typed_fields
from models.database import session
from models.exports import find_profile, profiles_of

from . import profiles
from .base import EDIT_NEEDS, NEEDS, Search, bp, show_here
from .forms import ProfileForm, WarehouseForm, without_spaces
from .modes import TYPES

SWITCH = {"enabled": "启用", "disabled": "停用"}
PROFILE_SCOPES = {"name": "企业名称", "customs_code": "海关编码", "dxp_id": "传输ID", "created_by": "创建人"}


def tell_spaces(changed: list[str]) -> None:
    if changed:
        flash(f"各填写项不能有空格，已经替您去掉了「{'」「'.join(changed)}」里的空格。")


@bp.get("/profiles")
@page("8001", "企业资料维护", NEEDS)
def list_profiles():
    principal, search = access.current(), Search.from_request(PROFILE_SCOPES, SWITCH)
    rows = profiles_of(
        principal.enterprise_id, search.scope, search.text, types=[t for t in search.types if t in TYPES],
        enabled=None if not search.state else search.state == "enabled", since=search.from_moment,
        until=search.to_moment,
    )  # fmt: skip
    return show_here("profiles.html", rows=rows, search=search, scopes=PROFILE_SCOPES, states=SWITCH, types=TYPES)


def get_profile_or_404(id):
    return get_or_404(find_profile(access.current().enterprise_id, id))


@bp.get("/profiles/new")
@page("8002", "创建境内企业资料", EDIT_NEEDS)
def start_profile():
    principal = access.current()
    sheet = profiles.profile_sheet(principal)
    form = ProfileForm(sheet, "profile", suggested=profiles.suggested_profile(principal, sheet))
    return show_profile_form(form, sheet, None)


@bp.post("/profiles/new")
@page("8002", "创建境内企业资料", EDIT_NEEDS)
def add_profile():
    return save_profile_form(None)


@bp.get("/profiles/<uuid:id>")
@page("8002", "修改企业资料", NEEDS)
def edit_profile(id):
    profile = get_profile_or_404(id)
    if profile.kind == "warehouse":
        return redirect(url_for("exports.edit_warehouse", id=id), 303)
    sheet = profiles.profile_sheet(access.current())
    return show_profile_form(
        ProfileForm(sheet, "profile", suggested=profiles.values_of_profile(profile)), sheet, profile
    )


@bp.post("/profiles/<uuid:id>")
@page("8002", "修改企业资料", EDIT_NEEDS)
def change_profile(id):
    return save_profile_form(get_profile_or_404(id))


def save_profile_form(profile):
    principal = access.current()
    sheet = profiles.profile_sheet(principal)
    labels = {field.name: field.label.text for field in ProfileForm(sheet, "profile")}
    typed, changed = without_spaces(typed_fields(), labels)
    form = ProfileForm(sheet, "profile", typed)
    if problems := form.check():
        tell_spaces(changed)
        return show_profile_form(form, sheet, profile, problems)
    profiles.save_profile(form, profile, principal)
    session.commit()
    tell_spaces(changed)
    flash("企业资料已保存。")
    return redirect(url_for("exports.list_profiles"), 303)


def show_profile_form(form, sheet: PageCase, profile, problems=()):
    action = url_for("exports.change_profile", id=profile.id) if profile else url_for("exports.add_profile")
    return show_here(
        "profile.html", form=form, profile=profile, problems=summary_of(problems), action=action,
        can_apply=not sheet.choices["dxp_ids"],
    )  # fmt: skip


@bp.get("/warehouses/new")
@page("8003", "创建海外仓", EDIT_NEEDS)
def start_warehouse():
    return show_warehouse_form(WarehouseForm(page_case(), "warehouse"), None)


@bp.post("/warehouses/new")
@page("8003", "创建海外仓", EDIT_NEEDS)
def add_warehouse():
    return save_warehouse_form(None)


@bp.get("/warehouses/<uuid:id>")
@page("8003", "修改海外仓", NEEDS)
def edit_warehouse(id):
    profile = get_profile_or_404(id)
    values = {"name": profile.name, "address": profile.address}
    return show_warehouse_form(WarehouseForm(page_case(), "warehouse", suggested=values), profile)


@bp.post("/warehouses/<uuid:id>")
@page("8003", "修改海外仓", EDIT_NEEDS)
def change_warehouse(id):
    return save_warehouse_form(get_profile_or_404(id))


def save_warehouse_form(profile):
    form = WarehouseForm(page_case(), "warehouse", typed_fields())
    if problems := form.check():
        return show_warehouse_form(form, profile, problems)
    profiles.save_warehouse(form.values["name"], form.values["address"], profile, access.current())
    session.commit()
    flash("海外仓已保存。")
    return redirect(url_for("exports.list_profiles"), 303)


def show_warehouse_form(form, profile, problems=()):
    action = url_for("exports.change_warehouse", id=profile.id) if profile else url_for("exports.add_warehouse")
    return show_here("warehouse.html", form=form, profile=profile, problems=summary_of(problems), action=action)

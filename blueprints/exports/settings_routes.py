"""Pages 8001–8003, 8008: 企业资料维护 and 海外仓."""

from flask import flash, redirect, url_for

from blueprints.common import access
from blueprints.common.access import get_or_404, page
from blueprints.common.fields import Problem
from blueprints.common.limits import Limit
from blueprints.common.numbers import Sentence
from blueprints.common.plain_forms import page_case, summary_of, typed_fields
from models.database import session
from models.exports import find_profile, profiles_of

from . import channels, profiles
from .base import EDIT_NEEDS, NEEDS, Search, bp, show_here
from .channels import ALL_WELL, BadSetting
from .forms import ProfileForm, WarehouseForm, without_spaces
from .modes import TYPES

SWITCH = {"enabled": "启用", "disabled": "停用"}
TESTS = Limit("channel-test", 10, 10)
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


def get_domestic_or_404(id):
    profile = get_profile_or_404(id)
    return get_or_404(None if profile.kind == "warehouse" else profile)


def get_warehouse_or_404(id):
    profile = get_profile_or_404(id)
    return get_or_404(profile if profile.kind == "warehouse" else None)


@bp.get("/profiles/new")
@page("8002", "创建境内企业资料", EDIT_NEEDS)
def start_profile():
    principal = access.current()
    sheet = profiles.profile_sheet(principal)
    suggested = profiles.suggested_profile(principal, sheet)
    return show_profile_form(profiles.profile_form(sheet, None, suggested=suggested), None)


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
    form = profiles.profile_form(sheet, profile, suggested=profiles.values_of_profile(profile))
    return show_profile_form(form, profile)


@bp.post("/profiles/<uuid:id>")
@page("8002", "修改企业资料", EDIT_NEEDS)
def change_profile(id):
    return save_profile_form(get_domestic_or_404(id))


def save_profile_form(profile):
    principal = access.current()
    sheet = profiles.profile_sheet(principal)
    labels = {field.name: field.label.text for field in ProfileForm(sheet, "profile")}
    typed, changed = without_spaces(typed_fields(), labels)
    if "all-three" in typed.pop("go", []):
        return show_profile_form(profiles.profile_form(sheet, profile, typed | {"types": profiles.FULL_SET}), profile)
    form = profiles.profile_form(sheet, profile, typed)
    problems = form.check() or keep_profile(form, profile, principal)
    tell_spaces(changed)
    if problems:
        return show_profile_form(form, profile, problems)
    flash("企业资料已保存。")
    return redirect(url_for("exports.list_profiles"), 303)


def keep_profile(form, profile, principal) -> list[Problem]:
    """Saves what is right in itself; gives what stands against it nevertheless."""
    if problem := profiles.why_channels_stay(form, profile, principal):
        return [problem]
    try:
        profiles.save_profile(form, profile, principal)
    except BadSetting as refused:
        session.rollback()
        form[refused.field].errors = [refused.sentence]
        return [Problem(f"profile/{refused.field}", refused.sentence.number, refused.sentence)]
    session.commit()
    return []


def show_profile_form(form, profile, problems=()):
    choices = form.case.choices
    return show_here(
        "profile.html", form=form, profile=profile, problems=summary_of(problems), can_apply=not choices["dxp_ids"],
        action=url_for("exports.change_profile", id=profile.id) if profile else url_for("exports.add_profile"),
        lost=bool(profile) and profiles.lost_hosts(profile, form.case),
    )  # fmt: skip


@bp.post("/profiles/<uuid:id>/test")
@page("8008", "测试通道", EDIT_NEEDS)
def test_profile(id):
    """Asks the hosts that were saved, not what stands in a form that was not."""
    profile, subject = get_domestic_or_404(id), str(access.current().enterprise_id)
    if minutes := TESTS.minutes_left(subject):
        return show_test(profile, Sentence("90822", "测得太勤了，请{minutes}分钟后再测", minutes=minutes))
    TESTS.add(subject)
    session.commit()
    return show_test(profile, channels.test(id))


def show_test(profile, said: Sentence):
    return show_here("profile_test.html", profile=profile, said_here=said, is_well=said.number == ALL_WELL.number)


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
    profile = get_warehouse_or_404(id)
    values = {"name": profile.name, "address": profile.address}
    return show_warehouse_form(WarehouseForm(page_case(), "warehouse", suggested=values), profile)


@bp.post("/warehouses/<uuid:id>")
@page("8003", "修改海外仓", EDIT_NEEDS)
def change_warehouse(id):
    return save_warehouse_form(get_warehouse_or_404(id))


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

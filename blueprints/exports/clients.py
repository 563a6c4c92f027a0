"""Pages 8004, 8007: 客户资料维护, the companies and people on whose behalf a company declares."""

from flask import flash, redirect, request, url_for

from blueprints.common import access, clock
from blueprints.common.access import Principal, get_or_404, page
from blueprints.common.fields import Problem
from blueprints.common.history import record
from blueprints.common.numbers import Sentence
from blueprints.common.plain_forms import page_case, summary_of, typed_fields
from models.accounts import lock_enterprise
from models.database import session
from models.export_clients import (
    ExportClient,
    client_numbered,
    clients_query,
    count_clients,
    find_export_client,
    page_of_clients,
)
from models.orders import EXACT

from .base import EDIT_NEEDS, NEEDS, Search, bp, show_here
from .forms import ClientForm
from .task_routes import ROWS, read_cursor

SCOPES = {"number": "客户编号", "name": "客户名称", "phone": "联系电话"}
SWITCH = {"enabled": "启用", "disabled": "停用"}
OPEN, PERSONAL = ("number", "name", "uscc", "remark"), ("contact", "phone", "email", "address")


@bp.get("/clients")
@page("8004", "客户资料维护", NEEDS)
def list_clients():
    principal, search = access.current(), Search.from_request(SCOPES, SWITCH)
    ordinal, after = read_cursor(request.args.get("after", ""))
    query = clients_query(
        principal.enterprise_id, principal.code, search.scope, search.text,
        enabled=None if not search.state else search.state == "enabled", since=search.from_moment,
        until=search.to_moment,
    )  # fmt: skip
    rows = page_of_clients(query, after, ROWS + 1)
    last = rows[ROWS - 1] if len(rows) > ROWS else None
    return show_here(
        "clients.html", rows=rows[:ROWS], search=search, scopes=SCOPES, states=SWITCH, ordinal=ordinal, most=EXACT,
        cursor=last and f"{ordinal + ROWS}|{last.created_at.isoformat()}|{last.id}",
        total=count_clients(query, EXACT + 1) if ordinal or last else len(rows),
    )  # fmt: skip


@bp.get("/clients/new")
@page("8007", "新建客户", EDIT_NEEDS)
def start_client():
    return show_client_form(ClientForm(page_case(), "client", suggested={"is_enabled": "yes"}), None)


@bp.post("/clients/new")
@page("8007", "新建客户", EDIT_NEEDS)
def add_client():
    return save_client_form(None)


def get_client_or_404(id) -> ExportClient:
    principal = access.current()
    return get_or_404(find_export_client(principal.enterprise_id, principal.code, id))


@bp.get("/clients/<uuid:id>")
@page("8007", "修改客户", NEEDS)
def edit_client(id):
    client = get_client_or_404(id)
    return show_client_form(ClientForm(page_case(), "client", suggested=values_of_client(client)), client)


@bp.post("/clients/<uuid:id>")
@page("8007", "修改客户", EDIT_NEEDS)
def change_client(id):
    return save_client_form(get_client_or_404(id))


@bp.post("/clients/<uuid:id>/switch")
@page(None, "启用或停用客户", EDIT_NEEDS)
def switch_client(id):
    """启用 ↔ 停用. Tasks that bear its number stay as they are."""
    client, principal = get_client_or_404(id), access.current()
    client.is_enabled = not client.is_enabled
    client.changed_at, client.changed_by = clock.now(), principal.name
    word = "启用" if client.is_enabled else "停用"
    record(f"{word}客户", f"export-client:{client.id}", principal, number=client.number)
    session.commit()
    flash(f"客户「{client.number}」已{word}。")
    return redirect(url_for("exports.list_clients"), 303)


def save_client_form(client: ExportClient | None):
    form, principal = ClientForm(page_case(), "client", typed_fields()), access.current()
    if problems := form.check():
        return show_client_form(form, client, problems)
    lock_enterprise(principal.enterprise_id)  # so that two people do not take one number at the same moment
    holder = client_numbered(principal.enterprise_id, principal.code, form.values["number"])
    if holder and holder is not client:
        sentence = Sentence("90810", "客户编号「{number}」已经用过，请换一个", number=holder.number)
        form.number.errors = [sentence]
        return show_client_form(form, client, [Problem("client/number", sentence.number, sentence)])
    save_client(form.values, client, principal)
    session.commit()
    flash("客户资料已保存。")
    return redirect(url_for("exports.list_clients"), 303)


def save_client(values: dict, client: ExportClient | None, principal: Principal) -> None:
    now = clock.now()
    if client is None:
        client = ExportClient(
            enterprise_id=principal.enterprise_id, customs_code=principal.code, created_at=now,
            created_by=principal.name,
        )  # fmt: skip
        session.add(client)
    for name in OPEN:
        setattr(client, name, values[name])
    client.keep_person({name: values[name] for name in PERSONAL})
    client.is_enabled = values["is_enabled"] == "yes"
    client.changed_at, client.changed_by = now, principal.name
    record("保存客户资料", f"export-client:{client.id}", principal, number=client.number)


def values_of_client(client: ExportClient) -> dict:
    kept = {name: getattr(client, name) for name in OPEN}
    return kept | client.person | {"is_enabled": "yes" if client.is_enabled else "no"}


def show_client_form(form: ClientForm, client: ExportClient | None, problems=()):
    action = url_for("exports.change_client", id=client.id) if client else url_for("exports.add_client")
    return show_here("client.html", form=form, client=client, problems=summary_of(problems), action=action)

"""Pages 9004 and 9005: the register of companies and one of them, to look at only."""

from uuid import UUID

from flask import current_app, request

from blueprints.common import access
from blueprints.common.access import LEVELS, get_or_404, page
from blueprints.common.wizard_base import office
from models.accounts import (
    Enterprise,
    User,
    count_enterprises,
    count_users,
    page_of_enterprises,
    users_of,
)
from models.codes import codes_of
from models.database import session
from models.desks import EXACT, papers_of

from .base import COMPANY_NEEDS, bp, foot_of, searched_text, show_here, status_for_officials

PAGE_SIZE, PAPERS = 20, 20
ORIGINS = {"registered": "本站注册", "migrated": "迁移", "card": "卡"}
ROLES = {"administrator": "管理员", "operator": "操作员"}


@bp.get("/companies")
@page("9004", "企业名册", COMPANY_NEEDS)
def list_companies():
    typed = searched_text()
    rows = page_of_enterprises(typed, read_cursor(request.args.get("after", "")), PAGE_SIZE + 1)
    shown = rows[:PAGE_SIZE]
    return show_here(
        "companies.html", rows=shown, typed=typed, users=count_users([row.id for row in shown]), types=type_names(),
        cursor=f"{shown[-1].id}|{shown[-1].name}" if len(rows) > PAGE_SIZE else None, origins=ORIGINS, levels=LEVELS,
        ordinal=max(request.args.get("n", 0, int), 0), **foot_of(count_enterprises(typed, EXACT + 1)),
    )  # fmt: skip


def type_names() -> dict[str, str]:
    return {row["slug"]: row["name"] for row in current_app.config["REGION"]["registration"]["account_types"]}


def read_cursor(text: str) -> tuple[str, UUID] | None:
    id, _, name = text.replace("\0", "").partition("|")
    try:
        return name, UUID(id)
    except ValueError:
        return None


@bp.get("/companies/<uuid:id>")
@page("9005", "企业一览", COMPANY_NEEDS)
def show_company(id):
    company = get_or_404(session.get(Enterprise, id))
    principal = access.current()
    papers = [
        (document, office().kinds[document.kind], status_for_officials(document), office().is_desk_of(document, principal))
        for document in papers_of(company.id, PAPERS)
    ]  # fmt: skip
    return show_here(
        "company.html", company=company, codes=codes_of(company.id), papers=papers, types=type_names(), origins=ORIGINS,
        levels=LEVELS, users=[(user, ROLES[user.role], *state_of(user)) for user in users_of(company.id)],
    )  # fmt: skip


def state_of(user: User) -> tuple[str, str]:
    """Of an account: what is said of it, and the colour of its tag."""
    if user.closing_at:
        return "申请了注销", "yellow"
    if not user.is_active:
        return "停用", "grey"
    return ("还没改初始密码", "yellow") if user.is_new else ("正常", "green")

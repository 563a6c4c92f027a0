"""Pages 6201 and 6202: 通关无纸化三方协议, 报关代理委托; each shows what stands under the active code only (M145, M147)."""

from datetime import UTC, date, datetime
from uuid import UUID

from flask import Blueprint, request

from blueprints.common import clock
from blueprints.common.access import SEE, MenuEntry, Principal, Reason, current, needs_right, page
from blueprints.common.pages import show
from gateways.company_register.port import UNLIMITED
from models import agreements

bp = Blueprint("agreements", __name__, url_prefix="/agreements")
ROWS = 10
NEEDS = needs_right("agreements", SEE, code=True)
AGREEMENT_STATES = {
    agreements.SENT: ("pencil", "签约已发往海关"), agreements.RECEIVED: ("pencil", "海关入库成功"),
    agreements.APPROVED: ("tick", "签约海关审批通过"), agreements.RETURNED: ("warn", "海关退回"),
    agreements.ENDED: ("warn", "已解约"),
}  # fmt: skip
ENTRUSTMENT_STATES = {
    agreements.PENDING: ("pencil", "待确认"), agreements.ACTIVE: ("tick", "生效"), agreements.DECLINED: ("warn", "未接受"),
    agreements.ENDED: ("warn", "已终止"),
}  # fmt: skip
EXPIRED = ("warn", "已过期")


def agreement_needed(principal: Principal) -> Reason | None:
    """What 货物申报 asks: an agreement that customs approved, under the code of this login (M140, M145)."""
    if not principal.code or agreements.has_agreement(principal.enterprise_id, principal.code, clock.today()):
        return None
    return Reason("90121", "通关无纸化三方协议不存在", "去签约", "agreements.list_agreements")


MENU = (
    MenuEntry("6201", "通关无纸化三方协议", "agreements.list_agreements", NEEDS),
    MenuEntry("6202", "报关代理委托", "agreements.list_entrustments", NEEDS),
)


def show_here(template: str, **values):
    entries = [(entry, entry.needs.unmet(current())) for entry in MENU]
    return show(f"agreements/{template}", menu=[("货物申报", entries)], **values)


def until(day: date) -> str:
    return "长期" if day == UNLIMITED else f"{day}"


@bp.get("/")
@page("6201", "通关无纸化三方协议", NEEDS)
def list_agreements():
    principal = current()
    reason = agreement_needed(principal)
    rows = [(row, state_of(row, AGREEMENT_STATES, agreements.APPROVED), until(row.valid_to))
            for row in agreements.agreements_of(principal.enterprise_id, principal.code)]  # fmt: skip
    return show_here("agreements.html", rows=rows, reason=reason)


def state_of(row, words: dict, good: str) -> tuple[str, str]:
    """(icon, words); what was good and ran out says so."""
    return EXPIRED if row.state == good and row.valid_to < clock.today() else words[row.state]


@bp.get("/entrustments")
@page("6202", "报关代理委托", NEEDS)
def list_entrustments():
    principal, (ordinal, after) = current(), read_cursor(request.args.get("after", ""))
    found = agreements.page_of_entrustments(principal.enterprise_id, principal.code, after, ROWS + 1)
    count = agreements.count_entrustments(principal.enterprise_id, principal.code)
    last = found[ROWS - 1][0] if len(found) > ROWS else None
    return show_here(
        "entrustments.html", rows=[line_of(*row, principal) for row in found[:ROWS]], ordinal=ordinal,
        cursor=last and f"{ordinal + ROWS}|{last.started_at.isoformat()}|{last.id}",
        total=f"{agreements.EXACT}以上" if count > agreements.EXACT else str(count),
    )  # fmt: skip


def line_of(row: agreements.Entrustment, client: str, agent: str, principal: Principal) -> dict:
    """The other party as this company sees it."""
    is_client = (row.client_id, row.client_code) == (principal.enterprise_id, principal.code)
    party = ("被委托方", agent, row.agent_code) if is_client else ("委托方", client, row.client_code)
    state = state_of(row, ENTRUSTMENT_STATES, agreements.ACTIVE)
    return {"row": row, "party": party, "state": state, "until": until(row.valid_to)}


def read_cursor(text: str) -> tuple[int, tuple[datetime, UUID] | None]:
    """(rows shown before, keyset); a cursor that is none begins at the top."""
    try:
        ordinal, moment, id = text.split("|")
        return int(ordinal), (datetime.fromisoformat(moment).astimezone(UTC), UUID(id))
    except (ValueError, OverflowError):
        return 0, None

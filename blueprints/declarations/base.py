"""What the pages of this area share: blueprint, needs, menu, words of the states."""

from flask import Blueprint

from blueprints.common import access, clock
from blueprints.common.access import EDIT, SEE, SUBMIT, MenuEntry, Principal, Reason, needs_right
from blueprints.common.pages import show
from models import agreements, declarations

bp = Blueprint("declarations", __name__, url_prefix="/declarations")


def agreement_needed(principal: Principal) -> Reason | None:
    """An agreement that customs approved, under the code of this login (M140, M145)."""
    if not principal.code or agreements.has_agreement(principal.enterprise_id, principal.code, clock.today()):
        return None
    return Reason("90121", "通关无纸化三方协议不存在", "去签约", "agreements.list_agreements")


def needs(least: int):
    return needs_right("exports", least, verified=True, code=True, also=(agreement_needed,))


NEEDS, EDIT_NEEDS, HAND_NEEDS = needs(SEE), needs(EDIT), needs(SUBMIT)
MENU = (MenuEntry("8201", "货物申报", "declarations.list_declarations", NEEDS),)
STATES = {
    declarations.DRAFT: "填写中", declarations.READY: "已生成", declarations.HANDED: "已交给导入客户端",
    declarations.TAKEN: "单一窗口已收", declarations.REFUSED: "没收下", declarations.RELEASED: "已放行",
}  # fmt: skip
COLOURS = {
    declarations.DRAFT: "grey", declarations.READY: "yellow", declarations.HANDED: "blue", declarations.TAKEN: "blue",
    declarations.REFUSED: "red", declarations.RELEASED: "green",
}  # fmt: skip


def show_here(template: str, **values):
    principal = access.current()
    entries = [(entry, entry.needs.unmet(principal)) for entry in MENU]
    right = principal.right("exports")
    return show(f"declarations/{template}", menu=[("报关单", entries)], states=STATES, colours=COLOURS,
                may_edit=right >= EDIT, may_hand=right >= SUBMIT, **values)  # fmt: skip

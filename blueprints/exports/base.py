"""What the pages of this area share: blueprint, needs, menu, and the search line above each list."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, current_app, request

from blueprints.common import access
from blueprints.common.access import EDIT, SEE, SUBMIT, MenuEntry, needs_right
from blueprints.common.pages import show
from blueprints.common.periods import day_after, read_day
from models.orders import DOCUMENT_KINDS, ORDER

bp = Blueprint("exports", __name__, url_prefix="/exports")
NEEDS = needs_right("exports", SEE, verified=True, code=True)
EDIT_NEEDS = needs_right("exports", EDIT, verified=True, code=True)
PUSH_NEEDS = needs_right("exports", SUBMIT, verified=True, code=True)


LIMITS = {
    SEE: "您的账号在“跨境出口申报”里只能看，不能录入和推送。要办，请本单位的管理员在“我的操作员”里给您开通。",
    EDIT: "您的账号在“跨境出口申报”里可以录入，不能推送。要推送，请本单位的管理员在“我的操作员”里给您开通。",
}  # said once a page instead of the buttons
DECLARATION_MENU = (
    MenuEntry("8010", "基础数据导入", "exports.list_tasks", NEEDS),
    MenuEntry("8020", "数据申报管理", "exports.list_orders", NEEDS),
    MenuEntry("8030", "发送情况", "exports.show_sending", NEEDS),
    MenuEntry("8041", "推送检查", "exports.start_diagnosis", NEEDS),
)
SETTINGS_MENU = (
    MenuEntry("8004", "客户资料维护", "exports.list_clients", NEEDS),
    MenuEntry("8001", "企业资料维护", "exports.list_profiles", NEEDS),
    MenuEntry("8005", "业务策略维护", "exports.list_strategies", NEEDS),
)
GROUPS = (("报关单模式申报管理", DECLARATION_MENU), ("系统参数维护", SETTINGS_MENU))


def show_here(template: str, **values):
    """A page of this area with its menu at the left, and what this account may do on it."""
    principal = access.current()
    menu = [(title, [(entry, entry.needs.unmet(principal)) for entry in entries]) for title, entries in GROUPS]
    right = principal.right("exports")
    return show(
        f"exports/{template}",
        menu=menu,
        may_edit=right >= EDIT,
        may_push=right >= SUBMIT,
        limit=LIMITS.get(right),
        **values,
    )


def region():
    return current_app.config["REGION"]


@dataclass(frozen=True)
class Search:
    """The search line: `scope` and `text` (搜索范围), state, period. Wrong dates are said, not searched."""

    scope: str
    text: str
    state: str
    since: str
    until: str
    types: tuple[str, ...] = ()
    kind: str = ORDER  # of document, in lists that hold several

    @classmethod
    def from_request(cls, scopes: dict[str, str], states: dict[str, str]):
        given = request.args
        scope = given.get("scope", "")
        state = given.get("state", "")
        return cls(
            scope if scope in scopes else next(iter(scopes)), given.get("q", "").replace("\0", "").strip(),
            state if state in states else "", given.get("from", "").strip(), given.get("to", "").strip(),
            tuple(given.getlist("types")), given["kind"] if given.get("kind") in DOCUMENT_KINDS else ORDER,
        )  # fmt: skip

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.state or self.since or self.until or self.types)

    @property
    def wrong_dates(self) -> bool:
        return any(text and read_day(text) is None for text in (self.since, self.until))

    @property
    def from_moment(self) -> datetime | None:
        return read_day(self.since)

    @property
    def to_moment(self) -> datetime | None:
        return day_after(self.until)

    @property
    def arguments(self) -> dict:
        """For links that keep the search."""
        values = {"scope": self.scope, "q": self.text, "state": self.state, "from": self.since, "to": self.until}
        kept = {name: value for name, value in values.items() if value}
        kept |= {"types": list(self.types)} if self.types else {}
        return kept | ({"kind": self.kind} if self.kind != ORDER else {})

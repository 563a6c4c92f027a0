"""What the pages of the officials share: blueprint, desks, needs, and what they say of a document."""

from dataclasses import dataclass

from flask import Blueprint, request

from blueprints.common import access
from blueprints.common.access import Needs, Principal, Reason
from blueprints.common.kinds import Kind
from blueprints.common.numbers import Sentence
from blueprints.common.pages import show
from blueprints.common.records import returned, round_of
from blueprints.common.wizard_base import office
from models.desks import EXACT
from models.documents import Document

bp = Blueprint("reviews", __name__, url_prefix="/reviews")
DESKS = {"registration": "注册审核", "data-centre": "数据分中心", "helpdesk": "客服"}
COMPANY_DESKS = {"registration", "helpdesk"}
NEEDS = Needs(desks=tuple(DESKS))


def no_register(principal: Principal) -> Reason | None:
    if principal.desks & COMPANY_DESKS:
        return None
    return Reason("90236", Sentence("90236", "企业名册由注册审核和客服岗位使用，您的账号没有这两个岗位"))


COMPANY_NEEDS = Needs(also=(no_register,))


@dataclass(frozen=True)
class Tab:
    """One of the desk's pages; shown with its reason where it is not open."""

    title: str
    endpoint: str
    needs: Needs


TABS = (
    Tab("等我办的", "reviews.show_queue", NEEDS),
    Tab("每日数字", "reviews.show_days", NEEDS),
    Tab("企业名册", "reviews.list_companies", COMPANY_NEEDS),
    Tab("检查报告", "portal.list_device_reports", Needs(desks=("helpdesk",))),
)


def show_here(template: str, **values):
    principal = access.current()
    tabs = [(tab, tab.needs.unmet(principal)) for tab in TABS]
    return show(f"reviews/{template}", tabs=tabs, **values)


def kinds_at(desks: frozenset[str]) -> list[Kind]:
    """The kinds of which a stage is decided at one of these desks."""
    return [kind for kind in office().kinds.values() if {stage.by.tray for stage in kind.stages} & desks]


def status_for_officials(document: Document) -> Sentence:
    """As the office says it; a returned one is not addressed to who reads it here."""
    if returned(document):
        word = office().words(office().kinds[document.kind], "returned")
        return Sentence("", "第{round}次提交已{word}，等申请人改好再交。", round=round_of(document), word=word)
    return office().status(document)


def searched_text() -> str:
    """What stands in the search field `q`, as the database takes it."""
    return request.args.get("q", "").replace("\0", "").strip()[:100]


def foot_of(count: int) -> dict:
    """Total for the foot of a list (M24): exact up to `EXACT`."""
    return {"total": min(count, EXACT), "more": count > EXACT}

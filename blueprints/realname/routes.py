"""Pages 5001 and 5003: 单位实名认证, its three ways with their states, and what came of one."""

from dataclasses import dataclass

from flask import Blueprint, current_app, url_for

from blueprints.common import clock
from blueprints.common.access import LEVELS, MEMBER, Needs, Principal, current, page
from blueprints.common.challenges import NotAccepted, asked_of, create_challenge, open_challenge
from blueprints.common.numbers import Sentence
from blueprints.common.pages import go, show
from models.accounts import MIGRATED, Enterprise
from models.database import session
from models.realname import Verification, last_verification, open_case, verifications_of

from .results import METHODS, NOT_NEEDED, family, level_of

bp = Blueprint("realname", __name__, url_prefix="/realname")
ADMINISTRATOR = Needs(company=True, role=("administrator",))


@dataclass(frozen=True)
class Way:
    """One of the three methods (M93). state: passed | old (passed before the company changed) | open."""

    slug: str
    name: str
    text: str
    bring: str
    time: str
    state: str

    @property
    def level(self) -> Sentence:
        if self.slug == "representative":
            return Sentence("", "完成法定代表人身份认证安全级别为:{level}", level=LEVELS[level_of(self.slug)])
        return Sentence("", "安全级别：{level}", level=LEVELS[level_of(self.slug)])


@bp.get("/")
@page("5001", "单位实名认证", MEMBER)
def show_methods():
    return render_methods()


def render_methods(error: Sentence | None = None):
    principal = current()
    company = session.get(Enterprise, principal.enterprise_id)
    kept = verifications_of(company.id)
    return show("realname/methods.html", company=company, ways=ways(kept), says=says_of(company, kept), error=error,
                is_needed=company.origin == MIGRATED, may_start=principal.role == "administrator", kept=kept,
                methods=METHODS, levels=LEVELS, case=open_case(company.id), waiting=waiting_functions())  # fmt: skip


def ways(kept: list[Verification]) -> list[Way]:
    states = {family(row.method): "old" for row in kept} | {
        family(row.method): "passed" for row in kept if not row.ended_at
    }
    rows = (
        ("card", "IC卡认证", "插上电子口岸卡，输一次卡密码，企业和账号所有人一起认证。推荐用这种办法。", "本单位的卡、卡密码、读卡器", "2分钟"),
        ("representative", "法定代表人身份证件信息认证", "核验企业信息、核验法定代表人身份信息、核验账号归属人身份信息。法定代表人不在旁边，可以请他在自己的手机上办。",
         "身份证或银行卡", "10分钟"),
        ("bank", "银行UKEY认证", "用企业银行对公账号的Ukey登录银行系统认证。支持中国建设银行、中国农业银行、中国民生银行。", "对公账号的Ukey", "10分钟"),
    )  # fmt: skip
    return [Way(*row, states.get(row[0], "open")) for row in rows]


def says_of(company: Enterprise, kept: list[Verification]) -> list[tuple[str, str, str]]:
    if company.origin != MIGRATED:
        origin = "是通过单一窗口注册的" if company.origin == "registered" else "是直接使用电子口岸卡介质登录的"
        return [("tick", "ok", Sentence("", "本单位{origin}，不用办实名认证。", origin=origin))]
    if company.renew_since:
        return [("warn", "bad", Sentence("", "需重新认证：{day}，本单位的{what}改了。三种办法，办一种就行；以前的认证记录都留着。",
                                         day=f"{clock.local(company.renew_since):%Y-%m-%d}", what=company.renew_why))]  # fmt: skip
    passed = next((row for row in kept if not row.ended_at), None)
    if passed is None:
        return [("pencil", "todo", "本单位还没有实名认证，轮到您了。三种办法，办一种就行。")]
    words = Sentence(
        "", "本单位已经通过{method}，安全级别：{level}。", method=METHODS[passed.method], level=LEVELS[company.level]
    )
    return [("tick", "ok", words)]


def waiting_functions() -> list[str]:
    """What an unverified account may not do, as the areas' menus declare it."""
    return [
        entry.title
        for area in current_app.config["AREAS"]
        for entry in area.menu
        if entry.needs.verified and entry.endpoint
    ]


@bp.post("/card")
@page("5001", "单位实名认证", ADMINISTRATOR)
def start_card():
    principal, here = current(), url_for("realname.show_methods")
    if principal.origin != MIGRATED:
        return render_methods(NOT_NEEDED)
    try:
        challenge, cookie = create_challenge(
            "real-name", asked_of(principal, "单位实名认证"), user_id=principal.user_id,
            enterprise_id=principal.enterprise_id, next_path=url_for("realname.show_result"), again_path=here,
        )  # fmt: skip
    except NotAccepted as refused:
        return render_methods(refused.sentence)
    session.commit()
    return open_challenge(challenge, cookie)


@bp.get("/result")
@page("5003", "认证结果", MEMBER)
def show_result():
    company = session.get(Enterprise, current().enterprise_id)
    passed = last_verification(company.id)
    if passed is None:
        return go("realname.show_methods")
    return show("realname/result.html", company=company, passed=passed, method=METHODS[passed.method],
                family=family(passed.method), level=LEVELS[passed.level])  # fmt: skip


def open_items(principal: Principal) -> list[tuple[str, str, str, str]]:
    company = session.get(Enterprise, principal.enterprise_id) if principal.enterprise_id else None
    if company is None or company.origin != MIGRATED or company.level:
        return []
    title = "单位实名认证" if company.renew_since is None else "单位实名认证：需重新认证"
    case, where = open_case(company.id), url_for("realname.show_methods")
    if case and case.user_id == principal.user_id:
        return [(title, "法定代表人身份认证办到一半，请接着办", f"{clock.local(case.until):%Y-%m-%d}", where)]
    return [(title, "办好以后才能申请传输ID、申报", "", where)]

"""Pages 5001–5099: 单位实名认证 and its ways."""

from dataclasses import dataclass

from flask import Blueprint, url_for

from blueprints.common.access import LEVELS, MEMBER, Needs, Principal, current, page
from blueprints.common.challenges import NotAccepted, asked_of, create_challenge, open_challenge
from blueprints.common.numbers import Sentence
from blueprints.common.pages import go, show
from models.accounts import MIGRATED, Enterprise, Verification, last_verification
from models.database import session

from .by_card import level_of_card

bp = Blueprint("realname", __name__, url_prefix="/realname")
ADMINISTRATOR = Needs(company=True, role=("administrator",))
METHODS = {"card": "IC卡认证"}


@dataclass(frozen=True)
class Way:
    """One of the three methods (M93). `is_built`: it can be used here."""

    name: str
    text: str
    bring: str
    time: str
    level: str
    is_built: bool = False
    is_passed: bool = False


@bp.get("/")
@page("5001", "单位实名认证", MEMBER)
def show_methods():
    return render_methods()


def render_methods(error: Sentence | None = None):
    principal = current()
    company = session.get(Enterprise, principal.enterprise_id)
    passed = last_verification(company.id)
    return show("realname/methods.html", company=company, ways=ways(passed), says=says_of(company, passed), error=error,
                is_needed=company.origin == MIGRATED, may_start=principal.role == "administrator")  # fmt: skip


def ways(passed: Verification | None) -> list[Way]:
    return [
        Way("IC卡认证", "插上电子口岸卡，输一次卡密码，企业和账号所有人一起认证。推荐用这种办法。", "本单位的卡、卡密码、读卡器", "2分钟",
            Sentence("", "安全级别：{level}", level=LEVELS[level_of_card()]), True, passed is not None and passed.method == "card"),
        Way("法定代表人身份证件信息认证", "核验企业信息、核验法定代表人身份信息、核验账号归属人身份信息。", "身份证或银行卡", "10分钟",
            "完成法定代表人身份认证安全级别为:中"),
        Way("银行UKEY认证", "用企业银行对公账号的Ukey登录银行系统认证。", "对公账号的Ukey", "10分钟", ""),
    ]  # fmt: skip


def says_of(company: Enterprise, passed: Verification | None) -> list[tuple[str, str, str]]:
    if company.origin != MIGRATED:
        origin = "是通过单一窗口注册的" if company.origin == "registered" else "是直接使用电子口岸卡介质登录的"
        return [("tick", "ok", Sentence("", "本单位{origin}，不用办实名认证。", origin=origin))]
    if passed is None:
        return [("pencil", "todo", "本单位还没有实名认证，轮到您了。三种办法，办一种就行。")]
    words = Sentence(
        "", "本单位已经通过{method}，安全级别：{level}。", method=METHODS[passed.method], level=LEVELS[company.level]
    )
    return [("tick", "ok", words)]


@bp.post("/card")
@page("5001", "单位实名认证", ADMINISTRATOR)
def start_card():
    principal, here = current(), url_for("realname.show_methods")
    if principal.origin != MIGRATED:
        return render_methods(Sentence("90554", "本单位不用办实名认证，什么也没有变"))
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
                level=LEVELS[passed.level])  # fmt: skip


def open_items(principal: Principal) -> list[tuple[str, str, str, str]]:
    company = session.get(Enterprise, principal.enterprise_id) if principal.enterprise_id else None
    if company is None or company.origin != MIGRATED or company.level:
        return []
    return [("单位实名认证", "办好以后才能申请传输ID、申报", "", url_for("realname.show_methods"))]

"""What comes of a verification, whichever way: kept with its evidence, the level raised, the owner told."""

from flask import current_app, url_for

from blueprints.common import clock
from blueprints.common.access import Principal, current
from blueprints.common.challenges import NotAccepted
from blueprints.common.history import record
from blueprints.common.notices import notify
from blueprints.common.numbers import Sentence
from models.accounts import MIGRATED, Enterprise, User, lock_enterprise
from models.database import session
from models.realname import Verification

METHODS = {
    "card": "IC卡认证", "representative": "法定代表人身份认证", "representative-by-name": "法定代表人身份认证（银行卡）",
    "bank-ccb": "建设银行", "bank-abc": "农业银行", "bank-cmbc": "民生银行",
}  # fmt: skip
NOT_NEEDED = Sentence("90554", "本单位不用办实名认证，什么也没有变")
NOT_HIS = Sentence("90920", "认证要由本单位现在的管理员来办，您的账号现在不是；请新的管理员登录后认证")


def family(method: str) -> str:
    """Which of the three ways (M93) a method belongs to."""
    return method.partition("-")[0]


def level_of(method: str) -> int:
    """Security level, region data: by method, else by its way. The sources name that of the representative only (中)."""
    levels = current_app.config["REGION"]["realname"]["levels"]
    return levels.get(method, levels[family(method)])


def check_may_verify(user: User, company: Enterprise) -> None:
    """Raises `NotAccepted`: only who came from an old system proves himself (M91), and who is its administrator now."""
    if company.origin != MIGRATED:
        raise NotAccepted(NOT_NEEDED)
    if user.role != "administrator" or not user.is_active:
        raise NotAccepted(NOT_HIS)


def keep_result(user: User, company: Enterprise, method: str, evidence: dict, certificate: bytes | None = None) -> str:
    """Path of page 5003. `evidence`: what was asked of whom, when and under which number; kept encrypted. No commit.

    How the account was logged in is added: by SMS or soon after a recovery (找回) others may be behind it.
    """
    company = lock_enterprise(company.id)
    level = level_of(method)
    company.level, company.renew_since, company.renew_why = max(company.level, level), None, None
    kept = Verification(
        enterprise_id=company.id, user_id=user.id, method=method, level=level, certificate=certificate, at=clock.now()
    )
    kept.evidence = evidence | {"login": login_of(current())}
    session.add(kept)
    record("verified", f"enterprise:{company.id}", by=user.shown_name, enterprise_id=company.id, method=method,
           level=level)  # fmt: skip
    if user.email:
        notify(user.email, "单位实名认证通过了", f"“{company.name}”已经通过单位实名认证，认证方式：{METHODS[method]}。"
               "请退出后重新登录，就能办理原来办不了的业务。不是您本人办的，请马上改密码并打客服热线。")  # fmt: skip
    return url_for("realname.show_result")


def login_of(principal: Principal) -> dict:
    guarded = principal.guarded_until is not None and principal.guarded_until > clock.now()
    return {"medium": principal.medium, "guarded": guarded}

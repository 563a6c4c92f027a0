"""IC卡认证 (M96): the card proves the company and the owner of the account at once (M92)."""

from flask import current_app, url_for

from blueprints.common import clock
from blueprints.common.challenges import NotAccepted, on_release
from blueprints.common.history import record
from blueprints.common.numbers import Sentence
from models.accounts import MIGRATED, User, Verification, lock_enterprise
from models.database import session

HIGH = 3


def level_of_card() -> int:
    """The region's; the sources name only that of the legal representative's way (中), so a card counts as 高."""
    return current_app.config["REGION"].get("realname", {}).get("levels", {}).get("card", HIGH)


@on_release("real-name")
def verify_by_card(challenge, card) -> str:
    user = session.get(User, challenge.user_id)
    company = lock_enterprise(user.enterprise_id)
    check_card(user, company, card)
    level = level_of_card()
    company.level = max(company.level, level)
    session.add(
        Verification(
            enterprise_id=company.id, user_id=user.id, method="card", level=level, evidence=challenge.certificate,
            at=clock.now(),
        )
    )  # fmt: skip
    record(
        "verified", f"enterprise:{company.id}", by=user.shown_name, enterprise_id=company.id, method="card", level=level
    )
    return url_for("realname.show_result")


def check_card(user: User, company, card) -> None:
    """企业信息认证, then 账号所有人身份信息认证. Raises `NotAccepted`, with another number for each."""
    if company.origin != MIGRATED:
        raise NotAccepted(Sentence("90554", "本单位不用办实名认证，什么也没有变"))
    if company.uscc != card.uscc:
        raise NotAccepted(Sentence("90551", "企业信息不一致：这是“{company}”的卡，不是本单位的卡。请换本单位的卡再认证；"
                                   "单位改了名称或代码的，先到制卡中心更新卡", company=card.company))  # fmt: skip
    if not user.id_number:
        raise NotAccepted(Sentence("90553", "账号里还没有所有人的证件号码，没法和卡核对。请打客服热线补上，再来认证"))
    if user.id_number.upper() != card.holder_id.upper():
        raise NotAccepted(Sentence("90552", "账号所有人不一致：持卡人（{holder}）和账号所有人的证件号码不一样。请换账号所有人本人的卡；"
                                   "账号换了人管的，请打客服热线更正", holder=card.holder or "—"))  # fmt: skip

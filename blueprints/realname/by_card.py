"""IC卡认证 (M96): the card proves the company and the owner of the account at once (M92)."""

from blueprints.common.challenges import NotAccepted, on_release
from blueprints.common.numbers import Sentence
from models.accounts import User, lock_enterprise, lock_user
from models.database import session

from .results import check_may_verify, keep_result


@on_release("real-name")
def verify_by_card(challenge, card) -> str:
    company = lock_enterprise(session.get(User, challenge.user_id).enterprise_id)
    user = lock_user(challenge.user_id)  # as company and owner are now: both may have changed since the start
    check_card(user, company, card)
    return keep_result(user, company, "card", {"card_number": card.card_number}, challenge.certificate)


def check_card(user: User, company, card) -> None:
    """企业信息认证, then 账号所有人身份信息认证. Raises `NotAccepted`, with another number for each."""
    check_may_verify(user, company)
    if company.uscc != card.uscc:
        raise NotAccepted(Sentence("90551", "企业信息不一致：这是“{company}”的卡，不是本单位的卡。请换本单位的卡再认证；"
                                   "单位改了名称或代码的，先到制卡中心更新卡", company=card.company))  # fmt: skip
    if not user.id_number:
        raise NotAccepted(Sentence("90553", "账号里还没有所有人的证件号码，没法和卡核对。请打客服热线补上，再来认证"))
    if user.id_number.upper() != card.holder_id.upper():
        raise NotAccepted(Sentence("90552", "账号所有人不一致：持卡人（{holder}）和账号所有人的证件号码不一样。请换账号所有人本人的卡；"
                                   "账号换了人管的，请打客服热线更正", holder=card.holder or "—"))  # fmt: skip

"""绑定IC卡 (M86): a card becomes a way into the account of the person whose card it is."""

from sqlalchemy.exc import IntegrityError

from blueprints.common import clock
from blueprints.common.challenges import NotAccepted, card_type, on_release
from blueprints.common.history import record
from blueprints.common.numbers import Sentence
from models.accounts import BoundCard, User, find_card
from models.database import session


@on_release("bind")
def bind_card(challenge, card) -> str:
    user = session.get(User, challenge.user_id)
    check_owner(user, card)
    bound = find_card(card.card_number) or new_card(user, card)
    if bound.user_id != user.id:
        raise taken(card)
    bound.certificate, bound.serial, bound.not_after = challenge.certificate, card.serial_hex, card.not_after
    bound.card_type = card_type(card)
    try:
        with session.begin_nested():
            session.add(bound)
    except IntegrityError as error:  # another account was quicker by a moment
        raise taken(card) from error
    record("card-bound", f"card:{card.card_number}", by=user.shown_name, enterprise_id=user.enterprise_id)
    return challenge.next_path


def check_owner(user: User, card) -> None:
    """The card's company is the account's, its holder the account's owner. Raises `NotAccepted`."""
    if user.enterprise is None or user.enterprise.uscc != card.uscc:
        raise NotAccepted(Sentence("90541", "这是“{company}”的卡，不是本单位的卡，不能绑定。请换本单位的卡；单位改了名称或代码的，"
                                   "先到制卡中心更新卡", company=card.company))  # fmt: skip
    if not user.is_owned_by(card.holder_id):
        raise NotAccepted(Sentence("90542", "持卡人（{holder}）和账号所有人不是同一个人，不能绑定。请用您本人的卡；"
                                   "{holder}要用这张卡，请用自己的账号来绑定", holder=card.holder))  # fmt: skip


def taken(card) -> NotAccepted:
    return NotAccepted(Sentence("90543", "卡{card}已经绑定了另一个账号，一张卡只能绑定一个账号。要换绑，请打客服热线",
                                card=card.card_number))  # fmt: skip


def new_card(user: User, card) -> BoundCard:
    return BoundCard(card_number=card.card_number, user_id=user.id, bound_at=clock.now())

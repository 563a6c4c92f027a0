"""Pages 4003 and 4065, 我的IC卡: bind, unbind, and reminders 60, 30 and 7 days before a certificate ends."""

from datetime import timedelta

from flask import flash, url_for

from blueprints.common import clock
from blueprints.common.access import DELICATE, MEMBER, current, get_or_404, page
from blueprints.common.challenges import NotAccepted, asked_of, create_challenge, open_challenge
from blueprints.common.history import record
from blueprints.common.notices import notify
from blueprints.common.numbers import Sentence
from blueprints.common.pages import go
from models.accounts import BoundCard, User, cards_ending, cards_of
from models.database import session

from .base import bp, show_here
from .telling import tell_owner

STEPS = (60, 30, 7)  # days before the end at which the owner is reminded
SOON = timedelta(days=STEPS[0])


@bp.get("/cards")
@page("4003", "我的IC卡", MEMBER)
def list_cards():
    return render_cards()


def render_cards(error: Sentence | None = None):
    cards = [(card, *card_state(card)) for card in cards_of(current().user_id)]
    return show_here("cards.html", cards=cards, error=error)


def card_state(card) -> tuple[str, str]:
    left = card.not_after - clock.now()
    if left < timedelta(0):
        return "warn", "证书已过期，请到制卡中心更新"
    if left < SOON:
        return "warn", f"还有{left.days}天到期，请早点更新"
    return "tick", "可以用"


@bp.post("/cards/bind")
@page("4003", "我的IC卡", DELICATE)
def start_binding():
    principal, here = current(), url_for("account.list_cards")
    try:
        challenge, cookie = create_challenge(
            "bind", asked_of(principal, "把这张卡绑定到账号"), user_id=principal.user_id,
            enterprise_id=principal.enterprise_id, next_path=here, again_path=here,
        )  # fmt: skip
    except NotAccepted as refused:
        return render_cards(refused.sentence)
    session.commit()
    return open_challenge(challenge, cookie)


def get_own_card_or_404(id) -> BoundCard:
    card = session.get(BoundCard, id)
    return get_or_404(card if card and card.user_id == current().user_id else None)


@bp.get("/cards/<uuid:id>/unbind")
@page("4065", "解除绑定", DELICATE)
def ask_unbind(id):
    return show_here("card_unbind.html", card=get_own_card_or_404(id))


@bp.post("/cards/<uuid:id>/unbind")
@page("4065", "解除绑定", DELICATE)
def unbind(id):
    card, user = get_own_card_or_404(id), session.get(User, current().user_id)
    session.delete(card)
    record("解除绑定卡", f"card:{card.card_number}", current())
    tell_owner(user, "卡解除了绑定", f"卡{card.card_number}和您的账号解除了绑定，不能再用它登录。")
    session.commit()
    flash("已经解除绑定，这张卡不能再登录您的账号。")
    return go("account.list_cards")


def remind_of_cards() -> None:
    """Once at each of the three steps, to owners who want it; what the banks and customs need of a card is not asked."""
    now = clock.now()
    for card in cards_ending(now + SOON):
        left = (clock.local(card.not_after).date() - clock.today()).days
        step = min((step for step in STEPS if left <= step), default=None)
        if step is None or left < 0 or (card.reminded or 999) <= step:
            continue
        card.reminded = step
        user = card.user
        if user.email and (user.reminders or {}).get("card", True):
            notify(user.email, f"电子口岸卡还有{left}天到期", f"卡{card.card_number}的证书{clock.local(card.not_after):%Y-%m-%d}到期，"
                   f"还有{left}天。请在到期前到制卡中心更新证书，更新后在“我的IC卡”（页面4003）再绑定一次。")  # fmt: skip
    session.commit()

"""Telling the owner of an account, by mail (and the phone that was), what just changed about it."""

from blueprints.common import clock
from blueprints.common.notices import notify, notify_by_sms
from blueprints.common.proofs import can_sms
from models.accounts import User

NOT_YOU = "不是您本人办的，请马上打客服热线，并走“忘记密码”把账号收回来。"


def tell_owner(user: User, subject: str, words: str, *, also_phone: str = "") -> None:
    """To the address that the account has now: call it before the address changes."""
    text = f"{words}\n账号：{user.shown_name}\n时间：{clock.local(clock.now()):%Y-%m-%d %H:%M}\n{NOT_YOU}"
    if user.email:
        notify(user.email, subject, text)
    if also_phone and can_sms():
        notify_by_sms(also_phone, f"{words}账号{user.shown_name}。{NOT_YOU}")

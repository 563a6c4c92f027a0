"""Whether a user name, password and captcha open an account; the answer is the same where there is no such account."""

from flask import current_app

from blueprints.common import captcha, clock, devices
from blueprints.common.history import record
from blueprints.common.limits import Limit
from blueprints.common.notices import notify, notify_nobody
from blueprints.common.numbers import Sentence
from blueprints.common.passwords import is_password
from models.accounts import User, find_user
from models.database import session
from models.sessions import Attempt

from .base import WRONG_CAPTCHA, absolute, hotline

BY_ACCOUNT = Limit("login-account", 5, 60)  # of one browser that the owner used before, or of all others together
BY_ADDRESS = Limit("login-address", 100, 15)  # a whole office may stand behind one address
TOLD = Limit("login-told", 1, 24 * 60)
MISSING = {
    "user": Sentence("90504", "请输入用户名"),
    "password": Sentence("90505", "请输入密码"),
    "captcha": Sentence("90506", "请输入验证码"),
}
LONGEST = 200  # characters that are looked at; a password has at most 64


def missing_fields(typed) -> list[tuple[str, Sentence]]:
    return [(name, sentence) for name, sentence in MISSING.items() if not typed.get(name, "").strip()]


def check_login(name: str, password: str, code: str, token: str, address: str) -> tuple[User | None, Sentence | None]:
    """The user, or the sentence that says why not. Commits what was counted; hashes outside of any transaction."""
    name, password = name.strip()[:LONGEST], password.strip()[:LONGEST]
    user = find_user(name)
    subject = subject_of(name, user)
    counted = count_attempt(subject, address, code, token)
    nth = BY_ACCOUNT.so_far(subject)
    session.commit()
    if isinstance(counted, Sentence):
        return None, counted
    if not is_password(user.password_hash if user else None, password):
        note_failure(name, user, is_fifth=nth == BY_ACCOUNT.count and subject == strangers(name))
        session.commit()
        days = current_app.config["REGION"]["registration"]["review_days"]
        return None, Sentence("90501", "用户名或密码不对；刚注册的，要等审核通过（{days}个工作日）才能登录", days=days)
    BY_ACCOUNT.clear(subject)
    session.delete(counted)
    session.commit()
    sentence = why_closed(user)
    return (None, sentence) if sentence else (user, None)


def why_closed(user: User) -> Sentence | None:
    """Said only after the right password."""
    if not user.is_active:
        return Sentence("90507", "这个账号已经停用，请找本单位的管理员，或打客服热线")
    if user.is_new and user.initial_until < clock.now():
        return Sentence("90571", "初始密码已过期，请本单位管理员重新发一个")
    return None


def strangers(name: str) -> str:
    """All browsers that the owner never used share one counter, so that none of them locks out the owner's own."""
    return f"{name}|unknown"


def subject_of(name: str, user: User | None) -> str:
    return f"{name}|{devices.mark_of_browser().hex()}" if devices.is_known(user) else strangers(name)


def count_attempt(subject: str, address: str, code: str, token: str) -> Attempt | Sentence:
    """Counts before the password is looked at, one at a time: guesses at the same moment cannot pass the limit together.

    Gives what was counted of the address, to be taken back after the right password, or why it goes no further.
    """
    BY_ADDRESS.lock(address)
    BY_ACCOUNT.lock(subject)
    if wait := max(BY_ACCOUNT.minutes_left_growing(subject), BY_ADDRESS.minutes_left(address)):
        return Sentence("90503", "试的次数太多，请过{wait}分钟再试；忘了密码请点“忘记密码”", wait=wait)
    of_address = BY_ADDRESS.add(address)
    if not captcha.is_answered(token, code):
        return WRONG_CAPTCHA
    BY_ACCOUNT.add(subject)
    return of_address


def note_failure(name: str, user: User | None, is_fifth: bool) -> None:
    """An event of the company's, and once a day a mail to the owner. The same work for nobody."""
    record("登录失败", f"user:{user.id}" if user else "login", by=user.shown_name if user else "",
           enterprise_id=user and user.enterprise_id)  # fmt: skip
    if not is_fifth or TOLD.minutes_left(name):
        return
    TOLD.add(name)
    at = f"{clock.local(clock.now()):%Y-%m-%d %H:%M}"
    subject = "有人多次输错您账号的密码"
    text = (
        f"{at}，有人在您没有用过的电脑上连着{BY_ACCOUNT.count}次输错了您账号的密码，现在要等一会儿才能再试。您自己用过的浏览器不受影响。\n"
        f"是您本人忘了密码：请在这里换一个 {absolute('auth.show_password_recovery')}\n"
        f"不是您本人：密码没有泄露就不用管；不放心就换一个密码，或打客服热线{hotline()}。"
    )
    if user and user.is_active and user.email:
        notify(user.email, subject, text)
    else:
        notify_nobody(subject, text)


def forget_failures(user: User) -> None:
    """After a recovery the owner need not wait."""
    BY_ACCOUNT.clear(strangers(user.name))

"""Whether a user name, password and captcha open an account; the answer is the same where there is no such account."""

from flask import current_app

from blueprints.common import captcha
from blueprints.common.limits import Limit
from blueprints.common.numbers import Sentence
from blueprints.common.passwords import is_password
from models.accounts import User, find_user
from models.database import session

BY_ACCOUNT = Limit("login-account", 5, 15)
BY_ADDRESS = Limit("login-address", 100, 15)  # a whole office may stand behind one address
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
    name, password = name.strip()[:LONGEST], password[:LONGEST]
    if wait := max(BY_ACCOUNT.minutes_left(name), BY_ADDRESS.minutes_left(address)):
        return None, Sentence("90503", "试的次数太多，请过{wait}分钟再试；忘了密码请打客服热线", wait=wait)
    is_right = captcha.is_answered(token, code)
    if not is_right:
        BY_ADDRESS.add(address)
    session.commit()
    if not is_right:
        return None, Sentence("90502", "验证码不对，或已过10分钟，请看新的一张再输")
    user = find_user(name)
    session.commit()
    if not is_password(user.password_hash if user else None, password):
        BY_ACCOUNT.add(name)
        BY_ADDRESS.add(address)
        session.commit()
        days = current_app.config["REGION"]["registration"]["review_days"]
        return None, Sentence("90501", "用户名或密码不对；刚注册的，要等审核通过（{days}个工作日）才能登录", days=days)
    if not user.is_active:
        return None, Sentence("90507", "这个账号已经停用，请找本单位的管理员，或打客服热线")
    BY_ACCOUNT.clear(name)
    return user, None

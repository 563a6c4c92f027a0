"""Forms of login and recovery; those of the document `name-recovery` are in name_forms.py."""

from wtforms.validators import ValidationError

from blueprints.common.checks import email_shape, mobile_shape
from blueprints.common.fields import Choice, Choices, DocumentForm, Problem, Secret, Text
from blueprints.common.numbers import Sentence
from blueprints.common.passwords import is_password, keep_password, password_hint
from blueprints.common.plain_forms import page_case
from blueprints.common.proofs import can_sms

from .base import WRONG_CAPTCHA, answer_captcha, wants_another

PLAIN = {"autocapitalize": "none", "spellcheck": "false"}


class HouseForm(DocumentForm):
    """A form of one page that belongs to no document."""

    def __init__(self, typed=None):
        super().__init__(page_case(), "form", typed)

    def fail(self, name: str, sentence: Sentence) -> list[Problem]:
        """What only the act itself could find out, at a field."""
        self[name].errors = [sentence]
        return [Problem(f"form/{name}", sentence.number, sentence)]


def captcha_field(number: str) -> Text:
    return Text("验证码", number=number, limit=20, missing="请输入验证码")


class CaptchaForm(HouseForm):
    """The captcha is looked at last, so that a slip elsewhere does not use it up."""

    def check(self) -> list[Problem]:
        problems = super().check()
        if wants_another():
            return [Problem("form/captcha", "", "")]
        if not problems and not answer_captcha(self.captcha.value):
            problems = self.fail("captcha", WRONG_CAPTCHA)
        return problems


class PhoneForm(CaptchaForm):
    mobile = Text("手机号", mobile_shape, number="300701", personal=True, code=True,
                  attributes={"autocomplete": "tel", "inputmode": "tel"}, hint="账号里绑定的手机号")  # fmt: skip
    captcha = captcha_field("300702")


def ways(case) -> list[tuple[str, str]]:
    return [("mail", "邮箱找回"), *([("phone", "手机找回")] if can_sms() else [])]


def by(way: str):
    return lambda case: case.here["way"] == way


class WayForm(CaptchaForm):
    """Where no short message can be sent, the way by phone and its field are not there."""

    def __init__(self, typed=None):
        super().__init__(typed)
        if not can_sms():
            del self.mobile


class RecoveryForm(WayForm):
    way = Choice("找回方式", number="300801", options=ways)
    user = Text("用户名", number="300802", attributes=PLAIN | {"autocomplete": "username"}, missing="请输入用户名")
    mobile = Text("手机号", mobile_shape, number="300803", when=by("phone"), required=by("phone"), personal=True, code=True,
                  attributes={"autocomplete": "tel", "inputmode": "tel"}, hint="选“手机找回”的要填")  # fmt: skip
    captcha = captcha_field("300804")


class NameForm(WayForm):
    way = Choice("找回方式", number="301101", options=ways)
    email = Text("邮箱", email_shape, number="301102", when=by("mail"), required=by("mail"), personal=True, hint="选“邮箱找回”的要填",
                 attributes=PLAIN | {"autocomplete": "email"})  # fmt: skip
    mobile = Text("手机号", mobile_shape, number="301103", when=by("phone"), required=by("phone"), personal=True, code=True,
                  attributes={"autocomplete": "tel", "inputmode": "tel"}, hint="选“手机找回”的要填")  # fmt: skip
    captcha = captcha_field("301104")


class NewPasswordForm(HouseForm):
    password = Secret("新密码", number="300901", keep=keep_password)
    again = Secret("再输一次", number="300902", same_as="password")

    def __init__(self, typed=None):
        super().__init__(typed)
        self.password.description = password_hint(self.case.region)

    def check(self) -> list[Problem]:
        return super().check() or self.keep_secrets()

    @property
    def password_hash(self) -> str:
        """After a `check` without problems."""
        return self.kept["password"][1]


class CodeForm(HouseForm):
    code = Text("短信验证码", number="301401", limit=20, missing="请输入短信里的6位数字",
                attributes={"autocomplete": "one-time-code", "inputmode": "numeric"})  # fmt: skip


class ActivationForm(HouseForm):
    password = Secret("新密码", number="301001", keep=keep_password)
    again = Secret("再输一次", number="301002", same_as="password")
    mine = Choices("姓名和联系方式", number="301003", options=[("mine", "上面的姓名、邮箱和手机是我本人的")],
                   missing="请确认姓名和联系方式；不对的，请本单位管理员改好再激活")  # fmt: skip
    agreed = Choices("服务条款和免责声明", number="301004", options=[("agreed", "我已阅读服务条款和免责声明，同意")],
                     missing="要同意服务条款和免责声明才能用")  # fmt: skip

    def __init__(self, user, typed=None):
        super().__init__(typed)
        self.initial_hash = user.password_hash
        self.password.description = password_hint(self.case.region)
        self.password.keep = self.keep_another

    def check(self) -> list[Problem]:
        return super().check() or self.keep_secrets()

    def keep_another(self, text: str) -> str:
        if is_password(self.initial_hash, text):
            raise ValidationError(Sentence("90573", "新密码不能和管理员给的初始密码一样，请换一个只有您知道的"))
        return keep_password(text)

    @property
    def password_hash(self) -> str:
        return self.kept["password"][1]

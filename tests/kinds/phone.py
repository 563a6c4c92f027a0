"""Immediate effect (绑定手机): no stage; a code proves the phone it was given for and is not kept."""

from wtforms.validators import ValidationError

from blueprints.common.fields import DocumentForm, Locked, Secret, Text
from blueprints.common.kinds import CannotTakeEffect, Claim, Fact, Kind, Step
from blueprints.common.numbers import Sentence
from models.accounts import User
from models.database import session


def user(case):
    phone = (session.get(User, case.applicant.user_id).contact or {}).get("mobile")
    return Fact({"phone": phone}, "账号", str(phone))


def redeem(code: str) -> str:
    if code != "123456":
        raise ValidationError(Sentence("97921", "验证码不正确，请重新获取"))
    return "challenge 17"


class PhoneForm(DocumentForm):
    current = Locked("原手机", number="973101", fact="user/phone", personal=True)
    phone = Text("新手机", number="973102", personal=True)
    code = Secret("手机验证码", number="973103", keep=redeem, of="phone")


def bind(document, case):
    session.get(User, case.applicant.user_id).contact = {"mobile": case["phone/phone"]}
    session.flush()
    if case["phone/phone"].endswith("000"):
        raise CannotTakeEffect("phone/phone", "97922", "该手机已注销")


PHONE = Kind(
    "9731", "phone", "修改绑定手机", facts={"user": user}, effect=bind,
    claims=lambda case: [Claim("phone", case["phone/phone"], "phone/phone", "该手机正在被绑定")],
    steps=(Step("973110", "phone", "绑定手机", PhoneForm),),
)  # fmt: skip

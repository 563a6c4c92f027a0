"""One person's step, wherever it is done: the form, the SMS code of the telephone, the authority's answer."""

from datetime import datetime, timedelta

from flask import request

from blueprints.common import clock, proofs
from blueprints.common.fields import DocumentForm, Problem
from blueprints.common.numbers import masked
from blueprints.common.plain_forms import page_form, problem
from models.accounts import User
from models.database import session
from models.realname import VerificationCase

from .cases import NotProven, ask_authority, count_message, keep, keep_typed, typed_of

PURPOSE, PHONE_MINUTES = "realname-phone", 10


def form_of(
    form: type[DocumentForm], case: VerificationCase, step: str, person: dict, *, posted: bool = False
) -> DocumentForm:
    """What was typed before stands in it; of the person what is known already."""
    suggested = {name: values[0] for name, values in typed_of(case, step).items() if values}
    code_needed = not is_proven(case, step, request.form.get("phone", "")) and request.form.get("go") != "code"
    return page_form(form, step, posted=posted, suggested=suggested, person=person, code_needed=code_needed)


def is_proven(case: VerificationCase, step: str, phone: str) -> bool:
    proven = (case.data or {}).get("proven", {}).get(step)
    return bool(proven) and proven["phone"] == phone and clock.now() < datetime.fromisoformat(proven["until"])


def send_code(case: VerificationCase, step: str, form: DocumentForm, user: User) -> list[Problem]:
    """「获取验证码」: sends it to the telephone in the form. Commits; gives problems instead where it could not."""
    wrong = [each for each in form.check() if each.path == form.path(form.phone)]
    for field in form:
        field.errors = field.errors if field is form.phone else []
    if wrong:
        return wrong
    if not proofs.can_sms():
        return [problem("phone", "90685", "本平台还没有开通短信，验证码发不出；请用IC卡认证或银行UKEY认证")]
    try:
        count_message(user)
        proof = proofs.send_code(PURPOSE, "sms", form.phone.value, asker=request.remote_addr or "", subject="实名认证",
                                 user=user)  # fmt: skip
    except proofs.TooManyMessages as refused:
        session.rollback()
        return [Problem(form.path(form.phone), refused.sentence.number, refused.sentence)]
    keep(case, "codes", **{step: str(proof.id)})
    session.commit()
    return []


def check_phone(case: VerificationCase, step: str, form: DocumentForm) -> list[Problem]:
    """The SMS code against the telephone in the form. Commits: a code counts once, a proven telephone ten minutes."""
    phone = form.phone.value
    if is_proven(case, step, phone):
        return []
    try:
        proof = proofs.check_code(PURPOSE, case.data.get("codes", {}).get(step), form.code.value)
    except proofs.WrongProof as wrong:
        return [Problem(form.path(form.code), wrong.sentence.number, wrong.sentence)]
    if proof.data["to"] != phone:
        session.rollback()
        return [problem("phone", "90686", "手机号和发验证码的不一样，请重新获取验证码")]
    until = clock.now() + timedelta(minutes=PHONE_MINUTES)
    keep(case, "proven", **{step: {"phone": phone, "until": until.isoformat()}})
    session.commit()
    return []


def prove(case: VerificationCase, step: str, user: User, way: str, person: dict, form: DocumentForm) -> dict:
    """The evidence that the person of a rightly filled form is real. Raises `NotProven`."""
    if "phone" in form and (wrong := check_phone(case, step, form)):
        raise NotProven(wrong[0].sentence, wrong[0].path.rpartition("/")[2])
    evidence = ask_authority(user, way, person, {name: str(value) for name, value in form.values.items()})
    return evidence | ({"phone_proven": True, "phone": masked(form.phone.value)} if "phone" in form else {})


def save_typed(case: VerificationCase, step: str, form: DocumentForm) -> None:
    keep_typed(case, step, form.typed)
    session.commit()

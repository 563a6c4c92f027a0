"""Page 3007: login by phone number and a code sent to it (M61)."""

from datetime import timedelta
from uuid import UUID

from flask import abort, request
from flask import session as cookie_session

from blueprints.common import clock
from blueprints.common.access import PUBLIC, page
from blueprints.common.pages import go, safe_next, show
from blueprints.common.plain_forms import typed_fields
from blueprints.common.proofs import WrongProof, can_sms
from models.accounts import User, users_by_mobile
from models.database import session
from models.proofs import Proof

from .base import bp, show_form
from .codes import ask_code, on_code, start_over
from .entering import enter
from .forms import PhoneForm

CHOOSE = timedelta(minutes=10)


@bp.get("/login/phone")
@page("3007", "手机号登录", PUBLIC)
def show_phone_login():
    return show_phone_form(PhoneForm())


def show_phone_form(form: PhoneForm, problems=()):
    return show_form("auth/phone_login.html", form, problems, next=safe_next(request.values.get("next")) or "")


@bp.post("/login/phone")
@page("3007", "手机号登录", PUBLIC)
def start_phone_login():
    form = PhoneForm(typed_fields())
    if not can_sms():
        return go("auth.show_phone_login")
    if problems := form.check():
        return show_phone_form(form, problems)
    users = users_by_mobile(form.mobile.value)
    try:
        response = ask_code("login-sms", form.mobile.value, users[0] if users else None,
                            next=safe_next(request.form.get("next")) or "")  # fmt: skip
    except WrongProof as wrong:
        return show_phone_form(form, form.fail("mobile", wrong.sentence))
    session.commit()
    return response


@on_code("login-sms", "手机号登录")
def follow_login(proof: Proof):
    users = users_by_mobile(proof.data["to"])
    if len(users) > 1:
        cookie_session["choosing"] = str(proof.id)
        return go("auth.show_accounts")
    if not users:  # another number since the message was sent
        return start_over()
    return enter(users[0], safe_next(proof.data["next"]), medium="sms")


def answered_proof() -> Proof | None:
    """The right code of this browser, as long as no account was chosen by it and ten minutes are not over."""
    held = cookie_session.get("choosing")
    proof = session.get(Proof, UUID(held)) if held else None
    if proof is None or proof.purpose != "login-sms" or not proof.used_at or proof.data.get("is_over"):
        return None
    return proof if clock.now() - proof.used_at < CHOOSE else None


@bp.get("/login/phone/accounts")
@page("3007", "手机号登录", PUBLIC)
def show_accounts():
    proof = answered_proof()
    if proof is None:
        return start_over()
    return show("auth/accounts.html", users=users_by_mobile(proof.data["to"]))


@bp.post("/login/phone/accounts")
@page("3007", "手机号登录", PUBLIC)
def choose_account():
    proof = answered_proof()
    if proof is None:
        return start_over()
    user = chosen(users_by_mobile(proof.data["to"]))
    target = safe_next(proof.data["next"])
    proof.data = proof.data | {"is_over": True}
    response = enter(user, target, medium="sms")
    session.commit()
    return response


def chosen(users: list[User]) -> User:
    return next((user for user in users if str(user.id) == request.form.get("user")), None) or abort(404)

"""Page 3014: the code of a short message, asked for by login, password and user name alike; each says what follows."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from flask import Response, flash
from flask import session as cookie_session

from blueprints.common import clock
from blueprints.common.access import PUBLIC, page
from blueprints.common.pages import go
from blueprints.common.plain_forms import typed_fields
from blueprints.common.proofs import WrongProof, check_code, send_code
from models.accounts import User
from models.database import session
from models.proofs import Proof

from .base import asker, bp, show_form
from .forms import CodeForm


@dataclass(frozen=True)
class Use:
    """What a code is for, in words of the message, and what follows the right one: a view's answer."""

    subject: str
    follow: Callable[[Proof], Response]


USES: dict[str, Use] = {}


def on_code(purpose: str, subject: str):
    def declare(follow):
        USES[purpose] = Use(subject, follow)
        return follow

    return declare


def ask_code(purpose: str, mobile: str, user: User | None, **keep):
    """Sends a code to `mobile` if `user` is somebody; the page says the same. Raises `TooManyMessages`."""
    proof = send_code(purpose, "sms", mobile if user else None, asker=asker(), subject=USES[purpose].subject, user=user,
                      keep={"asked": mobile, **keep})  # fmt: skip
    cookie_session["code"] = {"purpose": purpose, "proof": str(proof.id)}
    return go("auth.show_code")


def held_proof() -> Proof | None:
    """The newest that this browser asked for."""
    held = cookie_session.get("code")
    proof = session.get(Proof, UUID(held["proof"])) if held else None
    return proof if proof and proof.purpose == held["purpose"] in USES else None


def start_over():
    flash("这一步是在另一个浏览器里开始的，或者已经办完、过期了，请重新开始。")
    return go("auth.show_login")


def show_code_form(proof: Proof, form: CodeForm, problems=()):
    return show_form("auth/code.html", form, problems, mobile=proof.data["asked"], subject=USES[proof.purpose].subject)


@bp.get("/login/code")
@page("3014", "输入验证码", PUBLIC)
def show_code():
    proof = held_proof()
    return show_code_form(proof, CodeForm()) if proof else start_over()


@bp.post("/login/code")
@page("3014", "输入验证码", PUBLIC)
def use_code():
    held, form = held_proof(), CodeForm(typed_fields())
    if held is None:
        return start_over()
    if problems := form.check():
        return show_code_form(held, form, problems)
    try:
        proof = check_code(held.purpose, str(held.id), form.code.value)
        response = USES[proof.purpose].follow(proof)
    except WrongProof as wrong:
        session.rollback()
        return show_code_form(held, form, form.fail("code", wrong.sentence))
    cookie_session.pop("code", None)
    session.commit()
    return response


@bp.post("/login/code/again")
@page("3014", "输入验证码", PUBLIC)
def send_code_again():
    """A new one; the one before counts no more."""
    held = held_proof()
    if held is None:
        return start_over()
    keep = {name: value for name, value in held.data.items() if name not in ("to", "asked")}
    try:
        response = ask_code(held.purpose, held.data["asked"], held.user_id and session.get(User, held.user_id), **keep)
    except WrongProof as wrong:
        session.rollback()
        return show_code_form(held, form := CodeForm(), form.fail("code", wrong.sentence))
    held.used_at = clock.now()
    session.commit()
    flash("已经重新发了一条，请用最新的一条。")
    return response

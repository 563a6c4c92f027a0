"""Pages 3006, 3008 and 3009: which way back there is, finding a password again (M65, M66, M68), setting the new one."""

from flask import flash, url_for

from blueprints.common.access import PUBLIC, page
from blueprints.common.pages import go, show, show_problem
from blueprints.common.plain_forms import typed_fields
from blueprints.common.proofs import WrongProof, read_link, send_link
from models.database import session
from models.proofs import Proof

from .base import absolute, asker, bp, kept_aside, put_aside, show_form
from .codes import ask_code, on_code, start_over
from .forms import NewPasswordForm, RecoveryForm
from .recovery import recover, recoverable, use_link

WORDS = (
    "有人（应该是您）要给您的账号设新密码。请打开下面的地址，输入两次新密码。不是您本人，就不用管这封邮件，密码不会变。"
)
DONE = "新密码设好了，别处的登录都已退出。请用新密码登录。"


@bp.get("/login/recovery")
@page("3006", "找回密码和用户名", PUBLIC)
def show_recovery():
    return show("auth/recovery.html")


@bp.get("/login/recovery/password")
@page("3008", "找回密码", PUBLIC)
def show_password_recovery():
    return show_form("auth/find_password.html", RecoveryForm())


@bp.post("/login/recovery/password")
@page("3008", "找回密码", PUBLIC)
def start_password_recovery():
    """Page, time and words are the same whether there is such an account or not."""
    form = RecoveryForm(typed_fields())
    if problems := form.check():
        return show_form("auth/find_password.html", form, problems)
    if form.way.value == "phone":
        put_aside("recovering", 30, user=form.user.value, mobile=form.mobile.value)
        return go("auth.show_new_password_by_phone")
    try:
        mail_link(form.user.value)
    except WrongProof as wrong:
        return show_form("auth/find_password.html", form, form.fail("user", wrong.sentence))
    session.commit()
    return go("auth.show_mail_sent")


def mail_link(name: str) -> None:
    user = recoverable(name)
    send_link("recover-mail", user and user.email, lambda token: absolute("auth.show_new_password", token=token), asker=asker(),
              subject="找回密码", words=WORDS, user=user, keep={"asked": f"user:{name}"})  # fmt: skip


@bp.get("/login/recovery/password/sent")
@page("3008", "找回密码", PUBLIC)
def show_mail_sent():
    return show("auth/mail_sent.html")


@bp.get("/login/recovery/link/<token>")
@page("3009", "设新密码", PUBLIC)
def show_new_password(token):
    """Looking at it uses nothing up: programs that read mail look at links too."""
    try:
        read_link("recover-mail", token)
    except WrongProof as wrong:
        return answer_wrong_link(wrong)
    return show_form("auth/new_password.html", NewPasswordForm(), token=token)


@bp.post("/login/recovery/link/<token>")
@page("3009", "设新密码", PUBLIC)
def set_new_password(token):
    form = NewPasswordForm(typed_fields())
    try:
        read_link("recover-mail", token)
        if problems := form.check():
            return show_form("auth/new_password.html", form, problems, token=token)
        recover(use_link("recover-mail", token), form.password_hash)
    except WrongProof as wrong:
        session.rollback()
        return answer_wrong_link(wrong)
    session.commit()
    flash(DONE)
    return go("auth.show_login")


def answer_wrong_link(wrong: WrongProof):
    says = [("warn", "bad", wrong.sentence), ("tick", "ok", "密码没有变，原来的还能用。")]
    actions = [("重新申请一封", url_for("auth.show_password_recovery"))]
    return show_problem(wrong.sentence.number, "这个链接不能用", says, http_status=410, actions=actions)


@bp.get("/login/recovery/password/new")
@page("3009", "设新密码", PUBLIC)
def show_new_password_by_phone():
    if kept_aside("recovering") is None:
        return start_over()
    return show_form("auth/new_password.html", NewPasswordForm(), token=None)


@bp.post("/login/recovery/password/new")
@page("3009", "设新密码", PUBLIC)
def keep_new_password():
    """The password comes first and waits, hashed, beside the code: so the code does not expire while it is thought up."""
    asked, form = kept_aside("recovering"), NewPasswordForm(typed_fields())
    if asked is None:
        return start_over()
    if problems := form.check():
        return show_form("auth/new_password.html", form, problems, token=None)
    user = recoverable(asked["user"])
    try:
        response = ask_code("recover-sms", asked["mobile"], user if user and user.mobile == asked["mobile"] else None,
                            hash=form.password_hash)  # fmt: skip
    except WrongProof as wrong:
        return show_form("auth/new_password.html", form, form.fail("password", wrong.sentence), token=None)
    session.commit()
    return response


@on_code("recover-sms", "找回密码")
def follow_recovery(proof: Proof):
    recover(proof, proof.data["hash"])
    flash(DONE)
    return go("auth.show_login")

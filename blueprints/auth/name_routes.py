"""Page 3011: finding a user name again by mail, phone, card, or by papers that the desk looks at (M67)."""

from blueprints.common.access import PUBLIC, page
from blueprints.common.notices import notify, notify_nobody
from blueprints.common.pages import go, show
from blueprints.common.plain_forms import typed_fields
from blueprints.common.proofs import WrongProof, count_message
from blueprints.common.wizard import add_wizard
from models.accounts import users_by_email, users_by_mobile
from models.database import session
from models.proofs import Proof

from .base import absolute, asker, bp, kept_aside, put_aside, show_form
from .codes import ask_code, on_code, start_over
from .forms import NameForm
from .kinds import NAME_RECOVERY

WIZARD = add_wizard(bp, NAME_RECOVERY, start_number="3026", check_number="3027", status_number="3028")
SUBJECT = "您的用户名"


@bp.get("/login/recovery/name")
@page("3011", "找回用户名", PUBLIC)
def show_name_recovery():
    return show_form("auth/find_name.html", NameForm())


@bp.post("/login/recovery/name")
@page("3011", "找回用户名", PUBLIC)
def start_name_recovery():
    form = NameForm(typed_fields())
    if problems := form.check():
        return show_form("auth/find_name.html", form, problems)
    by_phone = form.way.value == "phone"
    try:
        response = text_names(form.mobile.value) if by_phone else mail_names(form.email.value)
    except WrongProof as wrong:
        return show_form("auth/find_name.html", form, form.fail("mobile" if by_phone else "email", wrong.sentence))
    session.commit()
    return response


def mail_names(address: str):
    """All that belong to the mailbox; who reads it may know them."""
    count_message("name-mail", address, asker())
    users = users_by_email(address)
    names = "、".join(user.shown_name for user in users)
    text = f"用这个邮箱登记的用户名：{names}\n\n登录：{absolute('auth.show_login')}\n不是您本人在找，就不用管这封邮件。"
    if users:
        notify(address, SUBJECT, text)
    else:
        notify_nobody(SUBJECT, text)
    return go("auth.show_names_sent")


def text_names(mobile: str):
    users = users_by_mobile(mobile)
    return ask_code("name-sms", mobile, users[0] if users else None)


@bp.get("/login/recovery/name/sent")
@page("3011", "找回用户名", PUBLIC)
def show_names_sent():
    return show("auth/names_sent.html")


@on_code("name-sms", "找回用户名")
def follow_names(proof: Proof):
    put_aside("named", 10, mobile=proof.data["to"])
    return go("auth.show_names")


@bp.get("/login/recovery/name/found")
@page("3011", "找回用户名", PUBLIC)
def show_names():
    found = kept_aside("named")
    return show("auth/names.html", users=users_by_mobile(found["mobile"])) if found else start_over()

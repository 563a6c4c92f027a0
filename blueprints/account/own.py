"""Pages 4031–4037, 账号信息: the owner of the account, password, phone, mail, reminders; each changed on a page of its own."""

from urllib.parse import urljoin

from flask import abort, current_app, flash, g, request, url_for
from flask import session as cookie_session

from blueprints.common import clock, proofs
from blueprints.common.access import DELICATE, MEMBER, Needs, current, page
from blueprints.common.checks import (
    PASSPORT_HINT,
    PERSON_PAPERS,
    date_shape,
    email_shape,
    mobile_shape,
    not_expired,
    paper_fits,
    paper_is_ours,
    until_shape,
)
from blueprints.common.fields import Choice, Choices, DocumentForm, Secret, Text
from blueprints.common.history import record
from blueprints.common.limits import Limit
from blueprints.common.numbers import masked
from blueprints.common.pages import go
from blueprints.common.passwords import WithPassword, is_password, keep_password
from blueprints.common.plain_forms import page_form, problem, summary_of
from models.accounts import User, holds_person, lock_user
from models.database import session
from models.proofs import forget_recoveries
from models.realname import ask_anew
from models.sessions import end_logins

from .base import bp, show_here
from .telling import tell_owner

WRONG_PASSWORDS = Limit("own-password", 5, 15)
REMINDERS = [
    ("card", "卡和证书快到期（提前60、30、7天）"), ("device", "新的电脑或手机登录了我的账号"), ("join", "有人想加入本单位"),
]  # fmt: skip


def own_user() -> User:
    return session.get(User, current().user_id)


def render(
    form: DocumentForm,
    title: str,
    problems=(),
    *,
    action: str = "保存",
    note: str = "",
    template="form_page.html",
    **more,
):
    """A page with one form of the account, at the address it was asked for."""
    return show_here(template, form=form, title=title, problems=summary_of(problems), action=action, note=note, **more)


# -- the owner


class OwnerForm(DocumentForm):
    name = Text("姓名", number="403101", limit=40)
    id_type = Choice("证件类型", number="403102", options=PERSON_PAPERS, hint=PASSPORT_HINT, span=True)
    id_number = Text("证件号码", paper_fits, paper_is_ours, number="403103", limit=30, code=True)
    valid_from = Text(
        "证件有效起始日期", date_shape, number="403104", required=False, code=True, hint="日期格式:YYYYMMDD"
    )
    valid_to = Text("证件有效截至日期", until_shape, not_expired, number="403105", required=False, code=True,
                    hint="日期格式:YYYYMMDD,长期有效请输入8个0")  # fmt: skip


OWNER_TITLE = "修改账号所有人"
OWNER_NOTE = ("一个企业下的所有账号, 其归属人的证件号码不能重复, 因此修改后的证件号码不能与本企业其他操作员的证件号码重复。")  # fmt: skip


@bp.get("/owner")
@page("4031", OWNER_TITLE, DELICATE)
def edit_owner():
    user = own_user()
    papers = {"id_type": "id-card"} | (user.papers or {})
    suggested = papers | {"name": user.real_name or "", "id_number": user.id_number or ""}
    return render(page_form(OwnerForm, "owner", suggested=suggested), OWNER_TITLE, note=OWNER_NOTE)


@bp.post("/owner")
@page("4031", OWNER_TITLE, DELICATE)
def change_owner():
    form, user = page_form(OwnerForm, "owner", posted=True), own_user()
    problems = form.check()
    if not problems and holds_person(user.enterprise_id, form.values["id_number"], user.id):
        problems = [
            problem("id_number", "90262", "这个证件号码已经是本单位另一个账号的，同一个人在一个单位只能有一个账号")
        ]
    if problems:
        return render(form, OWNER_TITLE, problems, note=OWNER_NOTE)
    keep_owner(user, form.values)
    session.commit()
    flash("已经保存。修改信息后需要重新登录!")
    return go("account.show_company")


def keep_owner(user: User, values: dict) -> None:
    user.keep_person(values["name"], values["id_number"], user.email or "")
    user.papers = {name: values[name] for name in ("id_type", "valid_from", "valid_to")}
    if user.role == "administrator":
        ask_anew(user.enterprise, "账号所有人（单位管理员）", clock.now())
    record("修改账号所有人", f"user:{user.name}", current())
    tell_owner(user, "账号所有人改了", "您的账号刚改了所有人的姓名或证件。")


# -- password


class PasswordForm(WithPassword):
    old = Secret("现在的密码", number="403201", span=True)
    password = Secret("新密码", number="403202", keep=keep_password)
    password_again = Secret("确认新密码", number="403203", same_as="password")


PASSWORD_TITLE = "修改登录密码"
PASSWORD_NOTE = "改好以后，其他电脑上的登录都会退出。"


@bp.get("/password")
@page("4032", PASSWORD_TITLE, DELICATE)
def edit_password():
    return render(page_form(PasswordForm, "password"), PASSWORD_TITLE, note=PASSWORD_NOTE)


@bp.post("/password")
@page("4032", PASSWORD_TITLE, DELICATE)
def change_password():
    form, user = page_form(PasswordForm, "password", posted=True), own_user()
    problems = form.check() or wrong_password(user, form.old.value, "old")
    if not problems:
        problems = form.keep_secrets()
    if problems:
        return render(form, PASSWORD_TITLE, problems, note=PASSWORD_NOTE)
    user.password_hash = form.kept["password"][1]
    end_logins(user.id, clock.now(), but=g.login.id)
    forget_recoveries(user.id)
    record("修改登录密码", f"user:{user.name}", current())
    tell_owner(user, "登录密码改了", "您的账号刚改了登录密码，其他电脑上的登录已经退出。")
    session.commit()
    flash("登录密码已经改好，其他电脑上的登录都退出了。")
    return go("account.show_company")


def wrong_password(user: User, typed: str, name: str) -> list:
    """The problem with the password that proves that the owner sits here; wrong ones are limited. Commits the count."""
    subject = str(user.id)
    WRONG_PASSWORDS.lock(subject)
    if wait := WRONG_PASSWORDS.minutes_left(subject):
        return [problem(name, "90263", "密码输错的次数太多，请过{wait}分钟再试；忘了可以走“忘记密码”", wait=wait)]
    WRONG_PASSWORDS.add(subject)
    session.commit()
    if not is_password(user.password_hash, typed):
        return [problem(name, "90264", "现在的密码不对，请重新输入")]
    WRONG_PASSWORDS.clear(subject)
    return []


# -- phone


class MobileForm(DocumentForm):
    mobile = Text("新的手机号码", mobile_shape, number="403401", limit=20, code=True)


class CodeForm(DocumentForm):
    code = Text(
        "验证码",
        number="403501",
        limit=12,
        hint="6位数字，看短信",
        attributes={"autocomplete": "one-time-code", "inputmode": "numeric"},
    )


MOBILE_TITLE = "绑定手机"
MOBILE_NOTE = "绑定手机可用于安全验证，找回密码等重要操作"


@bp.get("/mobile")
@page("4034", MOBILE_TITLE, DELICATE)
def edit_mobile():
    return render(
        page_form(MobileForm, "mobile"), MOBILE_TITLE, action="获取验证码", note=MOBILE_NOTE, off=not proofs.can_sms()
    )


@bp.post("/mobile")
@page("4034", MOBILE_TITLE, DELICATE)
def send_mobile_code():
    form, user = page_form(MobileForm, "mobile", posted=True), own_user()
    problems = form.check()
    if not problems and not proofs.can_sms():
        problems = [problem("mobile", "90265", "本平台还没有开通短信，现在不能绑定手机；要改请打客服热线")]
    if problems:
        return render(form, MOBILE_TITLE, problems, action="获取验证码", note=MOBILE_NOTE)
    try:
        proof = proofs.send_code(
            "mobile", "sms", form.values["mobile"], asker=request.remote_addr or "", subject="绑定手机", user=user
        )
    except proofs.TooManyMessages as refused:
        return render(
            form, MOBILE_TITLE, [problem("mobile", refused.sentence.number, str(refused.sentence))], action="获取验证码"
        )
    cookie_session["mobile-proof"] = str(proof.id)
    session.commit()
    return go("account.ask_mobile_code")


@bp.get("/mobile/code")
@page("4035", "输入手机验证码", DELICATE)
def ask_mobile_code():
    if "mobile-proof" not in cookie_session:
        abort(404)
    return render(
        page_form(CodeForm, "code"), "输入手机验证码", action="绑定这个手机", note="验证码已经发出，10分钟内有效。"
    )


@bp.post("/mobile/code")
@page("4035", "输入手机验证码", DELICATE)
def bind_mobile():
    form = page_form(CodeForm, "code", posted=True)
    if problems := form.check():
        return render(form, "输入手机验证码", problems, action="绑定这个手机")
    try:
        proof = proofs.check_code("mobile", cookie_session.get("mobile-proof"), form.values["code"])
    except proofs.WrongProof as wrong:
        return render(
            form, "输入手机验证码", [problem("code", wrong.sentence.number, str(wrong.sentence))], action="绑定这个手机"
        )
    if proof.user_id != current().user_id:
        abort(404)
    user, old = own_user(), own_user().mobile
    tell_owner(user, "绑定手机改了", f"您的账号刚把绑定手机改成{masked(proof.data['to'])}。", also_phone=old)
    user.keep_mobile(proof.data["to"])
    forget_recoveries(user.id)
    record("绑定手机", f"user:{user.name}", current())
    session.commit()
    cookie_session.pop("mobile-proof")
    flash("手机已经绑定。")
    return go("account.show_company")


# -- mail


class MailForm(DocumentForm):
    email = Text(
        "新的邮箱", email_shape, number="403601", span=True, hint="我们往这个邮箱发一封信，点信里的链接才算改好"
    )


MAIL_TITLE = "修改邮箱"


@bp.get("/mail")
@page("4036", MAIL_TITLE, DELICATE)
def edit_mail():
    return render(page_form(MailForm, "mail"), MAIL_TITLE, action="发确认信")


@bp.post("/mail")
@page("4036", MAIL_TITLE, DELICATE)
def send_mail_link():
    form, user = page_form(MailForm, "mail", posted=True), own_user()
    if problems := form.check():
        return render(form, MAIL_TITLE, problems, action="发确认信")
    try:
        proofs.send_link("mail", form.values["email"], mail_address, asker=request.remote_addr or "", subject="确认新的邮箱",
                         words="您要把账号的邮箱改成这个邮箱，请打开下面的链接确认：", user=user)  # fmt: skip
    except proofs.TooManyMessages as refused:
        return render(
            form, MAIL_TITLE, [problem("email", refused.sentence.number, str(refused.sentence))], action="发确认信"
        )
    session.commit()
    flash("确认信已经发出，30分钟内点信里的链接才算改好；现在的邮箱还没有变。")
    return go("account.show_company")


def mail_address(token: str) -> str:
    return urljoin(current_app.config["SETTINGS"].public_origin, url_for("account.confirm_mail", token=token))


@bp.get("/mail/confirm/<token>")
@page("4037", "确认新的邮箱", DELICATE)
def confirm_mail(token):
    try:
        proof = read_own_link(token)
    except proofs.WrongProof as wrong:
        return show_here("mail_confirm.html", address="", error=wrong.sentence)
    return show_here("mail_confirm.html", address=proof.data["to"], error=None)


def read_own_link(token: str):
    proof = proofs.read_link("mail", token)
    return proof if proof.user_id == current().user_id else abort(404)


@bp.post("/mail/confirm/<token>")
@page("4037", "确认新的邮箱", DELICATE)
def take_mail(token):
    try:
        proof = read_own_link(token)
    except proofs.WrongProof as wrong:
        return show_here("mail_confirm.html", address="", error=wrong.sentence)
    user = lock_user(proof.user_id)
    proof.used_at = clock.now()
    tell_owner(user, "邮箱改了", f"您的账号刚把邮箱改成{masked(proof.data['to'])}。")
    user.keep_person(user.real_name or "", user.id_number or "", proof.data["to"])
    forget_recoveries(user.id)
    record("修改邮箱", f"user:{user.name}", current())
    session.commit()
    flash("邮箱已经改好。")
    return go("account.show_company")


# -- reminders


class RemindersForm(DocumentForm):
    wanted = Choices("发邮件提醒我", number="403801", options=REMINDERS, required=False)


REMINDERS_NOTE = "改密码、找回账号、审核结果这些重要的信一定会发，不能关。"


@bp.get("/reminders")
@page("4038", "账户设置提醒", MEMBER)
def edit_reminders():
    user = own_user()
    wanted = [name for name, _ in REMINDERS if (user.reminders or {}).get(name, True)]
    form = page_form(RemindersForm, "reminders", suggested={"wanted": wanted})
    return render(form, "账户设置提醒", note=REMINDERS_NOTE)


@bp.post("/reminders")
@page("4038", "账户设置提醒", MEMBER)
def keep_reminders():
    form, user = page_form(RemindersForm, "reminders", posted=True), own_user()
    if problems := form.check():
        return render(form, "账户设置提醒", problems, note=REMINDERS_NOTE)
    user.reminders = {name: name in form.values["wanted"] for name, _ in REMINDERS}
    session.commit()
    flash("提醒已经设好。")
    return go("account.show_company")


# -- card password


@bp.get("/card-password")
@page("4033", "修改卡介质密码", Needs(company=True))
def show_card_password():
    """Changed on a page of the card bridge alone: the portal never sees a card's password."""
    g.allows_bridge = True
    return show_here("card_password.html", link=f"{current_app.config['SETTINGS'].bridge_origin}/pin")

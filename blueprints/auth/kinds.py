"""找回用户名 by papers: two officials look, then everybody who is known of the account may object before it changes hands."""

from datetime import timedelta

from flask import current_app

from blueprints.common.access import PUBLIC
from blueprints.common.history import record
from blueprints.common.kinds import Beside, CannotTakeEffect, Desk, Kind, Machine, Stage, Step
from blueprints.common.numbers import Sentence
from blueprints.common.proofs import send_link
from blueprints.common.records import lines_sent, values_of
from models.accounts import User, find_person
from models.proofs import forget_recoveries

from .base import absolute
from .name_forms import AskerForm, ProofsForm
from .recovery import guard

WAIT = "wait"
TRAY = "recovery-wait"
LINK_MINUTES = 24 * 60


def account_of(answers) -> User | None:
    """By company and ID number; nobody else's account, and none that was stopped. `answers`: by path."""
    user = find_person(answers["asker/uscc"], answers["asker/id_number"])
    return user if user and user.is_active else None


def beside(document) -> Beside | None:
    """For the officials only: the applicant never hears whether there is such an account."""
    if not document.submissions:
        return None
    answers = values_of(lines_sent(document)).get("asker", {})
    user = account_of({f"asker/{name}": answers.get(name) or "" for name in ("uscc", "id_number")})
    if user is None:
        return Beside(Sentence("90575", "本单位没有这个证件号码的账号，请核对证件；不对的，不予通过"), is_well=False)
    known = {"asker/company": user.enterprise.name, "asker/name": user.real_name or ""}
    return Beside(Sentence("", "本单位有这个证件号码的账号"), is_well=True, values=known)


def give_account(document, case) -> None:
    """The new mailbox counts from now on; a link to it opens the way to a new password."""
    user = account_of(case)
    if user is None:
        raise CannotTakeEffect(
            "asker/id_number", "90576", Sentence("90576", "资料和登记的对不上，不能在网上办，请打客服热线")
        )
    address = case["asker/email"]
    user.keep_person(user.real_name or "", user.id_number or "", address)
    guard(user)
    forget_recoveries(user.id)
    record(
        "找回用户名", f"user:{user.id}", by=user.shown_name, enterprise_id=user.enterprise_id, document=str(document.id)
    )
    send_link("recover-mail", address, lambda token: absolute("auth.show_new_password", token=token), asker=f"document:{document.id}",
              subject="您的用户名和设密码的链接", words=f"您的用户名是{user.shown_name}。请打开下面的地址设新密码，再登录。", user=user,
              minutes=LINK_MINUTES)  # fmt: skip


def wait_time() -> timedelta:
    return timedelta(hours=current_app.config["REGION"]["recovery"]["wait_hours"])


NAME_RECOVERY = Kind(
    "30", "name-recovery", "找回用户名（凭证件）", needs=PUBLIC, effect=give_account, index=("asker/company",), beside=beside,
    mail_to=lambda case: case["asker/email"], reasons="name-recovery",
    prepare=("法人营业执照、本人证件、授权委托书（盖公章）的原件扫描件", "能收到邮件的新邮箱", "本单位的统一社会信用代码"),
    steps=(Step("3021", "asker", "单位和本人", AskerForm), Step("3022", "papers", "证件", ProofsForm)),
    stages=(Stage("3023", "first", "初审", Desk("registration"), promise=1),
            Stage("3024", "second", "复审", Desk("registration"), after=("first",), apart_from=("first",), promise=1),
            Stage("3025", WAIT, "等待期", Machine(TRAY), after=("second",))),
)  # fmt: skip

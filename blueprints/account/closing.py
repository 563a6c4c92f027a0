"""Page 4039, 账号注销: asked for with the password, takes effect after a cooling-off time, can be taken back until then."""

from datetime import timedelta

from flask import current_app, flash
from sqlalchemy import delete

from blueprints.common import clock
from blueprints.common.access import DELICATE, MEMBER, current, page
from blueprints.common.checks import org_code_of
from blueprints.common.fields import DocumentForm, Secret
from blueprints.common.history import record
from blueprints.common.pages import go
from blueprints.common.plain_forms import page_form, problem, summary_of
from models.accounts import (
    BoundCard,
    Enterprise,
    User,
    forget_devices,
    lock_enterprise,
    lock_user,
    users_closing,
    users_of,
)
from models.clients import revoke_clients_of
from models.database import session
from models.documents import free_claim
from models.proofs import forget_proofs
from models.sessions import end_logins

from .base import bp, show_here
from .own import own_user, wrong_password
from .telling import tell_owner


class ClosingForm(DocumentForm):
    password = Secret("您现在的登录密码", number="403901", span=True)


def cooling_days() -> int:
    return current_app.config["REGION"]["accounts"]["closing_days"]


def render_closing(form: ClosingForm, problems=()):
    return show_here("closing.html", form=form, problems=summary_of(problems), user=own_user(), days=cooling_days())


@bp.get("/closing")
@page("4039", "账号注销", DELICATE)
def ask_closing():
    return render_closing(page_form(ClosingForm, "closing"))


@bp.post("/closing")
@page("4039", "账号注销", DELICATE)
def begin_closing():
    form, user = page_form(ClosingForm, "closing", posted=True), own_user()
    problems = form.check() or wrong_password(user, form.password.value, "password")
    if not problems and user.role == "administrator" and others_of(user):
        problems = [
            problem("password", "90270", "本单位还有在用的操作员账号，请先移交管理员，或停用这些操作员，再注销")
        ]
    if problems:
        return render_closing(form, problems)
    user.closing_at = clock.now() + timedelta(days=cooling_days())
    record("申请注销账号", f"user:{user.name}", current())
    day = f"{clock.local(user.closing_at):%Y-%m-%d}"
    tell_owner(user, "账号要注销了", f"您的账号{day}注销。要留下，请在那天以前登录，到“账号信息”里撤回。")
    session.commit()
    flash(f"账号{day}注销，在那以前登录都可以撤回。")
    return go("account.show_company")


@bp.post("/closing/take-back")
@page("4039", "账号注销", MEMBER)
def take_back_closing():
    user = own_user()
    if user.closing_at:
        user.closing_at = None
        record("撤回注销账号", f"user:{user.name}", current())
        session.commit()
        flash("已经撤回，账号照常用。")
    return go("account.show_company")


def others_of(user: User) -> list[User]:
    return [other for other in users_of(user.enterprise_id) if other.id != user.id and other.is_active]


def close_due_accounts() -> None:
    """A standing loop of the worker."""
    for user_id in users_closing(clock.now()):
        user = lock_user(user_id)
        if user.closing_at and user.closing_at <= clock.now():  # else it was taken back a moment ago
            close_account(user)
        session.commit()


def close_account(user: User) -> None:
    """Ends logins, cards and tokens; personal data goes, documents and their prints stay with the company."""
    tell_owner(user, "账号已经注销", "您的账号已经注销，个人资料已经删除。")
    record("注销账号", f"user:{user.name}", by="系统", enterprise_id=user.enterprise_id)
    end_logins(user.id, clock.now())
    revoke_clients_of(user.id, clock.now())
    forget_devices(user.id)
    forget_proofs(user.id)
    session.execute(delete(BoundCard).where(BoundCard.user_id == user.id))
    user.is_active, user.closing_at, user.password_hash = False, None, None
    user.keep_person("", "", "")
    user.contact, user.mobile_index, user.papers = None, None, None
    if user.role == "administrator":
        for other in others_of(user):  # opened again since it was asked for: no account stays without its company
            other.is_active = False
            end_logins(other.id, clock.now())
            revoke_clients_of(other.id, clock.now())
        close_company(lock_enterprise(user.enterprise_id))
        user.role = "operator"


def close_company(company: Enterprise) -> None:
    """Its codes are free for a new registration; what was done under them stays where it is."""
    key = company.org_code or (company.uscc and org_code_of(company.uscc))
    if key:
        free_claim("company", key)
    company.details = company.details | {"closed_uscc": company.uscc, "closed_org_code": company.org_code}
    company.uscc, company.org_code, company.active_code, company.closed_at = None, None, None, clock.now()

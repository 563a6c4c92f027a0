"""Page 3010: the first login with a password that the administrator handed over (M88). Until then nothing else opens."""

from flask import current_app, flash, g

from blueprints.common import clock
from blueprints.common.access import Needs, current, page
from blueprints.common.history import record
from blueprints.common.numbers import masked
from blueprints.common.pages import go
from blueprints.common.plain_forms import typed_fields
from models.accounts import User, lock_user
from models.database import session
from models.sessions import end_logins

from .base import bp, show_form
from .forms import ActivationForm


@bp.get("/login/activation")
@page("3010", "激活账号", Needs())
def show_activation():
    if not current().is_new:
        return go("portal.show_workspace")
    user = session.get(User, current().user_id)
    return show_activation_form(user, ActivationForm(user))


def show_activation_form(user: User, form: ActivationForm, problems=()):
    mobile = user.mobile
    own = [("单位", user.enterprise.name if user.enterprise else "—"), ("用户名", user.shown_name), ("姓名", user.real_name or "—"),
           ("邮箱", masked(user.email or "") or "—"), ("手机", masked(mobile) or "—")]  # fmt: skip
    return show_form("auth/activation.html", form, problems, own=own)


@bp.post("/login/activation")
@page("3010", "激活账号", Needs())
def activate():
    user = session.get(User, current().user_id)
    if not user.is_new:
        return go("portal.show_workspace")
    form = ActivationForm(user, typed_fields())
    if problems := form.check():
        return show_activation_form(user, form, problems)
    user = lock_user(user.id)  # hashing is over
    if user.password_hash != form.initial_hash:  # activated or reset by somebody else meanwhile
        session.rollback()
        return go("portal.show_workspace")
    user.password_hash, user.initial_until = form.password_hash, None
    end_logins(user.id, clock.now(), but=g.login.id)
    record("激活账号", f"user:{user.id}", current())
    session.commit()
    flash(f"账号已经激活。{current_app.config['REGION']['name']}欢迎您。")
    return go("portal.show_workspace")

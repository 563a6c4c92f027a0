"""Pages 4002 and 4050–4056, 我的操作员 (M88): add, rights per module, disable, a new initial password, hand over the administrator."""

from datetime import timedelta
from uuid import UUID

from flask import abort, flash, request
from sqlalchemy.exc import IntegrityError

from blueprints.common import clock
from blueprints.common.access import (
    ADMINISTRATOR,
    DELICATE_ADMINISTRATOR,
    MODULES,
    RIGHTS,
    SUBMIT,
    current,
    get_or_404,
    page,
)
from blueprints.common.checks import (
    PASSPORT_HINT,
    PERSON_PAPERS,
    email_shape,
    mobile_shape,
    paper_fits,
    paper_is_ours,
)
from blueprints.common.fields import Choice, DocumentForm, Rule, Secret, Text
from blueprints.common.history import record
from blueprints.common.notices import notify
from blueprints.common.pages import go
from blueprints.common.passwords import hasher, new_initial_password
from blueprints.common.plain_forms import page_form, problem, summary_of
from models.accounts import (
    JoinRequest,
    User,
    find_user,
    holds_person,
    lock_enterprise,
    lock_user,
    open_join_requests,
    users_of,
)
from models.clients import revoke_clients_of
from models.database import session
from models.documents import is_claimed
from models.proofs import forget_recoveries
from models.realname import ask_anew
from models.sessions import end_logins, last_seen

from .base import bp, show_here
from .own import own_user, wrong_password
from .telling import tell_owner

INITIAL_DAYS = 7
RIGHT_OPTIONS = [("0", "不开通"), *((str(level), words) for level, words in RIGHTS.items())]


@bp.get("/operators")
@page("4002", "我的操作员", ADMINISTRATOR)
def list_operators():
    users, seen = [user for user in users_of(current().enterprise_id) if not user.is_closed], {}
    for user_id, at in last_seen([user.id for user in users]):
        seen[user_id] = at
    rows = [(user, state_of(user), rights_words(user), seen.get(user.id)) for user in users]
    return show_here("operators.html", rows=rows, wishes=open_join_requests(current().enterprise_id))


def state_of(user: User) -> tuple[str, str]:
    if not user.is_active:
        return "warn", "已停用"
    if user.is_new:
        return ("pencil", "等本人第一次登录") if user.initial_until > clock.now() else ("warn", "初始密码过期，要重发")
    return ("warn", "正在注销") if user.closing_at else ("tick", "在用")


def rights_words(user: User) -> list[tuple[str, str]]:
    if user.role == "administrator":
        return [("全部业务", "管理员")]
    return [(MODULES[name], RIGHTS[level]) for name, level in user.rights.items() if level and name in MODULES]


# -- adding


operator_name_shape = Rule("90267", "用户名要6-12位英文字母、数字或_组成", lambda text: text.isascii() and 6 <= len(text) <= 12
                           and text.replace("_", "a").isalnum())  # fmt: skip
operator_name_free = Rule(
    "90268",
    "这个用户名已有人用（不分大小写），请换一个",
    lambda text: find_user(text) is None and not is_claimed("user-name", text.casefold()),
)


def right_field(module: str, number: str) -> Choice:
    return Choice(MODULES[module], number=number, options=RIGHT_OPTIONS, group="能办什么")


class OperatorForm(DocumentForm):
    user = Text("用户名", operator_name_shape, operator_name_free, number="405001", limit=12, group="账号",
                hint="6-12位英文字母、数字或_组成, 不区分大小写!")  # fmt: skip
    name = Text("真实姓名", number="405002", limit=40, group="账号")
    id_type = Choice("证件类型", number="405003", options=PERSON_PAPERS, group="账号", span=True, hint=PASSPORT_HINT)
    id_number = Text("证件号码", paper_fits, paper_is_ours, number="405004", limit=30, code=True, group="账号")
    email = Text("邮箱", email_shape, number="405005", group="账号", hint="找回密码、收通知都用它")
    mobile = Text("手机", mobile_shape, number="405006", required=False, code=True, group="账号")
    exports = right_field("exports", "405007")
    trade = right_field("trade", "405008")
    access = right_field("access", "405009")
    agreements = right_field("agreements", "405010")


class RightsForm(DocumentForm):
    exports = right_field("exports", "405201")
    trade = right_field("trade", "405202")
    access = right_field("access", "405203")
    agreements = right_field("agreements", "405204")


def rights_from(values: dict) -> dict[str, int]:
    return {module: int(values[module]) for module in MODULES if int(values[module])}


@bp.get("/operators/new")
@page("4050", "新增操作员", DELICATE_ADMINISTRATOR)
def start_operator():
    wish = find_wish(request.args.get("wish", ""))
    suggested = {"id_type": "id-card", "exports": "2", "trade": "1", "access": "0", "agreements": "1"}
    if wish:
        suggested |= {name: wish.person.get(name, "") for name in ("name", "email", "mobile")}
    return render_operator_form(page_form(OperatorForm, "operator", suggested=suggested), wish=wish)


def find_wish(text: str) -> JoinRequest | None:
    return next((row for row in open_join_requests(current().enterprise_id) if str(row.id) == text), None)


def render_operator_form(form: OperatorForm, problems=(), wish=None):
    return show_here("operator_form.html", form=form, problems=summary_of(problems), wish=wish)


@bp.post("/operators/new")
@page("4050", "新增操作员", DELICATE_ADMINISTRATOR)
def add_operator():
    form, wish = page_form(OperatorForm, "operator", posted=True), find_wish(request.form.get("wish", ""))
    problems = form.check()
    if not problems and holds_person(current().enterprise_id, form.values["id_number"]):
        problems = [
            problem("id_number", "90262", "这个证件号码已经是本单位另一个账号的，同一个人在一个单位只能有一个账号")
        ]
    if problems:
        return render_operator_form(form, problems, wish)
    password = new_initial_password()
    try:
        user = make_operator(form.values, password)
    except IntegrityError:  # a second click, or somebody took name or person a moment ago
        session.rollback()
        taken = problem("user", "90268", "这个用户名已有人用（不分大小写），请换一个")
        return render_operator_form(form, [taken], find_wish(request.form.get("wish", "")))
    if wish:
        wish.state = "done"
    session.commit()
    return show_here("operator_password.html", number="4053", user=user, password=password, days=INITIAL_DAYS)


def make_operator(values: dict, password: str) -> User:
    user = User(
        name=values["user"].casefold(), shown_name=values["user"], role="operator", created_at=clock.now(),
        enterprise_id=current().enterprise_id, rights=rights_from(values), reminders={},
    )  # fmt: skip
    user.keep_person(values["name"], values["id_number"], values["email"])
    user.papers, user.contact = {"id_type": values["id_type"]}, {}
    user.keep_mobile(values["mobile"])
    give_password(user, password)
    session.add(user)
    session.flush()
    record("新增操作员", f"user:{user.name}", current(), rights=user.rights)
    notify(values["email"], "您的操作员账号开好了",
           f"“{current().enterprise_name}”给您开了账号：{user.shown_name}。\n初始密码请向本单位的管理员要，{INITIAL_DAYS}天内有效。"
           "第一次登录时请改成自己的密码，账号就激活了。")  # fmt: skip
    return user


def give_password(user: User, password: str) -> None:
    """The owner changes it at the first login; until then nothing else is open to him."""
    user.password_hash = hasher().hash(password)
    user.initial_until = clock.now() + timedelta(days=INITIAL_DAYS)


# -- one operator


def get_operator_or_404(id: UUID) -> User:
    user = session.get(User, id)
    mine = user and user.enterprise_id == current().enterprise_id and user.role == "operator"
    return get_or_404(user if mine and not user.is_closed else None)


@bp.get("/operators/<uuid:id>")
@page("4052", "操作员", ADMINISTRATOR)
def show_operator(id):
    user = get_operator_or_404(id)
    suggested = {module: str(user.rights.get(module, 0)) for module in MODULES}
    return render_operator(user, page_form(RightsForm, "rights", suggested=suggested))


def render_operator(user: User, form: RightsForm, problems=()):
    return show_here("operator.html", user=user, form=form, problems=summary_of(problems), standing=state_of(user))


@bp.post("/operators/<uuid:id>/rights")
@page("4052", "操作员", DELICATE_ADMINISTRATOR)
def keep_rights(id):
    user, form = get_operator_or_404(id), page_form(RightsForm, "rights", posted=True)
    if problems := form.check():
        return render_operator(user, form, problems)
    user.rights = rights_from(form.values)
    record("修改操作员权限", f"user:{user.name}", current(), rights=user.rights)
    session.commit()
    flash("权限已经保存，收回的马上生效。")
    return go("account.list_operators")


@bp.post("/operators/<uuid:id>/switch")
@page("4052", "操作员", DELICATE_ADMINISTRATOR)
def switch_operator(id):
    """停用 ends all logins and tokens at once; 启用 opens the account again as it was."""
    user, wanted = get_operator_or_404(id), request.form.get("go") == "on"
    if user.is_active != wanted:
        user.is_active = wanted
        if not wanted:
            shut_out(user)
        record("启用操作员" if wanted else "停用操作员", f"user:{user.name}", current())
        session.commit()
    flash("账号已经启用。" if wanted else "账号已经停用，正在用的登录都退出了。")
    return go("account.list_operators")


def shut_out(user: User) -> None:
    end_logins(user.id, clock.now())
    revoke_clients_of(user.id, clock.now())
    forget_recoveries(user.id)


@bp.post("/operators/<uuid:id>/password")
@page("4053", "初始密码", DELICATE_ADMINISTRATOR)
def reset_password(id):
    """A new initial password, shown once; the old one and all logins end."""
    user, password = get_operator_or_404(id), new_initial_password()
    give_password(user, password)
    shut_out(user)
    record("重发初始密码", f"user:{user.name}", current())
    tell_owner(
        user, "管理员重设了您的密码", "本单位的管理员给您的账号重设了初始密码，请向管理员要，登录后改成自己的密码。"
    )
    session.commit()
    return show_here("operator_password.html", number="4053", user=user, password=password, days=INITIAL_DAYS)


@bp.post("/operators/wishes/<uuid:id>/decline")
@page("4002", "我的操作员", ADMINISTRATOR)
def decline_wish(id):
    wish = get_or_404(find_wish(str(id)))
    wish.state = "declined"
    record("回绝加入请求", f"enterprise:{wish.enterprise_id}", current())
    session.commit()
    flash("已经回绝，没有开账号。")
    return go("account.list_operators")


# -- handing over


class HandOverForm(DocumentForm):
    password = Secret("您现在的登录密码", number="405401", span=True)


@bp.get("/operators/<uuid:id>/administrator")
@page("4054", "移交管理员", DELICATE_ADMINISTRATOR)
def ask_hand_over(id):
    return render_hand_over(get_operator_or_404(id), page_form(HandOverForm, "hand-over"))


def render_hand_over(user: User, form: HandOverForm, problems=()):
    return show_here("hand_over.html", user=user, form=form, problems=summary_of(problems))


@bp.post("/operators/<uuid:id>/administrator")
@page("4054", "移交管理员", DELICATE_ADMINISTRATOR)
def hand_over(id):
    user, form = get_operator_or_404(id), page_form(HandOverForm, "hand-over", posted=True)
    problems = form.check() or wrong_password(own_user(), form.password.value, "password")
    if not problems and (not user.is_active or user.is_new or user.closing_at):
        problems = [
            problem(
                "password", "90269", "对方的账号还没有激活、已停用或正在注销，不能移交；请等对方第一次登录以后再移交"
            )
        ]
    if problems:
        return render_hand_over(user, form, problems)
    swap_administrator(own_user(), user)
    session.commit()
    flash("管理员已经移交，您现在是操作员。")
    return go("account.show_company")


def swap_administrator(old: User, new: User) -> None:
    """Exactly one administrator a company (M55): the old one steps down first, under the company's lock."""
    company = lock_enterprise(old.enterprise_id)
    if lock_user(old.id).role != "administrator":  # handed over by another click a moment ago
        abort(409)
    old.role, old.rights = "operator", dict.fromkeys(MODULES, SUBMIT)
    session.flush()
    new.role, new.rights = "administrator", {}
    ask_anew(company, "单位管理员", clock.now())
    record("移交管理员", f"user:{new.name}", current(), before=old.name)
    tell_owner(old, "管理员移交了", f"“{company.name}”的管理员由您移交给了{new.shown_name}。")
    tell_owner(new, "您成了管理员", f"“{company.name}”的管理员由{old.shown_name}移交给了您。")

"""Pages 2016–2018: somebody whose company is registered already asks its administrator for an account.

Before the mail address is proven the page says 「已注册」 and no more; after it the administrator's surname, and the
portal forwards the wish, at most three a day for one company.
"""

from datetime import timedelta
from uuid import UUID

from flask import abort, flash, request
from flask import session as cookie_session

from blueprints.common import clock, proofs
from blueprints.common.access import PUBLIC, page
from blueprints.common.checks import email_shape, is_org_code, is_uscc_shape, mobile_shape, org_code_of
from blueprints.common.fields import DocumentForm, Problem, Rule, Text
from blueprints.common.history import record
from blueprints.common.kinds import Case
from blueprints.common.limits import Limit
from blueprints.common.notices import notify
from blueprints.common.numbers import Sentence, masked
from blueprints.common.pages import go, show
from models.accounts import Enterprise, JoinRequest, administrator_of, find_organisation
from models.database import session

from .forms import region
from .routes import bp

BY_COMPANY = Limit("join-company", 3, 24 * 60)
DOUBLE_SURNAMES = (
    "欧阳",
    "司马",
    "诸葛",
    "上官",
    "东方",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "司徒",
    "令狐",
    "夏侯",
    "长孙",
    "宇文",
    "端木",
)
code_shape = Rule(
    "90251", "请写18位统一社会信用代码，或9位组织机构代码", lambda text: is_uscc_shape(text) or is_org_code(text)
)


class JoinForm(DocumentForm):
    code = Text(
        "统一社会信用代码或组织机构代码",
        code_shape,
        number="201601",
        code=True,
        span=True,
        hint="要加入的单位的代码，见证照",
    )
    name = Text("您的姓名", number="201602", limit=40)
    email = Text("您的E-mail", email_shape, number="201603", hint="开好的账号会告诉您这个邮箱")
    mobile = Text("您的手机", mobile_shape, number="201604", required=False)
    message = Text("想对管理员说的话", number="201605", required=False, limit=200, span=True, hint="例如您的岗位")


def join_form(typed=None) -> JoinForm:
    from .kinds import REGISTRATION

    return JoinForm(Case(REGISTRATION, None, region(), clock.today()), "join", typed)


@bp.get("/join")
@page("2016", "加入已注册的单位", PUBLIC)
def ask_to_join():
    return render_join(join_form())


def render_join(form: JoinForm, problems: list[Problem] = ()):
    summary = [{"number": p.number, "sentence": p.sentence, "href": f"#{p.path.rpartition('/')[2]}"} for p in problems]
    return show("registration/join.html", form=form, problems=summary)


@bp.post("/join")
@page("2016", "加入已注册的单位", PUBLIC)
def begin_to_join():
    form = join_form(request.form.to_dict(flat=False))
    problems = form.check()
    company = None if problems else company_of(form.values["code"])
    if not problems and company is None:
        words = Sentence("90252", "这个单位还没有在这里注册，请直接注册；代码请对照证照再看一遍")
        problems = [Problem("join/code", "90252", words)]
    if problems:
        return render_join(form, problems)
    try:
        proof = send_proof(form, company)
    except proofs.TooManyMessages as refused:
        return render_join(form, [Problem("join/email", refused.sentence.number, refused.sentence)])
    cookie_session["joining"] = {"proof": str(proof.id), "address": masked(form.values["email"])}
    session.commit()
    return go("registration.ask_join_proof")


def company_of(code: str) -> Enterprise | None:
    return find_organisation(org_code_of(code) if len(code) == 18 else code)


def send_proof(form: JoinForm, company: Enterprise):
    person = {name: form.values[name] for name in ("name", "email", "mobile", "message")}
    return proofs.send_code("join", "mail", person["email"], asker=request.remote_addr or "", subject="加入已注册的单位",
                            keep={"enterprise_id": str(company.id), "person": person})  # fmt: skip


@bp.get("/join/proof")
@page("2017", "核实您的邮箱", PUBLIC)
def ask_join_proof():
    return render_proof()


def render_proof(error: Sentence | None = None):
    state = cookie_session.get("joining") or abort(404)
    return show("registration/join_proof.html", state=state, error=error)


@bp.post("/join/proof")
@page("2017", "核实您的邮箱", PUBLIC)
def check_join_proof():
    state = cookie_session.get("joining") or abort(404)
    try:
        proof = proofs.check_code("join", state["proof"], request.form.get("code", ""))
    except proofs.WrongProof as wrong:
        return render_proof(wrong.sentence)
    cookie_session["joining"] = state | {"proven": str(proof.id)}
    session.commit()
    return go("registration.show_administrator")


def get_proven_or_404() -> tuple[Enterprise, dict]:
    """The company and the person whose mail address was proven in this browser."""
    proof = session.get(proofs.Proof, UUID((cookie_session.get("joining") or {}).get("proven") or abort(404)))
    if proof is None or proof.used_at is None or clock.now() - proof.used_at > timedelta(hours=1):
        abort(404)
    return session.get(Enterprise, UUID(proof.data["enterprise_id"])), proof.data["person"]


@bp.get("/join/administrator")
@page("2018", "请管理员开账号", PUBLIC)
def show_administrator():
    company, person = get_proven_or_404()
    return render_administrator(company, person)


def render_administrator(company: Enterprise, person: dict, error: Sentence | None = None):
    boss = administrator_of(company.id)
    surname = surname_of(boss.real_name or "") if boss else ""
    return show("registration/join_administrator.html", company=company, person=person, surname=surname, error=error)


def surname_of(name: str) -> str:
    return name[:2] if name[:2] in DOUBLE_SURNAMES else name[:1]


@bp.post("/join/administrator")
@page("2018", "请管理员开账号", PUBLIC)
def forward_wish():
    company, person = get_proven_or_404()
    if wait := BY_COMPANY.minutes_left(str(company.id)):
        words = Sentence(
            "90253", "今天转给这个单位的请求已经很多了，请过{hours}小时再来，或直接找管理员", hours=-(-wait // 60)
        )
        return render_administrator(company, person, words)
    BY_COMPANY.add(str(company.id))
    request_row = JoinRequest(enterprise_id=company.id, at=clock.now(), state="open")
    request_row.person = person
    session.add(request_row)
    tell_administrator(company, person)
    record("请求加入单位", f"enterprise:{company.id}", by="未登录", enterprise_id=company.id)
    session.commit()
    cookie_session.pop("joining")
    flash("已经转给管理员。开好账号以后，会发邮件告诉您。")
    return go("auth.show_login")


def tell_administrator(company: Enterprise, person: dict) -> None:
    boss = administrator_of(company.id)
    if boss and boss.email:
        text = (f"{person['name']}（{person['email']}）想加入“{company.name}”。\n{person['message']}\n"
                "请用管理员账号登录，到“我的操作员”（页面4002）开账号，或回绝。不认识这个人，请回绝。")  # fmt: skip
        notify(boss.email, "有人请您开操作员账号", text)

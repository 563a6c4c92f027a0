"""Pages 5010–5016: 法定代表人身份认证 at the clerk's PC: 核验企业信息 › 法人身份 › 管理员身份 › 完成, and the hand-over."""

from flask import flash, redirect, request, url_for

from blueprints.common.access import DELICATE_ADMINISTRATOR, LEVELS, MEMBER, bind, current, page
from blueprints.common.challenges import NotAccepted
from blueprints.common.fields import DocumentForm
from blueprints.common.pages import go, show, translated
from blueprints.common.plain_forms import page_form, summary_of
from models.accounts import Enterprise, User, lock_enterprise, lock_user
from models.database import session
from models.realname import VerificationCase, last_verification

from .cases import (
    MANAGER,
    PERSON,
    WAYS,
    NotProven,
    case_of,
    check_company,
    keep_typed,
    org_code,
    owner_of,
    pass_by_name,
    pass_manager,
    pass_person,
    plain,
    start_case,
    typed_of,
    ways_of,
)
from .handover import handover_state
from .person_forms import CompanyForm, bank_form, paper_form, typed_fields
from .results import check_may_verify
from .routes import ADMINISTRATOR, bp, render_methods
from .steps import form_of, prove, save_typed, send_code

TITLE = "法定代表人身份认证"
TAB = ("5010", TITLE)
PAGES = {
    (PERSON, "id-card"): "5012",
    (PERSON, "bank-card"): "5013",
    (MANAGER, "id-card"): "5014",
    (MANAGER, "bank-card"): "5015",
}
STEP_TITLES = {"company": "核验企业信息", PERSON: "核验法人身份信息", MANAGER: "核验管理员身份信息", "done": "完成"}
FORMS = {
    (PERSON, "id-card"): paper_form("5012", ""), (PERSON, "bank-card"): bank_form("5013", ""),
    (MANAGER, "id-card"): paper_form("5014", "本人"), (MANAGER, "bank-card"): bank_form("5015", "本人"),
}  # fmt: skip
# for an account whose owner is not known yet
OPEN_FORMS = {"id-card": paper_form("5014", "本人", typed_fields), "bank-card": bank_form("5015", "本人", typed_fields)}


def own() -> tuple[User, Enterprise]:
    user = session.get(User, current().user_id)
    return user, user.enterprise


def show_here(template: str, case: VerificationCase | None, step: str, **values):
    problems = values.pop("problems", ())
    return show(f"realname/{template}", kind={"title": TITLE}, progress=progress(case, step), case=case, step=step,
                step_title=STEP_TITLES[step], problems=problems, **values)  # fmt: skip


def progress(case: VerificationCase | None, step: str) -> list[dict]:
    done = {"company": case and case.company_at, PERSON: case and case.person_at, MANAGER: case and case.manager_at}
    urls = {"company": url_for("realname.show_company", again=1),
            PERSON: step_url(PERSON, ways_of(case.data["person"])[0]) if case and case.company_at else None,
            MANAGER: step_url(MANAGER, "id-card") if case and case.person_at else None}  # fmt: skip
    return [{"title": title, "done": bool(done.get(slug)), "current": slug == step, "url": urls.get(slug)}
            for slug, title in STEP_TITLES.items()]  # fmt: skip


def refused_here(user: User, company: Enterprise):
    """The page that says so where this company needs no verification; None: go on."""
    try:
        check_may_verify(user, company)
    except NotAccepted as refused:
        return render_methods(refused.sentence)
    return None


# -- step 1


@bp.get("/representative")
@page("5010", "核验企业信息", ADMINISTRATOR, TAB)
def show_company():
    user, company = own()
    if answer := refused_here(user, company):
        return answer
    case = case_of(user)
    if case and case.company_at and "again" not in request.args:
        return go_on(user)
    session.commit()
    return render_company(company_form(company, case), case)


def company_form(company: Enterprise, case: VerificationCase | None, posted: bool = False) -> CompanyForm:
    """Filled with what was typed before, else with what the account knows of the 法定代表人."""
    person = company.representative or {}
    known = {"legal_name": person.get("name"), "id_type": person.get("id_type") or "id-card",
             "id_number": person.get("id_number")}  # fmt: skip
    typed = {name: values[0] for name, values in typed_of(case, "company").items() if values}
    shown = {"name": company.name, "uscc": company.uscc or "", "org_code": org_code(company)}
    return page_form(CompanyForm, "company", posted=posted, suggested=known | typed, company=shown)


def render_company(form: CompanyForm, case, problems=(), dialog: NotProven | None = None):
    return show_here("company.html", case, "company", form=form, problems=lines(form, problems), dialog=dialog)


@bp.post("/representative")
@page("5010", "核验企业信息", ADMINISTRATOR, TAB)
def save_company():
    user, company = own()
    if answer := refused_here(user, company):
        return answer
    lock_user(user.id)
    case = case_of(user, lock=True) or start_case(user)
    form = company_form(company, case, posted=True)
    problems = form.check()
    keep_typed(case, "company", form.typed)
    session.commit()
    if problems:
        return render_company(form, case, problems)
    try:
        check_company(user, company, {"name": form.legal_name.value, "id_type": form.id_type.value,
                                      "id_number": form.id_number.value})  # fmt: skip
    except NotProven as refused:
        session.commit()
        return render_company(form, case, dialog=refused)
    return go_on(user)


@bp.post("/representative/by-name")
@page("5010", "核验企业信息", ADMINISTRATOR, TAB)
def go_by_bank_card():
    user, company = own()
    try:
        pass_by_name(user)
    except NotProven as refused:
        session.rollback()
        case = case_of(user)
        return render_company(company_form(company, case), case, dialog=refused)
    return go_on(user)


# -- steps 2 and 3


def person_of(case: VerificationCase, step: str, user: User) -> dict:
    return case.data["person"] if step == PERSON else owner_of(user)


def step_url(step: str, way: str) -> str:
    return url_for(f"realname.show_{step}_{way.replace('-', '_')}")


def go_on(user: User):
    """To the first step that is not done, by its first way."""
    case = case_of(user)
    session.commit()
    if case is None or not case.company_at:
        return go("realname.show_company")
    step = MANAGER if case.person_at else PERSON
    return redirect(step_url(step, ways_of(person_of(case, step, user))[0]), 303)


def open_step(step: str, way: str, user: User) -> VerificationCase | None:
    """None: the step before is not done, or the person's papers do not allow this way."""
    case = case_of(user)
    if case is None or not case.company_at or (step == MANAGER and not case.person_at):
        return None
    return case if way in ways_of(person_of(case, step, user)) else None


def show_person(step: str, way: str):
    user, _ = own()
    case = open_step(step, way, user)
    if case is None:
        return go_on(user)
    person = person_of(case, step, user)
    return render_person(case, step, way, person, form_of(form_class(step, way, person), case, step, person))


def form_class(step: str, way: str, person: dict) -> type[DocumentForm]:
    return FORMS[step, way] if person["id_number"] else OPEN_FORMS[way]


def render_person(case, step: str, way: str, person: dict, form, problems=(), dialog: NotProven | None = None, sent=""):
    done_at = case.person_at if step == PERSON else case.manager_at
    ways = [(each, WAYS[each], step_url(step, each)) for each in ways_of(person)]
    return show_here("person.html", case, step, number=PAGES[step, way], form=form, way=way, ways=ways, dialog=dialog,
                     problems=lines(form, problems), sent=sent, done_at=done_at, handover=handover_state(case),
                     is_same=step == MANAGER and is_same(case, person))  # fmt: skip


def is_same(case: VerificationCase, person: dict) -> bool:
    """The owner of the account is the 法定代表人, who was proven in step 2: name, paper and number, as typed there."""
    both = [(plain(each["name"]), each["id_type"], each["id_number"].upper()) for each in (person, case.data["person"])]
    return bool(person["id_number"]) and both[0] == both[1]


def save_person(step: str, way: str):
    user, _ = own()
    case = open_step(step, way, user)
    if case is None:
        return go_on(user)
    person = person_of(case, step, user)
    form = form_of(form_class(step, way, person), case, step, person, posted=True)
    save_typed(case, step, form)
    if request.form.get("go") == "code":
        problems = send_code(case, step, form, user)
        return render_person(case, step, way, person, form, problems, sent="" if problems else form.phone.value)
    if request.form.get("go") == "same" and step == MANAGER and is_same(case, person):
        return finish_manager(user, way, person, case.data["evidence"][PERSON])
    if problems := form.check():
        return render_person(case, step, way, person, form, problems)
    if not person["id_number"]:
        if unmet := DELICATE_ADMINISTRATOR.unmet(current()):  # it makes him the owner, as page 4031 would
            return render_person(case, step, way, person, form, dialog=NotProven(unmet[0].sentence))
        person = {name: form.values[name] for name in ("name", "id_type", "id_number")}
    try:
        evidence = prove(case, step, user, way, person, form)
    except NotProven as refused:
        session.commit()
        return render_person(case, step, way, person, form, dialog=refused)
    return finish_manager(user, way, person, evidence) if step == MANAGER else finish_person(user, person, evidence)


def finish_person(user: User, person: dict, evidence: dict):
    case = case_of(user, lock=True)
    if case and case.data.get("person") == person:
        pass_person(case, evidence)
    else:
        flash("企业信息刚在别的窗口改过，请从第1步再来；填的都留着。")
    return go_on(user)


def finish_manager(user: User, way: str, person: dict, evidence: dict):
    lock_enterprise(user.enterprise_id)
    lock_user(user.id)
    case = case_of(user, lock=True)
    if case is None or not case.person_at:
        return go_on(user)
    try:
        pass_manager(case, user, person, evidence)
    except NotProven as refused:
        session.rollback()
        case, owner = case_of(user), owner_of(user)
        form = form_of(form_class(MANAGER, way, owner), case, MANAGER, owner)
        return render_person(case, MANAGER, way, owner, form, dialog=refused)
    session.commit()
    return go("realname.show_done")


def add_person_pages() -> None:
    """One page for each step and way, so that each has a number of its own."""
    for (step, way), number in PAGES.items():
        for view, method in ((show_person, "GET"), (save_person, "POST")):
            title = f"{STEP_TITLES[step]}：{WAYS[way]}"
            bound = page(number, title, ADMINISTRATOR, TAB)(bind(view, step, way))
            endpoint = f"{view.__name__.partition('_')[0]}_{step}_{way.replace('-', '_')}"
            bp.add_url_rule(f"/representative/{step}/{way}", endpoint, bound, methods=[method])


add_person_pages()


@bp.get("/representative/done")
@page("5016", "完成", MEMBER, TAB)
def show_done():
    passed = last_verification(current().enterprise_id)
    if passed is None:
        return go("realname.show_methods")
    return show_here("done.html", None, "done", passed=passed, company=own()[1], level=LEVELS[passed.level])


# -- leaving it


@bp.post("/representative/over")
@page(None, "不办了", ADMINISTRATOR)
def drop_case():
    """「不办了」: what was typed is forgotten."""
    user, _ = own()
    if case := case_of(user, lock=True):
        case.state, case.data, case.handover_hash = "ended", None, None
    session.commit()
    flash("这次法定代表人身份认证不办了，填过的内容已经删掉。要办可以随时重新开始。")
    return redirect(url_for("realname.show_methods"), 303)


def lines(form: DocumentForm, problems) -> list[dict]:
    """Error summary lines; problems that only the view knows stand at their fields too."""
    for each in problems:
        name = each.path.rpartition("/")[2]
        if name in form and not form[name].errors:
            form[name].errors = [each.sentence]
    for field in form:
        field.errors = [translated(error) for error in field.errors]  # the widgets print them as they are
    return summary_of(problems)

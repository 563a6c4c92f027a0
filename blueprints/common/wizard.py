"""The web pages of a document: start, steps, check page, receipt, status; one set of routes for every kind.

State = answers only. After every POST: 303 to the place to go on at, unless something must be shown at once.
"""

import secrets
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask import session as cookie_session

from models.database import session
from models.documents import Document, find_document

from . import clock
from .access import PUBLIC, Needs, Principal, current, page
from .documents import Conflict, NotNow, NotReady, Office, Writer
from .fields import DocumentForm, Problem, Secret, Upload
from .files import FileRefused, look_up_upload, store_upload
from .kinds import Kind, ListStep, Visit
from .numbers import Sentence
from .pages import show, translated
from .printing import pdf_answer
from .records import is_draft, lines_sent, open_reasons, returned
from .samples import sample_answers

CHECK_TITLE = "核对一遍，再提交"


@dataclass(frozen=True)
class Wizard:
    """The routes of one kind on its area's blueprint; endpoints are `<area>.<kind>_<act>`."""

    kind: Kind
    bp: Blueprint
    check_number: str
    status_number: str
    start_number: str
    resume_endpoint: str | None = None  # where a draft without account gets its 续办码

    def url(self, act: str, **values) -> str:
        return url_for(self.endpoint_name(act), **values)

    def endpoint_name(self, act: str) -> str:
        return f"{self.bp.name}.{self.endpoint(act)}"

    def endpoint(self, act: str) -> str:
        return f"{self.kind.slug.replace('-', '_')}_{act}"


def office() -> Office:
    return current_app.config["OFFICE"]


def add_wizard(
    bp: Blueprint, kind: Kind, *, start_number: str, check_number: str, status_number: str, resume: str | None = None
) -> Wizard:
    """Gives the kind its pages under `/<area>/<kind slug>/…`, and lists them where every area finds them."""
    wizard = Wizard(kind, bp, check_number, status_number, start_number, resume)
    # Rights are asked per document: before an account exists the browser's own cookie says which drafts are its.
    needs = kind.needs if kind.needs.login else PUBLIC
    root = f"/{kind.slug}"
    for rule, act, methods, view, number, title in (
        (root, "start", ["GET"], show_start, start_number, kind.title),
        (root, "begin", ["POST"], begin, None, kind.title),
        (f"{root}/<uuid:id>", "show", ["GET"], show_document, status_number, f"{kind.title}：办到哪里了"),
        (f"{root}/<uuid:id>/check", "check", ["GET"], show_check, check_number, CHECK_TITLE),
        (f"{root}/<uuid:id>/check", "submit", ["POST"], submit, check_number, CHECK_TITLE),
        (f"{root}/<uuid:id>/receipt.pdf", "receipt", ["GET"], print_receipt, None, f"{kind.title}回执"),
        (f"{root}/<uuid:id>/withdraw", "ask_withdraw", ["GET"], ask_withdraw, status_number, "撤回申请"),
        (f"{root}/<uuid:id>/withdraw", "withdraw", ["POST"], withdraw, None, "撤回申请"),
        (f"{root}/<uuid:id>/<path:place>", "step", ["GET"], show_step, kind.steps[0].number, kind.title),
        (f"{root}/<uuid:id>/<path:place>", "save", ["POST"], save_step, None, kind.title),
    ):
        bp.add_url_rule(rule, wizard.endpoint(act), _bound(view, wizard, number, title, needs), methods=methods)
    bp.record(lambda state: state.app.config.setdefault("KIND_PAGES", {}).update({kind.slug: wizard}))
    return wizard


def _bound(view, wizard: Wizard, number: str | None, title: str, needs: Needs):
    @page(number, title, needs)
    def bound(**values):
        return view(wizard, **values)

    bound.wizard = wizard
    return bound


# -- who may


def get_own_or_404(wizard: Wizard, id: UUID, what: str = "see") -> Document:
    """The document if this browser or company may: everybody else gets 404."""
    document = find_document(id)
    if document is None or document.kind != wizard.kind.slug or not may_open(document, current(), what):
        abort(404)
    return document


def may_open(document: Document, principal: Principal | None, what: str = "see") -> bool:
    if holds_draft(document):
        return True
    return office().may(document, principal, what)


def holds_draft(document: Document) -> bool:
    """Before an account exists, the signed cookie of the browser names the drafts that it began or resumed."""
    return document.applicant_data is None and str(document.id) in cookie_session.get("drafts", [])


def hold_draft(document: Document) -> None:
    cookie_session["drafts"] = [*cookie_session.get("drafts", []), str(document.id)][-5:]


def name_of_writer() -> str:
    principal = current()
    return principal.name if principal else "填表人"


# -- start


def show_start(wizard: Wizard):
    return show("wizard/start.html", wizard=wizard, kind=wizard.kind)


def begin(wizard: Wizard):
    document = office().start(wizard.kind.slug, current())
    if current() is None:
        hold_draft(document)
    session.commit()
    return redirect(wizard.url("step", id=document.id, place=wizard.kind.steps[0].slug), 303)


def show_document(wizard: Wizard, id: UUID):
    """A draft goes on where it was left; anything else shows its status, its rounds and its receipt."""
    document = get_own_or_404(wizard, id)
    if is_draft(document) and not returned(document):
        return redirect(place_url(wizard, document, office().resume(document)), 303)
    return show_status(wizard, document)


def show_status(wizard: Wizard, document: Document):
    return show(
        "wizard/status.html", number=wizard.status_number, wizard=wizard, kind=wizard.kind, document=document,
        status=office().status(document), lines=lines_sent(document), office=office(),
        open_stages=[(stage, office().due(document, stage)) for stage in office().open_stages(document)],
        resume=place_url(wizard, document, office().resume(document)) if is_draft(document) else None,
        may_withdraw=not document.end_outcome, submission=document.submissions[-1],
    )  # fmt: skip


# -- steps


def place_url(wizard: Wizard, document: Document, path: str | None) -> str:
    """The URL of the page on which `path` (step, step/item, either with /field) is mended; None is the check page."""
    if path is None:
        return wizard.url("check", id=document.id)
    place, field = split_path(wizard.kind, document, path)
    return wizard.url("step", id=document.id, place=place) + (f"#{field}" if field else "")


def split_path(kind: Kind, document: Document, path: str) -> tuple[str, str]:
    """(place, field name or "")."""
    parts = path.split("/")
    step = next(step for step in kind.steps if step.slug == parts[0])
    size = 2 if isinstance(step, ListStep) and len(parts) > 1 else 1
    return "/".join(parts[:size]), "/".join(parts[size:])


def show_step(wizard: Wizard, id: UUID, place: str):
    document = get_own_or_404(wizard, id, "edit")
    visits, _ = office().walk(document)
    if not is_draft(document):
        return redirect(wizard.url("show", id=id), 303)
    form = open_or_404(document, place)
    if is_ahead(visits, form):
        return redirect(place_url(wizard, document, office().resume(document, visits)), 303)
    form.check()
    problems, saved = problems_at(visits, form.place), document.answers.get(form.place)
    if saved is None or saved.typed is None or "kept" in request.args:  # not said to be finished: no complaint yet
        problems = []
        for field in form:
            field.errors = []
    return render_step(wizard, document, form, problems, visits=visits)


def problems_at(visits: list[Visit], place: str) -> list[Problem]:
    """Of the fields of this place, and what a list says of itself or of one of its items."""
    found = [problem for visit in visits for problem in visit.problems]
    return [problem for problem in found if place in (problem.path, problem.path.rpartition("/")[0])]


def is_ahead(visits: list[Visit], form: DocumentForm) -> bool:
    """A page before it was never answered, so what this one asks is not known yet."""
    slugs = [visit.step.slug for visit in visits]
    return not all(visit.is_answered for visit in visits[: slugs.index(form.place.split("/")[0])])


def open_or_404(document: Document, place: str, typed=None) -> DocumentForm:
    try:
        return office().form(document, place, typed)
    except NotNow:
        abort(404)


def render_step(wizard, document, form, problems: list[Problem], *, visits=None, conflict=None, extra=()):
    """One step as it stands, with its problems and the reasons of a return."""
    visits = visits or office().walk(document)[0]
    step = next(step for step in wizard.kind.steps if step.slug == form.place.split("/")[0])
    for field in form:
        field.is_kept = isinstance(field, Secret) and form.has_kept(field)
        field.errors = [translated(error) for error in field.errors]  # the widgets print them as they are
    saved = document.answers.get(form.place)
    sent_back = [(path, reason) for path, reason in open_reasons(document, step.slug)
                 if split_path(wizard.kind, document, path)[0] in (form.place, step.slug)]  # fmt: skip
    items = list_items(wizard, document, step, visits) if isinstance(step, ListStep) else None
    return show(
        step.template, number=step.number, wizard=wizard, kind=wizard.kind, document=document, step=step, form=form,
        problems=[*extra, *(summary_line(problem, form) for problem in problems)], sent_back=sent_back,
        revision=saved.revision if saved else 0, saved=saved, writer=secrets.token_hex(8), conflict=conflict, visits=visits, items=items,
        back=back_url(wizard, document, step, visits), minutes=minutes_left(wizard, document), main_form="step",
        is_list=items is not None and form.place == step.slug, progress=progress(wizard, document, visits, step),
        sample=sample_answers(wizard.kind.slug, form.place) is not None, action=action_url(wizard, document, form),
    )  # fmt: skip


def action_url(wizard: Wizard, document: Document, form: DocumentForm) -> str:
    """An item gets its number when it is saved, so that two people may add items at once."""
    is_new_item = "/" in form.place and form.place not in document.answers
    place = form.place.partition("/")[0] + "/new" if is_new_item else form.place
    return wizard.url("step", id=document.id, place=place)


def summary_line(problem: Problem, form: DocumentForm) -> dict:
    name = problem.path.rpartition("/")[2]
    field = form[name].short_number if name in form else ""
    return {"number": problem.number, "sentence": problem.sentence, "href": f"#{name}", "field": field}


def list_items(wizard: Wizard, document: Document, step: ListStep, visits: list[Visit]) -> list[dict]:
    visit = next(visit for visit in visits if visit.step is step)
    return [
        {
            "url": wizard.url("step", id=document.id, place=place),
            "title": next((field.shown for field in form if field.shown), ""),
            "is_done": not any(problem.path.startswith(place + "/") for problem in visit.problems),
            "place": place,
            "revision": document.answers[place].revision,
        }
        for place, form in visit.forms.items()
    ]


def progress(wizard: Wizard, document: Document, visits: list[Visit], current_step) -> list[dict]:
    """The path with what is done; steps that come only after answers not given yet are not promised."""
    rows, reached = [], True
    for visit in visits:
        done = visit.is_done and not open_reasons(document, visit.step.slug)
        url = wizard.url("step", id=document.id, place=visit.step.slug) if reached else None
        rows.append({"title": visit.step.title, "done": done, "current": visit.step is current_step, "url": url})
        reached = reached and visit.is_answered
    rows.append({"title": "核对提交", "done": False, "current": current_step is None, "url": None})
    return rows


def back_url(wizard: Wizard, document: Document, step, visits: list[Visit]) -> str:
    slugs = [visit.step.slug for visit in visits]
    at = slugs.index(step.slug) if step.slug in slugs else 0
    if at == 0:
        return wizard.url("start")
    return wizard.url("step", id=document.id, place=slugs[at - 1])


def minutes_left(wizard: Wizard, document: Document) -> int | None:
    """Of the time in which the form should be filled; a warning only."""
    if wizard.kind.minutes is None:
        return None
    since = max([document.created_at, *(answer.at for answer in document.answers.values())])
    return max(0, wizard.kind.minutes - int((clock.now() - since).total_seconds() // 60))


def save_step(wizard: Wizard, id: UUID, place: str):
    """Keeps whatever was typed; `go`: next | keep | auto | sample | drop:<field> | remove | frame:<switch>."""
    document = get_own_or_404(wizard, id, "edit")
    act, revision = request.form.get("go", "next"), request.form.get("revision", 0, int)
    place = request.form.get("new_item") or place  # a new item that was saved while it was typed
    if act == "remove":
        return remove_item(wizard, document, place, revision)
    typed, refused = read_posted(document, open_or_404(document, place), act)
    if act == "sample":
        typed |= sample_answers(wizard.kind.slug, place.replace("/new", "")) or {}
    form = open_or_404(document, place, typed)
    try:
        writer = Writer(name_of_writer(), request.form.get("writer", ""), is_automatic=act == "auto")
        problems = office().save(document, form, writer, revision)
    except Conflict as conflict:
        session.rollback()
        document = find_document(id)
        if act == "auto" and document.answers[form.place].writer == writer.page:
            return answer_save(wizard, document, form, [], refused, act)  # its own page was saved later: nothing to add
        return show_conflict(wizard, document, form, conflict)
    except NotNow:
        session.rollback()
        return redirect(wizard.url("show", id=id), 303)
    session.commit()
    return answer_save(wizard, document, form, problems, refused, act)


def answer_save(wizard, document, form, problems, refused, act: str):
    if act == "auto" and request.htmx:
        saved = document.answers[form.place]
        return render_template("wizard/_saved.html", wizard=wizard, document=document, form=form, saved=saved)
    if act.startswith("frame:"):
        return redirect(url_for("portal.switch_frame", **_frame_switch(act), next=request.path), 303)
    if act == "sample" and not problems:
        return redirect(next_url(wizard, document, form), 303)
    if act in ("keep", "auto", "sample") or act.startswith("drop:"):
        flash("已暂存。没填完、填错了都先留着。")
        if refused:
            return render_step(wizard, document, form, [], extra=refused)
        return redirect(wizard.url("step", id=document.id, place=form.place, kept=1), 303)
    if problems or refused:
        return render_step(wizard, document, form, problems, extra=refused)
    if "/" in form.place:  # an item: back to its list
        return redirect(wizard.url("step", id=document.id, place=form.place.split("/")[0]), 303)
    return redirect(next_url(wizard, document, form), 303)


def next_url(wizard, document, form) -> str:
    """The next page that needs something; a page just done is never shown again by itself."""
    return place_url(wizard, document, office().resume(document))


def _frame_switch(act: str) -> dict:
    name, _, value = act.removeprefix("frame:").partition("=")
    return {"name": name, "value": value}


def remove_item(wizard, document, place: str, revision: int):
    try:
        office().remove(document, place, name_of_writer(), revision)
    except (Conflict, NotNow):
        session.rollback()
        flash("这一项刚被改过，没有删除，请再看一遍。")
    else:
        session.commit()
    return redirect(wizard.url("step", id=document.id, place=place.split("/", maxsplit=1)[0]), 303)


def read_posted(document: Document, form: DocumentForm, act: str) -> tuple[dict, list[dict]]:
    """(typed text by field name, refused files). Chosen files are stored now; a refused one leaves the old one."""
    typed, refused = {}, []
    for field in form:
        values = request.form.getlist(field.name)
        if not isinstance(field, Upload):
            typed[field.name] = values
            continue
        kept = [] if act == f"drop:{field.name}" else [value for value in values if _is_own(value, document)]
        typed[field.name] = kept
        upload = request.files.get(field.name)
        if upload and upload.filename:
            try:
                row = store_upload(upload, field.types, field.limit, document_id=document.id)
                typed[field.name] = [str(row.id)]
            except FileRefused as error:
                sentence = Sentence(error.sentence.number, f"「{field.label.text}」：{error.sentence}")
                refused.append({"number": sentence.number, "sentence": sentence, "href": f"#{field.name}"})
    session.commit()  # a file stays though its page meets a conflict
    return typed, refused


def _is_own(file_id: str, document: Document) -> bool:
    """A posted file id counts only if the file was uploaded into this very document."""
    file = look_up_upload(file_id)
    return file is not None and file.document_id == document.id


def show_conflict(wizard, document, form: DocumentForm, conflict: Conflict):
    """Two tabs or two people: both versions are shown, what was typed stays in the form."""
    theirs = office().form(document, form.place)
    rows = [
        (field.label.text, theirs[field.name].shown, field.shown)
        for field in form
        if field.stored and theirs[field.name].shown != field.shown
    ]
    who = Sentence(
        "90012", "这一页在别处改过（{by}，{at}）。您刚填的还在下面，核对后再保存，就以您的为准。",
        by=conflict.theirs.by, at=f"{clock.local(conflict.theirs.at):%H:%M}",
    )  # fmt: skip
    extra = [{"number": "90012", "sentence": who, "href": "#step"}]
    return render_step(wizard, document, form, [], conflict=rows, extra=extra)


# -- check and submit


def show_check(wizard: Wizard, id: UUID, refused=()):
    document = get_own_or_404(wizard, id, "edit")
    if not is_draft(document):
        return redirect(wizard.url("show", id=id), 303)
    visits, _ = office().walk(document)
    if not refused and (path := office().resume(document, visits)):
        return redirect(place_url(wizard, document, path), 303)
    problems = [
        {"number": problem.number, "sentence": problem.sentence, "href": place_url(wizard, document, problem.path)}
        for problem in refused or office().problems(document)
    ]
    parts = [
        (visit.step, [(form.place, [field for field in form if field.name in form.values]) for form in visit.forms.values()])
        for visit in visits
    ]  # fmt: skip
    return show(
        wizard.kind.check_template, number=wizard.check_number, wizard=wizard, kind=wizard.kind, document=document,
        parts=parts, problems=problems, progress=progress(wizard, document, visits, None), title=CHECK_TITLE,
    )  # fmt: skip


def submit(wizard: Wizard, id: UUID):
    """Submits once: a second click finds it submitted and shows the receipt."""
    document = get_own_or_404(wizard, id, "edit")
    try:
        office().submit(document, name_of_writer(), current())
    except NotReady as error:
        session.rollback()
        return show_check(wizard, id, error.problems)
    except NotNow:
        session.rollback()
    else:
        session.commit()
        flash("已经提交，不用再交一次。")
    return redirect(wizard.url("show", id=id), 303)


def print_receipt(wizard: Wizard, id: UUID):
    document = get_own_or_404(wizard, id)
    if not document.submissions:
        abort(404)
    html = render_template(
        "wizard/receipt_print.html", wizard=wizard, kind=wizard.kind, document=document, lines=lines_sent(document),
        status=office().status(document), submission=document.submissions[-1],
    )  # fmt: skip
    return pdf_answer(html, f"{document.number}.pdf")


def ask_withdraw(wizard: Wizard, id: UUID):
    document = get_own_or_404(wizard, id, "edit")
    return show("wizard/withdraw.html", number=wizard.status_number, wizard=wizard, kind=wizard.kind, document=document)


def withdraw(wizard: Wizard, id: UUID):
    document = get_own_or_404(wizard, id, "edit")
    try:
        office().withdraw(document, name_of_writer(), current())
    except NotNow:
        session.rollback()
        flash("这份申请已经办完，不能撤回了。")
    else:
        session.commit()
        flash("已撤回。要再办，请重新申请。")
    return redirect(wizard.url("show", id=id), 303)

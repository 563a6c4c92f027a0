"""The steps of a document: show, keep whatever was typed, go on; two people on one page, files, items of lists."""

import secrets
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for

from models.database import session
from models.documents import Document, find_document

from . import clock
from .documents import Conflict, NotNow
from .fields import DocumentForm, Problem, Secret, Upload
from .files import FileRefused, look_up_upload, store_upload
from .kinds import ListStep, Visit
from .numbers import Sentence
from .pages import show, translated
from .records import Writer, is_draft, open_reasons
from .samples import sample_answers
from .wizard_base import (
    Wizard,
    get_own_or_404,
    name_of_writer,
    office,
    place_url,
    progress,
    split_path,
    wizard_of,
)


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
    advised = {}
    for each in form.advice():
        advised.setdefault(each.path, []).append(each)
    for field in form:
        field.advised = advised.get(form.path(field), ())
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


def show_minutes(wizard: Wizard, id: UUID):
    """A part of the page; opened by itself it leads back to the document."""
    document = get_own_or_404(wizard, id)
    if not request.htmx:
        return redirect(wizard.url("show", id=id), 303)
    minutes = minutes_left(wizard, document)
    return render_template("wizard/_minutes.html", wizard=wizard, document=document, minutes=minutes or 0)


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
    office().turn(document, place, typed)
    wizard = wizard_of(document)
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
    if act in ("keep", "auto", "sample", "extend") or act.startswith(("drop:", "swap:")):
        flash("已延长30分钟，填过的都留着。" if act == "extend" else "已暂存。没填完、填错了都先留着。")
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
        typed[field.name], why_not = read_files(document, field, values, act)
        refused += why_not
    session.commit()  # a file stays though its page meets a conflict
    return typed, refused


def read_files(document: Document, field: Upload, values: list[str], act: str) -> tuple[list[str], list[dict]]:
    """The ids that the field holds now: kept ones, chosen ones at their end or in place of the one before (`swap:`)."""
    kept, refused = [value for value in values if _is_own(value, document)], []
    gone = act.removeprefix("drop:") if act.startswith(f"drop:{field.name}:") else ""
    place = act.removeprefix(f"swap:{field.name}:") if act.startswith(f"swap:{field.name}:") else None
    kept = [value for value in kept if gone != f"{field.name}:{value}"]
    for upload in request.files.getlist(field.name):
        if not upload.filename:
            continue
        try:
            new = str(store_upload(upload, field.types, field.limit, document_id=document.id).id)
        except FileRefused as error:
            sentence = Sentence(error.sentence.number, f"「{field.label.text}」：{error.sentence}")
            refused.append({"number": sentence.number, "sentence": sentence, "href": f"#{field.name}"})
            continue
        if place in kept:
            kept[kept.index(place)] = new
        else:
            kept = [*kept, new] if field.pages > 1 else [new]
    return kept, refused


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

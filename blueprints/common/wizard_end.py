"""The end of a draft and what comes after: check page, submission, status with receipt, withdrawal."""

from uuid import UUID

from flask import abort, flash, redirect, render_template

from models.database import session
from models.documents import Document

from . import clock
from .access import current
from .documents import NotNow, NotReady
from .pages import show
from .printing import pdf_answer
from .records import is_draft, lines_sent
from .wizard_base import CHECK_TITLE, Wizard, get_own_or_404, name_of_writer, office, place_url, progress


def show_status(wizard: Wizard, document: Document, problems=()):
    return show(
        "wizard/status.html", number=wizard.status_number, wizard=wizard, kind=wizard.kind, document=document,
        status=office().status(document), lines=lines_sent(document), office=office(),
        open_stages=[(stage, office().due(document, stage)) for stage in office().open_stages(document)],
        resume=place_url(wizard, document, office().resume(document)) if is_draft(document) else None,
        may_withdraw=not document.end_outcome, submission=document.submissions[-1], problems=problems,
    )  # fmt: skip


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
        parts=parts, problems=problems, advice=advice_lines(wizard, document), progress=progress(wizard, document, visits, None), title=CHECK_TITLE,
    )  # fmt: skip


def advice_lines(wizard: Wizard, document: Document) -> list[dict]:
    return [
        {"number": each.number, "sentence": each.sentence, "href": place_url(wizard, document, each.path)}
        for each in office().advice(document)
    ]


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
    return pdf_answer(receipt_html(wizard, document), f"{document.number}.pdf")


def receipt_html(wizard: Wizard, document: Document, seal=None) -> str:
    """The receipt as it is printed; `seal`: that stands on it, its image to be handed to `pdf_answer` by its id."""
    return render_template(
        "wizard/receipt_print.html", wizard=wizard, kind=wizard.kind, document=document, lines=lines_sent(document),
        status=office().status(document), submission=document.submissions[-1], seal=seal, now=clock.now(),
    )  # fmt: skip


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

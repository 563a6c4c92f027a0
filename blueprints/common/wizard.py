"""The web pages of a document: start, steps, check page, receipt, status; one set of routes for every kind.

State = answers only. After every POST: 303 to the place to go on at, unless something must be shown at once.
"""

from uuid import UUID

from flask import Blueprint, flash, redirect, request

from models.database import session
from models.documents import find_document

from .access import PUBLIC, Needs, current, page
from .kinds import Kind
from .limits import Limit
from .numbers import Sentence
from .pages import show
from .records import is_draft, returned
from .wizard_base import CHECK_TITLE, Wizard, get_own_or_404, hold_draft, office, place_url, wizard_of
from .wizard_end import ask_withdraw, print_receipt, show_check, show_status, submit, withdraw
from .wizard_steps import save_step, show_minutes, show_step

BY_ADDRESS = Limit("drafts-address", 120, 60)  # begun without an account; a whole hall may stand behind one address


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
        (f"{root}/<uuid:id>/minutes", "minutes", ["GET"], show_minutes, None, f"{kind.title}：还剩几分钟"),
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
        return view(relative(wizard, values.get("id")), **values)

    bound.wizard = wizard
    return bound


def relative(wizard: Wizard, id: UUID | None) -> Wizard:
    """The wizard of the kind that the draft has become meanwhile (its own page saved it): one family has one set of paths."""
    document = find_document(id) if id and wizard.kind.becomes else None
    other = wizard_of(document) if document else wizard
    return other if other.kind.becomes is wizard.kind.becomes else wizard


def show_start(wizard: Wizard):
    return show("wizard/start.html", wizard=wizard, kind=wizard.kind)


def begin(wizard: Wizard):
    if current() is None and (wait := count_stranger()):
        words = Sentence("90284", "从这里新开的申请太多，请过{wait}分钟再开始；已经开始的可以接着填", wait=wait)
        flash(str(words))
        return redirect(wizard.url("start"), 303)
    document = office().start(wizard.kind.slug, current())
    if current() is None:
        hold_draft(document)
    session.commit()
    return redirect(wizard.url("step", id=document.id, place=wizard.kind.steps[0].slug), 303)


def count_stranger() -> int:
    """0: a draft more may be begun from this address. Else minutes to wait."""
    address = request.remote_addr or ""
    BY_ADDRESS.lock(address)
    if not (wait := BY_ADDRESS.minutes_left(address)):
        BY_ADDRESS.add(address)
    return wait


def show_document(wizard: Wizard, id: UUID):
    """A draft goes on where it was left; anything else shows its status, its rounds and its receipt."""
    document = get_own_or_404(wizard, id)
    if is_draft(document) and not returned(document):
        return redirect(place_url(wizard, document, office().resume(document)), 303)
    return show_status(wizard, document)

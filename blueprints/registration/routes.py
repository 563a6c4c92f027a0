"""Pages 2001–2015: where registration starts, the pages of its five kinds, and the resume code."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, request
from flask import session as cookie_session
from wtforms.validators import ValidationError

from blueprints.common import proofs
from blueprints.common.access import PUBLIC, page
from blueprints.common.fields import Upload
from blueprints.common.numbers import Sentence, masked
from blueprints.common.pages import go, show
from blueprints.common.records import is_draft
from blueprints.common.spoken_codes import is_well_typed, normalised
from blueprints.common.wizard import add_wizard
from blueprints.common.wizard_base import hold_draft, may_open, office, place_url, wizard_of
from models.database import session
from models.documents import Document, find_document, lock_document

from . import resume
from .forms import KIND_OF_TYPE, open_types, region
from .kinds import KINDS

bp = Blueprint("registration", __name__, url_prefix="/registration")
NUMBERS = {"start_number": "2010", "check_number": "2011", "status_number": "2012"}


@bp.get("/")
@page("2010", "用户注册", PUBLIC)
def show_start():
    kinds = {kind.slug: kind for kind in KINDS}
    shown = [(row, kinds[KIND_OF_TYPE[row["slug"]]]) for row in open_types(region())]
    closed = [row for row in region()["registration"]["account_types"] if row not in open_types(region())]
    return show("registration/start.html", kind=KINDS[0], wizard=WIZARDS[0], types=shown, closed=closed)


WIZARDS = [add_wizard(bp, kind, **NUMBERS, resume="registration.make_resume_code") for kind in KINDS]


def get_own_draft_or_404(id: UUID) -> Document:
    document = find_document(id)
    if document is None or document.kind not in [kind.slug for kind in KINDS] or not may_open(document, None):
        abort(404)
    return document


@bp.post("/drafts/<uuid:id>/resume-code")
@page("2014", "续办码", PUBLIC)
def make_resume_code(id):
    """Shown once; only its keyed hash is kept."""
    document = get_own_draft_or_404(id)
    code = resume.new_code(document)
    session.commit()
    return show(
        "registration/resume_code.html", code=code, document=document, wizard=wizard_of(document), days=resume.DAYS
    )


@bp.get("/resume")
@page("2013", "用续办码接着填", PUBLIC)
def ask_resume_code():
    return show("registration/resume.html", error=None)


@bp.post("/resume")
@page("2013", "用续办码接着填", PUBLIC)
def use_resume_code():
    try:
        document = check_resume_code(request.form.get("code", ""))
    except ValidationError as error:
        session.commit()
        return show("registration/resume.html", error=error.args[0], typed=request.form.get("code", ""))
    if str(document.id) in cookie_session.get("drafts", []):
        return open_draft(document)
    cookie_session["resuming"] = {"id": str(document.id)}
    send_proof(document)
    session.commit()
    return go("registration.ask_proof")


def check_resume_code(typed: str) -> Document:
    """The draft. Raises `ValidationError` with a numbered sentence; failures are limited, per address and in all."""
    code, address = normalised(typed), request.remote_addr or ""
    if wait := max(resume.ADDRESS_LIMIT.minutes_left(address), resume.GLOBAL_LIMIT.minutes_left("all")):
        raise ValidationError(Sentence("90221", "试的次数太多，请过{wait}分钟再试，或打客服热线", wait=wait))
    if not is_well_typed(code, resume.SIZE):
        raise ValidationError(Sentence("90222", "续办码要16位数字，这样输入有一位不对，请对照您抄下的再输一遍"))
    document = resume.find_by_code(code)
    if document is None:
        resume.ADDRESS_LIMIT.add(address)
        resume.GLOBAL_LIMIT.add("all")
        raise ValidationError(Sentence("90223", "没有找到这个续办码：可能用过了（每次用后都换新的），或已过30天"))
    return document


def send_proof(document: Document) -> None:
    """Six digits to the draft's mailbox, else to its phone: who found the code on a slip of paper sees nothing personal."""
    way, to = resume.contact_of(document)
    if not way:
        return
    try:
        proof = proofs.send_code("resume", way, to, asker=request.remote_addr or "", subject="接着填写注册申请")
    except proofs.TooManyMessages as refused:
        flash(str(refused.sentence))
        return
    cookie_session["resuming"] = {"id": str(document.id), "proof": str(proof.id), "address": masked(to), "way": way}


def get_resuming_or_404() -> tuple[dict, Document]:
    state = cookie_session.get("resuming")
    document = state and find_document(UUID(state["id"]))
    return (state, document) if document else abort(404)


@bp.get("/resume/proof")
@page("2015", "核实是您本人", PUBLIC)
def ask_proof():
    return render_proof(*get_resuming_or_404())


def render_proof(state: dict, document: Document, error: Sentence | None = None):
    return show("registration/proof.html", state=state, lines=masked_lines(document), error=error,
                is_sent=bool(document.submissions))  # fmt: skip


def masked_lines(document: Document) -> list[tuple[str, str]]:
    """What is filled in already, everything masked and no attachment: enough to know one's own draft again."""
    visits, _ = office().walk(document)
    return [
        (field.label.text, masked(field.shown) if field.personal else field.shown[:2] + "…")
        for visit in visits
        for form in visit.forms.values()
        for field in form
        if field.stored and field.shown and not isinstance(field, Upload)
    ][:12]


@bp.post("/resume/proof")
@page("2015", "核实是您本人", PUBLIC)
def check_proof():
    state, document = get_resuming_or_404()
    if request.form.get("go") == "without":
        if document.submissions:  # what was sent stays as it was: its attachments and its withdrawal are the owner's
            words = Sentence("90281", "这份申请已经交过，要先用验证码核实是您本人；收不到验证码，请打客服热线")
            return render_proof(state, document, words)
        forget_personal_answers(document)
        return open_draft(document)
    try:
        proofs.check_code("resume", state.get("proof"), request.form.get("proof", ""))
    except proofs.WrongProof as wrong:
        return render_proof(state, document, wrong.sentence)
    return open_draft(document)


def open_draft(document: Document):
    """This browser holds the draft from now on; the code that was used is replaced by a new one."""
    cookie_session.pop("resuming", None)
    hold_draft(document)
    code, wizard = resume.new_code(document), wizard_of(document)
    session.commit()
    flash("找到了您填的内容，接着填就行。")
    if not is_draft(document):
        return redirect(wizard.url("show", id=document.id), 303)
    where = place_url(wizard, document, office().resume(document))
    return show("registration/resume_code.html", number="2014", code=code, document=document, wizard=wizard,
                days=resume.DAYS, where=where)  # fmt: skip


def forget_personal_answers(document: Document) -> None:
    """Without a mailbox nobody can be told apart: personal data and attachments go, the rest goes on."""
    document = lock_document(document.id)
    for visit in office().walk(document)[0]:
        for place, form in visit.forms.items():
            answer = document.answers.get(place)
            if answer and answer.typed:
                gone = {field.name for field in form if field.personal or isinstance(field, Upload)}
                answer.typed = {name: typed for name, typed in answer.typed.items() if name not in gone}
                answer.revision += 1
    document.secrets = None
    session.flush()

"""Pages 4005, 4061–4063: 印章管理 (M89), and the seal on the 回执 of what the company submitted."""

from uuid import UUID

from flask import abort, flash, request, url_for

from blueprints.common import clock
from blueprints.common.access import ADMINISTRATOR, MEMBER, SUBMIT, Needs, Reason, current, get_or_404, page
from blueprints.common.fields import Choice, DocumentForm, Problem, Radio, Rule, Text
from blueprints.common.files import look_up_upload, read_file, write_bytes
from blueprints.common.history import record
from blueprints.common.numbers import Sentence
from blueprints.common.pages import go
from blueprints.common.plain_forms import error_line, page_case, summary_of, typed_fields
from blueprints.common.printing import pdf_answer
from blueprints.common.wizard_base import takes_part, wizard_of
from blueprints.common.wizard_end import receipt_html, show_status
from models.accounts import Enterprise
from models.database import session
from models.documents import Document, find_document
from models.seals import Seal, SealUse, count_uses, find_seal, seals_of, uses_of

from .base import bp, show_here
from .seal_images import LIMIT, SealRefused, clean_upload, draw_personal, draw_round

COMPANY_SEAL, PERSONAL_SEAL = "公章", "法定代表人名章"
PURPOSES = [(each, each) for each in (COMPANY_SEAL, "报关专用章", "合同章", "财务章", PERSONAL_SEAL)]
WORDS = {COMPANY_SEAL: "", "合同章": "合同专用章", "财务章": "财务专用章"}  # on the seal; a 公章 carries the name alone
GENERATED, UPLOADED = "generated", "uploaded"
ORIGINS = {GENERATED: "在这里生成", UPLOADED: "上传图片"}
MOST = 30  # seals of a company


def why_not_stamp(principal) -> Reason | None:
    if principal.role == "administrator" or SUBMIT in principal.rights.values():
        return None
    return Reason("90706", Sentence("90706", "盖章要由本单位的管理员，或者有“录入并提交”权限的操作员来办，请找管理员"))


STAMP = Needs(company=True, also=(why_not_stamp,))


class SealForm(DocumentForm):
    """新增印章; a picture is chosen beside it."""

    name = Text("印章名称", number="406101", limit=30, hint="自己起，像“公章”“2号报关章”")
    purpose = Choice("用途", number="406102", options=PURPOSES)
    origin = Radio("图样", number="406103", options=list(ORIGINS.items()))
    code = Text(
        "印章编码", Rule("90713", "印章编码是13位数字，没有就空着", lambda text: text.isascii() and text.isdigit() and len(text) == 13),
        number="406104", required=False, hint="只用在生成的圆章上，公安备案的13位编码，没有就空着",
        when=lambda case: case.here.get("origin") == GENERATED,
    )  # fmt: skip


@bp.get("/seals")
@page("4005", "印章管理", MEMBER)
def list_seals():
    seals = seals_of(current().enterprise_id)
    may_change = current().role == "administrator"
    return show_here(
        "seals.html", rows=[(seal, count_uses(seal.id)) for seal in seals], origins=ORIGINS, may_change=may_change
    )


@bp.get("/seals/new")
@page("4061", "新增印章", ADMINISTRATOR)
def start_seal():
    return show_seal_form(SealForm(page_case(), "seal", suggested={"origin": GENERATED}))


@bp.post("/seals/new")
@page("4061", "新增印章", ADMINISTRATOR)
def add_seal():
    form, upload = SealForm(page_case(), "seal", typed_fields()), request.files.get("image")
    if problems := form.check() or what_stands_against(form, upload):
        return show_seal_form(form, problems)
    try:
        image = image_of(form.values, upload)
    except SealRefused as refused:
        return show_seal_form(form, [problem("image", refused.sentence)])
    seal = keep_seal(form.values, image)
    session.commit()
    flash("印章已保存。请看清图样，再启用。")
    return go("account.ask_switch_seal", id=seal.id)


def problem(name: str, sentence: Sentence) -> Problem:
    return Problem(f"seal/{name}", sentence.number, sentence)


def what_stands_against(form: SealForm, upload) -> list[Problem]:
    """What can be said only beside the other seals of the company, or without the picture."""
    seals, found = seals_of(current().enterprise_id), []
    if form.values["name"] in [seal.name for seal in seals]:
        form.name.errors = [Sentence("90710", "已经有叫“{name}”的印章，请换一个名称", name=form.values["name"])]
        found.append(problem("name", form.name.errors[0]))
    if len(seals) >= MOST:
        found.append(
            problem("name", Sentence("90709", "印章已经有{most}枚，不能再加；要换图样，请打客服热线", most=MOST))
        )
    if form.values["origin"] == UPLOADED and not (upload and upload.filename):
        found.append(problem("image", Sentence("90711", "请选择印章图片（png或jpg）")))
    return found


def image_of(values: dict, upload) -> bytes:
    """The seal as PNG. Raises `SealRefused`."""
    company = session.get(Enterprise, current().enterprise_id)
    name, person = company.name, (company.representative or {}).get("name")
    session.commit()  # pictures are read and drawn outside of any transaction
    if values["origin"] == UPLOADED:
        return clean_upload(upload.stream.read(LIMIT + 1))
    if values["purpose"] != PERSONAL_SEAL:
        word = WORDS.get(values["purpose"], values["purpose"])
        return draw_round(name, word, values.get("code", ""))
    if not person:
        raise SealRefused(
            Sentence("90712", "本单位的资料里还没有法定代表人姓名，不能生成名章；请先补上，或改选“上传图片”")
        )
    return draw_personal(person)


def keep_seal(values: dict, image: bytes) -> Seal:
    principal = current()
    file = write_bytes(image, "seal.png", "png", enterprise_id=principal.enterprise_id)
    seal = Seal(
        enterprise_id=principal.enterprise_id, name=values["name"], purpose=values["purpose"], origin=values["origin"],
        file_id=file.id, is_enabled=False, created_at=clock.now(), created_by=principal.name,
    )  # fmt: skip
    session.add(seal)
    record("新增印章", f"seal:{seal.id}", principal, name=seal.name)
    return seal


def show_seal_form(form: SealForm, problems=()):
    wrong = next((each.sentence for each in problems if each.path == "seal/image"), None)
    return show_here("seal_form.html", form=form, problems=summary_of(problems), wrong_file=wrong)


@bp.get("/seals/<uuid:id>/uses")
@page("4062", "印章的使用记录", MEMBER)
def list_seal_uses(id):
    seal = get_own_seal_or_404(id)
    return show_here("seal_uses.html", seal=seal, rows=uses_of(seal.id), total=count_uses(seal.id))


def get_own_seal_or_404(id) -> Seal:
    return get_or_404(find_seal(current().enterprise_id, id))


@bp.get("/seals/<uuid:id>/switch")
@page("4063", "停用或启用印章", ADMINISTRATOR)
def ask_switch_seal(id):
    return show_here("seal_switch.html", seal=get_own_seal_or_404(id))


@bp.post("/seals/<uuid:id>/switch")
@page("4063", "停用或启用印章", ADMINISTRATOR)
def switch_seal(id):
    """To the state that the page named: a second click changes nothing."""
    seal, wanted = get_own_seal_or_404(id), request.form.get("to") == "enabled"
    if seal.is_enabled != wanted:
        seal.is_enabled = wanted
        record("启用印章" if wanted else "停用印章", f"seal:{seal.id}", current(), name=seal.name)
    session.commit()
    flash(f"印章“{seal.name}”已{'启用' if wanted else '停用'}。")
    return go("account.list_seals")


@bp.app_context_processor
def seals_on_receipts() -> dict:
    """For the status page of a document: the seals that this person may put on its receipt, and where to send the choice."""
    return {
        "seals_for": seals_for,
        "stamp_url": lambda document: url_for("account.print_sealed", document_id=document.id),
    }


def seals_for(document: Document) -> list[Seal]:
    principal = current()
    if STAMP.unmet(principal) or not (document.submissions and takes_part(document, principal)):
        return []
    return seals_of(principal.enterprise_id, enabled=True)


@bp.post("/seals/print/<uuid:document_id>")
@page(None, "盖章的回执", STAMP)
def print_sealed(document_id):
    """The receipt with the chosen seal on it; each print is kept as one use."""
    document, seal = get_submitted_or_404(document_id), get_own_seal_or_404(chosen_seal())
    wizard = wizard_of(document)
    if not seal.is_enabled:
        disabled = Sentence("90705", "印章“{name}”已经停用，没有盖上；请换一枚，或请管理员启用", name=seal.name)
        return show_status(wizard, document, [error_line(disabled, "seal")])
    html, image = receipt_html(wizard, document, seal=seal), read_file(look_up_upload(str(seal.file_id)))
    use_seal(seal, document, wizard.kind.title)
    session.commit()  # before it is drawn: no print without its row
    return pdf_answer(html, f"{document.number}-sealed.pdf", {str(seal.id): image})


def get_submitted_or_404(document_id) -> Document:
    document = get_or_404(find_document(document_id))
    if not document.submissions or not takes_part(document, current()):
        abort(404)
    return document


def chosen_seal() -> UUID:
    try:
        return UUID(request.form.get("seal", ""))
    except ValueError:
        abort(404)


def use_seal(seal: Seal, document: Document, title: str) -> None:
    principal = current()
    words = f"{title}回执，受理编号{document.number}"
    session.add(SealUse(seal_id=seal.id, by=principal.name, subject=words, at=clock.now()))
    record("使用印章", f"seal:{seal.id}", principal, name=seal.name, number=document.number)

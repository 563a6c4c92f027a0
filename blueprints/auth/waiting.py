"""等待期 of a recovered user name: contacts are told, anybody of them may object (page 3013), time decides the rest."""

import logging
from uuid import UUID

from flask import flash

from blueprints.common import clock
from blueprints.common.access import PUBLIC, Principal, page
from blueprints.common.documents import CannotTakeEffect, NotNow
from blueprints.common.history import record
from blueprints.common.notices import notify
from blueprints.common.numbers import Sentence
from blueprints.common.pages import go, show, show_problem
from blueprints.common.proofs import WrongProof, read_link, send_link
from blueprints.common.records import round_of
from blueprints.common.wizard_base import office
from models.accounts import staff_at
from models.database import session
from models.documents import Document, find_document, last_events_about, lock_document, queue
from models.proofs import Proof

from .base import absolute, bp
from .contacts import contacts_of
from .kinds import TRAY, WAIT, account_of, wait_time
from .recovery import use_link

LOG = logging.getLogger(__name__)
MACHINE = Principal(user_id=UUID(int=0), name="等待期", role="staff", desks=frozenset({TRAY}))
TOLD = "告知账号联系人"
OBJECTION = "账号原来的联系人提出了异议，不能在网上找回。请打客服热线，带上证件到窗口办"
SUBJECT = "有人凭证件找回您的账号"


def settle_recoveries() -> None:
    """A standing loop: tells the contacts, and approves what nobody objected to in time."""
    waiting = [row.document_id for row in queue(frozenset({TRAY}), None, 100)]
    session.commit()
    for document_id in waiting:
        try:
            settle(document_id)
            session.commit()
        except (
            NotNow,
            WrongProof,
        ) as problem:  # decided meanwhile, or too many mails to one address: the next round tries
            session.rollback()
            LOG.info("%s: %s", document_id, problem)


def settle(document_id: UUID) -> None:
    document = lock_document(document_id)
    if not is_waiting(document):
        return
    told = next(iter(last_events_about(f"document:{document.id}", (TOLD,), 1)), None)
    if told is None:
        tell(document)
    elif clock.now() >= told.at + wait_time():
        finish(document)


def is_waiting(document: Document | None) -> bool:
    return document is not None and any(stage.slug == WAIT for stage in office().open_stages(document))


def tell(document: Document) -> None:
    """Each contact gets a link of its own; the time counts from here."""
    user = account_of(office().review_case(document))
    hours = int(wait_time().total_seconds() // 3600)
    for way, address in contacts_of(user) if user else ():
        send_link(
            "objection", address, lambda token: absolute("auth.show_objection", token=token), way=way, user=user,
            asker=f"document:{document.id}", subject=SUBJECT, minutes=hours * 60, keep={"document": str(document.id)},
            words=f"有人凭单位和本人的证件要找回账号{user.shown_name}，{hours}小时后账号的邮箱会换成新的。"
                  "是您本人在办，不用管；不是的，请马上打开下面的地址提出异议，这次找回就会停下。",
        )  # fmt: skip
    record(TOLD, f"document:{document.id}", MACHINE, enterprise_id=user and user.enterprise_id)


def finish(document: Document) -> None:
    """Where no account fits, the applicant reads the same as where the papers did not."""
    try:
        office().approve(document, WAIT, MACHINE, round_of(document))
    except CannotTakeEffect as cannot:
        session.rollback()
        document = lock_document(document.id)
        office().refuse(document, WAIT, MACHINE, round_of(document), cannot.problem.sentence)


@bp.get("/login/objection/<token>")
@page("3013", "对找回提出异议", PUBLIC)
def show_objection(token):
    try:
        proof = read_link("objection", token)
    except WrongProof as wrong:
        return answer_too_late(wrong.sentence)
    document = find_document(UUID(proof.data["document"]))
    return show("auth/objection.html", token=token, document=document, until=proof.until, is_done=False)


@bp.post("/login/objection/<token>")
@page("3013", "对找回提出异议", PUBLIC)
def object_to_recovery(token):
    try:
        object_by(use_link("objection", token))
    except WrongProof as wrong:
        session.rollback()
        return answer_too_late(wrong.sentence)
    except NotNow:
        session.rollback()
        return answer_too_late(Sentence("90577", "这次找回已经办完或停下了"))
    session.commit()
    flash("已经停下这次找回，账号没有变。")
    return go("auth.show_objection_done")


@bp.get("/login/objection")
@page("3013", "对找回提出异议", PUBLIC)
def show_objection_done():
    return show("auth/objection.html", is_done=True)


def object_by(proof: Proof) -> None:
    """Refuses the document; applicant and desk hear of it. Raises `NotNow`."""
    document = lock_document(UUID(proof.data["document"]))
    office().refuse(document, WAIT, MACHINE, round_of(document), OBJECTION)
    record("对找回提出异议", f"document:{document.id}", by="账号联系人")
    for official in staff_at("registration"):
        if official.email:
            notify(official.email, "有人对找回用户名提出异议", f"受理编号：{document.number}\n账号的联系人提出异议，这次找回已经停下。"
                   "可能有人冒用证件，请按规定联系申请人和单位。")  # fmt: skip


def answer_too_late(sentence: Sentence):
    says = [
        ("warn", "bad", sentence),
        ("pencil", "todo", "不是您本人在找回，而账号已经变了：请马上打客服热线，我们先停用账号。"),
    ]
    return show_problem(sentence.number, "这个链接不能用", says, http_status=410)

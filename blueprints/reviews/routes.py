"""Page 9002: one application with everything that helps to decide it, claims and decisions."""

from uuid import UUID

from flask import abort, flash, redirect, request, url_for

from blueprints.common import access, clock
from blueprints.common.access import Principal, page
from blueprints.common.documents import FactsChanged, NotNow, NotReady, NotYours
from blueprints.common.kinds import CannotTakeEffect, Kind, Stage
from blueprints.common.numbers import Sentence
from blueprints.common.plain_forms import error_line, summary_of
from blueprints.common.records import Line, lines_sent, round_of
from blueprints.common.wizard_base import office
from models.database import session
from models.documents import Document, find_document

from . import claims, company_routes, day_routes, queue_routes
from .base import NEEDS, bp, show_here, status_for_officials
from .remarks import machines_waiting, remarks_on, why_not

ROUTES = (queue_routes, day_routes, company_routes)


class Missing(Exception):
    """A return or refusal without a reason."""

    def __init__(self, sentence: Sentence):
        super().__init__(sentence)
        self.sentence = sentence


def get_reviewed_or_404(id: UUID) -> tuple[Document, Kind]:
    document = find_document(id)
    if document is None or not office().is_desk_of(document, access.current()):
        abort(404)
    return document, office().kinds[document.kind]


def stage_to_decide(document: Document) -> Stage | None:
    return next(iter(office().may_decide(document, access.current())), None)


@bp.get("/<uuid:id>")
@page("9002", "审核", NEEDS)
def show_review(id):
    return render_review(*get_reviewed_or_404(id))


def render_review(document: Document, kind: Kind, *, problems=(), typed=None, form=None, changed=None):
    stage, all_lines, beside = stage_to_decide(document), lines_sent(document), kind.beside(document)
    changes = {change.path: change for change in office().changes(document)}
    remarks, typed = remarks_on(document, all_lines, beside), typed or {}
    return show_here(
        "review.html", document=document, kind=kind, stage=stage, changes=changes, total=len(all_lines),
        lines=lines_to_show(all_lines, changes, remarks, typed), only_changed=request.args.get("view") != "all" and bool(changes),
        beside=beside, remarks=remarks, before=decided_reasons(document),
        status=status_for_officials(document), office=office(), round=round_of(document), today=clock.today(),
        form=form or (office().stage_form(document, stage) if stage else None), reasons=reasons_for(kind),
        problems=problems, typed=typed, changed=changed or {}, view=request.args.get("view"),
        waits=machines_waiting(document) if stage else why_not(document, access.current()), **of_stage(document, stage),
    )  # fmt: skip


def lines_to_show(lines: tuple[Line, ...], changes: dict, remarks: dict, typed) -> list[Line]:
    """Of a second look what changed, else what was filled in; with `view=all` the empty ones too."""
    if request.args.get("view") == "all":
        return list(lines)
    said = [line for line in lines if typed.get(f"why:{line.path}") or typed.get(f"say:{line.path}")]
    return [
        line
        for line in lines
        if line in said or (line.path in changes if changes else line.shown or line.path in remarks)
    ]


def of_stage(document: Document, stage: Stage | None) -> dict:
    if stage is None:
        return {"earlier": None, "due": None, "hold": None}
    return {
        "earlier": office().earlier(document, stage.slug), "due": office().due(document, stage),
        "hold": claims.hold_on(document, stage.slug, access.current()),
    }  # fmt: skip


def decided_reasons(document: Document) -> dict[str, str]:
    """Why each field was returned in the round before."""
    last = [d for d in document.decisions if d.round == round_of(document) - 1 and d.outcome == "returned"]
    return {path: reason for decision in last for path, reason in decision.reasons}


def reasons_for(kind: Kind) -> list[str]:
    return office().region["reasons"].get(kind.reasons, [])


@bp.post("/<uuid:id>")
@page("9002", "审核", NEEDS)
def decide(id):
    """`go`: claim | take | put-back | approve | confirm | return | refuse. A decision on an old page is none."""
    document, kind = get_reviewed_or_404(id)
    act = request.form.get("go", "")
    try:
        message = change_claim(document, act) if act in claims.ACTS else carry_out(document, act, access.current())
    except (NotNow, NotYours):
        session.rollback()
        flash("这份申请刚才有变化，您的决定没有记下，请看最新的状态。")
        return redirect(url_for("reviews.show_review", id=id), 303)
    except (FactsChanged, NotReady, CannotTakeEffect, Missing, claims.HeldByAnother) as refused:
        session.rollback()
        return render_refused(find_document(id), kind, refused)
    session.commit()
    return answer_done(document, kind, act, message)


def answer_done(document: Document, kind: Kind, act: str, message: str):
    """After a claim the page goes on with what is typed; after a decision the queue does."""
    flash(message)
    if act not in claims.ACTS:
        return redirect(url_for("reviews.show_queue"), 303)
    if is_typed(document):
        return render_review(document, kind, typed=request.form, form=typed_form(document))
    return redirect(url_for("reviews.show_review", id=document.id, view=request.args.get("view")), 303)


def is_typed(document: Document) -> bool:
    names = {"refusal", *(field.name for field in typed_form(document) or ())}
    return any(value for name, value in request.form.items() if name in names or name[:4] in ("why:", "say:"))


def typed_form(document: Document):
    stage = stage_to_decide(document)
    return office().stage_form(document, stage, request.form.to_dict(flat=False)) if stage else None


def render_refused(document: Document, kind: Kind, refused: Exception):
    """Nothing was decided; what is wrong is said, and all that was typed stays."""
    form, problems, changed = typed_form(document), [], {}
    if isinstance(refused, FactsChanged):
        changed = refused.changes
    elif isinstance(refused, NotReady | CannotTakeEffect):
        found = refused.problems if isinstance(refused, NotReady) else [refused.problem]
        problems = summary_of(found)
        if form:
            form.check()
    else:
        problems = [error_line(refused.sentence, "decision")]
    return render_review(document, kind, problems=problems, typed=request.form, form=form, changed=changed)


def change_claim(document: Document, act: str) -> str:
    return claims.ACTS[act](document, request.form.get("stage", ""), access.current())


def carry_out(document: Document, act: str, principal: Principal) -> str:
    stage = stage_to_decide(document)
    if stage is None:
        raise NotNow(str(document.id))
    slug, round = request.form.get("stage", ""), request.form.get("round", 0, int)
    claims.refuse_if_held(document, slug, principal)
    if act == "return":
        reasons = read_reasons(lines_sent(document))
        office().send_back(document, slug, principal, round, reasons)
        return f"已退回，写了{len(reasons)}项原因，申请人会收到邮件。"
    if act == "refuse":
        office().refuse(document, slug, principal, round, read_refusal())
        return "已不予通过，申请人会收到邮件。"
    knowing = frozenset(request.form.getlist("knowing"))
    if act == "confirm":
        office().confirm(document, slug, principal, round, knowing)
    elif act == "approve":
        office().approve(document, slug, principal, round, request.form.to_dict(flat=False), knowing)
    else:
        raise NotNow(act)
    return f"「{stage.title}」已通过。"


def read_refusal() -> str:
    reason = request.form.get("refusal", "").strip()
    if not reason:
        raise Missing(Sentence("90231", "不予通过要写理由"))
    return reason


def read_reasons(lines: tuple[Line, ...]) -> list[tuple[str, str]]:
    """The chosen reason of a field, and the official's own words after it."""
    reasons = []
    for line in lines:
        chosen, said = (request.form.get(f"{name}:{line.path}", "").strip() for name in ("why", "say"))
        if words := "".join(part for part in (chosen if chosen != "other" else "", said) if part):
            reasons.append((line.path, words))
    if not reasons:
        raise Missing(Sentence("90232", "退回要至少写一项原因：请在要改的那一项后面选原因，或写明怎么改"))
    return reasons

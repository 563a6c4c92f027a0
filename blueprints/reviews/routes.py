"""Pages 9001–9010 of the officials: queue and decision."""

from datetime import date, datetime
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, request, url_for

from blueprints.common import access, clock
from blueprints.common.access import Needs, Principal, page
from blueprints.common.documents import FactsChanged, NotNow, NotReady, NotYours
from blueprints.common.kinds import CannotTakeEffect, Kind, Stage
from blueprints.common.pages import show
from blueprints.common.records import Line, lines_sent, round_of
from blueprints.common.wizard_base import office
from models.database import session
from models.documents import Document, find_document, queue

bp = Blueprint("reviews", __name__, url_prefix="/reviews")
DESKS = ("registration", "data-centre")
NEEDS = Needs(desks=DESKS)
PAGE_SIZE = 20


@bp.get("/")
@page("9001", "审核工作台", NEEDS)
def show_queue():
    principal = access.current()
    rows = queue(principal.desks, read_cursor(request.args.get("after")), PAGE_SIZE + 1)
    shown = [(row, office().kinds[row.document.kind], stage_named(row)) for row in rows[:PAGE_SIZE]]
    cursor = write_cursor(rows[PAGE_SIZE - 1]) if len(rows) > PAGE_SIZE else None
    return show("reviews/queue.html", rows=shown, cursor=cursor, today=clock.today())


def stage_named(row) -> Stage:
    return next(stage for stage in office().kinds[row.document.kind].stages if stage.slug == row.stage)


def write_cursor(row) -> str:
    due = row.due or date(9999, 12, 31)
    return f"{due:%Y%m%d}|{row.opened_at.isoformat()}|{row.document_id}"


def read_cursor(text: str | None) -> tuple | None:
    try:
        due, opened, document_id = (text or "").split("|")
        return datetime.strptime(due, "%Y%m%d").date(), datetime.fromisoformat(opened), UUID(document_id)
    except ValueError:
        return None


def get_reviewed_or_404(id: UUID) -> tuple[Document, Kind]:
    document = find_document(id)
    if document is None or not office().is_desk_of(document, access.current()):
        abort(404)
    return document, office().kinds[document.kind]


@bp.get("/<uuid:id>")
@page("9002", "审核", NEEDS)
def show_review(id):
    document, kind = get_reviewed_or_404(id)
    return render_review(document, kind)


def render_review(document: Document, kind: Kind, *, problems=(), typed=None, stage_form=None, changed=None):
    principal = access.current()
    stage = next(iter(office().may_decide(document, principal)), None)
    changes = {change.path: change for change in office().changes(document)}
    only_changed = request.args.get("view") != "all" and bool(changes)
    lines = [line for line in lines_sent(document) if not only_changed or line.path in changes]
    before = decided_reasons(document)
    form = stage_form or (office().stage_form(document, stage) if stage else None)
    return show(
        "reviews/review.html", document=document, kind=kind, stage=stage, lines=lines, changes=changes,
        only_changed=only_changed, before=before, status=office().status(document), office=office(), form=form,
        reasons=reasons_for(kind), problems=problems, typed=typed or {}, round=round_of(document), changed=changed or {},
        earlier=office().earlier(document, stage.slug) if stage else None, total=len(lines_sent(document)),
        due=office().due(document, stage) if stage else None, today=clock.today(),
    )  # fmt: skip


def decided_reasons(document: Document) -> dict[str, str]:
    """Why each field was returned in the round before."""
    last = [d for d in document.decisions if d.round == round_of(document) - 1 and d.outcome == "returned"]
    return {path: reason for decision in last for path, reason in decision.reasons}


def reasons_for(kind: Kind) -> list[str]:
    return office().region["reasons"].get(kind.reasons, [])


@bp.post("/<uuid:id>")
@page("9002", "审核", NEEDS)
def decide(id):
    """`go`: approve | confirm | return | refuse. The round of the page is checked: no decision on an old page."""
    document, kind = get_reviewed_or_404(id)
    try:
        message = carry_out(document, kind, request.form.get("go"), access.current())
    except (NotNow, NotYours):
        session.rollback()
        flash("这份申请刚才有变化，您的决定没有记下，请看最新的状态。")
        return redirect(url_for("reviews.show_review", id=id), 303)
    except FactsChanged as facts:
        session.rollback()
        return render_review(find_document(id), kind, changed=facts.changes)
    except (NotReady, CannotTakeEffect) as error:
        session.rollback()
        problems = error.problems if isinstance(error, NotReady) else [error.problem]
        return show_refused_decision(find_document(id), kind, problems)
    except MissingReason as error:
        session.rollback()
        return render_review(find_document(id), kind, problems=[error.line], typed=request.form)
    session.commit()
    flash(message)
    return redirect(url_for("reviews.show_queue"), 303)


class MissingReason(Exception):
    """A return or refusal without a reason."""

    def __init__(self, number: str, words: str):
        super().__init__(words)
        self.line = {"number": number, "sentence": words, "href": "#decision"}


def carry_out(document: Document, kind: Kind, act: str | None, principal: Principal) -> str:
    stage = next(iter(office().may_decide(document, principal)), None)
    if stage is None:
        raise NotNow(str(document.id))
    slug, round = request.form.get("stage", ""), request.form.get("round", 0, int)
    if act == "return":
        reasons = read_reasons(lines_sent(document))
        office().send_back(document, slug, principal, round, reasons)
        return f"已退回，写了{len(reasons)}项原因，申请人会收到邮件。"
    if act == "refuse":
        reason = request.form.get("refusal", "").strip()
        if not reason:
            raise MissingReason("90231", "不予通过要写理由")
        office().refuse(document, slug, principal, round, reason)
        return "已不予通过，申请人会收到邮件。"
    knowing = frozenset(request.form.getlist("knowing"))
    if act == "confirm":
        office().confirm(document, slug, principal, round, knowing)
    else:
        office().approve(document, slug, principal, round, request.form.to_dict(flat=False), knowing)
    return f"「{stage.title}」已通过。"


def read_reasons(lines: tuple[Line, ...]) -> list[tuple[str, str]]:
    """The chosen reason of a field, and the official's own words after it."""
    reasons = []
    for line in lines:
        chosen, said = (request.form.get(f"{name}:{line.path}", "").strip() for name in ("why", "say"))
        if words := "".join(part for part in (chosen if chosen != "other" else "", said) if part):
            reasons.append((line.path, words))
    if not reasons:
        raise MissingReason("90232", "退回要至少写一项原因：请在要改的那一项后面选原因，或写明怎么改")
    return reasons


def show_refused_decision(document: Document, kind: Kind, problems):
    """What the decider supplied is wrong, or the world has changed: shown, nothing was decided."""
    lines = [{"number": p.number, "sentence": p.sentence, "href": f"#{p.path.rpartition('/')[2]}"} for p in problems]
    stage = next(iter(office().may_decide(document, access.current())), None)
    form = office().stage_form(document, stage, request.form.to_dict(flat=False)) if stage else None
    if form:
        form.check()
    return render_review(document, kind, problems=lines, stage_form=form, typed=request.form)

"""What all pages of a document share: its addresses, who may open it, and the progress of its path."""

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, abort, current_app, url_for
from flask import session as cookie_session

from models.documents import Document, find_document

from .access import Principal, current
from .documents import Office
from .kinds import Kind, ListStep, Visit
from .records import open_reasons

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


def wizard_of(document: Document) -> Wizard:
    """The pages of its kind, which the answers of a draft may have changed."""
    return current_app.config["KIND_PAGES"][document.kind]


def get_own_or_404(wizard: Wizard, id: UUID, what: str = "see") -> Document:
    """The document if this browser or company may: everybody else gets 404."""
    document = find_document(id)
    if document is None or document.kind != wizard.kind.slug or not may_open(document, current(), what):
        abort(404)
    return document


def may_open(document: Document, principal: Principal | None, what: str = "see") -> bool:
    return holds_draft(document) or takes_part(document, principal, what)


def takes_part(document: Document, principal: Principal | None, what: str = "see") -> bool:
    """Its company does, and this person has the right that the pages of the kind ask for."""
    needs = office().kinds[document.kind].needs
    return office().may(document, principal, what) and not needs.unmet(principal)


def holds_draft(document: Document) -> bool:
    """Before an account exists, the signed cookie of the browser names the drafts that it began or resumed."""
    return document.applicant_data is None and str(document.id) in cookie_session.get("drafts", [])


def hold_draft(document: Document) -> None:
    cookie_session["drafts"] = [*cookie_session.get("drafts", []), str(document.id)][-5:]


def name_of_writer() -> str:
    principal = current()
    return principal.name if principal else "填表人"


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

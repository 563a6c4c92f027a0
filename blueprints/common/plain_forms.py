"""`DocumentForm`s on pages that are no document: a small case, what was posted, lines of an error summary."""

from dataclasses import dataclass, field
from datetime import date

from flask import current_app, request

from . import clock
from .access import Principal, current
from .fields import DocumentForm, Problem
from .numbers import Sentence
from .regions import Region


@dataclass(frozen=True)
class PageCase:
    """What the fields of such a page may look at: who asks, region, day, and `known`, what the page hands in."""

    applicant: Principal | None
    region: Region
    today: date
    known: dict = field(default_factory=dict)
    here: dict = field(default_factory=dict)

    def at(self, here: dict) -> "PageCase":
        return PageCase(self.applicant, self.region, self.today, self.known, here)


def page_form(form: type[DocumentForm], place: str, *, posted: bool = False, suggested=None, **known) -> DocumentForm:
    """With `posted` what the request brought, else what is `suggested` by field name."""
    case = PageCase(current(), current_app.config["REGION"], clock.today(), known)
    return form(case, place, typed_fields() if posted else None, suggested=suggested)


def typed_fields() -> dict[str, list[str]]:
    return {name: values for name, values in request.form.to_dict(flat=False).items() if name != "csrf_token"}


def summary_of(problems: list[Problem]) -> list[dict]:
    """As `macros/forms.html error_summary` takes them."""
    return [{"number": p.number, "sentence": p.sentence, "href": f"#{p.path.rpartition('/')[2]}"} for p in problems]


def problem(name: str, number: str, template: str, **parts) -> Problem:
    """What only the view can know, at the field `name`."""
    return Problem(name, number, Sentence(number, template, **parts))

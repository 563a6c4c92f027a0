"""`DocumentForm`s on pages that are no document: a small case, what was posted, lines of an error summary."""

from dataclasses import dataclass, field, replace
from datetime import date

from flask import current_app, request

from . import clock
from .access import Principal, current
from .fields import DocumentForm, Problem
from .numbers import Sentence
from .regions import Region


@dataclass(frozen=True)
class PageCase:
    """What the fields of such a page may look at: who asks, region, day, and `choices`, what the page hands in."""

    applicant: Principal | None
    region: Region
    today: date
    choices: dict = field(default_factory=dict)
    here: dict = field(default_factory=dict)

    def at(self, here: dict) -> "PageCase":
        return replace(self, here=here)


def page_case(**choices) -> PageCase:
    return PageCase(current(), current_app.config["REGION"], clock.today(), choices)


def page_form(form: type[DocumentForm], place: str, *, posted: bool = False, suggested=None, **choices) -> DocumentForm:
    """With `posted` what the request brought, else what is `suggested` by field name."""
    return form(page_case(**choices), place, typed_fields() if posted else None, suggested=suggested)


def typed_fields() -> dict[str, list[str]]:
    """What was posted, as a form takes it."""
    return {name: values for name, values in request.form.to_dict(flat=False).items() if name != "csrf_token"}


def summary_of(problems: list[Problem]) -> list[dict]:
    """Lines of `macros/forms.html error_summary`."""
    return [error_line(p.sentence, p.path.rpartition("/")[2], p.number) for p in problems]


def error_line(sentence: Sentence, anchor: str, number: str = "") -> dict:
    """One line: what is wrong, and the id on the page where it is mended."""
    return {"number": number or sentence.number, "sentence": sentence, "href": f"#{anchor}"}


def problem(name: str, number: str, template: str, **parts) -> Problem:
    """What only the view can know, at the field `name`."""
    return Problem(name, number, Sentence(number, template, **parts))

"""What the pages of this area share: blueprint, the page with the seven-entry menu at its left, lines of an error summary."""

from flask import Blueprint, current_app, request

from blueprints.common.numbers import Sentence
from blueprints.common.pages import show

from .menu import account_menu

bp = Blueprint("account", __name__, url_prefix="/account")


@bp.app_context_processor
def menus() -> dict:
    return {"account_menu": account_menu}


def show_here(template: str, **values):
    """`templates/account/<template>`, which extends `account/_frame.html` (blocks title and page)."""
    return show(f"account/{template}", **values)


def summary_of(problems) -> list[dict]:
    """Lines of an error summary, from the problems of a form."""
    return [{"number": p.number, "sentence": p.sentence, "href": f"#{p.path.rpartition('/')[2]}"} for p in problems]


def error_line(sentence: Sentence, anchor: str) -> dict:
    return {"number": sentence.number, "sentence": sentence, "href": f"#{anchor}"}


def typed_fields() -> dict[str, list[str]]:
    """What was posted, as a `DocumentForm` takes it."""
    return {name: values for name, values in request.form.to_dict(flat=False).items() if name != "csrf_token"}


class Sheet:
    """What the fields of a plain page look at: the region, what this company may choose from, the fields above."""

    def __init__(self, **choices):
        self.region, self.choices, self.here = current_app.config["REGION"], choices, {}

    def at(self, here):
        self.here = here
        return self

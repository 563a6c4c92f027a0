"""The list of all spoken numbers, taken from the declarations: pages, fields, errors. `docs/numbers.txt` keeps it."""

import re
from pathlib import Path
from uuid import UUID

from .access import Principal
from .fields import DocumentForm
from .kinds import Case

NOBODY = UUID(int=0)
KIND = "\0"
ROOT = Path(__file__).parents[2]
ERROR = re.compile(r'"(90\d{3})",?\s*(?:f?"((?:[^"\\]|\\.)*)")')


def spoken_numbers(app) -> dict[str, str]:
    """{digits: meaning}; a page that makes and changes one thing, or an error said in two places, has both wordings."""
    found: dict[str, set[str]] = {}
    for number, meaning in (*_pages(app), *_kinds(app), *_errors()):
        found.setdefault(number, set()).add(meaning)
    return {number: " | ".join(sorted(said)) for number, said in found.items()}


def _pages(app):
    for view in app.view_functions.values():
        info = getattr(view, "page", None)
        if info and info.number and not hasattr(view, "wizard"):
            yield info.number, info.title


def _kinds(app):
    """A page that several kinds share is called after their area."""
    areas, own = {area.bp.name: area.title for area in app.config["AREAS"]}, {number for number, _ in _pages(app)}
    called: dict[tuple[str, str], list] = {}
    for wizard in app.config["KIND_PAGES"].values():
        for number, meaning in _kind(app, wizard, own):
            called.setdefault((number, meaning), []).append(wizard)
    for (number, meaning), wizards in called.items():
        title = wizards[0].kind.title if len(wizards) == 1 else areas[wizards[0].bp.name]
        yield number, meaning.replace(KIND, title)


def _kind(app, wizard, own):
    """Numbers and meanings, with `KIND` where the kind's name goes."""
    kind = wizard.kind
    if wizard.start_number not in own:
        yield wizard.start_number, KIND
    yield wizard.check_number, f"{KIND}：核对"
    yield wizard.status_number, f"{KIND}：回执"
    for part in (*kind.steps, *kind.stages):
        yield part.number, f"{KIND}：{part.title}"
        yield from _fields(app, kind, part)


def _fields(app, kind, part):
    who = Principal(user_id=NOBODY, name="", role="operator", enterprise_id=NOBODY)
    case = Case(kind, who, app.config["REGION"], None)
    forms = part.form if isinstance(part.form, type) and issubclass(part.form, DocumentForm) else part.form(case)
    for field in forms(case, part.slug):
        yield field.number, f"{part.title}：{field.label.text}"


def _errors():
    """From the source: a number and its sentence stand together wherever an error is declared."""
    for path in sorted((ROOT / "blueprints").rglob("*.py")):
        yield from ERROR.findall(path.read_text("utf-8"))

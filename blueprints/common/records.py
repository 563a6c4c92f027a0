"""What is stored of a document, read: its rounds and reasons, the lines of a snapshot, what differs between two."""

from dataclasses import asdict, dataclass
from uuid import UUID

from models.documents import Answer, Decision, Document

from .access import Principal
from .fields import Choice, DocumentForm, Upload
from .numbers import masked


@dataclass(frozen=True)
class Line:
    """One field as it was sent: path, spoken number, label and shown text of that day, and the value."""

    path: str
    number: str
    heading: str
    label: str
    shown: str
    value: str | list[str]
    personal: bool = False
    kind: str = "text"  # text | choice | file: a file's value is its id

    @property
    def masked(self) -> str:
        """For people without the right to personal data: first 4 and last 4, full length."""
        return masked(self.shown) if self.personal else self.shown

    @property
    def place(self) -> str:
        """Where its field is: `step` or `step/item`."""
        return self.path.rpartition("/")[0]

    @property
    def is_file(self) -> bool:
        return self.kind == "file"


@dataclass(frozen=True)
class Change:
    path: str
    label: str
    before: str | None  # None: was not there
    after: str | None


@dataclass(frozen=True)
class Writer:
    """Who saves: a name for the record, and the page instance it comes from, so that no page conflicts with itself."""

    name: str
    page: str = ""
    is_automatic: bool = False

    def may_follow(self, saved: Answer | None) -> bool:
        """True for what this very page saved before, as long as somebody pressed a button."""
        return bool(saved and self.page and saved.writer == self.page and not self.is_automatic)


def lines_of(heading: str, form: DocumentForm) -> list[Line]:
    """The fields that were asked; secrets are never among them."""
    asked = [field for field in form if field.name in form.values]
    return [Line(form.path(f), f.number, heading, f.label.text, f.shown, f.value, f.personal, _kind(f)) for f in asked]


def _kind(field) -> str:
    if isinstance(field, Upload) and field.value:
        return "file"  # the value is an id or a list of ids
    return "choice" if isinstance(field, Choice) else "text"


def dump(lines) -> list[dict]:
    """As a snapshot stores them."""
    return [asdict(line) for line in lines]


def load(data) -> tuple[Line, ...]:
    return tuple(Line(**line) for line in data)


def values_of(lines) -> dict:
    """The tree of values that a case holds: {step: {field: value}} or {step: {item: {field: value}}}."""
    tree = {}
    for line in lines:
        *branch, name = line.path.split("/")
        node = tree
        for part in branch:
            node = node.setdefault(part, {})
        node[name] = line.value
    return tree


def difference(before, after) -> list[Change]:
    """What changed between two sets of lines, by path, whatever the forms of then and now."""
    then, now = ({line.path: line for line in lines} for lines in (before, after))
    return [
        Change(path, (new or old).label, old and old.masked, new and new.masked)
        for path in then | now
        if (old := then.get(path)) is not (new := now.get(path)) and (old and old.value) != (new and new.value)
    ]


def lines_sent(document: Document) -> tuple[Line, ...]:
    """The lines of the last submission."""
    return load(document.submissions[-1].lines_data)


def round_of(document: Document) -> int:
    return len(document.submissions)


def decided(document: Document, stage: str, round: int | None = None) -> Decision | None:
    wanted = stage, round or round_of(document)
    return next((d for d in document.decisions if (d.stage, d.round) == wanted), None)


def returned(document: Document) -> Decision | None:
    """The return that made it a draft again, if that is where it is."""
    if document.end_outcome:
        return None
    latest = [d for d in document.decisions if (d.round, d.outcome) == (round_of(document), "returned")]
    return latest[0] if latest else None


def is_draft(document: Document) -> bool:
    return not document.end_outcome and (not document.submissions or returned(document) is not None)


def kept_secret(document: Document, path: str) -> str:
    """What was kept of a secret: only the effect asks."""
    place, _, name = path.rpartition("/")
    return document.secrets[place][name][1]


def open_reasons(document: Document, step: str) -> list[tuple[str, str]]:
    """Reasons of the return in this step whose place was not saved since: saving it, even unchanged, answers."""
    sent_back = returned(document)
    if not sent_back:
        return []
    then = document.submissions[-1].revisions
    return [
        (path, reason)
        for path, reason in sent_back.reasons
        if path.split("/")[0] == step and _revision_at(document, path) == then.get(_place_of(document, path))
    ]


def _place_of(document: Document, path: str) -> str:
    return path if path in document.answers else path.rpartition("/")[0]


def _revision_at(document: Document, path: str) -> int | None:
    answer = document.answers.get(_place_of(document, path))
    return answer and answer.revision


def applicant_of(document: Document) -> Principal | None:
    """The principal of the start, as far as declarations may look at it."""
    data = document.applicant_data
    if not data:
        return None
    ids = {name: data[name] and UUID(data[name]) for name in ("user_id", "enterprise_id")}
    return Principal(**{**data, **ids, "desks": frozenset()})


def applicant_data(by: Principal | None) -> dict | None:
    if by is None:
        return None
    names = ("name", "role", "enterprise_name", "uscc", "code", "medium", "level", "origin")
    ids = {name: getattr(by, name) and str(getattr(by, name)) for name in ("user_id", "enterprise_id")}
    return {name: getattr(by, name) for name in names} | ids

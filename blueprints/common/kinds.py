"""What a declaration is made of. Every function in a declaration takes the case and nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from .access import MEMBER, Needs, Principal
from .fields import DocumentForm, Problem, Slot, always, as_list
from .numbers import Sentence
from .regions import Region


@dataclass(frozen=True)
class Fact:
    """What another register says; `revision` changes whenever `parts` do."""

    parts: dict
    source: str
    revision: str


@dataclass(frozen=True)
class Case:
    """All that a declaration may look at. No request, no session.

    `case["step/field"]`, `case["step/item/field"]`, `case["stage/field"]`, `case["step"]`: a value, or None when
    it is not on the path, not yet valid, or not asked.
    """

    kind: "Kind"
    applicant: Principal | None
    region: Region
    today: date
    values: dict = field(default_factory=dict)
    here: dict = field(default_factory=dict)
    given: dict = field(default_factory=dict)  # what the draft was begun with: the data of a card's certificate

    def __getitem__(self, path: str):
        node = self.values
        for part in path.split("/"):
            node = (node or {}).get(part)
        return node

    def known(self, path: str):
        """A part of a fact: `name/part`."""
        name, part = path.split("/")
        fact = self.kind.facts[name](self)
        return fact and fact.parts.get(part)

    def facts(self) -> dict[str, Fact]:
        return {name: fact for name, take in self.kind.facts.items() if (fact := take(self))}

    def knowing(self, slug: str, values: dict) -> "Case":
        return replace(self, values=self.values | {slug: values})

    def at(self, here: dict) -> "Case":
        return replace(self, here=here)


When = Callable[[Case], bool]
Forms = type[DocumentForm] | Callable[[Case], type[DocumentForm]]


def form_class(forms: Forms, case: Case) -> type[DocumentForm]:
    return forms if isinstance(forms, type) else forms(case)


@dataclass(frozen=True)
class Visit:
    """A step of the path as it stands under today's form."""

    step: "Step"
    case: Case  # what it saw
    forms: dict[str, DocumentForm]  # by place
    problems: list[Problem]
    is_started: bool
    is_answered: bool

    @property
    def is_done(self) -> bool:
        return self.is_answered and not self.problems

    @property
    def values(self) -> dict:
        return self.step.values(self.forms)


@dataclass(frozen=True)
class Step:
    """One page. `when` sees only done steps before it on the path. Its place (URL, key) is its slug."""

    number: str
    slug: str
    title: str
    form: Forms
    when: When = always
    template: str = "wizard/step.html"

    def places(self, document) -> list[str]:
        """Where its answers are."""
        return [self.slug]

    def place(self, document, asked: str) -> str | None:
        """The place meant by the end of a URL, if there can be one."""
        return self.slug if asked == self.slug else None

    def values(self, forms) -> dict:
        return forms[self.slug].values

    def problems(self, forms) -> list[Problem]:
        return [problem for form in forms.values() for problem in form.check()]

    def visit(self, document, case: Case) -> Visit:
        forms = {place: self.open(document, case, place) for place in self.places(document)}
        is_started = bool(forms.keys() & document.answers.keys())
        return Visit(self, case, forms, self.problems(forms), is_started, self.slug in document.answers)

    def open(self, document, case: Case, place: str, typed=None, suggested=None) -> DocumentForm:
        """The form at `place` with what is typed now, else with what was saved, else with suggestions."""
        saved = document.answers.get(place)
        typed = saved.typed if saved and typed is None else typed
        return self.form_at(place, case)(case, place, typed, (document.secrets or {}).get(place), suggested)

    def form_at(self, place: str, case: Case) -> type[DocumentForm]:
        return form_class(self.form, case)


@dataclass(frozen=True)
class ListStep(Step):
    """A page with items, each a place of its own (`slug/3`; numbers are never reused).

    Posting the step's own place says 「没有其他了」; until then the step is not done.
    """

    at_least: int = 1
    at_most: int = 200
    unique: tuple[str, ...] = ()

    def places(self, document) -> list[str]:
        return [place for place in self.all_places(document) if document.answers[place].typed is not None]

    def all_places(self, document) -> list[str]:
        """Removed ones too, in the order of their numbers."""
        items = [place for place in document.answers if place.startswith(f"{self.slug}/")]
        return sorted(items, key=lambda place: int(place.rpartition("/")[2]))

    def place(self, document, asked: str) -> str | None:
        items = self.all_places(document)
        return (
            f"{self.slug}/{len(items) + 1}"
            if asked == f"{self.slug}/new"
            else asked
            if asked in (self.slug, *items)
            else None
        )

    def form_at(self, place: str, case: Case) -> type[DocumentForm]:
        return DocumentForm if place == self.slug else super().form_at(place, case)

    def values(self, forms) -> dict:
        return {place.rpartition("/")[2]: form.values for place, form in forms.items()}

    def problems(self, forms) -> list[Problem]:
        problems = super().problems(forms)
        if not self.at_least <= len(forms) <= self.at_most:
            sentence = Sentence(
                "90006", "「{title}」应有{least}至{most}项", title=self.title, least=self.at_least, most=self.at_most
            )
            problems.append(Problem(self.slug, "90006", sentence))
        for name in self.unique:
            seen = set()
            for form in forms.values():
                value = form.values.get(name)
                if value and value in seen:
                    sentence = Sentence("90007", "「{label}」与前面的一项重复，请核对", label=form[name].label.text)
                    problems.append(Problem(f"{form.place}/{name}", "90007", sentence))
                seen.add(value)
        return problems


@dataclass(frozen=True)
class Desk:
    """Officials of this desk decide."""

    name: str

    @property
    def tray(self) -> str:
        """Under which the queue lists what waits here."""
        return self.name

    def admits(self, principal: Principal, document) -> bool:
        return self.name in principal.desks


@dataclass(frozen=True)
class Machine(Desk):
    """A gateway's job decides; what it reports has happened already."""


@dataclass(frozen=True)
class Party:
    """The participant in this role decides, under the customs code it takes part with."""

    role: str

    @property
    def tray(self) -> str:
        return f"party:{self.role}"

    def admits(self, principal: Principal, document) -> bool:
        return any(
            part.role == self.role
            and part.enterprise_id == principal.enterprise_id
            and part.code in (None, principal.code)
            for part in document.participants
        )


@dataclass(frozen=True)
class Stage:
    """Somebody else approves, returns or refuses. Open once all of `after` approved; `()` is side by side.

    `promise`: due on the n-th working day after it opens. `form`: what the decider supplies.
    `auto`: from the case, whether it is approved as it opens. `number`: the decider's page.
    `apart_from`: stages whose decider may not decide this one too (two reviewers).
    """

    number: str
    slug: str
    title: str
    by: Desk | Machine | Party
    after: tuple[str, ...] = ()
    form: Forms = DocumentForm
    promise: int | None = None
    when: When = always
    auto: When = lambda case: False
    apart_from: tuple[str, ...] = ()


@dataclass(frozen=True)
class Beside:
    """What another register says beside the answers: one sentence, and its values by path."""

    sentence: Sentence
    is_well: bool
    values: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Participant:
    """A company's part in a document; who sees it is a join on these rows."""

    role: str
    enterprise_id: UUID
    code: str | None = None
    may: frozenset[str] = frozenset({"see"})

    def is_(self, principal: Principal) -> bool:
        return principal.enterprise_id == self.enterprise_id and self.code in (None, principal.code)


@dataclass(frozen=True)
class Claim:
    """At most `capacity` documents hold (scope, key). Freed at the end, or only unless approved (`stays`)."""

    scope: str
    key: str
    path: str
    sentence: str = "已被占用，请更换"
    capacity: int = 1
    stays: bool = False


class CannotTakeEffect(Exception):
    """The world has changed since submission: what stands at `path` can no longer be done."""

    def __init__(self, path: str, number: str, sentence: str):
        super().__init__(sentence)
        self.problem = Problem(path, number, sentence)


def applicant_only(case: Case) -> list[Participant]:
    who = case.applicant
    if who is None or who.enterprise_id is None:
        return []
    return [Participant("applicant", who.enterprise_id, who.code, frozenset({"see", "edit"}))]


@dataclass(frozen=True)
class Kind:
    """A kind of document. Stages `()` means it takes effect at submission. The slugs of steps and stages differ."""

    number: str
    slug: str
    title: str
    steps: tuple[Step, ...]
    needs: Needs = MEMBER
    edition: str = "1"
    facts: Mapping[str, Callable[[Case], Fact | None]] = field(default_factory=dict)
    initial: Callable[[Case], dict] = lambda case: {}  # place -> suggested values; a suggestion is no answer
    checks: Callable[[Case], list[Problem]] = lambda case: []
    participants: Callable[[Case], list[Participant]] = applicant_only
    claims: Callable[[Case], list[Claim]] = lambda case: []
    stages: tuple[Stage, ...] = ()
    effect: Callable = lambda document, case: None  # same transaction, database only
    index: tuple[str, ...] = ()  # paths whose shown values lists may show and search
    words: Mapping[str, str] = field(default_factory=dict)
    mail_to: Callable[[Case], str | None] = lambda case: None  # where notices go; None: the applicant's own address
    minutes: int | None = None  # time in which a page should be filled; a warning, never a loss
    prepare: tuple[str, ...] = ()  # what to have at hand before starting
    reasons: str = ""  # list of return reasons in the region file
    check_template: str = "wizard/check.html"
    becomes: Callable[[str, dict], str | None] | None = (
        None  # the kind that these answers choose; kinds of one family share it
    )
    submitted: Callable = lambda document: None  # defers what is to be looked up once it was sent
    beside: Callable = lambda document: None  # -> Beside | None, for the officials

    def __post_init__(self):
        slugs = [each.slug for each in (*self.steps, *self.stages)]
        assert len(slugs) == len(set(slugs)), f"{self.slug}: two steps or stages share a slug"
        for stage in self.stages:
            assert {*stage.apart_from} <= {*slugs}, f"{stage.slug} is apart from no stage"
            assert {*stage.after} <= {*slugs[: slugs.index(stage.slug)]}, f"{stage.slug} comes after a later stage"


def slot_claims(forms) -> list[Claim]:
    """Each `Slot` claims one of its seats, without a word from the kind."""
    return [
        Claim(f.scope, f.value, form.path(f), f"「{f.label.text}」已约满，请换一个", f.seats, stays=True)
        for form in forms
        for f in form
        if isinstance(f, Slot) and f.name in form.values and as_list(f.value)
    ]

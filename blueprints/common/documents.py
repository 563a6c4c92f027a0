"""The life of a document: draft, rounds of submission and decisions, one end.

Path, progress, open stages, promise and status are computed at each look, so none can be out of date.
The caller commits. Everything that changes a document takes its row lock first.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy.orm import object_session

from models.accounts import User
from models.database import session
from models.documents import (
    Answer,
    Decision,
    Document,
    Participation,
    Submission,
    claim_seats,
    lock_document,
    next_serial,
    release_seats,
    replace_open_stages,
)

from . import clock
from .access import Principal
from .fields import DocumentForm, Problem
from .history import record
from .kinds import CannotTakeEffect, Case, Fact, Kind, Machine, Stage, Visit, form_class, slot_claims
from .notices import decision_mail, notify
from .numbers import Sentence
from .records import (
    Change,
    Writer,
    applicant_data,
    applicant_of,
    decided,
    difference,
    dump,
    is_draft,
    lines_of,
    lines_sent,
    load,
    open_reasons,
    round_of,
    values_of,
)
from .refusals import Conflict, FactsChanged, NotNow, NotReady, NotYours
from .regions import Region
from .standing import Standing

ACTS = {"approved": "审核通过", "returned": "退回修改", "refused": "不予通过", "withdrawn": "撤回申请"}


@dataclass(frozen=True)
class Office(Standing):
    """Where documents are handled: the kinds of this house in this region."""

    kinds: Mapping[str, Kind]
    region: Region

    # -- the draft

    def start(self, kind: str, by: Principal | None, given: dict | None = None) -> Document:
        if unmet := self.kinds[kind].needs.unmet(by):
            raise NotYours(*unmet)
        document = Document(kind=kind, created_at=clock.now(), applicant_data=applicant_data(by))
        document.given = given
        if by:
            document.applicant_user_id, document.applicant_enterprise_id = by.user_id, by.enterprise_id
        session.add(document)
        session.flush()
        record("开始填写", f"document:{document.id}", by, kind=kind)
        return document

    def walk(self, document: Document) -> tuple[list[Visit], Case]:
        """The path as it stands today, and the case at its end. A step sees only the done steps before it."""
        visits, case = [], self._case(document, {})
        for step in case.kind.steps:
            if step.when(case):
                visits.append(visit := step.visit(document, case))
                case = case.knowing(step.slug, visit.values) if visit.is_done else case
        return visits, case

    def resume(self, document: Document, visits: list[Visit] | None = None) -> str | None:
        """The path to go on at: the first problem, reason or open step. None: the check page."""
        for visit in visits or self.walk(document)[0]:
            reasons = open_reasons(document, visit.step.slug)
            if visit.is_started and visit.problems:
                return visit.problems[0].path
            if reasons or not visit.is_done:
                return reasons[0][0] if reasons else visit.step.slug
        return None

    def form(self, document: Document, place: str, typed: dict | None = None) -> DocumentForm:
        """The form of a place on the path: with `typed`, else as saved, else as suggested. `NotNow` off the path."""
        for visit in self.walk(document)[0]:
            if found := visit.step.place(document, place):
                suggested = visit.case.kind.initial(visit.case).get(found)
                return visit.step.open(document, visit.case, found, typed, suggested)
        raise NotNow(place)

    def turn(self, document: Document, place: str, typed: dict) -> None:
        """A draft that was never sent becomes the kind that its answers choose; what both kinds ask stays answered."""
        choose = self.kinds[document.kind].becomes
        other = choose(place, typed) if choose else None
        if other in self.kinds and other != document.kind and not document.submissions:
            self._lock(document).kind = other
            session.flush()

    def advice(self, document: Document) -> list[Problem]:
        """What should be looked at once more, though it may stay as it is."""
        return [each for visit in self.walk(document)[0] for form in visit.forms.values() for each in form.advice()]

    def save(self, document, form: DocumentForm, by: "str | Writer", revision: int = 0) -> list[Problem]:
        """Keep what `form` (opened with what was typed) holds, wrong or not (暂存), and give its problems.

        What the same page saved a moment ago by itself is no conflict; what it saved later by itself is one.
        Secrets are hashed before the lock is taken. Raises `Conflict`, `NotNow`.
        """
        problems = form.check() + form.keep_secrets()
        document = self._lock(document)
        if not is_draft(document):
            raise NotNow(form.place)
        writer = by if isinstance(by, Writer) else Writer(by)
        if not writer.may_follow(document.answers.get(form.place)):
            self._check_revision(document, form.place, revision, form.typed)
        if form.kept or (document.secrets or {}).get(form.place):
            document.secrets = (document.secrets or {}) | {form.place: form.kept}
        _write(document, form.place, form.typed, writer.name, writer.page)
        return problems

    def remove(self, document: Document, place: str, by: str, revision: int) -> None:
        """Take an item off a list; its number is never used again."""
        document = self._lock(document)
        if not is_draft(document) or "/" not in place or place not in document.answers:
            raise NotNow(place)
        self._check_revision(document, place, revision, {})
        _write(document, place, None, by)

    def _check_revision(self, document, place, revision, typed) -> None:
        saved = document.answers.get(place)
        if saved and saved.revision != revision:
            raise Conflict(saved, typed)

    def _lock(self, document: Document) -> Document:
        assert object_session(document)
        return lock_document(document.id)

    def problems(self, document: Document) -> list[Problem]:
        """All that stands between this draft and its submission."""
        visits, case = self.walk(document)
        problems = []
        for visit in visits:
            if not visit.is_answered:
                sentence = Sentence("90008", "请填写「{title}」", title=visit.step.title)
                problems.append(Problem(visit.step.slug, "90008", sentence))
            elif visit.problems:
                problems += visit.problems
            for path, reason in open_reasons(document, visit.step.slug):
                sentence = Sentence("90009", "请按退回意见修改：{reason}", reason=reason)
                problems.append(Problem(path, "90009", sentence))
        return problems or case.kind.checks(case)

    def submit(self, document: Document, by: str, principal: Principal | None = None) -> Submission:
        """Freeze a snapshot, take the claims, open the stages. `NotReady` leaves the draft as it was."""
        document = self._lock(document)
        if not is_draft(document):
            raise NotNow(str(document.id))
        if problems := self.problems(document):
            raise NotReady(problems)
        visits, case = self.walk(document)
        forms = [(visit.step.title, form) for visit in visits for form in visit.forms.values()]
        with session.begin_nested():
            claims = case.kind.claims(case) + slot_claims(form for _, form in forms)
            if refused := claim_seats(document.id, claims):
                raise NotReady([Problem(c.path, "90010", Sentence("90010", c.sentence)) for c in refused])
            self._freeze(document, visits, case, forms, by)
            record("提交申请", f"document:{document.id}", principal, by=by, round=round_of(document))
            case.kind.submitted(document)
            try:
                self._advance(document)
            except CannotTakeEffect as cannot:
                raise NotReady([cannot.problem]) from cannot
            self._after(document)
        return document.submissions[-1]

    def _freeze(self, document, visits, case, forms, by) -> None:
        lines = [line for title, form in forms for line in lines_of(title, form)]
        places = {place for visit in visits for place in (visit.step.slug, *visit.forms)}
        now = clock.now()
        document.submissions.append(
            Submission(
                number=round_of(document) + 1,
                at=now,
                by=by,
                edition=case.kind.edition,
                revisions={place: document.answers[place].revision for place in sorted(places)},
                lines_data=dump(lines),
                facts_data={name: asdict(fact) for name, fact in case.facts().items()},
            )
        )
        document.participants = [
            Participation(role=p.role, enterprise_id=p.enterprise_id, code=p.code, may=sorted(p.may))
            for p in case.kind.participants(case)
        ]
        document.number = document.number or _new_number(clock.local(now).date())
        shown = {line.path: line.masked for line in lines}
        document.title = "，".join(shown[path] for path in case.kind.index if shown.get(path))

    # -- the round

    def review_case(self, document: Document) -> Case:
        """What was submitted and what the stages of this round supplied; facts as they are now."""
        supplied = [line for d in document.decisions if d.round == round_of(document) for line in load(d.lines_data)]
        return self._case(document, values_of([*lines_sent(document), *supplied]))

    def open_stages(self, document: Document) -> list[Stage]:
        if document.end_outcome or is_draft(document):
            return []
        case = self.review_case(document)
        waiting = {s.slug: s for s in case.kind.stages if s.when(case) and not decided(document, s.slug)}
        return [stage for stage in waiting.values() if not waiting.keys() & set(stage.after)]

    def earlier(self, document: Document, stage: str) -> tuple[Decision, list[Change]] | None:
        """This stage's last approval in an earlier round, and what changed since."""
        for submission in reversed(document.submissions[:-1]):
            decision = decided(document, stage, submission.number)
            if decision and decision.outcome == "approved":
                return decision, difference(load(submission.lines_data), lines_sent(document))
        return None

    def changes(self, document: Document) -> list[Change]:
        """What the last submission changed against the one before."""
        if round_of(document) < 2:
            return []
        return difference(load(document.submissions[-2].lines_data), lines_sent(document))

    def changed_facts(self, document: Document) -> dict:
        """{name: (at submission, now)} where the revisions differ."""
        then = {name: Fact(**fact) for name, fact in document.submissions[-1].facts_data.items()}
        now = self.review_case(document).facts()
        pairs = {name: (then.get(name), now.get(name)) for name in then | now}
        return {name: pair for name, pair in pairs.items() if len({fact and fact.revision for fact in pair}) > 1}

    def stage_form(self, document: Document, stage: Stage, typed=None) -> DocumentForm:
        """What the decider is asked to supply."""
        case = self.review_case(document)
        return form_class(stage.form, case)(case, stage.slug, typed)

    def approve(self, document, stage: str, by: Principal, round: int, typed=None, knowing=frozenset()) -> None:
        """`knowing`: the changed facts that the decider was shown. After `CannotTakeEffect` nothing was decided."""
        document = self._lock(document)
        found = self._to_decide(document, stage, by, round)
        changed = self.changed_facts(document)
        if changed.keys() - knowing and not isinstance(found.by, Machine):
            raise FactsChanged(changed)
        form = self.stage_form(document, found, typed or {})
        if problems := form.check():
            raise NotReady(problems)
        self._decide(document, found, "approved", by, lines_data=dump(lines_of(found.title, form)))

    def confirm(self, document, stage: str, by: Principal, round: int, knowing=frozenset()) -> None:
        """One click: approve as in the earlier round, supplying the same."""
        decision, _ = self.earlier(document, stage) or (None, None)
        if not decision:
            raise NotNow(stage)
        self.approve(document, stage, by, round, values_of(load(decision.lines_data)).get(stage), knowing)

    def send_back(self, document, stage: str, by: Principal, round: int, reasons: list[tuple[str, str]]) -> None:
        """退回: closes the round for all its stages. A reason names a field, an item or a step of the submission."""
        document = self._lock(document)
        found = self._to_decide(document, stage, by, round)
        known = {line.path for line in lines_sent(document)} | document.submissions[-1].revisions.keys()
        if not reasons or {path for path, _ in reasons} - known:
            raise ValueError("a return needs reasons, each at a path of this submission")
        self._decide(document, found, "returned", by, reasons=[list(pair) for pair in reasons])

    def refuse(self, document, stage: str, by: Principal, round: int, reason: str) -> None:
        document = self._lock(document)
        found = self._to_decide(document, stage, by, round)
        self._decide(document, found, "refused", by, reasons=[[stage, reason]])

    def withdraw(self, document, by: str, principal: Principal | None = None) -> None:
        document = self._lock(document)
        if document.end_outcome or not document.submissions:
            raise NotNow(str(document.id))
        self._end(document, "withdrawn")
        record(ACTS["withdrawn"], f"document:{document.id}", principal, by=by)
        self._after(document)

    def _case(self, document, values) -> Case:
        who = applicant_of(document)
        return Case(self.kinds[document.kind], who, self.region, clock.today(), values, given=document.given or {})

    def _to_decide(self, document, slug: str, by: Principal, round: int) -> Stage:
        stage = next((stage for stage in self.open_stages(document) if stage.slug == slug), None)
        if not stage or round != round_of(document):
            raise NotNow(slug)
        if not self._admits(stage, document, by):
            raise NotYours(slug)
        return stage

    def _admits(self, stage: Stage, document, by: Principal) -> bool:
        others = [decision.by for slug in stage.apart_from if (decision := decided(document, slug))]
        return stage.by.admits(by, document) and by.name not in others

    def _decide(self, document, stage: Stage, outcome: str, by: Principal | None, **more) -> None:
        """One decision with everything that follows from it, or nothing."""
        name = by.name if by else "自动确认"
        with session.begin_nested():
            decision = Decision(
                round=round_of(document), stage=stage.slug, stage_title=stage.title, outcome=outcome, by=name,
                at=clock.now(), **{"lines_data": [], "reasons": []} | more,
            )  # fmt: skip
            document.decisions.append(decision)
            record(ACTS[outcome], f"document:{document.id}", by, by=name, enterprise_id=document.applicant_enterprise_id,
                   stage=stage.title, round=decision.round)  # fmt: skip
            if outcome == "refused":
                self._end(document, outcome)
            elif outcome == "approved":
                self._advance(document)
            self._after(document)
            self._tell(document, decision)

    def _advance(self, document) -> None:
        """Approve what approves itself; when no stage is left, take effect and end."""
        case, stages = self.review_case(document), self.open_stages(document)
        if automatic := next((stage for stage in stages if stage.auto(case)), None):
            self._decide(document, automatic, "approved", None)
        elif not stages:
            case.kind.effect(document, case)
            self._end(document, "approved")

    def _end(self, document, outcome: str) -> None:
        document.end_outcome, document.end_at, document.secrets = outcome, clock.now(), None
        release_seats(document.id, approved=outcome == "approved")

    def _after(self, document) -> None:
        """Keeps the desks' queue in step with what is computed."""
        rows = []
        for stage in self.open_stages(document):
            due = self.due(document, stage)
            rows.append({"stage": stage.slug, "desk": stage.by.tray, "opened_at": self.opened(document, stage),
                         "due": due and due[0], "kind": document.kind, "title": document.title,
                         "tail": (document.number or "")[-4:]})  # fmt: skip
        session.flush()
        replace_open_stages(document.id, rows)

    def _tell(self, document, decision: Decision) -> None:
        """Mails the applicant what was decided. An approval that opens another stage of the same desk is told too."""
        case = self.review_case(document)
        address = case.kind.mail_to(case) or _address_of_applicant(document)
        if address:
            notify(address, *decision_mail(self, case.kind, document, decision))

    # -- what is said of it

    def may(self, document: Document, principal: Principal | None, what: str = "see") -> bool:
        """Rows of the submission decide; before it, the applicant's own company and code."""
        if principal is None or principal.enterprise_id is None:
            return False
        if not document.submissions:
            same = document.applicant_enterprise_id == principal.enterprise_id
            return same and (document.applicant_data or {}).get("code") in (None, principal.code)
        return any(
            what in part.may and part.enterprise_id == principal.enterprise_id and part.code in (None, principal.code)
            for part in document.participants
        )

    def may_decide(self, document: Document, principal: Principal) -> list[Stage]:
        return [stage for stage in self.open_stages(document) if self._admits(stage, document, principal)]

    def is_desk_of(self, document: Document, principal: Principal | None) -> bool:
        """Staff of any desk of this kind may look at what was submitted."""
        names = {stage.by.tray for stage in self.kinds[document.kind].stages}
        return bool(principal and document.submissions and names & principal.desks)


def _address_of_applicant(document: Document) -> str | None:
    user = document.applicant_user_id and session.get(User, document.applicant_user_id)
    return user.email if user else None


def _write(document: Document, place: str, typed, by: str, writer: str = "") -> None:
    saved = document.answers.get(place)
    if saved:
        saved.typed, saved.revision, saved.at, saved.by = typed, saved.revision + 1, clock.now(), by
        saved.writer = writer
    else:
        document.answers[place] = Answer(place=place, typed=typed, revision=1, at=clock.now(), by=by, writer=writer)
    session.flush()


def _new_number(day: date) -> str:
    """受理编号: date and a serial of that day, 16 digits."""
    return f"{day:%Y%m%d}{next_serial(f'document:{day:%Y%m%d}'):08d}"

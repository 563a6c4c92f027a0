"""What is said of a document: where it is, who acts next, until when."""

from datetime import date

from models.documents import Document

from . import clock
from .kinds import Kind, Stage
from .numbers import Sentence
from .records import decided, is_draft, returned, round_of

WORDS = {"returned": "退回", "approved": "通过", "refused": "不予通过", "withdrawn": "撤回"}


class Standing:
    """The part of the office that only looks; `kinds`, `open_stages` and `resume` are the office's."""

    def opened(self, document, stage: Stage):
        before = [decision.at for slug in stage.after if (decision := decided(document, slug))]
        return max([document.submissions[-1].at, *before])

    def due(self, document: Document, stage: Stage) -> tuple[date, bool] | None:
        """The promise, counted from the day on which the stage opened; and whether the calendar is provisional."""
        if not stage.promise:
            return None
        opened = clock.local(self.opened(document, stage)).date()
        return clock.working_day_after(opened, stage.promise)

    def words(self, kind: Kind, outcome: str) -> str:
        return (WORDS | dict(kind.words))[outcome]

    def status(self, document: Document) -> Sentence:
        """Where it is, who acts next, until when: one sentence in the kind's own words."""
        kind = self.kinds[document.kind]
        if document.end_outcome:
            day = f"{clock.local(document.end_at):%Y-%m-%d}"
            return Sentence("", "{day}已{outcome}。", day=day, outcome=self.words(kind, document.end_outcome))
        if is_draft(document):
            return self._draft_status(document, kind)
        waiting = [self._waiting(document, stage) for stage in self.open_stages(document)]
        words = waiting[0]
        for more in waiting[1:]:
            words = Sentence("", "{words}；{more}", words=words, more=more)
        return Sentence("", "{words}。", words=words)

    def _draft_status(self, document, kind) -> Sentence:
        path = self.resume(document)
        step = next((step for step in kind.steps if path and step.slug == path.split("/")[0]), None)
        head = Sentence("", "草稿，尚未提交")
        if returned(document):
            word = self.words(kind, "returned")
            head = Sentence("", "第{round}次提交被{returned}，轮到您了", round=round_of(document), returned=word)
        if step is None:
            return Sentence("", "{head}：请核对后提交。", head=head)
        return Sentence("", "{head}：请看页面{number}「{title}」。", head=head, number=step.number, title=step.title)

    def _waiting(self, document, stage) -> str:
        due, provisional = self.due(document, stage) or (None, False)
        if due and due < clock.today():
            return Sentence("", "等待「{title}」，已超过承诺日{due}", title=stage.title, due=due.isoformat())
        if not due:
            return Sentence("", "等待「{title}」", title=stage.title)
        template = "等待「{title}」，预计{due}前办结" if provisional else "等待「{title}」，{due}下班前办结"
        return Sentence("", template, title=stage.title, due=due.isoformat())

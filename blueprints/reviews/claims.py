"""领办: who works on an open stage, so that two officials do not decide the same application against one another."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from blueprints.common import clock
from blueprints.common.access import Principal
from blueprints.common.history import record
from blueprints.common.numbers import Sentence
from blueprints.common.refusals import NotNow, NotYours
from blueprints.common.wizard_base import office
from models.accounts import User
from models.database import session
from models.desks import find_open_stage
from models.documents import Document, OpenStage, lock_document

LASTS = timedelta(hours=2)


@dataclass(frozen=True)
class Hold:
    """A claim as it stands: after two hours it binds nobody."""

    name: str
    at: datetime
    is_mine: bool
    is_live: bool

    @property
    def is_anothers(self) -> bool:
        return self.is_live and not self.is_mine


class HeldByAnother(Exception):
    """Somebody else claimed it less than two hours ago."""

    def __init__(self, name: str):
        super().__init__(name)
        self.sentence = Sentence("90233", "{name}正在办这份申请，要接过来请先点“接过来办”", name=name)


def hold_of(stage: OpenStage, name: str | None, principal: Principal) -> Hold | None:
    if stage.claimed_by is None:
        return None
    is_live = clock.now() - stage.claimed_at < LASTS
    return Hold(name or "", stage.claimed_at, stage.claimed_by == principal.user_id, is_live)


def hold_on(document: Document, stage: str, principal: Principal) -> Hold | None:
    row = find_open_stage(document.id, stage)
    user = row and row.claimed_by and session.get(User, row.claimed_by)
    return hold_of(row, user.shown_name, principal) if user else None


def refuse_if_held(document: Document, stage: str, principal: Principal) -> None:
    """Under the document's lock, so that nobody claims it between this look and the decision."""
    lock_document(document.id)
    hold = hold_on(document, stage, principal)
    if hold and hold.is_anothers:
        raise HeldByAnother(hold.name)


def claim(document: Document, stage: str, principal: Principal) -> str:
    refuse_if_held(document, stage, principal)
    return _set(document, stage, principal, "领办", "这份申请由您领办，两小时里别人不会来决定。")


def take_over(document: Document, stage: str, principal: Principal) -> str:
    lock_document(document.id)
    hold = hold_on(document, stage, principal)
    return _set(document, stage, principal, "接过来办", "这份申请改由您来办了。", before=hold.name if hold else "")


def put_back(document: Document, stage: str, principal: Principal) -> str:
    """Only one's own."""
    lock_document(document.id)
    hold = hold_on(document, stage, principal)
    if not hold or not hold.is_mine:
        raise NotNow(stage)
    row = find_open_stage(document.id, stage)
    row.claimed_by = row.claimed_at = None
    record("放回", f"document:{document.id}", principal, stage=stage)
    return "这份申请放回去了，别人可以领办。"


def _set(document: Document, stage: str, principal: Principal, act: str, message: str, **details) -> str:
    row = find_open_stage(document.id, stage)
    if row is None:
        raise NotNow(stage)
    if stage not in [each.slug for each in office().may_decide(document, principal)]:
        raise NotYours(stage)
    row.claimed_by, row.claimed_at = principal.user_id, clock.now()
    record(act, f"document:{document.id}", principal, stage=stage, **details)
    return message


ACTS = {"claim": claim, "take": take_over, "put-back": put_back}

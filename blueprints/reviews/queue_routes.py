"""Page 9001: what waits at the official's desks, by promise date, filtered and searched."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from flask import request

from blueprints.common import access, clock
from blueprints.common.access import Principal, page
from blueprints.common.kinds import Stage
from blueprints.common.wizard_base import office
from models.desks import Wanted, count_waiting, page_of_queue

from .base import DESKS, NEEDS, bp, foot_of, kinds_at, searched_text, show_here
from .claims import LASTS, hold_of

PAGE_SIZE = 20
DUES = {"overdue": "已超期", "today": "今天到期"}
CLAIMS = {"mine": "我领的", "free": "没人领的"}


@dataclass(frozen=True)
class Search:
    """The search line. What the lists do not know is not searched."""

    desk: str = ""
    kind: str = ""
    due: str = ""
    claim: str = ""
    text: str = ""

    @classmethod
    def from_request(cls, principal: Principal) -> "Search":
        known = {
            "desk": principal.desks, "due": DUES, "claim": CLAIMS,
            "kind": [kind.slug for kind in kinds_at(principal.desks)],
        }  # fmt: skip
        given = {name: request.args.get(name, "") for name in known}
        chosen = {name: value for name, value in given.items() if value in known[name]}
        return cls(text=searched_text(), **chosen)

    def wanted(self, principal: Principal) -> Wanted:
        today, now = clock.today(), clock.now()
        return Wanted(
            self.trays(principal), self.kind, text=self.text, due_before=today if self.due == "overdue" else None,
            due_on=today if self.due == "today" else None, free_since=now - LASTS if self.claim == "free" else None,
            claimed_by=principal.user_id if self.claim == "mine" else None,
        )  # fmt: skip

    def trays(self, principal: Principal) -> frozenset[str]:
        """The desks where what is searched can lie: others are not read."""
        asked = frozenset({self.desk}) if self.desk else principal.desks
        return asked & {stage.by.tray for stage in office().kinds[self.kind].stages} if self.kind else asked

    @property
    def arguments(self) -> dict:
        """For links that keep the search."""
        values = {"desk": self.desk, "kind": self.kind, "due": self.due, "claim": self.claim, "q": self.text}
        return {name: value for name, value in values.items() if value}


@bp.get("/")
@page("9001", "审核工作台", NEEDS)
def show_queue():
    principal = access.current()
    search = Search.from_request(principal)
    wanted = search.wanted(principal)
    after = read_cursor(request.args.get("after"))
    rows = page_of_queue(wanted, after, PAGE_SIZE + 1)
    is_all = after is None and len(rows) <= PAGE_SIZE
    shown = [(row, office().kinds[row.kind], stage_named(row), hold_of(row.OpenStage, row.claimer, principal)) for row in rows[:PAGE_SIZE]]  # fmt: skip
    return show_here(
        "queue.html", rows=shown, search=search, today=clock.today(), **foot_of(len(rows) if is_all else count_waiting(wanted)),
        cursor=write_cursor(rows[PAGE_SIZE - 1].OpenStage) if len(rows) > PAGE_SIZE else None,
        ordinal=max(request.args.get("n", 0, int), 0), dues=DUES, claims=CLAIMS, kinds=kinds_at(principal.desks),
        desks={slug: title for slug, title in DESKS.items() if slug in principal.desks},
    )  # fmt: skip


def stage_named(row) -> Stage:
    return next(stage for stage in office().kinds[row.kind].stages if stage.slug == row.OpenStage.stage)


def write_cursor(stage) -> str:
    due = f"{stage.due:%Y%m%d}" if stage.due else ""
    return f"{due}|{stage.opened_at.isoformat()}|{stage.document_id}|{stage.stage}"


def read_cursor(text: str | None) -> tuple[date | None, datetime, UUID, str] | None:
    """None for anything that is no cursor of ours: the first page."""
    try:
        due, opened, document_id, stage = (text or "").replace("\0", "").split("|")
        moment = datetime.fromisoformat(opened)
        day = datetime.strptime(due, "%Y%m%d").date() if due else None
        return (day, moment, UUID(document_id), stage) if moment.tzinfo else None
    except ValueError:
        return None

"""What stands beside the answers on page 9002: the company register, soft rules, and why nothing is to be decided."""

from blueprints.common import clock
from blueprints.common.access import Principal
from blueprints.common.kinds import Beside, Machine, Stage
from blueprints.common.numbers import Sentence
from blueprints.common.records import Line, decided
from blueprints.common.wizard_base import office
from models.documents import Document

Remark = tuple[str, str, Sentence]  # icon, tone, words


def remarks_on(document: Document, lines: tuple[Line, ...], beside: Beside | None) -> dict[str, list[Remark]]:
    """By path of the answer."""
    found: dict[str, list[Remark]] = {}
    for line in lines:
        if beside and (beside.values.get(line.path) or (line.shown and line.path in beside.values)):
            found[line.path] = [compared(line, beside.values[line.path])]
    for problem in office().advice(document):
        found.setdefault(problem.path, []).append(("pencil", "todo", problem.sentence))
    return found


def compared(line: Line, known: str) -> Remark:
    if {line.shown, line.value if isinstance(line.value, str) else ""} & {known, *known.split("、")}:
        return "tick", "ok", Sentence("", "登记库一致")
    return "warn", "bad", Sentence("", "登记库：{value}", value=known or "—")


def why_not(document: Document, principal: Principal) -> list[Sentence]:
    """What waits, where this official has nothing to decide."""
    sentences = [words for stage in office().open_stages(document) if (words := waits_for(document, stage, principal))]
    return sentences or [Sentence("", "现在没有等您决定的环节。")]


def waits_for(document: Document, stage: Stage, principal: Principal) -> Sentence | None:
    if isinstance(stage.by, Machine):
        return machine_waits(document, stage)
    earlier = next((d for slug in stage.apart_from if (d := decided(document, slug)) and d.by == principal.name), None)
    if earlier and stage.by.admits(principal, document):
        return Sentence("90234", "“{earlier}”是您审的，“{stage}”要由另一位审核人员来审，您这里不能再决定。",
                        earlier=earlier.stage_title, stage=stage.title)  # fmt: skip
    return None


def machine_waits(document: Document, stage: Stage) -> Sentence:
    since = f"{clock.local(office().opened(document, stage)):%m月%d日%H:%M}"
    return Sentence(
        "",
        "“{stage}”由系统来办：{since}起在等，有了结果会自己往下走，不用人来决定。",
        stage=stage.title,
        since=since,
    )


def machines_waiting(document: Document) -> list[Sentence]:
    return [machine_waits(document, stage) for stage in office().open_stages(document) if isinstance(stage.by, Machine)]

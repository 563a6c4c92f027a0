"""The texts of the client-control protocol: hello, request, answer, the control's error codes."""

import json
from dataclasses import dataclass, field
from typing import Any

from ..outcomes import Outcome, Stop
from .framing import Progress

LONGEST_NAME = 128
# What third-party programs look for; every other outcome has the number that the user can read out.
READER = ("[读卡器底层库]打开读卡器失败:错误码=50200", "Err:Custom50200")
RESET = ("[读卡器底层库]复位读卡器失败:错误码=50070", "Err:Custom50070")
OTHER_CARD = ("[读卡器底层库]没有当前用户的卡:错误码=51590", "Err:Custom51590")
KNOWN = {
    Outcome.NO_SERVICE: READER,
    Outcome.NO_READER: READER,
    Outcome.NO_CARD: READER,
    Outcome.REMOVED: RESET,
    Outcome.CARD_RESET: RESET,
    Outcome.STOPPED: RESET,
    Outcome.WRONG_CARD: OTHER_CARD,
    Outcome.UNKNOWN_CARD: OTHER_CARD,
    Outcome.CONTROL_ARGUMENTS: ("", "Err:Base50000"),
}


@dataclass(frozen=True)
class Call:
    """One request. `id` is given back as it came; `args` may hold a PIN."""

    id: int | str
    method: str
    args: dict[str, Any] = field(repr=False)


class BadCall(Exception):
    """A request that cannot be read; `id` and `method` as far as they could."""

    def __init__(self, call_id: int | str = 0, method: str = "") -> None:
        super().__init__(method)
        self.id, self.method = call_id, method


def read_call(text: str) -> Call:
    """Raises BadCall."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadCall from error
    if not isinstance(value, dict):
        raise BadCall
    call_id, method, args = value.get("_id", 0), value.get("_method"), value.get("args")
    if isinstance(call_id, bool) or not isinstance(call_id, int | str) or len(str(call_id)) > LONGEST_NAME:
        raise BadCall
    if not isinstance(method, str) or not 0 < len(method) <= LONGEST_NAME:
        raise BadCall(call_id)
    if not isinstance(args, dict | None):
        raise BadCall(call_id, method)
    return Call(call_id, method, args or {})


def hello() -> str:
    """What the control says unasked as soon as the connection is open."""
    return message(0, "open", True, [], [])


def success(call_id: int | str, method: str, data: list[Any]) -> str:
    return message(call_id, method, True, data, [])


def failure(call_id: int | str, method: str, stop: Stop) -> str:
    """`_status` stays 00: programs look at Result and at Error, [text, code]."""
    return message(call_id, method, False, [], describe(stop))


def describe(stop: Stop) -> list[str]:
    """Text and code: the control's own where it has one for this, then our sentence and the number to read out."""
    text, code = KNOWN.get(stop.outcome, ("", f"Err:Bridge{stop.outcome.shown}"))
    return [f"{text}{'。' if text else ''}{stop.sentence}编号{stop.outcome.shown}", code]


def next_block(progress: Progress) -> str:
    """Asks for a block, or says that the group is at its end."""
    data = {
        "id": progress.number,
        "guid": progress.group,
        "next": progress.wanted,
        "finish": progress.is_finished,
    }
    error = [progress.error, "Err:Base50000"] if progress.error else []
    return message(0, "_nextBlock", progress.is_good and not error, [data], error)


def message(call_id: int | str, method: str, result: bool, data: list[Any], error: list[str]) -> str:
    args = {"Result": result, "Data": data, "Error": error}
    return json.dumps({"_id": call_id, "_method": method, "_status": "00", "_args": args})

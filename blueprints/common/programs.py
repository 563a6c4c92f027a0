"""What programs may ask of export declarations. The area that does it registers how; the API's area asks here.

    offer(Exports(columns=…, look=…, …))      # once, at import
    exports().look(principal, strategy, task, batch)

Functions take models and plain values, add and flush; the caller commits. What cannot be done raises `NotTaken`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from models.exports import Import, Strategy, Task
from models.orders import Push

from .numbers import Sentence

MOST_TROUBLES = 1000  # that one answer tells


class NotTaken(Exception):
    """The request is answered by `status` and `sentence`."""

    def __init__(self, status: int, sentence: Sentence):
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


@dataclass(frozen=True)
class Batch:
    """Orders as they came: `rows` of cells by the strategy's columns, or a workbook's `data` of `kind` (xlsx, csv; "": rows)."""

    rows: list[list[str]] = field(default_factory=list)
    data: bytes = b""
    kind: str = ""
    name: str = "orders.csv"


@dataclass(frozen=True)
class Trouble:
    """One wrong cell: `row` of the batch (of a workbook as the spreadsheet program counts, else from 0), column's key."""

    row: int
    column: str
    number: str
    value: str
    cause: str
    fix: str


@dataclass(frozen=True)
class Look:
    """What a batch would become. `right`: the batch's rows of the right orders (of a workbook none); `blocked`: why nothing could be declared."""

    orders: int
    right: list[list[str]]
    troubles: list[Trouble]
    trouble_count: int
    blocked: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Exports:
    """`columns(strategy)` → keys; `kind_of(task)` → what its rows become; `look(principal, strategy, task, batch, deep)` → Look, nothing is kept;
    `open_task(principal, strategy, client_number)` → Task; `take(principal, task, batch, whole)` → Import, `whole`: all or nothing;
    `generate(principal, task)`; `push(principal, task, kind)` → (Push, whether it is signed by itself);
    `guids_in(content)` → documents that a file of customs speaks of, None where it cannot be read."""

    columns: Callable[[Strategy], tuple[str, ...]]
    kind_of: Callable[[Task], str]
    look: Callable[..., Look]
    open_task: Callable[..., Task]
    take: Callable[..., Import]
    generate: Callable[..., None]
    push: Callable[..., tuple[Push, bool]]
    guids_in: Callable[[bytes], list | None]


class _Offer:
    current: Exports


def offer(service: Exports) -> None:
    _Offer.current = service


def exports() -> Exports:
    return _Offer.current

"""Bodies of requests: JSON read strictly, orders in it turned into rows, problems told by their place (JSON Pointer)."""

import json
from typing import Any

from flask import request

from blueprints.common.numbers import Sentence
from blueprints.common.programs import Batch, Trouble

from .base import BODY_LIMIT, Refused

MOST_PARTS = 1_000_000  # brackets and commas: what a body of 50 MB may become in memory
WORKBOOKS = {
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("xlsx", "orders.xlsx"),
    "text/csv": ("csv", "orders.csv"),
}
JSON = "application/json"
SHAPE = {
    "object": ("要是一个对象", "请对照接口说明改"),
    "list": ("要是一个列表，至少有一项", "请对照接口说明改"),
    "text": ("要是文字或数字", "请用引号写成文字，或直接写数字"),
    "missing": ("没有填", "请补上"),
    "unknown": ("没有这个字段", "请对照接口说明改名或删掉"),
}
WRONG_SHAPE = "90856"


class _Twice(ValueError):
    pass


def read_body() -> bytes:
    """Raises 413 beyond the limit."""
    request.max_content_length = BODY_LIMIT
    return request.get_data(cache=False)


def media_type() -> str:
    """What the body is: JSON or one of WORKBOOKS. Raises `Refused`."""
    if request.mimetype == JSON or request.mimetype in WORKBOOKS:
        return request.mimetype
    raise Refused(
        415, Sentence("90864", "Content-Type要写明：JSON是application/json，CSV是text/csv，xlsx用它自己的类型")
    )


def read_json(data: bytes) -> dict:
    """An object whose numbers are texts as they were written. Raises `Refused`: also for NaN, keys that come twice,
    what is nested without end or made of too many parts."""
    if sum(map(data.count, (b"[", b"{", b","))) > MOST_PARTS:
        raise Refused(413, Sentence("90863", "一次传的内容太多，请分几次传，或改传表格文件"))
    try:
        found = json.loads(
            data.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_none, parse_float=str, parse_int=str
        )
    except _Twice as twice:
        raise Refused(
            400, Sentence("90855", "JSON里的“{name}”写了两次，不知道用哪一个，请删掉一个", name=str(twice)[:40])
        ) from twice
    except (ValueError, RecursionError) as error:
        raise Refused(400, Sentence("90855", "请求的内容不是正确的JSON（UTF-8），请检查后再传")) from error
    if not isinstance(found, dict):
        raise wrong_shape([problem_at("", "object")])
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict:
    found: dict = {}
    for name, value in pairs:
        if name in found:
            raise _Twice(name)
        found[name] = value
    return found


def _none(text: str) -> Any:
    raise ValueError(text)


def text_of(body: dict, name: str) -> str:
    """A text that must be there. Raises `Refused`."""
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise wrong_shape([problem_at(f"/{name}", "missing" if value in (None, "") else "text")])
    return value.strip()


def check_names(body: dict, *names: str) -> None:
    if unknown := [problem_at(f"/{escape(name)}", "unknown") for name in body if name not in names]:
        raise wrong_shape(unknown)


def escape(name: str) -> str:
    """A name within a JSON Pointer (RFC 6901)."""
    return name[:60].replace("~", "~0").replace("/", "~1")


def problem_at(pointer: str, shape: str) -> dict:
    cause, fix = SHAPE[shape]
    return {"pointer": pointer, "number": WRONG_SHAPE, "value": "", "cause": cause, "fix": fix}


def wrong_shape(problems: list[dict]) -> Refused:
    sentence = Sentence(WRONG_SHAPE, "内容的格式有{count}处不对，什么都没有存，请改好再传", count=len(problems))
    return Refused(400, sentence, problems=problems)


class Orders:
    """Orders of a JSON body as rows by `columns`, of which the first is the order's own number.

    What stands beside `lines` holds for each line of the order; a line may say it otherwise, but for the number.
    """

    def __init__(self, orders: Any, columns: tuple[str, ...]):
        self.rows: list[list[str]] = []
        self._places: list[tuple[int, int]] = []  # (order, line) of each row
        self._columns, self._known = columns, frozenset(columns)
        self._orders, problems = orders, []
        if not isinstance(orders, list) or not orders:
            raise wrong_shape([problem_at("/orders", "list")])
        for index, order in enumerate(orders):
            problems += self._take(index, order)
            if len(problems) >= 100:
                break
        if problems:
            raise wrong_shape(problems)

    def _take(self, index: int, order: Any) -> list[dict]:
        place = f"/orders/{index}"
        if not isinstance(order, dict):
            return [problem_at(place, "object")]
        problems = self._check_cells(place, order, self._known | {"lines"})
        lines = order.get("lines", [{}] if self._is_one_row else None)
        if not isinstance(lines, list) or not lines:
            return [*problems, problem_at(f"{place}/lines", "list")]
        for number, line in enumerate(lines):
            if not isinstance(line, dict):
                problems.append(problem_at(f"{place}/lines/{number}", "object"))
                continue
            problems += self._check_cells(f"{place}/lines/{number}", line, self._known - {self._columns[0]})
            merged = order | line
            self.rows.append([_cell(merged.get(key)) for key in self._columns])
            self._places.append((index, number))
        return problems

    @property
    def _is_one_row(self) -> bool:
        """Of documents without goods (运单) one row is the whole."""
        return "item" not in self._known

    @staticmethod
    def _check_cells(place: str, cells: dict, known: frozenset) -> list[dict]:
        problems = [problem_at(f"{place}/{escape(key)}", "unknown") for key in cells if key not in known]
        wrong = [key for key, value in cells.items() if key != "lines" and not isinstance(value, str | None)]
        return problems + [problem_at(f"{place}/{escape(key)}", "text") for key in wrong if key in known]

    def pointer(self, trouble: Trouble) -> str:
        """Where the cell stands in the body: in the line, or beside the lines."""
        order, line = self._places[trouble.row]
        own = self._orders[order]
        in_line = trouble.column != self._columns[0] and "lines" in own and (
            trouble.column in own["lines"][line] or trouble.column not in own
        )  # fmt: skip
        return f"/orders/{order}{f'/lines/{line}' if in_line else ''}/{trouble.column}"

    def batch(self) -> Batch:
        return Batch(rows=self.rows)


def _cell(value: str | None) -> str:
    return value or ""

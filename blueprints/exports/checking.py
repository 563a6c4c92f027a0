"""Row rules of workbooks (M193–M195): what is right becomes documents, what is wrong is explained.

Rows of one order are found by its number, wherever they stand. An order with a wrong row waits as a whole: half an
order must not be declared.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from models import orders

from .columns import DECLARATION, SEPARATOR, WORDS, Layout, units
from .reading import Book, BookRefused, shown

MAX_LINES = 100
MOST_PROBLEMS = 200_000  # more than anybody mends; they are all held in memory
ORDER = 1  # the column with the document's number
CASH = "现金支付"  # CEB403 payName of what was not paid online: it has no number
_PAYMENT = ("pay_name", "pay_no", "charge", "accounting")
_SCIENTIFIC = re.compile(r"[0-9.]+[eE][+-]?[0-9]+")
_CENT, _FIFTH = Decimal("0.005"), Decimal("0.00001")


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One wrong cell; columns count from 1."""

    row: int
    column: int
    key: str
    value: str = ""

    @property
    def cause(self) -> str:
        return WORDS[self.key][1]


@dataclass
class Found:
    """`orders`: {number: (first row, lines)} in the order of the workbook; `heads`: {number: what stands once in it}.

    A line is one text with `SEPARATOR` between item, name, quantity, total, price, unit …: a third of the memory of
    six texts in a list, and 100 000 of them are held at once. So is a head, in the order of `Layout.head_places`.
    """

    orders: dict[str, tuple[int, list]] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    problems: list[RowProblem] = field(default_factory=list)
    held: set[str] = field(default_factory=set)  # documents with a wrong row
    rows: int = 0

    def right_orders(self) -> list[tuple[str, int, list]]:
        return [(no, first, lines) for no, (first, lines) in self.orders.items() if no not in self.held]

    def lines_of(self, order_no: str) -> list[list[str]]:
        return [line.split(SEPARATOR) for line in self.orders[order_no][1]]

    @property
    def rows_wrong(self) -> int:
        return len({problem.row for problem in self.problems})


def check_rows(book: Book, found: Found, limit: int) -> bool:
    """Takes up to `limit` more rows into `found`; False when the workbook has ended. Raises `BookRefused`."""
    layout, formulas = book.layout, book.formulas
    width, match, take = len(layout.columns), layout.row.fullmatch, _settle
    if layout is DECLARATION:
        take = _take_goods
    end = found.rows + limit
    for number, cells in book.rows:
        found.rows += 1
        try:
            right = match(SEPARATOR.join(cells[:width]))
        except TypeError:  # a cell that is no text
            right = None
        if right and not formulas:
            take(found, layout, number, right.groups())
        else:
            _explain(found, layout, number, list(cells[:width]), formulas)
        if found.rows == end:
            if len(found.problems) > MOST_PROBLEMS:
                raise BookRefused(
                    "90849", "错的格子太多，一行都没有存；请对照「{title}」模板改好再传", title=layout.title
                )
            return True
    return False


def _take_goods(found: Found, layout: Layout, row: int, texts: tuple[str, ...]) -> None:
    """The fast way of A–G, of which there may be a million."""
    order_no, item, name, quantity, total, price, unit = texts
    code = units().get(unit)
    if code is None or not price or Decimal(quantity) * Decimal(price) != Decimal(total):
        _settle(found, layout, row, texts)
        return
    line = f"{item}\x1f{name}\x1f{quantity}\x1f{total}\x1f{price}\x1f{code}"
    if order_no in found.orders:
        _add_line(found, row, order_no, line)
    else:
        found.orders[order_no] = (row, [line])


def _settle(found: Found, layout: Layout, row: int, texts: tuple[str, ...] | list[str]) -> None:
    """Each cell is right by itself: looks codes up, does sums, adds the row to its document."""
    texts, keys = list(texts), {}
    for place, table in layout.tables.items():
        if texts[place] and (code := table.get(texts[place])) is None:
            keys[place] = layout.columns[place].rule.key
        elif texts[place]:
            texts[place] = code
    keys = keys or _check_amounts(layout, texts) | _check_head(found, layout, texts)
    if keys:
        _refuse(found, row, texts, keys)
    elif layout.kind == orders.WAYBILL:
        _add_waybill(found, layout, row, texts)
    else:
        found.heads.setdefault(texts[0], SEPARATOR.join(texts[place] for place in layout.head_places))
        _add_line(found, row, texts[0], SEPARATOR.join(texts[place] for place in layout.line_places))


def _add_line(found: Found, row: int, order_no: str, line: str) -> None:
    _, lines = found.orders.setdefault(order_no, (row, []))
    if line in lines:
        _wrong(found, order_no, RowProblem(row, ORDER, "twice", order_no))
    elif len(lines) >= MAX_LINES:
        _wrong(found, order_no, RowProblem(row, ORDER, "too-many", order_no))
    else:
        lines.append(line)


def _add_waybill(found: Found, layout: Layout, row: int, texts: list[str]) -> None:
    if texts[0] in found.orders:
        _wrong(found, texts[0], RowProblem(row, ORDER, "waybill-twice", texts[0]))
        return
    found.orders[texts[0]] = (row, [])
    found.heads[texts[0]] = SEPARATOR.join(texts[place] for place in layout.head_places)


def _wrong(found: Found, order_no: str, problem: RowProblem) -> None:
    found.problems.append(problem)
    found.held.add(order_no)


def _refuse(found: Found, row: int, texts: list[str], keys: dict[int, str]) -> None:
    """`keys`: {place: key of WORDS}; the document waits as a whole where its number can be read."""
    found.problems += [RowProblem(row, place + 1, key, texts[place][:200]) for place, key in keys.items()]
    if 0 not in keys:
        found.orders.setdefault(texts[0], (row, []))
        found.held.add(texts[0])


def _explain(found: Found, layout: Layout, row: int, cells: list, formulas: frozenset) -> None:
    """The slow way: trims, and looks at each cell by itself."""
    cells += [""] * (len(layout.columns) - len(cells))
    if all(cell == "" or (isinstance(cell, str) and not cell.strip()) for cell in cells):
        return
    keys: dict[int, str] = {}
    texts = [cell.strip() if isinstance(cell, str) else shown(cell) for cell in cells]
    for place, cell in enumerate(cells):
        if (row, place + 1) in formulas:
            keys[place] = "formula"
        elif not isinstance(cell, str):
            keys[place] = "not-text"
        elif wrong := _wrong_text(layout, place, texts[place]):
            keys[place] = wrong
    if keys:
        _refuse(found, row, texts, keys)
    else:
        _settle(found, layout, row, texts)


def _wrong_text(layout: Layout, place: int, text: str) -> str:
    column = layout.columns[place]
    if not text:
        return "empty" if column.required and not column.is_head else ""
    if place in layout.tables:
        return "" if text in layout.tables[place] else column.rule.key
    if not column.rule.is_free and _SCIENTIFIC.fullmatch(text):
        return "scientific"
    return "" if column.pattern.fullmatch(text) else column.rule.key


def _check_amounts(layout: Layout, texts: list[str]) -> dict[int, str]:
    """单价 is derived where it is empty (5 decimals), else checked: right up to rounding by its own decimals."""
    if "price" not in layout.place:
        return {}
    place = layout.place["price"]
    quantity, total = Decimal(texts[layout.place["quantity"]]), Decimal(texts[layout.place["total"]])
    exact = total / quantity
    if not texts[place]:
        price = exact.quantize(_FIFTH, ROUND_HALF_UP).normalize()
        texts[place] = f"{price:f}"
        return {} if price > 0 else {place: "price"}
    price = Decimal(texts[place])
    decimals = -price.as_tuple().exponent
    if abs(quantity * price - total) < _CENT:
        return {}
    is_rounded = decimals >= 2 and exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP) == price
    return {} if is_rounded else {place: "product"}


def _check_head(found: Found, layout: Layout, texts: list[str]) -> dict[int, str]:
    """What stands once in a document, the same wherever it is written again; weights, pairs and payments fit."""
    if not layout.head_places:
        return {}
    known = found.heads.get(texts[0])
    if known is not None and layout.kind != orders.WAYBILL:
        keys = {place: "differs" for place, value in zip(layout.head_places, known.split(SEPARATOR), strict=True)
                if texts[place] not in ("", value)}  # fmt: skip
    elif texts[0] in found.orders and layout.kind != orders.WAYBILL:
        keys = {}  # its first row is wrong and told already
    else:
        keys = {place: "empty" for place in layout.head_places
                if layout.columns[place].required and not texts[place]}  # fmt: skip
        keys = keys or _check_payment(layout, texts)
    return keys | _check_pairs(layout, texts)


def _check_pairs(layout: Layout, texts: list[str]) -> dict[int, str]:
    keys, place = {}, layout.place
    if "net" in place:
        gross, net = texts[place["gross"]], texts[place["net"]]
        if gross and net and Decimal(net) > Decimal(gross):
            keys[place["net"]] = "net"
    if "qty2" in place and bool(texts[place["qty2"]]) != bool(texts[place["unit2"]]):
        keys[place["unit2" if texts[place["qty2"]] else "qty2"]] = "second"
    return keys


def _check_payment(layout: Layout, texts: list[str]) -> dict[int, str]:
    """All of a 收款单 or nothing; 现金支付 has no number."""
    place = layout.place
    if "charge" not in place or not any(texts[place[key]] for key in ("pay_code", *_PAYMENT)):
        return {}
    wanted = [key for key in _PAYMENT if key != "pay_no" or texts[place["pay_name"]] != CASH]
    keys = {place[key]: "payment" for key in wanted if not texts[place[key]]}
    if not keys and not _is_moment(texts[place["accounting"]]):
        keys[place["accounting"]] = "time"
    return keys


def _is_moment(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y%m%d%H%M%S")
    except ValueError:
        return False
    return True

"""Row rules of the 报关单模式 template (M193–M195): what is right becomes lines of orders, what is wrong is explained.

Lines of one order are found by its number, wherever they stand. An order with a wrong row waits as a whole: half an
order must not be declared.
"""

import csv
import re
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from settings import ROOT

from .reading import Book

MAX_LINES = 100
SEPARATOR = "\x1f"  # no cell that is taken holds it
ORDER, ITEM, NAME, QUANTITY, TOTAL, PRICE, UNIT = range(1, 8)
_NUMBER = r"[0-9]{1,13}(?:\.[0-9]{1,5})?"
_MONEY = r"[0-9]{1,13}(?:\.[0-9]{1,2})?"
_ORDER_NO = r"[A-Za-z0-9](?:[A-Za-z0-9_./#-]{0,59})"
_BAD = "\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff\\ufffe\\uffff"
_RIGHT = re.compile(
    f"({_ORDER_NO})\x1f([^\\s{_BAD}]{{1,30}})\x1f([^\\s{_BAD}](?:[^{_BAD}]{{0,248}}[^\\s{_BAD}])?)"
    f"\x1f({_NUMBER})\x1f({_MONEY})\x1f({_NUMBER})\x1f([^\x1f]{{1,10}})"
)
_SCIENTIFIC = re.compile(r"[0-9.]+[eE][+-]?[0-9]+")
_CENT, _FIFTH = Decimal("0.005"), Decimal("0.00001")

WORDS = {  # key → number, what is wrong, what to do; spoken, so never reused for something else
    "empty": ("90611", "没有填", "请补上这一格"),
    "not-text": ("90612", "不是文本格式", "请把整列设为文本格式，再重新填这一格"),
    "formula": ("90613", "是公式，不是填的数", "请直接填上结果，不要用公式"),
    "scientific": ("90614", "成了科学计数法，后面的位数丢了", "请把整列设为文本格式，再填完整的号码"),
    "order-no": ("90615", "订单号只能用字母、数字和 _ . / # -，最多60位", "请对照电商平台的订单号改"),
    "item-no": ("90616", "商品货号最多30位，中间不能有空格", "请改短或去掉空格"),
    "name": ("90617", "商品名称最多250个字，不能有换行等特殊字符", "请改短或去掉特殊字符"),
    "quantity": ("90618", "数量不是大于0、最多5位小数的数", "请只填数字，小数最多5位"),
    "total": ("90619", "总额不是大于0、最多2位小数的数", "请只填数字，小数最多2位"),
    "price": ("90620", "单价不是最多5位小数的数", "请只填数字，小数最多5位；也可以空着，由系统算"),
    "product": ("90621", "单价×数量不等于总额", "请核对数量、总额、单价"),
    "unit": ("90622", "没有这个计量单位", "请填计量单位代码（像011）或名称（像件），可从模板里选"),
    "twice": ("90623", "和同一订单的另一行完全一样", "请删掉重复的行，或把数量合并"),
    "too-many": ("90624", "一个订单最多100行商品", "请把多出来的商品另立订单"),
    "known": ("90625", "这个订单号已经导入过", "请核对订单号；要改的话，先删掉原来的订单"),
}


@dataclass(frozen=True, slots=True)
class RowProblem:
    row: int
    column: int
    key: str
    value: str = ""
    note: str = ""  # added to the cause

    @property
    def cause(self) -> str:
        return WORDS[self.key][1] + self.note


@dataclass
class Found:
    """`orders`: {number: (first row, lines)} in the order of the workbook.

    A line is one text, item · name · quantity · total · price · unit with `SEPARATOR` between: a third of the memory of
    six texts in a list, and 100 000 of them are held at once.
    """

    orders: dict[str, tuple[int, list]] = field(default_factory=dict)
    problems: list[RowProblem] = field(default_factory=list)
    held: set[str] = field(default_factory=set)  # orders with a wrong row
    rows: int = 0

    def right_orders(self) -> list[tuple[str, int, list]]:
        return [(no, first, lines) for no, (first, lines) in self.orders.items() if no not in self.held and lines]

    def lines_of(self, order_no: str) -> list[list[str]]:
        return [line.split(SEPARATOR) for line in self.orders[order_no][1]]

    @property
    def rows_wrong(self) -> int:
        return len({problem.row for problem in self.problems})


@cache
def units() -> dict[str, str]:
    """Codes and names of 计量单位 → code; data/unit.csv (关检融合通关参数)."""
    with open(ROOT / "data/unit.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {row["中文名称"]: row["代码"] for row in rows} | {row["代码"]: row["代码"] for row in rows}


def check_rows(book: Book, found: Found, limit: int) -> bool:
    """Takes up to `limit` more rows into `found`; False when the workbook has ended."""
    known_units, formulas, match = units(), book.formulas, _RIGHT.fullmatch
    for number, cells in book.rows:
        found.rows += 1
        try:
            right = match(SEPARATOR.join(cells[:7]))
        except TypeError:
            right = None
        if right and not formulas:
            order_no, item, name, quantity, total, price, unit = right.groups()
            code, amount = known_units.get(unit), Decimal(total)
            if code and amount and Decimal(quantity) * Decimal(price) == amount:
                _add(found, number, order_no, f"{item}\x1f{name}\x1f{quantity}\x1f{total}\x1f{price}\x1f{code}")
                if found.rows % limit == 0:
                    return True
                continue
        _explain(found, number, list(cells[:7]), formulas)
        if found.rows % limit == 0:
            return True
    return False


def _add(found: Found, row: int, order_no: str, line: str) -> None:
    kept = found.orders.get(order_no)
    if kept is None:
        found.orders[order_no] = (row, [line])
        return
    if line in kept[1]:
        _wrong(found, order_no, RowProblem(row, ORDER, "twice", order_no))
    elif len(kept[1]) >= MAX_LINES:
        _wrong(found, order_no, RowProblem(row, ORDER, "too-many", order_no))
    else:
        kept[1].append(line)


def _wrong(found: Found, order_no: str, problem: RowProblem) -> None:
    found.problems.append(problem)
    found.held.add(order_no)


def _explain(found: Found, row: int, cells: list, formulas: frozenset) -> None:
    """The slow way: trims, derives the price, looks at each cell by itself."""
    cells += [""] * (7 - len(cells))
    if all(cell == "" or (isinstance(cell, str) and not cell.strip()) for cell in cells):
        return
    keys: dict[int, str] = {}
    texts = [""]
    for column, cell in enumerate(cells, 1):
        text = cell.strip() if isinstance(cell, str) else _shown(cell)
        texts.append(text)
        if (row, column) in formulas:
            keys[column] = "formula"
        elif not isinstance(cell, str):
            keys[column] = "not-text"
        elif wrong := _wrong_text(column, text):
            keys[column] = wrong
    if not keys:
        keys = _check_amounts(texts)
    order_no = texts[ORDER]
    for column, key in keys.items():
        found.problems.append(RowProblem(row, column, key, texts[column][:200]))
    if not keys:
        _add(found, row, order_no, SEPARATOR.join([*texts[ITEM:UNIT], units()[texts[UNIT]]]))
    elif ORDER not in keys:
        found.orders.setdefault(order_no, (row, []))
        found.held.add(order_no)


def _wrong_text(column: int, text: str) -> str:
    if not text:
        return "" if column == PRICE else "empty"
    if column in (ORDER, ITEM, QUANTITY, TOTAL, PRICE) and _SCIENTIFIC.fullmatch(text):
        return "scientific"
    key, pattern = _RULES[column]
    if column == UNIT:
        return "" if text in units() else key
    is_right = pattern.fullmatch(text) and (column in (ORDER, ITEM, NAME) or Decimal(text) > 0)
    return "" if is_right else key


_RULES = {
    ORDER: ("order-no", re.compile(_ORDER_NO)),
    ITEM: ("item-no", re.compile(f"[^\\s{_BAD}]{{1,30}}")),
    NAME: ("name", re.compile(f"[^{_BAD}]{{1,250}}")),
    QUANTITY: ("quantity", re.compile(_NUMBER)),
    TOTAL: ("total", re.compile(_MONEY)),
    PRICE: ("price", re.compile(_NUMBER)),
    UNIT: ("unit", None),
}


def _check_amounts(texts: list[str]) -> dict[int, str]:
    """单价 is derived where it is empty (5 decimals), else checked: right up to rounding by its own decimals."""
    quantity, total = Decimal(texts[QUANTITY]), Decimal(texts[TOTAL])
    exact = total / quantity
    if not texts[PRICE]:
        price = exact.quantize(_FIFTH, ROUND_HALF_UP).normalize()
        texts[PRICE] = f"{price:f}"
        return {} if price > 0 else {PRICE: "price"}
    price = Decimal(texts[PRICE])
    decimals = -price.as_tuple().exponent
    if abs(quantity * price - total) < _CENT:
        return {}
    is_rounded = decimals >= 2 and exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP) == price
    return {} if is_rounded else {PRICE: "product"}


def _shown(cell) -> str:
    """A cell that is no text, as its user saw it, as far as that can be known."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell)

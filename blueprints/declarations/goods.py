"""商品 of a 报关单: lines as they come from the orders, what is asked beside, and the checks of each cell.

A line is {order_no, gnum, + `CELLS`}, all texts: order_no and gnum say which line of which order it comes from.
"""

import re
from dataclasses import dataclass

from blueprints.common.numbers import Sentence
from models.orders import Order

from . import tables

HS = re.compile("[0-9]{10}")


@dataclass(frozen=True)
class Cell:
    """One column: what its text must match, and what to do where it does not. `number`: spoken, of the column."""

    name: str
    title: str
    number: str
    pattern: str
    mend: str
    is_required: bool = True
    is_unit: bool = False


CELLS = (
    Cell("code_ts", "商品编号", "820401", "[0-9]{10}", "要10位数字，请对照海关税则"),
    Cell("ciq", "检验检疫编码", "820402", "[0-9]{3}", "要3位数字，没有就写999"),
    Cell("name", "商品名称", "820403", r"(?s:.{1,255})", "要1到255个字"),
    Cell("model", "规格型号", "820404", r"(?s:.{1,255})", "照申报要素填，用|隔开，最多255个字"),
    Cell("qty", "成交数量", "820405", r"[0-9]{1,14}(\.[0-9]{1,5})?", "要写数字，最多5位小数"),
    Cell("unit", "成交单位", "820406", "", "要写计量单位的代码或名称，像011或件", is_unit=True),
    Cell("price", "单价", "820407", r"[0-9]{1,14}(\.[0-9]{1,5})?", "要写数字，最多5位小数"),
    Cell("total", "总价", "820408", r"[0-9]{1,14}(\.[0-9]{1,2})?", "要写数字，最多2位小数"),
    Cell("qty1", "法定数量", "820409", r"[0-9]{1,14}(\.[0-9]{1,5})?", "要写数字，最多5位小数"),
    Cell("unit1", "法定单位", "820410", "", "要写计量单位的代码或名称，像011或件", is_unit=True),
    Cell("qty2", "第二数量", "820411", r"[0-9]{1,14}(\.[0-9]{1,5})?", "要写数字，最多5位小数；没有就空着", False),
    Cell("unit2", "第二单位", "820412", "", "要写计量单位的代码或名称；没有就空着", False, is_unit=True),
)


def lines_of(order: Order) -> list[dict[str, str]]:
    """As the order was declared; 商品货号 of 10 digits is the 商品编号 (M195), another one is asked for."""
    lines = []
    for gnum, (item, name, quantity, total, price, unit, *_) in enumerate(order.lines, 1):
        lines.append({
            "order_no": order.order_no, "gnum": str(gnum), "code_ts": item if HS.fullmatch(item) else "", "ciq": "999",
            "name": name, "model": "", "qty": quantity, "unit": unit, "price": price, "total": total, "qty1": quantity,
            "unit1": unit, "qty2": "", "unit2": "",
        })  # fmt: skip
    return lines


def typed_lines(goods: list[dict], given) -> list[dict]:
    """`given`: the request's form, where cell-3-name is the third line's. Units become their codes."""
    typed = []
    for place, line in enumerate(goods, 1):
        cells = {
            cell.name: given.get(f"cell-{place}-{cell.name}", line[cell.name]).replace("\0", "").strip()
            for cell in CELLS
        }
        for cell in CELLS:
            if cell.is_unit:
                cells[cell.name] = tables.find("unit", cells[cell.name]) or cells[cell.name]
        typed.append(line | cells)
    return typed


def problems_of(goods: list[dict]) -> list[tuple[str, Sentence]]:
    """[(id of the cell on the page, what is wrong)]."""
    found = []
    for place, line in enumerate(goods, 1):
        for cell in CELLS:
            if not is_right(cell, line[cell.name]):
                words = "第{line}项「{title}」{mend}"
                said = Sentence("90911", words, line=place, title=cell.title, mend=cell.mend)
                found.append((f"cell-{place}-{cell.name}", said))
        if bool(line["qty2"]) != bool(line["unit2"]):
            words = Sentence("90909", "第{line}项的第二数量和第二单位要么都填，要么都不填", line=place)
            found.append((f"cell-{place}-qty2", words))
    return found


def is_right(cell: Cell, text: str) -> bool:
    if not text:
        return not cell.is_required
    if any(ord(letter) < 32 for letter in text):
        return False
    return text in tables.names("unit") if cell.is_unit else bool(re.fullmatch(cell.pattern, text))

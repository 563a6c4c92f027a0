"""What the values of a document must be: times, amounts, codes, sums (element descriptions of 规范 202205)."""

import datetime
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from sandbox.customs.codes import CURRENCIES, DOUBLE_GNUM, NO_LINES, PARAMETERS, UNITS

# The price is rounded to 5 decimals, the value to 2: half a unit of the last place of each.
HALF_PRICE, HALF_VALUE = Decimal("0.000005"), Decimal("0.005")
_amount = re.compile(r"(?=[0-9.]{1,20}$)(?![0-9]{20})[0-9]+(\.[0-9]{1,5})?").fullmatch  # N19,5
_company_code = re.compile(r"[0-9A-Z]{10}|[0-9A-Z]{18}").fullmatch
_whole = re.compile(r"[0-9]{1,9}").fullmatch
_ORDER_TYPES = {"9610": "E", "1210": "E", "1239": "E", "9710": "B", "9810": "W"}


class Problem(Exception):
    """A document or a message that customs does not take; `what` is a name in codes.py, the text says where."""

    def __init__(self, words: str, what: str = PARAMETERS):
        super().__init__(words)
        self.what = what


@lru_cache(4096)
def _is_time(text: str, form: str) -> bool:
    try:
        moment = datetime.datetime.strptime(text, form)
    except ValueError:
        return False
    return text == moment.strftime(form)


def _moment(text: str) -> bool:
    return _is_time(text, "%Y%m%d%H%M%S")


def _is_one_of(*known: str) -> Callable[[str], bool]:
    return known.__contains__


_FORMS: list[tuple[str, Callable[[str], object], str]] = [
    ("appTime accountingDate startTime endTime", _moment, "应为14位数字的时间"),
    ("ieDate", lambda text: _is_time(text, "%Y%m%d"), "应为8位数字的日期"),
    ("goodsValue freight charge insuredFee grossWeight netWeight", _amount, "应为至多19位数字，其中至多5位小数"),
    ("packNo msgCount msgSeqNo", _whole, "应为整数"),
    ("currency fCurrency iCurrency", CURRENCIES.__contains__, "：币制{text}不在代码表"),
    ("customsCode portCode", re.compile(r"[0-9]{4}").fullmatch, "应为4位关区代码"),
    ("country", re.compile(r"[0-9]{3}").fullmatch, "应为3位国别代码"),
    ("POD", re.compile(r"[0-9A-Z]{3,4}").fullmatch, "应为3至4位港口代码"),
    ("trafMode", re.compile(r"[0-9A-Z]").fullmatch, "应为1位运输方式代码"),
    ("wrapType", re.compile(r"[0-9]").fullmatch, "应为1位包装种类代码"),
    ("tradeMode", _ORDER_TYPES.__contains__, "应为9610、9710、9810、1210、1239"),
    ("orderType", _is_one_of("E", "B", "W"), "应为E、B、W"),
    ("ieFlag", _is_one_of("E"), "应为E"),
    ("statisticsFlag", _is_one_of("A", "B"), "应为A、B"),
    ("fFlag iFlag", _is_one_of("3"), "应为3"),
    ("summaryFlag", _is_one_of("1", "2"), "应为1、2"),
    ("itemNameFlag", _is_one_of("0", "1"), "应为0、1"),
    ("ebpCode", lambda text: text == "无" or _company_code(text), "应为10位海关编码、18位统一社会信用代码，或“无”"),
    ("ownerCode", lambda text: text == "NO" or _company_code(text), "应为10位海关编码、18位统一社会信用代码，或“NO”"),
    ("ebcCode agentCode logisticsCode declAgentCode", _company_code, "应为10位海关编码或18位统一社会信用代码"),
]
FORMS = {name: (check, words) for names, check, words in _FORMS for name in names.split()}
_REFUND_FORMS = {
    "ieFlag": (_is_one_of("I"), "应为I"), "tradeMode": (_is_one_of("9661", "1261"), "应为9661、1261"),
    "country": (lambda text: FORMS["country"][0](text) and text != "142", "应为3位国别代码，不能是中国"),
}  # fmt: skip
FORMS_OF = {"213": FORMS | _REFUND_FORMS}


def check_head(kind: str, head: dict[str, str]) -> None:
    """Raises Problem."""
    forms = FORMS_OF.get(kind, FORMS)
    for name, text in head.items():
        form = forms.get(name)
        if form and text and not form[0](text):
            raise Problem(name + form[1].format(text=text))
    if kind == "603" and Decimal(head["netWeight"]) > Decimal(head["grossWeight"]):
        raise Problem("netWeight大于grossWeight")
    if kind == "403" and not Decimal(head["charge"]):
        raise Problem("charge为0")
    if kind == "701" and bool(head.get("startTime")) != bool(head.get("endTime")):
        raise Problem("startTime、endTime应成对填写")


def check_lines(kind: str, head: dict[str, str], lines: list[dict[str, str]]) -> None:
    """Raises Problem."""
    if kind == "303":
        _check_numbers(lines)
        total = sum((_check_goods(line, head["currency"]) for line in lines), Decimal(0))
        if total != Decimal(head["goodsValue"]):
            raise Problem(f"goodsValue {head['goodsValue']}不等于各项总价之和{total}")
    elif kind == "603":
        _check_numbers(lines)
        for line in lines:
            _check_listed(line)
    elif kind == "607":
        if not lines:
            raise Problem("总分单没有运单", NO_LINES)
        _check_numbers(lines)
    elif kind == "213":
        for line in lines:
            _check_quantities(line)
    elif kind == "701" and not lines and not head.get("startTime"):
        raise Problem("没有填清单，也没有填汇总时间", NO_LINES)


def _check_numbers(lines: list[dict[str, str]]) -> None:
    numbers = [line["gnum"] for line in lines]
    if len(set(numbers)) < len(numbers):
        raise Problem("gnum重复", DOUBLE_GNUM)
    if numbers != [str(n) for n in range(1, len(lines) + 1)]:
        raise Problem("gnum应从1开始递增")


def _check_goods(line: dict[str, str], currency: str) -> Decimal:
    """The line's value, if quantity, price, value, unit and currency fit together."""
    where = f"第{line['gnum']}项："
    if line["unit"] not in UNITS:
        raise Problem(f"{where}计量单位{line['unit']}不在代码表")
    if line["currency"] != currency:
        raise Problem(f"{where}币制与表头不一致")
    if not (_amount(line["qty"]) and _amount(line["price"]) and _amount(line["totalPrice"])):
        raise Problem(f"{where}数量、单价、总价应为至多19位数字，其中至多5位小数")
    quantity, price, value = Decimal(line["qty"]), Decimal(line["price"]), Decimal(line["totalPrice"])
    if not quantity:
        raise Problem(f"{where}数量为0")
    if abs(quantity * price - value) > quantity * HALF_PRICE + HALF_VALUE:
        raise Problem(f"{where}单价乘数量不等于总价")
    return value


def _check_listed(line: dict[str, str]) -> None:
    where = f"第{line['gnum']}项："
    if line["currency"] not in CURRENCIES:
        raise Problem(f"{where}币制{line['currency']}不在代码表")
    if not re.fullmatch(r"[0-9]{10}", line["gcode"]):
        raise Problem(f"{where}商品编码应为10位数字")
    if not re.fullmatch(r"[0-9]{3}", line["country"]):
        raise Problem(f"{where}最终目的国应为3位国别代码")
    _check_quantities(line)
    _check_goods(line, line["currency"])


def _check_quantities(line: dict[str, str]) -> None:
    where = f"第{line['gnum']}项："
    if bool(line.get("qty2")) != bool(line.get("unit2")):
        raise Problem(f"{where}qty2、unit2应成对填写")
    for unit in ("unit", "unit1", "unit2"):
        if line.get(unit) and line[unit] not in UNITS:
            raise Problem(f"{where}计量单位{line[unit]}不在代码表")
    for quantity in ("qty", "qty1", "qty2"):
        if line.get(quantity) and not _amount(line[quantity]):
            raise Problem(f"{where}{quantity}应为至多19位数字，其中至多5位小数")


def fits_order(trade_mode: str, order_type: str) -> bool:
    """监管方式 of a list and 订单类型 of its order."""
    return _ORDER_TYPES[trade_mode] == order_type

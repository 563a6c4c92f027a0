"""What a workbook holds in each 贸易方式: its columns declared once, for the template, the checks and the pages.

报关单模式 has A–G of the manual (M193–M195). 清单模式 goes on with what CEB603 and CEB403 need, 运单 with CEB505; the
lengths are those of ceb_export_202205.xsd (CUSTOMS_MESSAGES §3.2–3.3).
"""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property

from models import orders
from settings import ROOT

from .modes import MODES

SEPARATOR = "\x1f"  # no cell that is taken holds it
_BAD = "\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff\\ufffe\\uffff"
_NUMBER = r"[0-9]{1,13}(?:\.[0-9]{1,5})?"
_POSITIVE = rf"(?=[0-9.]*[1-9]){_NUMBER}"
_MONEY = r"(?=[0-9.]*[1-9])[0-9]{1,13}(?:\.[0-9]{1,2})?"
_COMPANY = r"[0-9A-Z]{10}|[0-9A-Z]{18}"
_TIME = r"20[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]"

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
    "waybill-no": ("90830", "运单号只能用字母、数字和 _ . / # -，最多32位", "请对照运单改"),
    "positive": ("90831", "不是大于0、最多5位小数的数", "请只填数字，小数最多5位"),
    "packs": ("90832", "件数不是大于0的整数", "请只填整数，最多9位"),
    "fee": ("90833", "金额不是最多5位小数的数", "请只填数字，没有就填0"),
    "gcode": ("90834", "商品编码不是10位数字",
              "请填10位编码，前面的0不能丢；简化申报的，9610前4位要准，9710、9810前6位要准，后面补0"),
    "text": ("90835", "内容太长，或有换行等特殊字符", "请改短或去掉特殊字符"),
    "country": ("90836", "没有这个国家（地区）", "请填3位国别代码（像502）或名称（像美国），可从模板里选"),
    "net": ("90837", "净重比毛重大", "请核对净重和毛重"),
    "second": ("90838", "第二数量和第二单位只填了一个", "请两格都填，或都空着"),
    "differs": ("90839", "和同一订单的前一行填得不一样", "同一订单的这一格要一样，或者只填第一行"),
    "payment": ("90840", "收款资料没有填全", "请把支付企业名称、支付单号、收款金额、到账时间都填上，或都空着；现金支付没有支付单号"),
    "company": ("90841", "不是10位海关编码或18位统一社会信用代码", "请核对，字母要大写"),
    "time": ("90842", "到账时间不是年月日时分秒", "请填14位数字，像20261121093000"),
    "waybill-twice": ("90843", "这个运单号在前面的行已经有了", "请删掉重复的行，或核对运单号"),
    "item-no-20": ("90844", "商品货号在清单里最多20位，中间不能有空格", "请改短或去掉空格"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """`key` of WORDS; `table` gives the code for a code or name; `is_free`: words, which may look like a number."""

    key: str
    pattern: str
    table: Callable[[], dict[str, str]] | None = None
    is_free: bool = False


@dataclass(frozen=True)
class Column:
    """`key`: its name in `Order.data`, or which part of a line. `is_head`: stands once in a document, on its first row."""

    title: str
    key: str
    rule: Rule
    note: str
    example: str
    required: bool = True
    is_head: bool = False
    width: int = 14

    @cached_property
    def pattern(self) -> re.Pattern:
        return re.compile(self.rule.pattern)


@dataclass(frozen=True)
class Layout:
    """The columns of a workbook and of its template. The first one is the document's number; `kind`: what it becomes."""

    title: str
    columns: tuple[Column, ...]
    examples: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    kind: str = orders.ORDER

    @cached_property
    def titles(self) -> tuple[str, ...]:
        return tuple(column.title for column in self.columns)

    @cached_property
    def place(self) -> dict[str, int]:
        return {column.key: place for place, column in enumerate(self.columns)}

    @cached_property
    def line_places(self) -> list[int]:
        return [place for place, column in enumerate(self.columns) if place and not column.is_head]

    @cached_property
    def head_places(self) -> list[int]:
        return [place for place, column in enumerate(self.columns) if column.is_head]

    @cached_property
    def tables(self) -> dict[int, dict[str, str]]:
        """Place → code for what may be written there."""
        return {place: column.rule.table() for place, column in enumerate(self.columns) if column.rule.table}

    def data_of(self, head: str) -> dict[str, str]:
        """What stands once in a document, by the names of `Order.data`; `head` as `checking.Found` keeps it."""
        values = head.split(SEPARATOR) if self.head_places else []
        named = zip((self.columns[place].key for place in self.head_places), values, strict=True)
        return {key: value for key, value in named if value}

    @cached_property
    def row(self) -> re.Pattern:
        """A whole right row, cells with `SEPARATOR` between; codes are looked up and sums done afterwards."""
        return re.compile(SEPARATOR.join(map(_group, self.columns)))


def _group(column: Column) -> str:
    pattern = (
        f"[^\\s{SEPARATOR}](?:[^{SEPARATOR}]{{0,38}}[^\\s{SEPARATOR}])?" if column.rule.table else column.rule.pattern
    )
    return f"({pattern}{'' if column.required and not column.is_head else '|'})"


def letter(place: int) -> str:
    """0 → A; no workbook of ours has more than 26 columns."""
    return chr(ord("A") + place)


def _rows(name: str) -> list[dict[str, str]]:
    with open(ROOT / "data" / name, encoding="utf-8") as file:
        return list(csv.DictReader(file))


@cache
def units() -> dict[str, str]:
    """Codes and names of 计量单位 → code; data/unit.csv (关检融合通关参数)."""
    rows = _rows("unit.csv")
    return {row["中文名称"]: row["代码"] for row in rows} | {row["代码"]: row["代码"] for row in rows}


@cache
def countries() -> dict[str, str]:
    """Names and codes of 国别(地区) → old customs code, which CEB603 takes; data/country.csv."""
    rows = [row for row in _rows("country.csv") if row["原报关代码"]]
    return {row["中文名称"]: row["原报关代码"] for row in rows} | {row["原报关代码"]: row["原报关代码"] for row in rows}


def _words(length: int, key: str = "text") -> Rule:
    return Rule(key, f"[^\\s{_BAD}](?:[^{_BAD}]{{0,{length - 2}}}[^\\s{_BAD}])?", is_free=True)


_number = Rule("positive", _POSITIVE)
_fee = Rule("fee", _NUMBER)
_waybill_no = Rule("waybill-no", "[A-Za-z0-9](?:[A-Za-z0-9_./#-]{0,31})")
_unit = Rule("unit", "", units)
_order_no = Rule("order-no", "[A-Za-z0-9](?:[A-Za-z0-9_./#-]{0,59})")

GOODS = (
    Column("订单号", "order_no", _order_no, "电商平台成交后的订单号，最多60位字母、数字和 _ . / # -；9810填海外仓订仓单编号", "TYDH005", width=24),
    Column("商品货号", "item", Rule("item-no", f"[^\\s{_BAD}]{{1,30}}"), "最多30位", "8711100010", width=18),
    Column("商品名称", "name", _words(250, "name"), "最多250个字", "微马力摩托车及脚踏两用车", width=40),
    Column("数量", "quantity", Rule("quantity", _POSITIVE), "最多5位小数", "10", width=12),
    Column("总额", "total", Rule("total", _MONEY), "这一行的总价，最多2位小数", "25", width=12),
    Column("单价", "price", Rule("price", _POSITIVE), "可以空着，由系统算", "2.5", required=False, width=12),
    Column("计量单位", "unit", _unit, "代码（像011）或名称（像件）", "011", width=12),
)  # fmt: skip
_FREIGHT = Column("运费", "freight", _fee, "没有就填0", "0", is_head=True)
_INSURANCE = Column("保费", "insured", _fee, "没有就填0", "0", is_head=True)
_GROSS = Column("毛重", "gross", _number, "千克，最多5位小数", "12.5", is_head=True)
_PACKS = Column("件数", "packs", Rule("packs", "[1-9][0-9]{0,8}"), "整数", "1", is_head=True)
LIST_MORE = (
    Column("运单号", "logistics_no", _waybill_no, "物流企业的运单编号，最多32位", "YD20261121001", is_head=True, width=20),
    _GROSS,
    Column("净重", "net", _number, "千克，不能大于毛重", "11.8", is_head=True),
    _PACKS, _FREIGHT, _INSURANCE,
    Column("商品编码", "gcode", Rule("gcode", "[0-9]{10}"),
           "10位数字；简化申报的，9610前4位要准，9710、9810前6位要准，后面补0", "8711100010"),
    Column("规格型号", "gmodel", _words(250), "最多250个字，没有就写“无”", "无", width=24),
    Column("法定数量", "qty1", _number, "按法定单位算的数量", "10"),
    Column("法定单位", "unit1", _unit, "代码或名称", "011"),
    Column("第二数量", "qty2", _number, "没有第二单位就空着", "", required=False),
    Column("第二单位", "unit2", _unit, "没有就空着", "", required=False),
    Column("最终目的国", "country", Rule("country", "", countries), "3位国别代码或名称", "美国"),
)  # fmt: skip
PAYMENT = (
    Column("支付企业代码", "pay_code", Rule("company", _COMPANY), "境内支付企业填10位或18位代码", "", False, True),
    Column("支付企业名称", "pay_name", _words(100), "不是线上支付的写“现金支付”", "", False, True, 24),
    Column("支付单号", "pay_no", _words(60), "现金支付可以空着", "", False, True, 20),
    Column("收款金额", "charge", _number, "币制和业务策略一样", "", False, True),
    Column("到账时间", "accounting", Rule("time", _TIME), "14位数字：年月日时分秒", "", False, True, 18),
)  # fmt: skip
PAYMENT_EXAMPLE = {"pay_name": "现金支付", "charge": "25", "accounting": "20261121093000"}
WAYBILL = (
    Column("运单号", "number", _waybill_no, "最多32位，6个月内不重复", "YD20261121001", width=20),
    Column("订单号", "order_no", _order_no, "可以空着", "TYDH005", False, True, 24),
    _FREIGHT, _INSURANCE, _GROSS, _PACKS,
    Column("主要货物信息", "goods", _words(200), "最多200个字", "微马力摩托车及脚踏两用车", True, True, 40),
    Column("收发货人代码", "ebc_code", Rule("company", _COMPANY), "10位海关编码或18位统一社会信用代码，可以空着", "", False, True, 20),
    Column("收发货人名称", "ebc_name", _words(100), "最多100个字，可以空着", "", False, True, 30),
)  # fmt: skip

TEXT_NOTES = ("重要说明", "导入模板中的内容和数据应为文本格式")
GOODS_NOTES = (
    *TEXT_NOTES,
    "“数量”最多保留5位小数",
    "“总额”中小数点最多保留2位",
    "录入的内容与顺序必须与单一窗口申报的内容和顺序保持一致",
    "同一个订单有几种商品，就写几行，每行订单号一样，一个订单最多100行",
    "单价可以空着，由系统用总额除以数量算出来；填了的话，单价×数量要等于总额",
)
SHEET_NOTES = ("不要合并单元格，不要用公式，不要改第一行的标题", "藏起来的表不看，只看第一张看得见的表")
UNIT_NOTE = "计量单位填代码（像011，前面的0不能丢）或名称（像件），可在表里选，全部代码见「计量单位」表"
LIST_NOTES = (
    *GOODS_NOTES, UNIT_NOTE,
    "运单号、毛重、净重、件数、运费、保费和收款资料是整个订单的，同一订单填在第一行就行",
    "商品编码要10位；综试区简化申报的，9610按前4位归类，9710、9810按前6位归类，后面补0",
)  # fmt: skip
SAMPLES = (
    ("TYDH005", "8711100010", "微马力摩托车及脚踏两用车", "10", "25", "2.5", "011"),
    ("TYDH006", "8135000000", "本章的什锦坚果或干果", "10", "25", "2.5", "011"),
    ("TYDH007", "6804301000", "手用琢磨油石", "10", "25", "2.5", "011"),
)
_LIST_GOODS = (
    GOODS[0],
    replace(GOODS[1], rule=Rule("item-no-20", f"[^\\s{_BAD}]{{1,20}}"), note="最多20位"),
    *GOODS[2:],
)


def _examples(columns: tuple[Column, ...], **given: str) -> tuple[tuple[str, ...], ...]:
    return (tuple(given.get(column.key, column.example) for column in columns),)


LIST_COLUMNS = (*_LIST_GOODS, *LIST_MORE, *PAYMENT)
LIST_9610_COLUMNS = tuple(
    replace(column, required=True, example=PAYMENT_EXAMPLE[column.key]) if column.key in PAYMENT_EXAMPLE else column
    for column in LIST_COLUMNS
)
DECLARATION = Layout("报关单模式", GOODS, SAMPLES, (*GOODS_NOTES, UNIT_NOTE, *SHEET_NOTES))
LAYOUTS = {
    "declaration": DECLARATION,
    "list": Layout("清单模式", LIST_COLUMNS, _examples(LIST_COLUMNS),
                   (*LIST_NOTES, "收款资料可以空着；要传就填全", *SHEET_NOTES)),
    "list-9610": Layout("9610清单模式", LIST_9610_COLUMNS, _examples(LIST_9610_COLUMNS),
                        (*LIST_NOTES, "9610要传收款资料", *SHEET_NOTES)),
    "waybill": Layout("物流运单", WAYBILL, _examples(WAYBILL),
                      (*TEXT_NOTES, "一行一张运单，同一个运单号只能有一行", *SHEET_NOTES), orders.WAYBILL),
}  # fmt: skip


def layout_name(mode: str) -> str:
    """Which of LAYOUTS a workbook of that 贸易方式 follows."""
    found = MODES[mode]
    if found.kind == orders.WAYBILL:
        return "waybill"
    if not found.is_list:
        return "declaration"
    return "list-9610" if found.code == "9610" else "list"


def layout_of(mode: str) -> Layout:
    return LAYOUTS[layout_name(mode)]

"""贸易方式 of a 业务策略 (M191), the words of types and states, and currencies."""

import csv
from dataclasses import dataclass
from functools import cache

from models import exports, orders
from settings import ROOT


@dataclass(frozen=True)
class Mode:
    """`order_type`: B 直接出口, W 海外仓订仓单, E 一般出口; `code`: 监管方式; `kind`: what a row of its workbook becomes.

    `is_list`: 清单模式, where each order also gets its 清单, and its 收款单 where the workbook has one.
    """

    title: str
    code: str
    order_type: str
    kind: str = orders.ORDER
    is_list: bool = False


MODES = {
    "9610-list": Mode("9610清单申报模式", "9610", "E", is_list=True),
    "9710-list": Mode("9710清单申报模式", "9710", "B", is_list=True),
    "9810-list": Mode("9810清单申报模式", "9810", "W", is_list=True),
    "9710-declaration": Mode("9710报关单申报模式", "9710", "B"),
    "9810-declaration": Mode("9810报关单申报模式", "9810", "W"),
    "waybill": Mode("物流运单申报（物流企业用）", "", "", orders.WAYBILL),
}
TYPES = {
    "declarant": "申报企业", "platform": "电商平台", "seller": "电商企业", "logistics": "物流企业", "warehouse": "海外仓",
}  # fmt: skip
TASK_STATES = {exports.DRAFT: "暂存", exports.GENERATED: "已生成申报数据", exports.FAILED: "申报数据生成失败"}
STATES = {
    orders.SUCCESS: "成功", orders.FAILED: "失败", orders.DECLARING: "申报中", orders.WAITING: "待推送",
    orders.DELETED: "已删除",
}  # fmt: skip
ALIASES = {"推送中": "申报中", "推送成功": "成功", "启动": "启用"}  # other words of the same manual (M190, M198)
COLOURS = {
    orders.SUCCESS: "green",
    orders.FAILED: "red",
    orders.DECLARING: "blue",
    orders.WAITING: "grey",
    orders.DELETED: "grey",
}


@cache
def currencies() -> list[tuple[str, str]]:
    """(3-digit customs code, name with the code); the usual ones first."""
    with open(ROOT / "data/currency.csv", encoding="utf-8") as file:
        rows = [
            (row["原报关代码"], f"{row['中文名称']}（{row['代码']}，{row['原报关代码']}）")
            for row in csv.DictReader(file)
        ]
    usual = {"502": 0, "142": 1, "300": 2, "116": 3}
    return sorted((row for row in rows if row[0]), key=lambda row: (usual.get(row[0], 9), row[0]))


@cache
def error_words() -> dict[int, str]:
    """What customs' negative codes mean; data/ceb_error_codes.csv (企业对接报文规范202205 表7-2)."""
    with open(ROOT / "data/ceb_error_codes.csv", encoding="utf-8") as file:
        return {int(row["returnStatus"]): row["说明"] for row in csv.DictReader(file)}


@cache
def status_words() -> dict[str, str]:
    with open(ROOT / "data/ceb_return_status.csv", encoding="utf-8") as file:
        return {row["returnStatus"]: row["中文"] for row in csv.DictReader(file)}


@cache
def platform_words() -> dict[str, str]:
    """What the data exchange platform's codes mean; data/dxp_error_codes.csv."""
    with open(ROOT / "data/dxp_error_codes.csv", encoding="utf-8") as file:
        return {row["code"]: row["说明"] for row in csv.DictReader(file)}


def said_by_customs(status: int | None, info: str | None) -> str:
    """A receipt in words: what the code means, then what customs wrote."""
    if status is None:
        return ""
    words = (
        error_words().get(status) or status_words().get(str(status)) or "海关处理异常"
        if status < 0
        else status_words().get(str(status), "海关状态")
    )
    return f"{words}（{status}）{info or ''}"

"""The lists of 交易管理 (M204): which documents each shows, its columns, and any result as a workbook."""

import io
from dataclasses import dataclass

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from blueprints.common import clock
from models import orders
from models.exports import Task
from models.orders import Message, Order

from .timeline import WORDS, read_time

MOST = 50_000  # rows of one workbook
B2B = ("9710", "9810")


@dataclass(frozen=True)
class Listing:
    """`concluded`: True 已审结, False 未审结, None both; `at_customs`: only what customs has. `b2b`: 9710 and 9810 alone."""

    number: str
    title: str
    slug: str
    kind: str
    says: str
    concluded: bool | None = None
    at_customs: bool = True
    b2b: bool = False

    def query(self, enterprise_id, code: str):
        if self.concluded is not None:
            query = orders.at_customs(enterprise_id, code, self.concluded, self.kind)
        else:
            query = orders.declared_orders(enterprise_id, code, self.kind)
        return orders.of_modes(query, B2B) if self.b2b else query


LISTINGS = (
    Listing(
        "8101", "订单查询(未审结)", "open", orders.ORDER, "能在这里查到的订单，说明推送成功，可以进行报关。", False
    ),
    Listing("8102", "订单查询(已审结)", "concluded", orders.ORDER, "海关已经审结的订单。", True),
    Listing("8104", "收款单查询(未审结)", "payments-open", orders.PAYMENT, "海关收到、还没有审结的收款单。", False),
    Listing("8105", "收款单查询(已审结)", "payments-concluded", orders.PAYMENT, "海关已经审结的收款单。", True),
    Listing("8106", "清单管理", "lists", orders.LIST, "清单模式申报的清单，推送和撤销在“数据申报管理”里办。"),
    Listing("8107", "退货管理", "returns", orders.REFUND, "清单货物的退货申请，从清单上点“退货”生成。"),
    Listing("8108", "汇总管理", "summaries", orders.SUMMARY, "汇总申请，从清单上勾选生成。"),
    Listing("8109", "B2B管理", "b2b", orders.ORDER, "9710和9810的订单和订仓单。", b2b=True),
)
COLUMNS = (
    "序号",
    "编号",
    "任务编号",
    "总额",
    "状态",
    "海关回执",
    "导入时间",
    "生成时间",
    "签名时间",
    "发送时间",
    "回执时间",
    "海关编号",
)


def stages(order: Order, message: Message, task: Task) -> tuple:
    """When it was imported, made, signed, sent, and when customs answered last."""
    return task.created_at, message.created_at, message.signed_at, message.sent_at, read_time(order.return_time or "")


def workbook_of(query, state: str = "") -> bytes:
    """All cells text; at most `MOST` rows, the newest."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("查询结果")
    sheet.append(COLUMNS)
    for ordinal, (order, message, task, stands) in enumerate(orders.page_of_orders(query, None, MOST, state), 1):
        times = [f"{clock.local(each):%Y-%m-%d %H:%M:%S}" if each else "" for each in stages(order, message, task)]
        said = f"{order.return_status}" if order.return_status is not None else ""
        given = order.data.get("invt_no") or order.data.get("sum_no") or order.data.get("pre_no") or ""
        cells = (str(ordinal), order.order_no, task.number, str(order.total), WORDS[stands], said, *times, given)
        sheet.append([_text(sheet, cell) for cell in cells])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _text(sheet, value: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, value)
    cell.data_type, cell.number_format = "s", "@"
    return cell

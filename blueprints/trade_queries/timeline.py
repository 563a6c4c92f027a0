"""The time line of one document: 导入, 生成, 签名, 发送, then each receipt of customs with its words."""

import csv
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from blueprints.common import clock
from models import orders, receipts
from models.companions import repeats_of
from models.database import session
from models.exports import Task
from models.orders import Message, Order
from settings import ROOT

WORDS = {
    orders.SUCCESS: "成功",
    orders.FAILED: "失败",
    orders.DECLARING: "申报中",
    orders.WAITING: "待推送",
    orders.DELETED: "已删除",
}
TITLES = {
    orders.ORDER: "订单", orders.PAYMENT: "收款单", orders.WAYBILL: "运单", orders.LIST: "清单", orders.CANCELLATION: "撤销申请",
    orders.BILL: "清单总分单", orders.SUMMARY: "汇总申请", orders.REFUND: "退货申请",
}  # fmt: skip
TONES = {orders.SUCCESS: ("tick", "ok"), orders.FAILED: ("warn", "bad")}


@dataclass(frozen=True)
class Event:
    moment: datetime | None
    title: str
    words: str = ""
    icon: str = "tick"
    tone: str = "ok"


@cache
def customs_words() -> dict[str, str]:
    """returnStatus → Chinese, from both code tables."""
    words = {}
    for name, column in (("ceb_return_status", "中文"), ("ceb_error_codes", "说明")):
        with open(ROOT / f"data/{name}.csv", encoding="utf-8") as file:
            words |= {row["returnStatus"]: row[column] for row in csv.DictReader(file)}
    return words


def state_of(order: Order, message: Message | None) -> str:
    """Until a receipt, an order's state is its message's."""
    if order.state or message is None:
        return order.state or orders.WAITING
    known = {"refused": orders.FAILED, "sending": orders.DECLARING, "sent": orders.DECLARING}
    return known.get(message.state, orders.WAITING)


def events_of(order: Order, message: Message | None) -> tuple[str, list[Event]]:
    """(state in words, what happened and what is still to come)."""
    task = session.get(Task, order.task_id)
    events = [Event(task.created_at, "导入", f"任务{task.number}")]
    events.append(_stage(message and message.created_at, "生成申报数据", "轮到您了：到数据详情页点「生成申报数据」"))
    events.append(
        _stage(
            message and message.signed_at,
            "用卡签名",
            "轮到您了：到数据申报管理点「推送」",
            message and message.signed_by,
        )
    )
    events.append(_stage(message and message.sent_at, "发送海关", "签名以后由系统发送，不用您做什么"))
    if message and message.state == "refused":
        events.append(Event(None, "数据交换平台没有收", message.problem, "warn", "bad"))
    found = [_of_receipt(row) for row in receipts.receipts_of(order.id, order.enterprise_id)]
    events += found or [Event(None, "海关回执", "还没有收到，收到后这里会写明时间和内容", "pencil", "todo")]
    return WORDS[state_of(order, message)], events + [
        _of_repeat(row) for row in repeats_of(order) if row.id != order.id
    ]


def _of_repeat(row: Order) -> Event:
    """变更 and 删除 of the document have lines of their own."""
    act = "变更" if row.app_type == 2 else "删除"
    done = row.state == orders.SUCCESS
    words = (
        "海关已经收下"
        if done
        else "被海关退回，请看原因"
        if row.state == orders.FAILED
        else "还没有办完，在“数据申报管理”里看"
    )
    tone = ("tick", "ok") if done else ("warn", "bad") if row.state == orders.FAILED else ("pencil", "todo")
    return Event(row.changed_at, f"向海关申报{act}", words, *tone)


def _stage(moment: datetime | None, title: str, still: str, words: str | None = "") -> Event:
    return Event(moment, title, words or "") if moment else Event(None, title, still, "pencil", "todo")


def _of_receipt(row: receipts.Receipt) -> Event:
    words = customs_words().get(str(row.status), "海关回执")
    is_bad = row.status < 0 or row.status in (4, 100)
    return Event(
        read_time(row.time),
        f"海关回执：{words}（{row.status}）",
        row.info,
        *(("warn", "bad") if is_bad else ("tick", "ok")),
    )


def read_time(text: str) -> datetime | None:
    """yyyyMMddHHmmssSSS, Beijing time; None where customs wrote no real time."""
    try:
        return datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=clock.SHANGHAI)
    except ValueError:
        return None

"""Documents out: orders and what else the company declares, by number, task, state or change; receipts, raw messages."""

import re

from flask import Response, abort, request

from blueprints.common import clock
from blueprints.common.access import get_or_404
from blueprints.common.numbers import Sentence
from blueprints.common.programs import exports
from blueprints.common.tokens import READ
from models import orders, programs, pushes, receipts
from models.database import session
from models.exports import Task
from models.orders import Message, Order
from models.receipts import InboxFile, Receipt

from .base import Caller, Parameter, Refused, absolute, limit_of, moment, moment_of, operation, wrong_parameter
from .cursors import AFTER, LIMIT, read_change_cursor, read_serial, write_cursor

ALL = "all"
STATES = {
    programs.IMPORTED: "暂存", orders.WAITING: "待推送", orders.DECLARING: "申报中", orders.SUCCESS: "成功",
    orders.FAILED: "失败", orders.DELETED: "已删除",
}  # fmt: skip
KINDS = {
    orders.ORDER: "订单", orders.PAYMENT: "收款单", orders.WAYBILL: "运单", orders.LIST: "清单",
    orders.CANCELLATION: "撤销申请", orders.BILL: "清单总分单", orders.SUMMARY: "汇总申请", orders.REFUND: "退货申请",
}  # fmt: skip
NUMBERS = ("pre_no", "invt_no", "sum_no")  # that customs gave
ORDER_NO = re.compile(r"[^\x00-\x1f\x7f]{1,60}")
XML = "application/xml"


def choice(name: str, *values: str) -> str:
    given = request.args.get(name, "")
    if given and given not in values:
        raise wrong_parameter(name, "、".join(values))
    return given


@operation("GET", "/orders", "订单和单证", READ, query=(
    Parameter("order_no", "the beginning of its number"), Parameter("task", "任务编号"),
    Parameter("state", "where it is", {"type": "string", "enum": list(STATES)}),
    Parameter("kind", "303 订单 (default), 603 清单 …; all only with changed_since", {"type": "string", "enum": [*KINDS, ALL]}),
    Parameter("changed_since", "only what was imported or answered by customs since", {"type": "string", "format": "date-time"}),
    AFTER, LIMIT,
), answers={200: "Orders", 400: "Problem", 404: "Problem"}, says="Oldest first: by change with changed_since, else as they were "
   "imported. `next`: the cursor of the next page, null at the end; `changed_since`: what to ask with the next time.")  # fmt: skip
def list_orders(caller: Caller):
    limit, since, state = limit_of(1000, 100), moment_of("changed_since"), choice("state", *STATES)
    kind = choice("kind", *KINDS, *([ALL] if since else [])) or orders.ORDER
    query = programs.documents(*caller.owner, "" if kind == ALL else kind)
    if state:
        query = programs.of_state(query, state)
    query = orders.filtered(query, order_no=read_order_no(), tasks=read_tasks(caller))
    after = request.args.get("after", "")
    if since:
        until = programs.settled_until(clock.now())
        rows = programs.page_by_change(query.where(Order.changed_at >= since), read_change_cursor(after), limit + 1)
    else:
        rows = programs.page_by_serial(query, read_serial(after), limit + 1)
    last = rows[limit - 1].Order if len(rows) > limit else None
    answer = {"orders": [order_json(*row) for row in rows[:limit]], "next": None}
    if last:
        answer["next"] = write_cursor(last.changed_at, last.serial) if since else str(last.serial)
    if since and not last:
        answer["changed_since"] = moment(max(since, until))
    return answer, 200


def read_order_no() -> str:
    text = request.args.get("order_no", "")
    if text and not ORDER_NO.fullmatch(text):
        raise wrong_parameter("order_no", "订单号，最多60位")
    return text


def read_tasks(caller: Caller) -> list | None:
    number = request.args.get("task", "")
    return [get_or_404(programs.task_numbered(*caller.owner, number)).id] if number else None


def order_json(order: Order, message: Message | None, task: Task, state: str) -> dict:
    """No person is named: neither who imported it nor who signed."""
    state = state if message or order.state else programs.IMPORTED
    return {
        "id": str(order.id), "kind": order.kind, "kind_title": KINDS[order.kind], "app_type": order.app_type,
        "order_no": order.order_no, "task": task.number, "total": str(order.total), "state": state,
        "state_title": STATES[state], "return_status": order.return_status, "return_time": order.return_time,
        "return_info": order.return_info, "numbers": {key: order.data[key] for key in NUMBERS if key in order.data},
        "problem": message.problem if message else "", "message": str(message.id) if message else None,
        "changed_at": moment(order.changed_at), "url": absolute("programs.show_order", id=order.id),
    }  # fmt: skip


@operation("GET", "/orders/<uuid:id>", "一个单证和它的回执", READ, answers={200: "Order", 404: "Problem"},
           says="With its lines, when it was signed and sent, and all receipts of customs, the oldest first.")  # fmt: skip
def show_order(caller: Caller, id):
    query = programs.documents(*caller.owner).where(Order.id == id)
    order, message, task, state = get_or_404(session.execute(query).first())
    found = receipts.receipts_of(order.id, caller.principal.enterprise_id)
    return order_json(order, message, task, state) | {
        "lines": order.lines, "receipts": [receipt_json(row) for row in found],
        "signed_at": moment(message and message.signed_at), "sent_at": moment(message and message.sent_at),
    }, 200  # fmt: skip


def receipt_json(row: Receipt) -> dict:
    return {
        "status": row.status, "time": row.time, "info": row.info, "numbers": row.extra or {},
        "received_at": moment(row.at), "file": absolute("programs.show_receipt_file", id=row.file_id),
    }  # fmt: skip


@operation("GET", "/messages/<uuid:id>", "报文原文", READ, answers={200: XML, 404: "Problem"},
           says="The message of customs as it was signed, byte for byte; before that as it will be signed.")  # fmt: skip
def show_message(caller: Caller, id):
    message = get_or_404(programs.find_own_message(*caller.owner, id))
    return raw(message.signed or pushes.canonical_of(message.id), f"{message.guid}.xml")


@operation("GET", "/receipt-files/<uuid:id>", "回执原文", READ, answers={200: XML, 404: "Problem", 409: "Problem"},
           says="A file of customs as it came, byte for byte, if all documents that it speaks of are the token's.")  # fmt: skip
def show_receipt_file(caller: Caller, id):
    file = session.get(InboxFile, id)
    if file is None or file.enterprise_id != caller.principal.enterprise_id:
        abort(404)
    content = file.content
    session.commit()
    guids = exports().guids_in(content)
    if not guids or not programs.are_own(*caller.owner, guids):
        raise Refused(409, Sentence("90866", "这个文件里还有别的海关编码的回执，原文不能给；回执的内容请看单证"))
    return raw(content, file.name)


def raw(content: bytes, name: str) -> Response:
    answer = Response(content, mimetype=XML)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer

"""The customs office's pages: statistics, violations, folders, and receipts sent by hand."""

import datetime
import uuid

from flask import Blueprint, jsonify, render_template

from sandbox.customs.envelope import SHANGHAI
from sandbox.customs.office import send_by_hand, waiting
from sandbox.web import done, given, refused, world

bp = Blueprint("customs", __name__, url_prefix="/customs")
STATUSES = {
    1: "电子口岸已暂存", 2: "电子口岸申报中", 3: "发送海关成功", 4: "发送海关失败", 100: "海关退单", 120: "海关入库",
    300: "人工审核", 399: "海关审结", 600: "挂起", 800: "放行", 899: "结关", -301008: "参数校验不通过",
}  # fmt: skip
KINDS = {"unknown": "谁也没报过的guid", "foreign": "别家企业的订单，发进这家的信箱", "own": "这家企业自己的订单"}
COUNTED = {
    "messages": "报文", "orders": "订单", "distinct_guids": "不同的guid", "violations": "违规（一个guid两份内容）",
    "resent": "原样重发", "rejected_orders": "校验不通过的订单", "rejected_files": "投递失败的文件", "receipts": "发出的回执文件",
}  # fmt: skip


class NoSuchOrder(Exception):
    """No receipt can be sent about it; the text says why."""


@bp.get("/")
def show_office():
    office, ledger = world().office, world().ledger
    folders = [folder.name for folder in office.folders()]
    return render_template(
        "customs.html", statistics=ledger.statistics(), counted=COUNTED, boxes=waiting(office), folders=folders,
        statuses=STATUSES, kinds=KINDS,
        channels=ledger.run("SELECT sender, folder, uscc FROM channels ORDER BY sender"),
        incidents=ledger.run("SELECT at, kind, folder, subject, words FROM incidents ORDER BY id DESC LIMIT 50"),
        messages=ledger.run(
            "SELECT taken, sender, cop_msg_id, json_array_length(verdicts), manner, answered FROM messages"
            " ORDER BY id DESC LIMIT 20"
        ),
        orders=ledger.run("SELECT status, count(*) FROM orders GROUP BY status ORDER BY status"),
    )  # fmt: skip


@bp.get("/statistics")
def show_statistics():
    """{messages, orders, distinct_guids, violations, resent, rejected_orders, rejected_files, receipts}."""
    return jsonify(world().ledger.statistics())


@bp.post("/stray")
def send_stray():
    """A receipt by hand: folder (the enterprise id), kind (unknown | foreign | own), guid (may be empty), status, words, seconds_ago."""
    fields = given()
    folder, guid = str(fields.get("folder", "")), str(fields.get("guid", "")).strip().upper()
    try:
        status = int(fields.get("status", 120))
        moment = datetime.datetime.now(SHANGHAI).timestamp() - float(fields.get("seconds_ago") or 0)
        guid = guid or _choose(str(fields.get("kind", "unknown")), folder)
    except (NoSuchOrder, ValueError) as error:
        return refused(str(error), "/customs/")
    if folder not in [known.name for known in world().office.folders()]:
        return refused("没有这家企业的文件夹", "/customs/")
    words = str(fields.get("words", "")).strip() or STATUSES.get(status, "处理异常")
    send_by_hand(world().office, folder, guid, status, words, moment=moment)
    return done("回执已发出。", "/customs/", {"guid": guid, "status": status})


def _choose(kind: str, folder: str) -> str:
    """The guid of an order of that kind; the latest to be found."""
    if kind == "unknown":
        return str(uuid.uuid4()).upper()
    if kind not in KINDS:
        raise NoSuchOrder(f"没有这种回执：{kind}")
    sign = "=" if kind == "own" else "<>"
    found = world().ledger.run(f"SELECT guid FROM orders WHERE folder {sign} ? LIMIT 1", folder)
    if not found:
        raise NoSuchOrder("还没有这样的订单")
    return found[0][0]

"""The customs office's pages: statistics, violations, folders, documents moved on and receipts sent by hand."""

import datetime
import uuid

from flask import Blueprint, jsonify, render_template

from sandbox.customs.codes import RELEASED, WORDS
from sandbox.customs.envelope import SHANGHAI
from sandbox.customs.kinds import KINDS
from sandbox.customs.ledger import Filed
from sandbox.customs.office import advance, send_by_hand, send_format_receipt, waiting
from sandbox.customs.order_of_papers import is_released_at_once
from sandbox.web import done, given, refused, world

bp = Blueprint("customs", __name__, url_prefix="/customs")
STATUSES = WORDS | {-301008: "参数校验不通过"}
STRAYS = {
    "unknown": "谁也没报过的guid", "foreign": "别家企业的单子，发进这家的信箱", "own": "这家企业自己的单子",
    "format": "格式校验回执（CEB900），上面填CopMsgId",
}  # fmt: skip
COUNTED = {
    "messages": "报文", "violations": "违规（一个guid两份内容）", "resent": "原样重发", "rejected_files": "投递失败的文件",
    "receipts": "发出的回执文件",
}  # fmt: skip


class NoSuchPaper(Exception):
    """No receipt can be sent about it; the text says why."""


@bp.get("/")
def show_office():
    office, ledger = world().office, world().ledger
    folders = [folder.name for folder in office.folders()]
    return render_template(
        "customs.html", statistics=ledger.statistics(), counted=COUNTED, boxes=waiting(office), folders=folders,
        statuses=STATUSES, strays=STRAYS, kinds=KINDS, at_once=is_released_at_once(world().store),
        channels=ledger.run("SELECT sender, folder, uscc FROM channels ORDER BY sender"),
        incidents=ledger.run("SELECT at, kind, folder, subject, words FROM incidents ORDER BY id DESC LIMIT 50"),
        messages=ledger.run(
            "SELECT taken, sender, cop_msg_id, kind, json_array_length(verdicts), manner, answered FROM messages"
            " ORDER BY id DESC LIMIT 20"
        ),
        results=ledger.run("SELECT kind, status, count(*) FROM documents GROUP BY kind, status ORDER BY kind, status"),
    )  # fmt: skip


@bp.get("/statistics")
def show_statistics():
    """{messages, violations, resent, rejected_files, receipts, of CEB303 orders, distinct_guids, rejected_orders,
    kinds: {"303": {documents, distinct_guids, rejected}, …}}."""
    return jsonify(world().ledger.statistics())


@bp.post("/stray")
def send_stray():
    """A receipt by hand: folder (the enterprise id), kind (unknown | foreign | own | format), guid (may be empty; for
    format the CopMsgId), status, words, seconds_ago."""
    fields = given()
    folder, guid = str(fields.get("folder", "")), str(fields.get("guid", "")).strip()
    kind, words = str(fields.get("kind", "unknown")), str(fields.get("words", "")).strip()
    if folder not in [known.name for known in world().office.folders()]:
        return refused("没有这家企业的文件夹", "/customs/")
    if kind == "format":
        send_format_receipt(world().office, folder, guid, words or "报文格式校验失败")
        return done("格式校验回执已发出。", "/customs/", {"guid": guid, "status": -1})
    try:
        status = int(fields.get("status", 120))
        moment = datetime.datetime.now(SHANGHAI).timestamp() - float(fields.get("seconds_ago") or 0)
        guid = guid.upper() or _choose(kind, folder)
    except (NoSuchPaper, ValueError) as error:
        return refused(str(error), "/customs/")
    send_by_hand(world().office, folder, guid, status, words or STATUSES.get(status, "处理异常"), moment=moment)
    return done("回执已发出。", "/customs/", {"guid": guid, "status": status})


def _choose(kind: str, folder: str) -> str:
    """The guid of a document of that kind; the latest to be found."""
    if kind == "unknown":
        return str(uuid.uuid4()).upper()
    if kind not in STRAYS:
        raise NoSuchPaper(f"没有这种回执：{kind}")
    sign = "=" if kind == "own" else "<>"
    found = world().ledger.run(f"SELECT guid FROM documents WHERE folder {sign} ? LIMIT 1", folder)
    if not found:
        raise NoSuchPaper("还没有这样的单子")
    return found[0][0]


@bp.post("/advance")
def move_on():
    """Brings documents into a state and sends its receipt: kind ("603"), number (the company's or 清单编号; empty: all of
    the kind), status, words."""
    fields = given()
    kind, number = str(fields.get("kind", "")), str(fields.get("number", "")).strip()
    try:
        status = int(fields.get("status", ""))
        papers = _find_papers(kind, number)
    except (NoSuchPaper, ValueError) as error:
        return refused(str(error), "/customs/")
    words = str(fields.get("words", "")).strip() or STATUSES.get(status, "处理异常")
    advance(world().office, papers, status, words)
    return done(f"{len(papers)}份{KINDS[kind].title}已到{status} {words}。", "/customs/", {"count": len(papers)})


def _find_papers(kind: str, number: str) -> list[Filed]:
    """The live documents of the kind: all, or those of that number."""
    if kind not in KINDS:
        raise NoSuchPaper(f"海关不收这种单子：{kind}")
    found = world().ledger.find_all(kind, number)
    if not found:
        raise NoSuchPaper("没有这样的单子")
    return found


@bp.post("/release")
def choose_release():
    """at_once: yes | no. Whether a 清单 is 放行 (800) as soon as it is 入库, or waits for a hand."""
    at_once = given().get("at_once") == "yes"
    world().store.put("customs", "release", {"at_once": at_once})
    return done(
        f"清单入库后{'马上放行' if at_once else f'等人放行（{RELEASED}）'}。", "/customs/", {"at_once": at_once}
    )

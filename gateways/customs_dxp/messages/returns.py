"""Reads what customs answers to documents of any kind: receipts CEB304 … 702, results CEB792, format receipts CEB900.

Receipts of orders come by the hundred thousand: `ceb304.parse_receipts` reads those in their own type.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from lxml import etree

from ..hardened_xml import BadXml, parse
from .canonical import NAMESPACE
from .ceb304 import BadReceipt

_CEB = f"{{{NAMESPACE}}}"
_STATUS = re.compile(r"-?[0-9]{1,9}")
_TIME = re.compile(r"[0-9]{17}")
_KIND = re.compile(r"CEB([0-9]{3})Message(?:\.xml)?")


@dataclass(frozen=True, slots=True)
class Returned:
    """One receipt. kind: "303" … "701", that of the document answered, "" where customs could not tell.

    status: 3 发送海关成功, 120 海关入库, 100 海关退单, 800 放行 …, < 0 processing error (tables/ceb_return_status.csv); None
    for a 汇总结果 (792), which tells what became of a 汇总申请 and does not change its state. number: what the company
    calls the document. time: yyyyMMddHHmmssSSS, Beijing time: compares as text. `extra`: what customs gave besides, by
    element: preNo, invtNo, sumNo, payNo …; of a 900 oriCopMsgId, the CopMsgId of the message that nobody could read
    (its `guid` is not a document's); of a 792 invtNos, one a line.
    """

    kind: str
    guid: str
    status: int | None
    time: str
    number: str
    info: str
    extra: dict[str, str] = field(default_factory=dict)


class _Answer(NamedTuple):
    kind: str
    node: str
    number: str


_ANSWERS = {
    "CEB214Message": _Answer("213", "RefundReturn", "coElNo"),
    "CEB304Message": _Answer("303", "OrderReturn", "orderNo"),
    "CEB404Message": _Answer("403", "ReceiptsReturn", "orderNo"),
    "CEB506Message": _Answer("505", "LogisticsReturn", "logisticsNo"),
    "CEB508Message": _Answer("507", "ArrivalReturn", "copNo"),
    "CEB510Message": _Answer("509", "DepartureReturn", "copNo"),
    "CEB604Message": _Answer("603", "InventoryReturn", "copNo"),
    "CEB606Message": _Answer("605", "InvtCancelReturn", "copNo"),
    "CEB608Message": _Answer("607", "WayBillReturn", "copNo"),
    "CEB702Message": _Answer("701", "SummaryReturn", "copNo"),
}


def parse_returns(data: bytes) -> list[Returned]:
    """All receipts of the message, in its order. Raises BadReceipt: one bad receipt makes the message bad."""
    try:
        root = parse(data)
    except BadXml as error:
        raise BadReceipt(str(error)) from error
    name = root.tag.removeprefix(_CEB) if root.tag.startswith(_CEB) else ""
    node, read = _reader(name)
    returned = [read(child) for child in root if child.tag == _CEB + node]
    if not returned:
        raise BadReceipt("no receipt")
    return returned


def _reader(root: str) -> tuple[str, Callable[[etree._Element], Returned]]:
    """The element of one receipt, and what reads it."""
    if root == "CEB792Message":
        return "SummaryResult", _read_result
    if root == "CEB900Message":
        return "MessageReturn", _read_format_receipt
    answer = _ANSWERS.get(root)
    if answer is None:
        raise BadReceipt("not a receipt that we know")
    return answer.node, lambda node: _returned(_texts(node), answer.kind, answer.number)


def _read_format_receipt(node: etree._Element) -> Returned:
    texts = _texts(node)
    texts.pop("oriBizMessage", None)  # our own message again, or somebody else's
    kind = _KIND.fullmatch(texts.get("oriMessageType", ""))
    returned = _returned(texts, kind[1] if kind else "", "oriCopMsgId")
    returned.extra["oriCopMsgId"] = returned.number
    return returned


def _read_result(node: etree._Element) -> Returned:
    heads = node.findall(_CEB + "SummaryResultHead")
    if len(heads) != 1:
        raise BadReceipt("not one SummaryResultHead")
    texts = _texts(heads[0])
    lists = [_texts(line).get("invtNo", "") for line in node.iterfind(_CEB + "SummaryResultList")]
    texts["invtNos"] = "\n".join(dict.fromkeys(lists))
    guid, number, time = (_taken(texts, name) for name in ("guid", "sumNo", "opDate"))
    if len(guid) != 36 or not _TIME.fullmatch(time):
        raise BadReceipt("guid or opDate")
    return Returned("701", guid, None, time, number, texts.pop("note", ""), {"sumNo": number, **texts})


def _returned(texts: dict[str, str], kind: str, number_in: str) -> Returned:
    names = ("guid", "returnStatus", "returnTime", number_in)
    guid, status, time, number = (_taken(texts, name) for name in names)
    if len(guid) != 36 or not _STATUS.fullmatch(status) or not _TIME.fullmatch(time):
        raise BadReceipt("guid, returnStatus or returnTime")
    return Returned(kind, guid, int(status), time, number, texts.pop("returnInfo", ""), texts)


def _texts(node: etree._Element) -> dict[str, str]:
    texts = {child.tag.removeprefix(_CEB): child.text or "" for child in node}
    if len(texts) != len(node):
        raise BadReceipt("an element twice in a receipt")
    return texts


def _taken(texts: dict[str, str], name: str) -> str:
    if name not in texts:
        raise BadReceipt(f"no {name}")
    return texts.pop(name).strip()

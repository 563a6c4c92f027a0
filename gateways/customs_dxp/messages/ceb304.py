"""CEB304 电子订单回执: reads the receipts of one message."""

import re
from typing import NamedTuple

from ..hardened_xml import BadXml, parse
from .canonical import NAMESPACE

_CEB = f"{{{NAMESPACE}}}"
_INFO = _CEB + "returnInfo"
_NAMES = [_CEB + name for name in ("guid", "ebpCode", "ebcCode", "orderNo", "returnStatus", "returnTime")]
_STATUS = re.compile(r"-?[0-9]{1,9}")
_TIME = re.compile(r"[0-9]{17}")


class BadReceipt(ValueError):
    """The bytes are not a CEB304 message; the text says why."""


class Receipt(NamedTuple):
    """OrderReturn. status: 3 发送海关成功, 120 海关入库, 100 海关退单, < 0 processing error (tables/ceb_return_status.csv)."""

    guid: str
    ebp_code: str
    ebc_code: str
    order_no: str
    status: int
    time: str  # yyyyMMddHHmmssSSS, Beijing time: compares as text
    info: str


def parse_receipts(data: bytes) -> list[Receipt]:
    """All receipts of the message, in its order. Raises BadReceipt: one bad receipt makes the message bad."""
    try:
        root = parse(data)
    except BadXml as error:
        raise BadReceipt(str(error)) from error
    if root.tag != _CEB + "CEB304Message":
        raise BadReceipt("not a CEB304Message")
    receipts = [_receipt(node) for node in root if node.tag == _CEB + "OrderReturn"]
    if not receipts:
        raise BadReceipt("no receipt")
    return receipts


def _receipt(node) -> Receipt:
    texts = {child.tag: child.text for child in node}
    if len(texts) != len(node):
        raise BadReceipt("an element twice in a receipt")
    try:
        guid, ebp_code, ebc_code, order_no, status, time = [(texts[name] or "").strip() for name in _NAMES]
    except KeyError as error:
        raise BadReceipt(f"no {error.args[0].removeprefix(_CEB)}") from error
    if len(guid) != 36 or not _STATUS.fullmatch(status) or not _TIME.fullmatch(time):
        raise BadReceipt("guid, returnStatus or returnTime")
    return Receipt(guid, ebp_code, ebc_code, order_no, int(status), time, texts.get(_INFO) or "")

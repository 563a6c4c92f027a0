"""The transport envelope DxpMsg (终端节点报文 202205): what comes in, and the answers CEB304 … 792 and DxpRep that go out."""

import base64
import binascii
import datetime
import itertools
import time
import uuid
from dataclasses import dataclass
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from lxml import etree

from sandbox.customs.kinds import BY_ROOT, MAY_BE_MISSING_IN_RECEIPTS, Kind

CUSTOMS = "DXPEDCCEB0000003"  # the export system's receiver id
DXP = "{http://www.chinaport.gov.cn/dxp}"
LARGEST = 4096 * 1024  # bytes; the limit of the MQ and AMQP nodes
SHANGHAI = ZoneInfo("Asia/Shanghai")
_serial = itertools.count(time.time_ns() // 1000)


class BadEnvelope(Exception):
    """The platform cannot deliver this file; `code` is a DXP code, the text its reason."""

    def __init__(self, words: str, code: str = "-1201001"):
        super().__init__(words)
        self.code = code


@dataclass(frozen=True)
class Envelope:
    cop_msg_id: str
    sender: str
    created: str
    kind: str  # MsgType: CEB303Message …
    data: bytes  # the business message


def parse(document: bytes) -> etree._Element:
    """The root element; no DTD, no entities, no network. Raises BadEnvelope."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_blank_text=False)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        raise BadEnvelope(f"不是格式正确的XML：{error.msg}") from error
    if root.getroottree().docinfo.doctype:
        raise BadEnvelope("报文不得带DTD")
    return root


def read(raw: bytes) -> Envelope:
    """Raises BadEnvelope with the first thing that is wrong."""
    if len(raw) > LARGEST:
        raise BadEnvelope("报文超过4096KB")
    root = parse(raw)
    if root.tag != DXP + "DxpMsg" or root.get("ver") != "1.0":
        raise BadEnvelope("根元素应为DxpMsg，ver应为1.0")
    head, data = root.find(DXP + "TransInfo"), root.find(DXP + "Data")
    if head is None or data is None:
        raise BadEnvelope("缺少TransInfo或Data")
    names = [child.tag.removeprefix(DXP) for child in head]
    if names != ["CopMsgId", "SenderId", "ReceiverIds", "CreatTime", "MsgType"]:
        raise BadEnvelope("TransInfo的元素或次序不对")
    cop_msg_id, sender, _, created, kind = (child.text or "" for child in head)
    receivers = [child.text or "" for child in head[2]]
    if not 1 <= len(cop_msg_id) <= 255 or not 1 <= len(sender) <= 16:
        raise BadEnvelope("CopMsgId应为1至255位，SenderId应为1至16位")
    if not 1 <= len(receivers) <= 5 or CUSTOMS not in receivers:
        raise BadEnvelope(f"接收方不是{CUSTOMS}", "-1201004")
    _check_time(created)
    if kind not in BY_ROOT:
        raise BadEnvelope(f"不受理的报文类型：{kind}")
    try:
        content = base64.b64decode("".join((data.text or "").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadEnvelope("Data不是base64") from error
    return Envelope(cop_msg_id, sender, created, kind, content)


def _check_time(text: str) -> None:
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise BadEnvelope("CreatTime不是xs:dateTime") from error


def return_time(moment: float) -> str:
    """Unix seconds as yyyyMMddHHmmssSSS in Chinese time."""
    local = datetime.datetime.fromtimestamp(moment, SHANGHAI)
    return f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03}"


def receipt(kind: Kind, returns: list[tuple], receiver: str) -> tuple[str, bytes]:
    """A message of receipts, one for each (guid, texts that it repeats, status, time, info), at most 100, in its envelope.

    Returns the file's name and bytes."""
    names = ["guid", *kind.said]
    before = [f"<ceb:{name}>%s</ceb:{name}>" for name in names]
    whole = "".join(before)
    body = "".join(
        [
            f"<ceb:{kind.receipt}>{_fill(whole, before, names, [guid, *said])}"
            f"<ceb:returnStatus>{status}</ceb:returnStatus><ceb:returnTime>{when}</ceb:returnTime>"
            f"<ceb:returnInfo>{_text(info)}</ceb:returnInfo></ceb:{kind.receipt}>"
            for guid, said, status, when, info in returns
        ]
    )
    return _wrap(kind.answer_root, _document(kind.answer_root, body), receiver)


def _fill(whole: str, parts: list[str], names: list[str], texts: list[str]) -> str:
    """The elements with their texts; those that may be missing are, when there is nothing to say."""
    escaped = [_text(text) for text in texts]
    if "" not in escaped:
        return whole % tuple(escaped)
    kept = [
        part % text
        for part, name, text in zip(parts, names, escaped, strict=True)
        if text or name not in MAY_BE_MISSING_IN_RECEIPTS
    ]
    return "".join(kept)


def result(guid: str, found: dict, moment: float, receiver: str) -> tuple[str, bytes]:
    """A CEB792Message 汇总结果 in its envelope: `found` as order_of_papers.py makes it."""
    head = {"guid": guid, "customsCode": found["customsCode"], "sumNo": found["sumNo"], "opDate": return_time(moment)}
    head |= {"declSeqNo": found["declSeqNo"], "decState": found["decState"], **found["companies"], **found["weights"]}
    head |= {"msgCount": "1", "msgSeqNo": "1"}
    names = ("invtNo", "logisticsNo", "gseqno", "gnum", "gcode")
    lines = "".join(
        f"<ceb:SummaryResultList>{_elements(dict(zip(names, line, strict=True)))}</ceb:SummaryResultList>"
        for line in found["lines"]
    )
    body = f"<ceb:SummaryResult><ceb:SummaryResultHead>{_elements(head)}</ceb:SummaryResultHead>{lines}</ceb:SummaryResult>"
    return _wrap("CEB792Message", _document("CEB792Message", body), receiver)


def format_receipt(cop_msg_id: str, root: str, words: str, receiver: str) -> tuple[str, bytes]:
    """A CEB900Message 格式校验回执 in its envelope: nobody could read the message of that CopMsgId."""
    values = {
        "guid": str(uuid.uuid4()).upper(), "returnStatus": "-1", "returnInfo": words, "returnTime": return_time(time.time()),
        "oriCopMsgId": cop_msg_id, "oriMessageType": root, "oriBizMessage": "",
    }  # fmt: skip
    body = f"<ceb:MessageReturn>{_elements(values)}</ceb:MessageReturn>"
    return _wrap("CEB900Message", _document("CEB900Message", body), receiver)


def _elements(values: dict) -> str:
    return "".join(f"<ceb:{name}>{_text(str(text))}</ceb:{name}>" for name, text in values.items())


def _document(root: str, body: str) -> str:
    """The message as base64."""
    document = (
        f'<?xml version="1.0" encoding="UTF-8"?><ceb:{root} xmlns:ceb="http://www.chinaport.gov.cn/ceb"'
        f' guid="{str(uuid.uuid4()).upper()}" version="1.0">{body}</ceb:{root}>'
    )
    return base64.b64encode(document.encode()).decode()


def _text(value: str) -> str:
    """Escaped for XML; most need none, and there are hundreds in a file."""
    return escape(value) if "&" in value or "<" in value or ">" in value else value


def _wrap(root: str, data: str, receiver: str) -> tuple[str, bytes]:
    now = datetime.datetime.now(SHANGHAI)
    cop_msg_id = f"{CUSTOMS}{now:%Y%m%d%H%M%S}{next(_serial)}"
    envelope = (
        '<?xml version="1.0" encoding="UTF-8"?><dxp:DxpMsg xmlns:dxp="http://www.chinaport.gov.cn/dxp" ver="1.0">'
        f"<dxp:TransInfo><dxp:CopMsgId>{cop_msg_id}</dxp:CopMsgId><dxp:SenderId>{CUSTOMS}</dxp:SenderId>"
        f"<dxp:ReceiverIds><dxp:ReceiverId>{escape(receiver)}</dxp:ReceiverId></dxp:ReceiverIds>"
        f"<dxp:CreatTime>{now.isoformat(timespec='milliseconds')}</dxp:CreatTime>"
        f"<dxp:MsgType>{root}</dxp:MsgType></dxp:TransInfo><dxp:Data>{data}</dxp:Data></dxp:DxpMsg>"
    )
    return f"{root}_{CUSTOMS}_{receiver}_{cop_msg_id}.xml", envelope.encode()


def garbled(kind: Kind, receiver: str) -> list[tuple[str, bytes]]:
    """Two broken receipt files: XML that ends in the middle, and Data that is not base64."""
    name, whole = _wrap(kind.answer_root, base64.b64encode(b"<ceb:CEB304Message").decode(), receiver)
    return [(name, whole[: len(whole) * 2 // 3]), _wrap(kind.answer_root, "*这不是base64*", receiver)]


def reply(words: str, code: str, sender: str, cop_msg_id: str, kind: str) -> tuple[str, bytes]:
    """A DxpRep that says why a file was not delivered. Returns the file's name and bytes."""
    now = datetime.datetime.now(SHANGHAI)
    sender, original = escape(sender[:16]) or "UNKNOWN", escape(cop_msg_id[:255]) or "UNKNOWN"
    document = (
        '<?xml version="1.0" encoding="UTF-8"?><DxpRep xmlns="http://www.chinaport.gov.cn/dxp" ver="1.0">'
        f"<RecevierId>{sender}</RecevierId><Response><ResponseCode>{code}</ResponseCode>"
        f"<ResponseInfo>{escape(words[:300])}</ResponseInfo><NoticeTime>{now:%Y-%m-%d}</NoticeTime>"
        f"<OriHead><CopMsgId>{original}</CopMsgId><SenderId>{sender}</SenderId>"
        f"<ReceiverIds><ReceiverId>{CUSTOMS}</ReceiverId></ReceiverIds>"
        f"<CreatTime>{now.isoformat(timespec='seconds')}</CreatTime>"
        f"<MsgType>{escape(kind[:30]) or 'UNKNOWN'}</MsgType></OriHead></Response></DxpRep>"
    )
    return f"DxpRep_{CUSTOMS}_{sender}_{next(_serial)}.xml", document.encode()

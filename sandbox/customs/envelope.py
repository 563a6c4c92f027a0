"""The transport envelope DxpMsg (终端节点报文 202205): what comes in, and the answers CEB304 and DxpRep that go out."""

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
    data: bytes  # the CEB303 document


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
    if kind != "CEB303Message":
        raise BadEnvelope(f"不受理的报文类型：{kind}")
    try:
        content = base64.b64decode("".join((data.text or "").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadEnvelope("Data不是base64") from error
    return Envelope(cop_msg_id, sender, created, content)


def _check_time(text: str) -> None:
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise BadEnvelope("CreatTime不是xs:dateTime") from error


def return_time(moment: float) -> str:
    """Unix seconds as yyyyMMddHHmmssSSS in Chinese time."""
    local = datetime.datetime.fromtimestamp(moment, SHANGHAI)
    return f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03}"


def receipt(returns: list[tuple], receiver: str) -> tuple[str, bytes]:
    """A CEB304Message with one OrderReturn for each (guid, ebpCode, ebcCode, orderNo, status, time, info) in its envelope.

    At most 100. Returns the file's name and bytes."""
    body = "".join(
        [
            f"<ceb:OrderReturn><ceb:guid>{_text(guid)}</ceb:guid><ceb:ebpCode>{_text(ebp)}</ceb:ebpCode>"
            f"<ceb:ebcCode>{_text(ebc)}</ceb:ebcCode><ceb:orderNo>{_text(number)}</ceb:orderNo>"
            f"<ceb:returnStatus>{status}</ceb:returnStatus><ceb:returnTime>{when}</ceb:returnTime>"
            f"<ceb:returnInfo>{_text(info)}</ceb:returnInfo></ceb:OrderReturn>"
            for guid, ebp, ebc, number, status, when, info in returns
        ]
    )
    document = (
        '<?xml version="1.0" encoding="UTF-8"?><ceb:CEB304Message xmlns:ceb="http://www.chinaport.gov.cn/ceb"'
        f' guid="{str(uuid.uuid4()).upper()}" version="1.0">{body}</ceb:CEB304Message>'
    )
    return _wrap(base64.b64encode(document.encode()).decode(), receiver)


def _text(value: str) -> str:
    """Escaped for XML; most need none, and there are hundreds in a file."""
    return escape(value) if "&" in value or "<" in value or ">" in value else value


def _wrap(data: str, receiver: str) -> tuple[str, bytes]:
    now = datetime.datetime.now(SHANGHAI)
    cop_msg_id = f"{CUSTOMS}{now:%Y%m%d%H%M%S}{next(_serial)}"
    envelope = (
        '<?xml version="1.0" encoding="UTF-8"?><dxp:DxpMsg xmlns:dxp="http://www.chinaport.gov.cn/dxp" ver="1.0">'
        f"<dxp:TransInfo><dxp:CopMsgId>{cop_msg_id}</dxp:CopMsgId><dxp:SenderId>{CUSTOMS}</dxp:SenderId>"
        f"<dxp:ReceiverIds><dxp:ReceiverId>{escape(receiver)}</dxp:ReceiverId></dxp:ReceiverIds>"
        f"<dxp:CreatTime>{now.isoformat(timespec='milliseconds')}</dxp:CreatTime>"
        f"<dxp:MsgType>CEB304Message</dxp:MsgType></dxp:TransInfo><dxp:Data>{data}</dxp:Data></dxp:DxpMsg>"
    )
    return f"CEB304Message_{CUSTOMS}_{receiver}_{cop_msg_id}.xml", envelope.encode()


def garbled(receiver: str) -> list[tuple[str, bytes]]:
    """Two broken receipt files: XML that ends in the middle, and Data that is not base64."""
    name, whole = _wrap(base64.b64encode(b"<ceb:CEB304Message").decode(), receiver)
    return [(name, whole[: len(whole) * 2 // 3]), _wrap("*这不是base64*", receiver)]


def reply(words: str, code: str, sender: str, cop_msg_id: str, created: str = "") -> tuple[str, bytes]:
    """A DxpRep that says why a file was not delivered. Returns the file's name and bytes."""
    now = datetime.datetime.now(SHANGHAI)
    sender, original = escape(sender[:16]) or "UNKNOWN", escape(cop_msg_id[:255]) or "UNKNOWN"
    document = (
        '<?xml version="1.0" encoding="UTF-8"?><DxpRep xmlns="http://www.chinaport.gov.cn/dxp" ver="1.0">'
        f"<RecevierId>{sender}</RecevierId><Response><ResponseCode>{code}</ResponseCode>"
        f"<ResponseInfo>{escape(words[:300])}</ResponseInfo><NoticeTime>{now:%Y-%m-%d}</NoticeTime>"
        f"<OriHead><CopMsgId>{original}</CopMsgId><SenderId>{sender}</SenderId>"
        f"<ReceiverIds><ReceiverId>{CUSTOMS}</ReceiverId></ReceiverIds>"
        f"<CreatTime>{escape(created) or now.isoformat(timespec='seconds')}</CreatTime>"
        "<MsgType>CEB303Message</MsgType></OriHead></Response></DxpRep>"
    )
    return f"DxpRep_{CUSTOMS}_{sender}_{next(_serial)}.xml", document.encode()

"""The envelope of the data exchange platform: DxpMsg around a message, DxpRep as its transport receipt.

Edition: 海关跨境终端节点报文定义 202205 (namespace http://www.chinaport.gov.cn/dxp, ver 1.0).
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from xml.sax.saxutils import escape

from lxml import etree

from .hardened_xml import MAX_BYTES, BadXml
from .hardened_xml import parse as parse_xml

NAMESPACE = "http://www.chinaport.gov.cn/dxp"
CUSTOMS_EXPORT = "DXPEDCCEB0000003"  # receiver of cross-border export messages
_DXP = f"{{{NAMESPACE}}}"
_NAMES = {"dxp": NAMESPACE}
_ID = re.compile(r"[A-Za-z0-9]{1,16}")
_COP_MSG_ID = re.compile(r"[A-Za-z0-9-]{1,200}")  # becomes part of a file name
_MSG_TYPE = re.compile(r"[A-Za-z0-9]{1,30}")


class BadEnvelope(ValueError):
    """The bytes are neither a DxpMsg nor a DxpRep; the text says why."""


@dataclass(frozen=True)
class DxpMsg:
    """A message on its way; `created` is aware, `data` the business message itself."""

    cop_msg_id: str
    sender_id: str
    receiver_ids: tuple[str, ...]
    created: datetime
    msg_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class DxpResponse:
    """One answer of the platform about one message of ours; code 0 is good (tables/dxp_error_codes.csv)."""

    code: str
    info: str
    noticed: date
    cop_msg_id: str
    sender_id: str


@dataclass(frozen=True)
class DxpRep:
    """Transport receipt."""

    receiver_id: str
    responses: tuple[DxpResponse, ...]


def file_name(message: DxpMsg) -> str:
    """`<MsgType>_<SenderId>_<ReceiverId>_<CopMsgId>.xml`."""
    _check(message)
    return f"{message.msg_type}_{message.sender_id}_{message.receiver_ids[0]}_{message.cop_msg_id}.xml"


def build(message: DxpMsg) -> bytes:
    """The envelope, compact. The same values give the same bytes. Raises ValueError for ids of another form or size."""
    _check(message)
    receivers = "".join(f"<dxp:ReceiverId>{escape(receiver)}</dxp:ReceiverId>" for receiver in message.receiver_ids)
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<dxp:DxpMsg xmlns:dxp="{NAMESPACE}" ver="1.0"><dxp:TransInfo>'
        f"<dxp:CopMsgId>{message.cop_msg_id}</dxp:CopMsgId><dxp:SenderId>{message.sender_id}</dxp:SenderId>"
        f"<dxp:ReceiverIds>{receivers}</dxp:ReceiverIds>"
        f"<dxp:CreatTime>{message.created.isoformat(timespec='seconds')}</dxp:CreatTime>"
        f"<dxp:MsgType>{message.msg_type}</dxp:MsgType></dxp:TransInfo><dxp:Data>"
    )
    envelope = b"".join((head.encode(), base64.b64encode(message.data), b"</dxp:Data></dxp:DxpMsg>"))
    if len(envelope) > MAX_BYTES:
        raise ValueError("larger than the platform takes")
    return envelope


def _check(message: DxpMsg) -> None:
    if not 1 <= len(message.receiver_ids) <= 5:
        raise ValueError("1 to 5 receivers")
    for form, text in (
        (_COP_MSG_ID, message.cop_msg_id),
        (_ID, message.sender_id),
        *((_ID, receiver) for receiver in message.receiver_ids),
        (_MSG_TYPE, message.msg_type),
    ):
        if not form.fullmatch(text):
            raise ValueError(f"{text!r} cannot stand in an envelope")
    if message.created.tzinfo is None:
        raise ValueError("the time of creation needs its zone")


def parse(data: bytes) -> DxpMsg | DxpRep:
    """Reads what came from the platform. Raises BadEnvelope. A transport signature is not looked at."""
    try:
        root = parse_xml(data)
    except BadXml as error:
        raise BadEnvelope(str(error)) from error
    if root.tag == _DXP + "DxpMsg":
        return _message(root)
    if root.tag == _DXP + "DxpRep":
        return _reply(root)
    raise BadEnvelope("neither DxpMsg nor DxpRep")


def _text(node: etree._Element, path: str) -> str:
    """The text of the one element at `path`; raises BadEnvelope."""
    found = node.findall(path, _NAMES)
    if len(found) != 1:
        raise BadEnvelope(f"{path}: found {len(found)} times")
    return (found[0].text or "").strip()


def _message(root: etree._Element) -> DxpMsg:
    receivers = root.findall("dxp:TransInfo/dxp:ReceiverIds/dxp:ReceiverId", _NAMES)
    try:
        created = datetime.fromisoformat(_text(root, "dxp:TransInfo/dxp:CreatTime"))
    except ValueError as error:
        raise BadEnvelope("CreatTime") from error
    try:
        content = base64.b64decode("".join(_text(root, "dxp:Data").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadEnvelope("Data is not base64") from error
    message = DxpMsg(
        cop_msg_id=_text(root, "dxp:TransInfo/dxp:CopMsgId"),
        sender_id=_text(root, "dxp:TransInfo/dxp:SenderId"),
        receiver_ids=tuple((node.text or "").strip() for node in receivers),
        created=created,
        msg_type=_text(root, "dxp:TransInfo/dxp:MsgType"),
        data=content,
    )
    if not (message.cop_msg_id and message.sender_id and message.receiver_ids):
        raise BadEnvelope("TransInfo is empty")
    return message


def _reply(root: etree._Element) -> DxpRep:
    responses = root.findall("dxp:Response", _NAMES)
    if not responses:
        raise BadEnvelope("no Response")
    return DxpRep(_text(root, "dxp:RecevierId"), tuple(_response(node) for node in responses))  # spelled so


def _response(node: etree._Element) -> DxpResponse:
    try:
        noticed = date.fromisoformat(_text(node, "dxp:NoticeTime")[:10])
    except ValueError as error:
        raise BadEnvelope("NoticeTime") from error
    return DxpResponse(
        code=_text(node, "dxp:ResponseCode"),
        info=(node.findtext("dxp:ResponseInfo", "", _NAMES) or "").strip(),
        noticed=noticed,
        cop_msg_id=_text(node, "dxp:OriHead/dxp:CopMsgId"),
        sender_id=_text(node, "dxp:OriHead/dxp:SenderId"),
    )

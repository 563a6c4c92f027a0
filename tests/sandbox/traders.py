"""A declaring company for the tests: builds orders and messages, signs them with a virtual card's key, fills envelopes.

Written from the specification, without a line of the sandbox or the portal."""

import base64
import datetime
import hashlib
import itertools
import json
import subprocess
import uuid
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from lxml import etree

DSIG = "http://www.w3.org/2000/09/xmldsig#"
OFFICIAL = "http://www.chinaport.gov.cn/2022/04/xmldsig#"
CARRIER, CARRIER_NAME = "1301960005", "样品物流（石家庄）有限公司"
USCC, NAME, CODE, CHANNEL = "91130100PDY00001XG", "示例外贸（石家庄）有限公司", "1301960001", "DXPENT9999900001"
SM2_OID = bytes.fromhex("301306072a8648ce3d020106082a811ccf5501822d")
_serial = itertools.count(1)


def new_guid() -> str:
    return str(uuid.uuid4()).upper()


def order(number: str = "", guid: str = "", **changes: str) -> str:
    """One order of one line as XML text; `changes` replace element texts of head or line."""
    values = {
        "guid": guid or new_guid(), "appType": "1", "appTime": "20260101120000", "appStatus": "2", "orderType": "B",
        "orderNo": number or f"TYDH{next(_serial):06}", "ebpCode": CODE, "ebpName": NAME, "ebcCode": CODE,
        "ebcName": NAME, "goodsValue": "25", "freight": "0", "currency": "502",
    } | {key: text for key, text in changes.items() if not key.startswith("line_")}  # fmt: skip
    line = {
        "gnum": "1", "itemNo": "8711100010", "itemName": "微马力摩托车及脚踏两用车", "unit": "011", "currency": "502",
        "qty": "10", "price": "2.5", "totalPrice": "25",
    } | {key.removeprefix("line_"): text for key, text in changes.items() if key.startswith("line_")}  # fmt: skip

    return (
        f"<ceb:Order><ceb:OrderHead>{_elements(values)}</ceb:OrderHead>"
        f"<ceb:OrderList>{_elements(line)}</ceb:OrderList></ceb:Order>"
    )


def _elements(pairs: dict[str, str]) -> str:
    return "".join(f"<ceb:{name}>{text}</ceb:{name}>" for name, text in pairs.items())


def _companies(*roles: str) -> dict[str, str]:
    return {role + part: text for role in roles for part, text in (("Code", CODE), ("Name", NAME))}


_CARRIER = {"logisticsCode": CARRIER, "logisticsName": CARRIER_NAME}
_GOODS = {
    "gnum": "1", "itemNo": "8711100010", "gcode": "8711600010", "gname": "电动脚踏车", "gmodel": "250W", "barCode": "无",
    "country": "502", "currency": "502", "qty": "10", "qty1": "10", "qty2": "", "unit": "011", "unit1": "011",
    "unit2": "", "price": "2.5",
    "totalPrice": "25",
}  # fmt: skip
_RETURNED = ("gnum", "gcode", "gname", "gmodel", "qty", "qty1", "unit", "unit1", "qty2", "unit2")
PAPERS = {  # code: (node, head node, line node, head, line)
    "403": (
        "Receipts", "", "",
        {
            **_companies("ebp", "ebc"), "orderNo": "A1", "payName": "现金支付", "payNo": "", "charge": "25",
            "currency": "502",
            "accountingDate": "20260101115959",
        }, {},
    ),
    "505": (
        "Logistics", "", "",
        {
            **_CARRIER, "logisticsNo": "Y1", "freight": "0", "insuredFee": "0", "currency": "502",
            "grossWeight": "1.5", "packNo": "1",
            "goodsInfo": "脚踏车",
        }, {},
    ),
    "603": (
        "Inventory", "InventoryHead", "InventoryList",
        {
            "customsCode": "0403", **_companies("ebp"), "orderNo": "A1", **_CARRIER, "logisticsNo": "Y1",
            "copNo": "L1", "invtNo": "",
            "ieFlag": "E", "portCode": "0403", "ieDate": "20260102", "statisticsFlag": "B", **_companies("agent",
            "ebc", "owner"),
            "tradeMode": "9710", "trafMode": "5", "country": "502", "POD": "3000", "freight": "0",
            "fCurrency": "502", "fFlag": "3",
            "insuredFee": "0", "iCurrency": "502", "iFlag": "3", "wrapType": "2", "packNo": "1",
            "grossWeight": "1.5", "netWeight": "1",
        }, _GOODS,
    ),
    "605": (
        "InvtCancel", "", "",
        {"customsCode": "0403", "copNo": "L1", "invtNo": "0", "reason": "买家取消订单", **_companies("agent", "ebc")}, {},
    ),
    "213": (
        "InvtRefund", "InvtRefundHead", "InvtRefundList",
        {
            "customsCode": "0403", **_companies("ebp", "ebc"), "logisticsNo": "R1", **_CARRIER, "coElNo": "T1",
            "invtNo": "0",
            "tradeMode": "9661", **_companies("agent"), "billNo": "R1", "ieFlag": "I", "trafMode": "5",
            "trafName": "CA938",
            "portCode": "0403", "reason": "买家退货", "country": "502", "voyageNo": "CA938",
        }, {name: _GOODS[name] for name in _RETURNED},
    ),
    "607": (
        "WayBill", "WayBillHead", "WayBillList",
        {
            "customsCode": "0403", "copNo": "M1", **_companies("agent"), "trafMode": "5", "trafName": "CA937",
            "voyageNo": "CA937",
            "billNo": "999-12345675", "grossWeight": "1.5", **_CARRIER, "msgCount": "1", "msgSeqNo": "1",
        }, {"gnum": "1", "logisticsNo": "Y1", "invtNo": ""},
    ),
    "701": (
        "SummaryApply", "SummaryApplyHead", "SummaryApplyList",
        {
            "customsCode": "0403", "copNo": "S1", **_companies("agent", "ebc", "declAgent"), "startTime": "",
            "endTime": "",
            "summaryFlag": "1", "itemNameFlag": "0", "msgCount": "1", "msgSeqNo": "1",
        }, {"invtNo": ""},
    ),
}  # fmt: skip


def paper(code: str, guid: str = "", **changes: str) -> str:
    """One document of another kind as XML text; `changes` replace element texts of head or line, "" takes one out."""
    node, head_node, line_node, head, line = PAPERS[code]
    opening = {"guid": guid or new_guid(), "appType": "1", "appTime": "20260101120000", "appStatus": "2"}
    values = opening | head | {key: text for key, text in changes.items() if not key.startswith("line_")}
    of_line = line | {key.removeprefix("line_"): text for key, text in changes.items() if key.startswith("line_")}
    values, of_line = ({name: text for name, text in part.items() if text} for part in (values, of_line))
    inner = f"<ceb:{head_node}>{_elements(values)}</ceb:{head_node}>" if head_node else _elements(values)
    if of_line:
        inner += f"<ceb:{line_node}>{_elements(of_line)}</ceb:{line_node}>"
    return f"<ceb:{node}>{inner}</ceb:{node}>"


def message(
    *documents: str, kind: str = "303", cop_code: str = CODE, cop_name: str = NAME, dxp_id: str = CHANNEL
) -> bytes:
    """An unsigned message of the kind."""
    return (
        f'<ceb:CEB{kind}Message xmlns:ceb="http://www.chinaport.gov.cn/ceb" guid="{new_guid()}" version="1.0">'
        f"{''.join(documents)}<ceb:BaseTransfer><ceb:copCode>{cop_code}</ceb:copCode><ceb:copName>{cop_name}</ceb:copName>"
        f"<ceb:dxpMode>DXP</ceb:dxpMode><ceb:dxpId>{dxp_id}</ceb:dxpId></ceb:BaseTransfer></ceb:CEB{kind}Message>"
    ).encode()


def signed(document: bytes, card: Path) -> bytes:
    """The message with an enveloped ds:Signature by the key in the card's file."""
    kept = json.loads(card.read_text())
    der = base64.b64decode(kept["certificate"])
    is_sm2 = kept["algorithm"] == "sm2"
    root = etree.fromstring(document)
    content = etree.tostring(root, method="c14n")
    digest = hashlib.new("sm3" if is_sm2 else "sha1", content).digest()
    method, digest_method = (OFFICIAL + "sm2-sm3", OFFICIAL + "sm3") if is_sm2 else (DSIG + "rsa-sha1", DSIG + "sha1")
    inner = (
        '<ds:CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315">'
        f'</ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="{method}"></ds:SignatureMethod>'
        f'<ds:Reference URI=""><ds:Transforms><ds:Transform Algorithm="{DSIG}enveloped-signature"></ds:Transform>'
        f'</ds:Transforms><ds:DigestMethod Algorithm="{digest_method}"></ds:DigestMethod>'
        f"<ds:DigestValue>{base64.b64encode(digest).decode()}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    )
    spaces = f'xmlns:ceb="http://www.chinaport.gov.cn/ceb" xmlns:ds="{DSIG}"'
    to_sign = f"<ds:SignedInfo {spaces}>{inner}".encode()
    value = _sm2(kept["key"], der, to_sign) if is_sm2 else _rsa(kept["key"], to_sign)
    block = (
        f'<ds:Signature xmlns:ds="{DSIG}"><ds:SignedInfo>{inner}'
        f"<ds:SignatureValue>{base64.b64encode(value).decode()}</ds:SignatureValue><ds:KeyInfo>"
        f"<ds:KeyName>{x509.load_der_x509_certificate(der).serial_number:016x}</ds:KeyName><ds:X509Data>"
        f"<ds:X509Certificate>{base64.b64encode(der).decode()}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        "</ds:Signature>"
    )
    end = document[document.rindex(b"</ceb:CEB") :]
    return document.replace(end, block.encode() + end)


def _rsa(pem: str, data: bytes) -> bytes:
    key = serialization.load_pem_private_key(pem.encode(), None)
    return key.sign(data, padding.PKCS1v15(), hashes.SHA1())


def _sm2(scalar: str, certificate: bytes, data: bytes) -> bytes:
    """r and s, 32 bytes each, by the OpenSSL command line."""
    tbs = certificate
    start = tbs.index(SM2_OID) + len(SM2_OID)
    point = tbs[start + 3 : start + 68]
    curve = bytes.fromhex("06082a811ccf5501822d")
    body = b"\x02\x01\x01\x04\x20" + bytes.fromhex(scalar) + b"\xa0\x0a" + curve + b"\xa1\x44\x03\x42\x00" + point
    der = b"\x30" + bytes([len(body)]) + body
    pem = b"-----BEGIN EC PRIVATE KEY-----\n" + base64.encodebytes(der) + b"-----END EC PRIVATE KEY-----\n"
    read, write = __import__("os").pipe()
    with open(write, "wb") as out:
        out.write(pem)
    command = ["openssl", "dgst", "-sm3", "-sigopt", "distid:1234567812345678", "-sign", f"/dev/fd/{read}"]
    signature = subprocess.run(command, input=data, check=True, capture_output=True, pass_fds=[read]).stdout
    return b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(signature))


def envelope(document: bytes, cop_msg_id: str = "", sender: str = CHANNEL) -> bytes:
    """The DxpMsg around a business message."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    kind = document.rpartition(b":")[2].decode().rstrip(">")
    return (
        '<?xml version="1.0" encoding="UTF-8"?><dxp:DxpMsg xmlns:dxp="http://www.chinaport.gov.cn/dxp" ver="1.0">'
        f"<dxp:TransInfo><dxp:CopMsgId>{cop_msg_id or new_guid()}</dxp:CopMsgId><dxp:SenderId>{sender}</dxp:SenderId>"
        "<dxp:ReceiverIds><dxp:ReceiverId>DXPEDCCEB0000003</dxp:ReceiverId></dxp:ReceiverIds>"
        f"<dxp:CreatTime>{now}</dxp:CreatTime><dxp:MsgType>{kind}</dxp:MsgType></dxp:TransInfo>"
        f"<dxp:Data>{base64.b64encode(document).decode()}</dxp:Data></dxp:DxpMsg>"
    ).encode()


def put(folder: Path, content: bytes, name: str = "") -> Path:
    """Lays a file into the OutBox of the enterprise folder."""
    box = folder / "OutBox"
    box.mkdir(parents=True, exist_ok=True)
    path = box / (name or f"CEB303Message_{CHANNEL}_DXPEDCCEB0000003_{new_guid()}.xml")
    path.write_bytes(content)
    return path


def answers(folder: Path, root: str = "CEB[0-6]") -> list[dict[str, str]]:
    """Every receipt in the InBox, file by file in the order of their names; of other roots whose name starts so."""
    found = []
    for path in sorted((folder / "InBox").glob(f"{root}*.xml"), key=lambda path: path.name.partition("_")[2]):
        outer = etree.fromstring(path.read_bytes())
        inner = etree.fromstring(base64.b64decode(outer.findtext("{*}Data")))
        found += [{etree.QName(child).localname: child.text for child in back} for back in inner]
    return found

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

    def elements(pairs: dict[str, str]) -> str:
        return "".join(f"<ceb:{name}>{text}</ceb:{name}>" for name, text in pairs.items())

    return (
        f"<ceb:Order><ceb:OrderHead>{elements(values)}</ceb:OrderHead>"
        f"<ceb:OrderList>{elements(line)}</ceb:OrderList></ceb:Order>"
    )


def message(*orders: str, cop_code: str = CODE, cop_name: str = NAME, dxp_id: str = CHANNEL) -> bytes:
    """An unsigned CEB303Message."""
    return (
        f'<ceb:CEB303Message xmlns:ceb="http://www.chinaport.gov.cn/ceb" guid="{new_guid()}" version="1.0">'
        f"{''.join(orders)}<ceb:BaseTransfer><ceb:copCode>{cop_code}</ceb:copCode><ceb:copName>{cop_name}</ceb:copName>"
        f"<ceb:dxpMode>DXP</ceb:dxpMode><ceb:dxpId>{dxp_id}</ceb:dxpId></ceb:BaseTransfer></ceb:CEB303Message>"
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
        "</ds:Signature></ceb:CEB303Message>"
    )
    return document.replace(b"</ceb:CEB303Message>", block.encode())


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
    return (
        '<?xml version="1.0" encoding="UTF-8"?><dxp:DxpMsg xmlns:dxp="http://www.chinaport.gov.cn/dxp" ver="1.0">'
        f"<dxp:TransInfo><dxp:CopMsgId>{cop_msg_id or new_guid()}</dxp:CopMsgId><dxp:SenderId>{sender}</dxp:SenderId>"
        "<dxp:ReceiverIds><dxp:ReceiverId>DXPEDCCEB0000003</dxp:ReceiverId></dxp:ReceiverIds>"
        f"<dxp:CreatTime>{now}</dxp:CreatTime><dxp:MsgType>CEB303Message</dxp:MsgType></dxp:TransInfo>"
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

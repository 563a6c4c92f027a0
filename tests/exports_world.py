"""What tests of export declarations need: a company that may declare, workbooks, tasks, a card, and customs' answers."""

import base64
import io
import json
import uuid
from datetime import UTC, datetime
from xml.etree import ElementTree

from openpyxl import Workbook

from blueprints.common import clock
from blueprints.exports import channels, generating, importing, pushing, receiving, sending, tasks
from blueprints.exports.reading import COLUMNS
from gateways.customs_dxp import signature
from models import orders, pushes
from models.accounts import find_enterprise
from models.database import session
from models.exports import CompanyProfile, Strategy
from tests.card_bridge_double import BridgeDouble
from tests.conftest import USCC

DXP = "DXPENT0000000001"
CODE = "1301960001"
CEB = "{http://www.chinaport.gov.cn/ceb}"
ROWS = (
    ("TYDH005", "8711100010", "微马力摩托车及脚踏两用车", "10", "25", "2.5", "011"),
    ("TYDH006", "8135000000", "本章的什锦坚果或干果", "10", "25", "2.5", "011"),
    ("TYDH007", "6804301000", "手用琢磨油石", "10", "25", "2.5", "011"),
)


def workbook(rows=ROWS, heading=COLUMNS) -> bytes:
    book = Workbook()
    for row in (heading, *rows):
        book.active.append(row)
    for cells in book.active.iter_rows():
        for cell in cells:
            cell.number_format = "@"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def many(count: int, prefix="NO") -> list[tuple]:
    return [(f"{prefix}{n:06}", "8711100010", "微马力摩托车", "10", "25", "2.5", "011") for n in range(count)]


def make_profile(company, name="示例外贸（石家庄）有限公司", code=CODE, dxp_id=DXP) -> CompanyProfile:
    row = CompanyProfile(
        enterprise_id=company.id, name=name, customs_code=code, dxp_id=dxp_id, created_at=clock.now(),
        types=["declarant", "platform", "seller"], created_by="李明",
    )  # fmt: skip
    session.add(row)
    session.commit()
    return row


def make_strategy(profile, number="9710", mode="9710-declaration", platform=None, currency="502") -> Strategy:
    now = clock.now()
    row = Strategy(
        enterprise_id=profile.enterprise_id, customs_code=profile.customs_code, number=number, name=f"{number}美金",
        mode=mode, platform_id=(platform or profile).id, seller_id=profile.id, currency=currency, created_at=now,
        created_by="李明", changed_at=now, changed_by="李明",
    )  # fmt: skip
    session.add(row)
    session.commit()
    return row


def principal_of(user, company):
    from blueprints.common.access import Principal

    return Principal(
        user_id=user.id, name=user.shown_name, role="administrator", enterprise_id=company.id,
        enterprise_name=company.name, uscc=company.uscc, code=CODE,
    )  # fmt: skip


class Trade:
    """A company's task without pages: import, generate, sign, send, receive."""

    def __init__(self, app, user, company, strategy):
        self.app, self.company, self.strategy = app, company, strategy
        self.who = principal_of(user, company)
        self.task = tasks.create_task("ceshi111", str(strategy.id), self.who)
        session.commit()

    def read(self, data: bytes, name="orders.xlsx"):
        from werkzeug.datastructures import FileStorage

        started = importing.start_import(self.task, FileStorage(io.BytesIO(data), name), self.who)
        session.commit()
        importing.read_import(str(started.id))
        session.expire_all()
        return started

    def generate(self):
        generating.start_generating(self.task, "李明")
        session.commit()
        generating.generate_task(str(self.task.id))
        session.expire_all()
        return self

    def query(self):
        return orders.declared_orders(self.company.id, CODE)

    def rows(self) -> dict:
        """{order number: row with Order, Message, Task, state}"""
        session.expire_all()
        return {row.Order.order_no: row for row in session.execute(self.query())}

    def states(self) -> dict[str, str]:
        return {number: row.state for number, row in self.rows().items()}

    def push(self, card, query=None):
        """As if a card had signed: every unsigned message of the push becomes ready."""
        push = pushing.start_push(query if query is not None else self.query(), self.who)
        session.commit()
        for message in pushes.messages_of_push(push.id, "unsigned"):
            info = signature.signed_info("rsa-sha1", message.canonical)
            signed = signature.assemble(message.canonical, "rsa-sha1", card.der, card.sign(info))
            pushing.keep_signed(message, signed, "李明 8600000000101")
        session.commit()
        return push

    def send(self, push):
        sending.send_messages(str(push.id))
        session.expire_all()
        return self

    @property
    def folder(self):
        return channels.customs_folder() / self.company.id.hex

    def sent(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted((self.folder / "OutBox").glob("*.xml"))}

    def hear(self, *receipts, company=None, raw: bytes | None = None):
        """Customs answers: (order or guid, status, time[, info]); then the portal looks."""
        folder = channels.customs_folder() / (company or self.company).id.hex
        (folder / "InBox").mkdir(parents=True, exist_ok=True)
        content = raw if raw is not None else answer(receipts)
        (folder / "InBox" / f"CEB304Message_{uuid.uuid4()}.xml").write_bytes(content)
        receiving.poll_channels()
        session.expire_all()
        return self


class Customs:
    """Customs' side of the company's channel, for tests with a browser."""

    sent, hear, folder = Trade.sent, Trade.hear, Trade.folder

    def __init__(self, browser):
        self.app = browser.client.application

    def __enter__(self):
        self._context = self.app.app_context()
        self._context.push()
        self.company = find_enterprise(USCC)
        return self

    def __exit__(self, *error):
        self._context.pop()

    def orders_sent(self) -> list[str]:
        """Guids and numbers of the newest message."""
        newest = max((self.folder / "OutBox").glob("*.xml"), key=lambda path: path.stat().st_mtime_ns)
        root = inner_of(newest.read_bytes())
        return [(head.findtext(f"{CEB}guid"), head.findtext(f"{CEB}orderNo")) for head in root.iter(f"{CEB}OrderHead")]


def answer(receipts) -> bytes:
    rows = "".join(_receipt(*each) for each in receipts)
    inner = f'<ceb:CEB304Message xmlns:ceb="http://www.chinaport.gov.cn/ceb" guid="{uuid.uuid4()}" version="1.0">{rows}</ceb:CEB304Message>'
    return envelope(inner.encode())


def _receipt(order, status, time, info="新增申报成功") -> str:
    guid = order if isinstance(order, str) else order.guid
    number = "X" if isinstance(order, str) else order.order_no
    pairs = {
        "guid": guid, "ebpCode": CODE, "ebcCode": CODE, "orderNo": number, "returnStatus": status, "returnTime": time,
        "returnInfo": info,
    }  # fmt: skip
    return f"<ceb:OrderReturn>{''.join(f'<ceb:{k}>{v}</ceb:{k}>' for k, v in pairs.items())}</ceb:OrderReturn>"


def envelope(data: bytes, msg_type="CEB304Message") -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><dxp:DxpMsg xmlns:dxp="http://www.chinaport.gov.cn/dxp" ver="1.0">'
        f"<dxp:TransInfo><dxp:CopMsgId>{uuid.uuid4()}</dxp:CopMsgId><dxp:SenderId>DXPEDCCEB0000003</dxp:SenderId>"
        f"<dxp:ReceiverIds><dxp:ReceiverId>{DXP}</dxp:ReceiverId></dxp:ReceiverIds>"
        f"<dxp:CreatTime>{datetime.now(UTC).isoformat(timespec='seconds')}</dxp:CreatTime><dxp:MsgType>{msg_type}</dxp:MsgType>"
        f"</dxp:TransInfo><dxp:Data>{base64.b64encode(data).decode()}</dxp:Data></dxp:DxpMsg>"
    ).encode()


def reply(cop_msg_id: str, code: str) -> bytes:
    return (
        '<dxp:DxpRep xmlns:dxp="http://www.chinaport.gov.cn/dxp"><dxp:RecevierId>X</dxp:RecevierId><dxp:Response>'
        f"<dxp:ResponseCode>{code}</dxp:ResponseCode><dxp:ResponseInfo>no</dxp:ResponseInfo><dxp:NoticeTime>2026-11-21</dxp:NoticeTime>"
        f"<dxp:OriHead><dxp:CopMsgId>{cop_msg_id}</dxp:CopMsgId><dxp:SenderId>{DXP}</dxp:SenderId></dxp:OriHead></dxp:Response></dxp:DxpRep>"
    ).encode()


def inner_of(parcel: bytes) -> ElementTree.Element:
    """The business message inside an envelope."""
    data = ElementTree.fromstring(parcel).findtext("{http://www.chinaport.gov.cn/dxp}Data")
    return ElementTree.fromstring(base64.b64decode(data))


def sign_batch(browser, card) -> BridgeDouble:
    """From page 3004: the bridge claims, the card confirms, the same browser comes back, every message is signed."""
    bridge = BridgeDouble.of(browser)
    browser.open(bridge.confirm(card))
    count = json.loads(bridge.claimed["payload"])["count"]
    for index in range(count):
        served = bridge.call("GET", f"messages/{index}")
        if served.status_code != 200:
            break
        message = served.data
        value = card.sign(signature.signed_info("rsa-sha1", message))
        bridge.call("POST", f"signatures/{index}", {"signature": base64.b64encode(value).decode()})
    return bridge

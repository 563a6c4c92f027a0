"""清单模式 with two companies: the order's 清单 waits for the 运单 that the 物流企业 sends itself; what follows from a 清单."""

import uuid
from decimal import Decimal

import pytest
from lxml import etree
from werkzeug.exceptions import NotFound

from blueprints.common import clock
from blueprints.exports import documents, pushing, receiving, sending
from blueprints.exports.order_routes import waiting_words
from models import companions, orders
from models.database import session
from models.orders import Order
from models.transmission import TransmissionId
from tests.conftest import log_in, make_enterprise, make_user
from tests.exports_world import CODE, Trade, envelope, inner_of, make_profile, make_strategy

pytest_plugins = ["tests.card_fixtures", "tests.exports_fixtures"]
CARRIER = "1301980001"
T1, T2, T3, T4 = "20261128100000000", "20261128100500000", "20261128101000000", "20261128102000000"
LINE = ["A1", "手用琢磨油石", "10", "25", "2.5", "011", "6804301000", "油石|无牌", "5", "035", "", "", "502"]
HEAD = {
    "customsCode": "0401", "portCode": "0401", "statisticsFlag": "A", "trafMode": "4", "wrapType": "2", "country": "502", "POD": "3154",
    "fCurrency": "502", "iCurrency": "502", "logistics": "other", "logisticsCode": CARRIER, "logisticsName": "样张物流有限公司",
}  # fmt: skip
PAYMENT = {"pay_name": "样张支付", "pay_no": "P1", "charge": "25", "accounting": "20261128090000"}


def add(trade, number, kind=orders.ORDER, lines=(LINE,), **data):
    """A row as the import of the mode stores it."""
    task = trade.task
    row = Order(
        enterprise_id=task.enterprise_id, customs_code=task.customs_code, task_id=task.id, place=task.next_place, kind=kind,
        order_no=number, total=Decimal("25") if lines else Decimal(0), lines=list(lines), data=data, changed_at=clock.now(),
        changed_by="李明",
    )  # fmt: skip
    session.add(row)
    task.next_place += 1
    task.order_count += 1
    session.commit()
    return row


def freight(number):
    return {"logistics_no": f"YD{number}", "freight": "3", "insured": "0", "gross": "1.5", "net": "1.2", "packs": "1"}


@pytest.fixture
def exporter_trade(context, administrator, company, profile):
    strategy = make_strategy(profile, "9610", mode="9610-list")
    strategy.details = HEAD
    session.commit()
    trade = Trade(context, administrator, company, strategy)
    add(trade, "NO1", **freight("1"), **PAYMENT)
    return trade.generate()


@pytest.fixture
def carrier(context):
    company = make_enterprise("样张物流有限公司", "91130100PDY000052U", code=CARRIER)
    user = make_user("wuliu", enterprise=company, person=("赵", "130100189905050050", "w@example.com"))
    session.add(TransmissionId(value="DXPENT0000000009", enterprise_id=company.id, customs_code=CARRIER, node="province",
                               device="ic-card", granted_at=clock.now()))  # fmt: skip
    strategy = make_strategy(make_profile(company, company.name, CARRIER, "DXPENT0000000009"), "YD", mode="waybill")
    from dataclasses import replace

    from blueprints.exports import tasks
    from tests.exports_world import principal_of

    trade = Trade.__new__(Trade)
    trade.app, trade.company, trade.strategy = context, company, strategy
    trade.who = replace(principal_of(user, company), code=CARRIER)
    trade.task = tasks.create_task("wuliu", str(strategy.id), trade.who)
    session.commit()
    add(
        trade, "YD1", orders.WAYBILL, (), order_no="NO1", freight="3", insured="0", gross="1.5", packs="1", goods="油石"
    )
    return trade.generate()


def only(trade, kind, code=CODE):
    session.expire_all()
    return session.scalars(
        orders.select(Order).where(Order.enterprise_id == trade.company.id, Order.kind == kind).order_by(Order.serial)
    ).all()[-1]


def push_kind(trade, card, kind, code=CODE):
    query = orders.declared_orders(trade.company.id, code, kind)
    push = pushing.start_push(query, trade.who, kind)
    session.commit()
    from gateways.customs_dxp import signature
    from models import pushes

    for message in pushes.messages_of_push(push.id, "unsigned"):
        info = signature.signed_info("rsa-sha1", message.canonical)
        pushing.keep_signed(
            message, signature.assemble(message.canonical, "rsa-sha1", card.der, card.sign(info)), "李明"
        )
    session.commit()
    sending.send_messages(str(push.id))
    session.expire_all()
    return push


NODES = {"403": ("404", "ReceiptsReturn"), "505": ("506", "LogisticsReturn"), "603": ("604", "InventoryReturn"),
         "605": ("606", "InvtCancelReturn"), "607": ("608", "WayBillReturn"), "701": ("702", "SummaryReturn"),
         "213": ("214", "RefundReturn")}  # fmt: skip
NUMBER = {"403": "orderNo", "505": "logisticsNo", "213": "coElNo"}


def hear(trade, row, status, time, **given):
    if row.kind == orders.ORDER:
        return trade.hear((row, status, time))
    code, node = NODES[row.kind]
    pairs = {"guid": row.guid, NUMBER.get(row.kind, "copNo"): row.order_no, **given, "returnStatus": status, "returnTime": time,
             "returnInfo": "收到"}  # fmt: skip
    inner = "".join(f"<ceb:{k}>{v}</ceb:{k}>" for k, v in pairs.items())
    text = (f'<ceb:CEB{code}Message xmlns:ceb="http://www.chinaport.gov.cn/ceb" guid="{uuid.uuid4()}" version="1.0">'
            f"<ceb:{node}>{inner}</ceb:{node}></ceb:CEB{code}Message>")  # fmt: skip
    return trade.hear(raw=envelope(text.encode(), f"CEB{code}Message"))


@pytest.fixture
def declared_list(exporter_trade, carrier, card):
    """NO1 with order, payment, waybill and 清单 at customs; gives the exporter's trade."""
    trade = exporter_trade
    for kind in (orders.ORDER, orders.PAYMENT):
        push_kind(trade, card, kind)
        hear(trade, only(trade, kind), 120, T1)
    push_kind(carrier, card, orders.WAYBILL, CARRIER)
    hear(carrier, only(carrier, orders.WAYBILL), 120, T1)
    push_kind(trade, card, orders.LIST)
    hear(trade, only(trade, orders.LIST), 120, T2, preNo="B20261128000000001", invtNo="04012026E000000001")
    return trade


@pytest.mark.item("M179")
def test_each_order_of_a_list_mode_gets_its_payment_and_its_list_and_all_are_valid(exporter_trade, carrier, shared):
    schema = etree.XMLSchema(file=str(shared / "facts/xsd/ceb_export_202205.xsd"))
    for trade, kinds in ((exporter_trade, ["303", "403", "603"]), (carrier, ["505"])):
        found = session.scalars(orders.select(orders.Message).where(orders.Message.task_id == trade.task.id)).all()
        assert sorted(message.kind for message in found) == kinds
        for message in found:
            schema.assertValid(etree.fromstring(message.canonical))
    before = len(session.scalars(orders.select(Order)).all())
    exporter_trade.generate()
    assert len(session.scalars(orders.select(Order)).all()) == before, "made once, however often it is pressed"


@pytest.mark.item("M179")
def test_the_list_waits_until_customs_has_order_payment_and_the_carriers_waybill(exporter_trade, carrier, card):
    trade = exporter_trade

    def missing():
        return companions.still_missing([only(trade, orders.LIST).id], orders.LIST).get(only(trade, orders.LIST).id)

    assert missing() == ["303", "505", "403"] and waiting_words(missing()) == "待物流企业传输"
    with pytest.raises(pushing.NothingToPush) as refused:
        push_kind(trade, card, orders.LIST)
    assert refused.value.sentence.number == "90652" and "运单由物流企业自己传输" in refused.value.sentence
    session.rollback()
    push_kind(trade, card, orders.ORDER)
    hear(trade, only(trade, orders.ORDER), 120, T1)
    push_kind(trade, card, orders.PAYMENT)
    hear(trade, only(trade, orders.PAYMENT), 120, T1)
    assert missing() == ["505"]
    push_kind(carrier, card, orders.WAYBILL, CARRIER)
    assert missing() == ["505"], "sent is not taken"
    hear(carrier, only(carrier, orders.WAYBILL), 120, T2)
    assert missing() is None
    push_kind(trade, card, orders.LIST)
    sent = [inner_of(data) for name, data in trade.sent().items() if "CEB603" in name]
    assert len(sent) == 1 and b"<ceb:orderNo>NO1<" in only_message(trade, "603").canonical


def only_message(trade, kind):
    query = orders.select(orders.Message).where(orders.Message.task_id == trade.task.id, orders.Message.kind == kind)
    return session.scalars(query).one()


def test_the_carrier_signs_and_sends_under_its_own_account(carrier, exporter_trade, card):
    push_kind(carrier, card, orders.WAYBILL, CARRIER)
    assert [name for name in carrier.sent() if "CEB505" in name] and not [
        n for n in exporter_trade.sent() if "CEB505" in n
    ]
    assert b"<ceb:dxpId>DXPENT0000000009<" in only_message(carrier, "505").canonical


def test_numbers_that_customs_gives_are_kept_and_the_released_list_stays_a_success(declared_list):
    row = only(declared_list, orders.LIST)
    assert (row.state, row.data["invt_no"], row.data["pre_no"]) == (
        "success",
        "04012026E000000001",
        "B20261128000000001",
    )
    hear(declared_list, row, 800, T3, preNo="B20261128000000001", invtNo="04012026E000000001")
    assert (only(declared_list, orders.LIST).state, only(declared_list, orders.LIST).return_status) == ("success", 800)


@pytest.mark.item("M204")
def test_the_list_stands_in_the_lists_of_the_manual(declared_list, administrator, other_browser):
    browser = log_in(other_browser, administrator)
    assert "04012026E000000001" in browser.open("/trade_queries/lists").main
    assert "SK" in browser.open("/trade_queries/payments-open").main
    browser.open("/exports/orders?kind=603")
    assert "清单企业编号" in browser.main and "成功" in browser.main


def test_from_a_list_come_cancellation_bill_summary_and_return(
    declared_list, administrator, other_browser, card, shared
):
    browser = log_in(other_browser, administrator)
    browser.open("/exports/orders?kind=603").submit("撤销")
    assert browser.number == "8027"
    assert browser.submit("申请撤销清单", reason="").errors
    browser.submit("申请撤销清单", reason="货物未出境")
    assert "已经做好，还没有推送" in browser.main and "CX" in browser.main
    browser.open("/exports/orders?kind=603").submit("撤销").submit("申请撤销清单", reason="又一次")
    assert "90657" in browser.main
    row = only(declared_list, orders.LIST)
    browser.open(f"/exports/lists/bill?order={row.id}")
    browser.submit("生成清单总分单", traf_mode="4", traf_name="CA981", voyage_no="CA981", bill_no="999-1", gross="x")
    assert browser.number == "8028" and "90658" in browser.main and browser.value("bill_no") == "999-1"
    browser.submit("生成清单总分单", gross="1.5")
    browser.open(f"/exports/lists/summary?order={row.id}").submit("生成汇总申请", summary_flag="1", name_flag="1")
    browser.open(f"/exports/lists/return?order={row.id}")
    browser.submit("退货申请", reason="买家退货", logistics_no="YD9", bill_no="999-2", traf_mode="4", traf_name="CA982",
                   voyage_no="CA982", port_code="0401", country="502")  # fmt: skip
    schema = etree.XMLSchema(file=str(shared / "facts/xsd/ceb_export_202205.xsd"))
    for kind in ("605", "607", "701", "213"):
        message = only_message(declared_list, kind)
        schema.assertValid(etree.fromstring(message.canonical))
        assert b"04012026E000000001" in message.canonical
        push_kind(declared_list, card, kind)
        hear(declared_list, only(declared_list, kind), 120, T3)
        assert only(declared_list, kind).state == "success"


def test_another_companys_lists_are_not_there(declared_list, carrier, other_browser):
    from models.accounts import find_user

    browser = log_in(other_browser, find_user("wuliu"))
    row = only(declared_list, orders.LIST)
    for path in (f"/exports/lists/bill?order={row.id}", f"/exports/orders/{row.id}/undo", f"/exports/orders/{row.id}/change",
                 "/exports/lists/bill", "/exports/lists/bill?order=x"):  # fmt: skip
        assert browser.open(path).status == NotFound.code, path


# -- 变更, 删除


def test_a_change_is_checked_like_a_workbook_and_declared_as_one(declared_list, administrator, browser, card):
    log_in(browser, administrator).open("/exports/orders").follow("变更")
    assert browser.number == "8025"
    browser.submit("保存变更", **{"cell-1-4": "20"})
    assert "90621" in browser.main and browser.value("cell-1-4") == "20"
    browser.submit("保存变更", **{"cell-1-4": "20", "cell-1-5": "50"})
    assert "变更已经做好" in browser.main
    row = only(declared_list, orders.ORDER)
    assert (row.app_type, row.total, row.lines[0][2], row.lines[0][6]) == (2, Decimal("50"), "20", "6804301000")
    browser.open("/exports/orders").follow("变更").submit("保存变更")
    assert "90654" in browser.main
    push_kind(declared_list, card, orders.ORDER)
    assert b"<ceb:appType>2<" in session.scalars(
        orders.select(orders.Message.canonical).where(orders.Message.first_place == row.place)
    ).one()  # fmt: skip


def test_a_deletion_that_customs_takes_ends_the_order(declared_list, administrator, browser, card):
    log_in(browser, administrator).open("/exports/orders").follow("向海关删除").submit("做删除单证")
    row = only(declared_list, orders.ORDER)
    assert row.app_type == 3
    push_kind(declared_list, card, orders.ORDER)
    hear(declared_list, only(declared_list, orders.ORDER), 120, T4)
    first = session.scalars(orders.select(Order).where(Order.kind == "303", Order.app_type == 1)).one()
    session.refresh(first)
    assert first.state == "deleted"
    hear(declared_list, first, 120, T4)
    session.refresh(first)
    assert first.state == "deleted", "an old receipt does not bring it back"
    assert "向海关申报删除" in browser.open(f"/trade_queries/orders/{first.id}").main


def test_what_customs_does_not_have_cannot_be_changed(exporter_trade):
    with pytest.raises(documents.NotPossible) as refused:
        documents.declare_again(only(exporter_trade, orders.ORDER), documents.DELETE, None, exporter_trade.who)
    assert refused.value.sentence.number == "90653"


def test_deleting_a_waiting_order_takes_its_companions_along(exporter_trade, administrator, browser):
    log_in(browser, administrator).open("/exports/orders").submit("删除NO1")
    browser.submit("删除")
    assert session.scalars(orders.select(Order)).all() == []


def test_a_format_receipt_fails_the_message_and_says_why(exporter_trade, card):
    trade = exporter_trade
    push_kind(trade, card, orders.ORDER)
    message = only_message(trade, "303")
    pairs = {"guid": str(uuid.uuid4()).upper(), "returnStatus": "-10102", "returnInfo": "格式不对", "returnTime": T2,
             "oriCopMsgId": message.guid, "oriMessageType": "CEB303Message"}  # fmt: skip
    inner = "".join(f"<ceb:{k}>{v}</ceb:{k}>" for k, v in pairs.items())
    text = (f'<ceb:CEB900Message xmlns:ceb="http://www.chinaport.gov.cn/ceb" guid="{uuid.uuid4()}" version="1.0">'
            f"<ceb:MessageReturn>{inner}</ceb:MessageReturn></ceb:CEB900Message>")  # fmt: skip
    trade.hear(raw=envelope(text.encode(), "CEB900Message"))
    session.refresh(message)
    assert message.state == "refused" and "格式不对（-10102）" in message.problem
    assert receiving.read_receipts(text.encode())[0] == []

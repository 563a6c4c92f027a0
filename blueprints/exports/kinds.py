"""The kinds of 单证 that customs takes: what each is called, how a row of ours becomes it, what must be there before it.

A row is (id, place, number, total, lines, kind, app_type, data), as `models.orders.raw_orders` gives it. What a row has in
`data`, by kind:

    303  清单模式 only: logistics_no, freight, insured, gross, net, packs, and pay_… where the workbook has a payment
    403  order_no, pay_code, pay_name, pay_no, charge, accounting (yyyyMMddHHmmss)
    505  order_no, freight, insured, gross, packs, goods
    603  order_no and the same as 303; pre_no and invt_no once customs has given them
    605  cop_no, pre_no, invt_no, reason
    607  traf_mode, traf_name, voyage_no, bill_no, gross, lists: [[logistics_no, invt_no], …]
    701  summary_flag, name_flag, lists: [invt_no, …]
    213  退货: invt_no, pre_no of the 清单, logistics_no, bill_no, traf_mode, traf_name, voyage_no, port_code, country, reason

`lines` of 清单模式 go on after the unit: gcode, gmodel, qty1, unit1, qty2, unit2, country.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from gateways.customs_dxp.messages import ceb303, types
from models import orders
from models.exports import Strategy

from .modes import MODES
from .strategies import inventory_head

RETURNED = "9661"  # 监管方式 of goods that come back
NO_CODE = "无"  # ebpCode of a 海外仓, barCode of goods without one


@dataclass(frozen=True)
class Maker:
    """What a document of one kind is made from besides its row."""

    strategy: Strategy
    moment: str  # yyyyMMddHHmmss, Beijing
    day: str

    @cached_property
    def order_head(self) -> dict[str, str]:
        """What stands in every order of the strategy."""
        strategy, platform, seller = self.strategy, self.strategy.platform, self.strategy.seller
        return {
            "app_time": self.moment, "order_type": MODES[strategy.mode].order_type,
            "ebp_code": platform.customs_code or NO_CODE, "ebp_name": platform.name, "ebc_code": seller.customs_code,
            "ebc_name": seller.name, "currency": strategy.currency, "note": "",
        }  # fmt: skip


@dataclass(frozen=True)
class DocumentKind:
    """`title` 单证, `number_title` its number; `make(row, maker)`; `before`: kinds customs must have taken (M179)."""

    code: str
    title: str
    number_title: str
    make: Callable[[tuple, Maker], types.Document]
    before: tuple[str, ...] = ()


def transfer_of(strategy: Strategy) -> ceb303.Transfer:
    """BaseTransfer: the company that holds the 传输ID."""
    return ceb303.Transfer(strategy.sender.customs_code, strategy.sender.name, strategy.sender.dxp_id)


def build(kind: str, rows: Sequence[tuple], maker: Maker, guid: str) -> bytes:
    """The unsigned canonical message. Raises `ceb303.BadOrder` (also as `types.BadDocument`)."""
    transfer = transfer_of(maker.strategy)
    if kind == orders.ORDER:
        return ceb303.build([make_order(row, maker) for row in rows], transfer, guid)
    return types.build(kind, [KINDS[kind].make(row, maker) for row in rows], transfer, guid)


def make_order(row: tuple, maker: Maker) -> ceb303.Order:
    guid, _, order_no, total, lines, _, app_type, data = row
    head = maker.order_head
    currency = head["currency"]
    return ceb303.Order(
        guid=str(guid).upper(), app_type=str(app_type), order_no=order_no, goods_value=total,
        freight=Decimal(data.get("freight") or 0),
        lines=[
            ceb303.OrderLine(number, line[0], line[1], line[5], currency, Decimal(line[2]), Decimal(line[4]), Decimal(line[3]))
            for number, line in enumerate(lines, 1)
        ],
        **head,
    )  # fmt: skip


def head_of(row: tuple, maker: Maker) -> dict:
    return {"appType": str(row[6]), "appTime": maker.moment, "appStatus": "2"}


# Parts of 清单's head that other documents have too, by the elements' names.
PLATFORM, SELLER, AGENT = ("ebpCode", "ebpName"), ("ebcCode", "ebcName"), ("agentCode", "agentName")
CARRIER = ("logisticsCode", "logisticsName")


def of_list(strategy: Strategy, *elements: str) -> dict:
    head = inventory_head(strategy)
    return {name: head[name] for name in elements}


def document(row: tuple, head: dict, lines: Sequence[dict] = ()) -> types.Document:
    return types.Document(guid=str(row[0]).upper(), head=head, lines=list(lines))


def make_payment(row: tuple, maker: Maker) -> types.Document:
    data = row[7]
    return document(row, head_of(row, maker) | of_list(maker.strategy, *PLATFORM, *SELLER) | {
        "orderNo": data["order_no"], "payCode": data.get("pay_code") or "", "payName": data["pay_name"],
        "payNo": data.get("pay_no") or "", "charge": Decimal(data["charge"]), "currency": maker.strategy.currency,
        "accountingDate": data["accounting"],
    })  # fmt: skip


def make_waybill(row: tuple, maker: Maker) -> types.Document:
    """Declared by the 物流企业 itself: under its own strategy the seller is the carrier."""
    data, carrier = row[7], maker.strategy.seller
    return document(row, head_of(row, maker) | {
        "logisticsCode": carrier.customs_code, "logisticsName": carrier.name, "logisticsNo": row[2],
        "freight": Decimal(data["freight"]), "insuredFee": Decimal(data["insured"]), "currency": maker.strategy.currency,
        "grossWeight": Decimal(data["gross"]), "packNo": data["packs"], "goodsInfo": data["goods"],
        "ebcCode": data.get("ebc_code", ""), "ebcName": data.get("ebc_name", ""),
    })  # fmt: skip


def make_list(row: tuple, maker: Maker) -> types.Document:
    _, _, cop_no, _, lines, _, _, data = row
    strategy = maker.strategy
    head = inventory_head(strategy) | head_of(row, maker) | {
        "orderNo": data["order_no"], "logisticsNo": data["logistics_no"], "copNo": cop_no, "preNo": data.get("pre_no", ""),
        "invtNo": data.get("invt_no", ""), "ieDate": maker.day, "freight": Decimal(data["freight"]),
        "insuredFee": Decimal(data["insured"]), "packNo": data["packs"], "grossWeight": Decimal(data["gross"]),
        "netWeight": Decimal(data["net"]),
    }  # fmt: skip
    return document(row, head, [make_list_line(number, line, strategy) for number, line in enumerate(lines, 1)])


def make_list_line(number: int, line: list[str], strategy: Strategy) -> dict:
    item, name, quantity, total, price, unit, gcode, gmodel, qty1, unit1, qty2, unit2, country = line
    return {
        "gnum": str(number), "itemNo": item, "itemName": name, "gcode": gcode, "gname": name, "gmodel": gmodel,
        "barCode": NO_CODE, "country": country, "currency": strategy.currency, "qty": Decimal(quantity),
        "qty1": Decimal(qty1), "qty2": Decimal(qty2) if qty2 else "", "unit": unit, "unit1": unit1, "unit2": unit2,
        "price": Decimal(price), "totalPrice": Decimal(total),
    }  # fmt: skip


def make_cancellation(row: tuple, maker: Maker) -> types.Document:
    data = row[7]
    return document(row, head_of(row, maker) | of_list(maker.strategy, "customsCode", *AGENT, *SELLER) | {
        "copNo": data["cop_no"], "preNo": data.get("pre_no", ""),
        "invtNo": data["invt_no"], "reason": data["reason"],
    })  # fmt: skip


def make_bill(row: tuple, maker: Maker) -> types.Document:
    data = row[7]
    head = head_of(row, maker) | of_list(maker.strategy, "customsCode", *AGENT, *CARRIER) | {
        "copNo": row[2], "trafMode": data["traf_mode"], "trafName": data["traf_name"],
        "voyageNo": data["voyage_no"], "billNo": data["bill_no"], "grossWeight": Decimal(data["gross"]), "msgCount": "1",
        "msgSeqNo": "1",
    }  # fmt: skip
    lines = [{"gnum": str(number), "logisticsNo": logistics_no, "invtNo": invt_no}
             for number, (logistics_no, invt_no) in enumerate(data["lists"], 1)]  # fmt: skip
    return document(row, head, lines)


def make_summary(row: tuple, maker: Maker) -> types.Document:
    data, head = row[7], inventory_head(maker.strategy)
    head = head_of(row, maker) | of_list(maker.strategy, "customsCode", *AGENT, *SELLER) | {
        "copNo": row[2], "declAgentCode": head["agentCode"], "declAgentName": head["agentName"], "summaryFlag": data["summary_flag"], "itemNameFlag": data["name_flag"],
        "msgCount": "1", "msgSeqNo": "1",
    }  # fmt: skip
    return document(row, head, [{"invtNo": invt_no} for invt_no in data["lists"]])


def make_refund(row: tuple, maker: Maker) -> types.Document:
    """All goods of a 清单 come back; `ieFlag` I, 监管方式 9661 (CUSTOMS_MESSAGES §3.3)."""
    _, _, number, _, lines, _, _, data = row
    head = head_of(row, maker) | of_list(maker.strategy, "customsCode", *PLATFORM, *SELLER, *AGENT, *CARRIER) | {
        "logisticsNo": data["logistics_no"], "coElNo": number, "invtNo": data["invt_no"], "tradeMode": RETURNED,
        "billNo": data["bill_no"], "ieFlag": "I", "trafMode": data["traf_mode"], "trafName": data["traf_name"],
        "portCode": data["port_code"], "reason": data["reason"], "country": data["country"],
        "voyageNo": data["voyage_no"],
    }  # fmt: skip
    names = ("gnum", "gcode", "gname", "gmodel", "qty", "qty1", "unit", "unit1", "qty2", "unit2")
    goods = [make_list_line(each, line, maker.strategy) for each, line in enumerate(lines, 1)]
    return document(row, head, [{name: line[name] for name in names} for line in goods])


KINDS = {
    kind.code: kind
    for kind in (
        DocumentKind(orders.ORDER, "订单", "订单号", make_order),
        DocumentKind(orders.PAYMENT, "收款单", "收款单号", make_payment, before=(orders.ORDER,)),
        DocumentKind(orders.WAYBILL, "运单", "运单号", make_waybill),
        DocumentKind(orders.LIST, "清单", "清单企业编号", make_list, before=(orders.ORDER, orders.WAYBILL)),
        DocumentKind(orders.CANCELLATION, "撤销申请", "企业编号", make_cancellation, before=(orders.LIST,)),
        DocumentKind(orders.BILL, "清单总分单", "企业编号", make_bill, before=(orders.LIST,)),
        DocumentKind(orders.REFUND, "退货申请", "企业编号", make_refund, before=(orders.LIST,)),
        DocumentKind(orders.SUMMARY, "汇总申请", "企业编号", make_summary, before=(orders.LIST,)),
    )
}

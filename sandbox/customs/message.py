"""CEB303Message as customs reads it: structure, field rules and sums of each order (规范 202205 §CEB303)."""

import datetime
import hashlib
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from operator import gt, lt

from lxml import etree

from sandbox.customs.codes import CURRENCIES, DOUBLE_GNUM, NO_LINES, PARAMETERS, UNITS
from sandbox.customs.envelope import BadEnvelope, parse

CEB = "{http://www.chinaport.gov.cn/ceb}"
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
MOST = 100  # orders in a message, and lines in an order

# element: longest text; those of OPTIONAL may be missing
HEAD = {
    "guid": 36, "appType": 1, "appTime": 14, "appStatus": 1, "orderType": 1, "orderNo": 60, "ebpCode": 18, "ebpName": 100,
    "ebcCode": 18, "ebcName": 100, "goodsValue": 20, "freight": 20, "currency": 3, "note": 1000,
}  # fmt: skip
LINE = {
    "gnum": 5, "itemNo": 30, "itemName": 250, "itemDescribe": 1000, "barCode": 50, "unit": 3, "currency": 3, "qty": 20,
    "price": 20, "totalPrice": 20, "note": 1000,
}  # fmt: skip
TRANSFER = {"copCode": 18, "copName": 100, "dxpMode": 3, "dxpId": 30, "note": 1000}
OPTIONAL = {"note", "itemDescribe", "barCode"}

# The price is rounded to 5 decimals, the value to 2: half a unit of the last place of each.
HALF_PRICE, HALF_VALUE = Decimal("0.000005"), Decimal("0.005")
GUID = f"{CEB}OrderHead/{CEB}guid"
_guid = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}").fullmatch
_amount = re.compile(r"(?=[0-9.]{1,20}$)(?![0-9]{20})[0-9]+(\.[0-9]{1,5})?").fullmatch  # N19,5
_company_code = re.compile(r"[0-9A-Z]{10}|[0-9A-Z]{18}").fullmatch
_good_shapes: dict[tuple, tuple[list[str], list[int], list[int]]] = {}


class Problem(Exception):
    """An order or a message that customs does not take; `code` is from table 7-2, the text says where."""

    def __init__(self, words: str, code: int = PARAMETERS):
        super().__init__(words)
        self.code = code


@dataclass(slots=True)
class Order:
    guid: str
    app_type: str
    app_status: str
    order_no: str
    ebp: str
    ebp_name: str
    ebc: str
    ebc_name: str
    digest: bytes  # of everything that the order says
    problem: Problem | None


@dataclass(slots=True)
class Message:
    root: etree._Element
    orders: list[Order]
    transfer: dict[str, str]
    problem: Problem | None  # with the message as a whole


def read(document: bytes) -> Message:
    """Raises BadEnvelope when there is no order in it that an answer could be about."""
    root = parse(document)
    if root.tag != CEB + "CEB303Message":
        raise BadEnvelope(f"根元素不是ceb:CEB303Message，而是{etree.QName(root).localname}")
    orders = [_read_order(element) for element in root.iterfind(CEB + "Order")]
    orders = [order for order in orders if order is not None]
    if not orders:
        raise BadEnvelope("报文里没有带guid的订单")
    try:
        transfer, problem = _read_frame(root), None
    except Problem as error:
        transfer, problem = {}, error
    if problem is None and len({order.guid for order in orders}) < len(orders):
        problem = Problem("同一报文内guid重复")
    return Message(root, orders, transfer, problem)


def _read_frame(root: etree._Element) -> dict[str, str]:
    """Root attributes, the order of the children, and BaseTransfer as a dict."""
    if len(root.get("guid", "")) != 36 or not 1 <= len(root.get("version", "")) <= 10:
        raise Problem("报文的guid应为36位，version应为1至10位")
    tags = [child.tag for child in root]
    count = tags.count(CEB + "Order")
    frame = [CEB + "BaseTransfer"] + [CEB + "BaseSubscribe"] * tags.count(CEB + "BaseSubscribe")
    frame += [SIGNATURE] * (SIGNATURE in tags) + [CEB + "ExtendMessage"] * (CEB + "ExtendMessage" in tags)
    if not 1 <= count <= MOST or tags.count(CEB + "BaseSubscribe") > 5 or tags[:count] != [CEB + "Order"] * count:
        raise Problem("报文应以1至100个Order开头，BaseSubscribe至多5个")
    if tags[count:] != frame:
        raise Problem("Order之后应依次为BaseTransfer（1个）、BaseSubscribe、ds:Signature、ExtendMessage")
    transfer = _values(root[count], TRANSFER)
    if transfer["dxpMode"] != "DXP":
        raise Problem("dxpMode应为DXP")
    return transfer


def _values(element: etree._Element, rules: dict[str, int]) -> dict[str, str]:
    """The children's texts by name. Raises Problem for a child that is missing, misplaced, empty or too long."""
    shape = (element.tag, *[child.tag for child in element])
    known = _good_shapes.get(shape)
    if known is None:
        known = _good_shapes[shape] = _check_shape(shape, rules)
    names, shortest, longest = known
    texts = [child.text or "" for child in element]
    lengths = list(map(len, texts))
    if any(map(gt, lengths, longest)) or any(map(lt, lengths, shortest)):
        wrong = next(n for n, length in enumerate(lengths) if not shortest[n] <= length <= longest[n])
        raise Problem(f"{names[wrong]}超过{longest[wrong]}位" if lengths[wrong] else f"{names[wrong]}不得为空")
    return dict(zip(names, texts, strict=True))


def _check_shape(shape: tuple, rules: dict[str, int]) -> tuple[list[str], list[int], list[int]]:
    """Names of the children, their shortest and their longest length."""
    where = etree.QName(shape[0]).localname
    names = [str(tag).removeprefix(CEB) for tag in shape[1:]]
    expected = [name for name in rules if name not in OPTIONAL or name in names]
    for name, wanted in zip(names, expected, strict=False):
        if name != wanted:
            raise Problem(f"{where}中{wanted}的位置上是{name}")
    if len(names) != len(expected):
        raise Problem(
            f"{where}缺少{expected[len(names)]}" if len(names) < len(expected) else f"{where}中多出{names[-1]}"
        )
    return names, [int(name not in OPTIONAL) for name in names], [rules[name] for name in names]


def _read_order(element: etree._Element) -> Order | None:
    """None when not even a guid can be read."""
    guid = element.findtext(GUID) or ""
    if len(guid) != 36:
        return None
    children = list(element)
    head, lines, problem = {}, [], None
    try:
        if [child.tag for child in children] != [CEB + "OrderHead"] + [CEB + "OrderList"] * (len(children) - 1):
            raise Problem("Order应为一个OrderHead和若干OrderList")
        head = _values(children[0], HEAD)
        _check_head(head)
        if not 2 <= len(children) <= MOST + 1:
            raise Problem("商品应为1至100项", NO_LINES)
        lines = [_values(child, LINE) for child in children[1:]]
        _check_lines(head, lines)
    except Problem as error:
        problem = error
    says = element.itertext() if problem else [text for part in (head, *lines) for text in part.values()]
    digest = hashlib.blake2b("\x1f".join(says).encode(), digest_size=16).digest()
    if not head:
        head = {name: (element.findtext(f"{CEB}OrderHead/{CEB}{name}") or "")[:limit] for name, limit in HEAD.items()}
    return Order(
        guid, head["appType"], head["appStatus"], head["orderNo"], head["ebpCode"], head["ebpName"],
        head["ebcCode"], head["ebcName"], digest, problem,
    )  # fmt: skip


def _check_head(head: dict[str, str]) -> None:
    if not _guid(head["guid"]):
        raise Problem("guid应为36位大写")
    if head["appType"] not in ("1", "2", "3") or head["appStatus"] not in ("1", "2"):
        raise Problem("appType应为1、2、3，appStatus应为1、2")
    if head["orderType"] not in ("E", "B", "W"):
        raise Problem("出口订单的orderType应为E、B、W")
    if not _is_time(head["appTime"]):
        raise Problem("appTime应为14位数字的时间")
    if head["ebpCode"] != "无" and not _company_code(head["ebpCode"]):
        raise Problem("ebpCode应为10位海关编码、18位统一社会信用代码，或“无”")
    if not _company_code(head["ebcCode"]):
        raise Problem("ebcCode应为10位海关编码或18位统一社会信用代码")
    if not _amount(head["goodsValue"]) or not _amount(head["freight"]):
        raise Problem("goodsValue、freight应为至多19位数字，其中至多5位小数")
    if head["currency"] not in CURRENCIES:
        raise Problem(f"币制{head['currency']}不在代码表")


@lru_cache(4096)
def _is_time(text: str) -> bool:
    try:
        datetime.datetime.strptime(text, "%Y%m%d%H%M%S")
    except ValueError:
        return False
    return len(text) == 14 and text.isdecimal()


def _check_lines(head: dict[str, str], lines: list[dict[str, str]]) -> None:
    numbers = [line["gnum"] for line in lines]
    if len(set(numbers)) < len(numbers):
        raise Problem("gnum重复", DOUBLE_GNUM)
    if numbers != [str(n) for n in range(1, len(lines) + 1)]:
        raise Problem("gnum应从1开始递增")
    total = Decimal(0)
    for line in lines:
        where = f"第{line['gnum']}项："
        if line["unit"] not in UNITS:
            raise Problem(f"{where}计量单位{line['unit']}不在代码表")
        if line["currency"] != head["currency"]:
            raise Problem(f"{where}币制与表头不一致")
        if not (_amount(line["qty"]) and _amount(line["price"]) and _amount(line["totalPrice"])):
            raise Problem(f"{where}数量、单价、总价应为至多19位数字，其中至多5位小数")
        quantity, price, value = Decimal(line["qty"]), Decimal(line["price"]), Decimal(line["totalPrice"])
        if not quantity:
            raise Problem(f"{where}数量为0")
        if abs(quantity * price - value) > quantity * HALF_PRICE + HALF_VALUE:
            raise Problem(f"{where}单价乘数量不等于总价")
        total += value
    if total != Decimal(head["goodsValue"]):
        raise Problem(f"goodsValue {head['goodsValue']}不等于各项总价之和{total}")

"""One right document of every kind, and random ones."""

from datetime import datetime
from decimal import Decimal

from hypothesis import strategies as st

from gateways.customs_dxp.messages.fields import Field
from gateways.customs_dxp.messages.types import TYPES, Document, MessageType

GUID = "311AF125-6FED-4603-8C5D-49B1FA4B4B9B"
COMPANY = {"Code": "1301960001", "Name": "示例外贸（石家庄）有限公司"}
CARRIER = {"logisticsCode": "1301960005", "logisticsName": "样品物流（石家庄）有限公司"}
OPENING = {"appType": "1", "appTime": "20260101120000"}
BILL = {"trafMode": "5", "trafName": "CA937", "voyageNo": "CA937", "billNo": "999-12345675"}
INVENTORY_NO = "04032026E000000017"


def named(*roles: str) -> dict[str, str]:
    return {role + part: text for role in roles for part, text in COMPANY.items()}


GOODS = {
    "gcode": "8711600010", "gname": "电动脚踏车", "gmodel": "250W|无品牌", "qty": Decimal("10"), "qty1": Decimal("10"),
    "unit": "011", "unit1": "011",
}  # fmt: skip
SALE = {"currency": "502", "price": Decimal("2.5"), "totalPrice": Decimal("25.00")}
HEADS = {
    "213": (
        {
            "customsCode": "0403", **named("ebp", "ebc", "agent"), **CARRIER, **BILL, "logisticsNo": "YD0001",
            "coElNo": "TH-1",
            "invtNo": INVENTORY_NO, "portCode": "0403", "reason": "买家退货", "country": "502",
        },
        [{**GOODS, "gnum": 1}],
    ),
    "303": (
        {
            "orderType": "B", "orderNo": "TYDH005", **named("ebp", "ebc"), "goodsValue": Decimal("25.00"),
            "freight": Decimal(0),
            "currency": "502", "note": "A & B",
        },
        [{"itemNo": "8711100010", "itemName": "微马力摩托车", "unit": "011", "qty": Decimal(10), **SALE}],
    ),
    "403": (
        {
            **named("ebp", "ebc"), "orderNo": "TYDH005", "payName": "现金支付", "charge": Decimal("25.00"),
            "currency": "502",
            "accountingDate": "20260101115959",
        },
        [],
    ),
    "505": (
        {
            **CARRIER, "logisticsNo": "YD0001", "freight": "0", "insuredFee": "0", "currency": "502",
            "grossWeight": "1.5",
            "packNo": 1, "goodsInfo": "脚踏车", **named("ebc"), "ebcTelephone": "0311-00000000",
        },
        [],
    ),
    "507": (
        {
            "customsCode": "0403", "copNo": "YDI-1", **named("operator"), **CARRIER, "trafMode": "5",
            "domesticTrafNo": "冀A00001",
        },
        [{"logisticsNo": "YD0001"}],
    ),
    "509": (
        {"customsCode": "0403", "copNo": "LJ-1", **CARRIER, **BILL, "leaveTime": "20260102080000"},
        [{"logisticsNo": "YD0001", "totalPackageNo": "Z1"}, {"logisticsNo": "YD0002"}],
    ),
    "603": (
        {
            "customsCode": "0403", **named("ebp", "agent", "ebc", "owner"), "orderNo": "TYDH005", **CARRIER,
            "logisticsNo": "YD0001",
            "copNo": "QD-1", "portCode": "0403", "ieDate": "20260102", "statisticsFlag": "A", "tradeMode": "9710",
            "trafMode": "5",
            "country": "502", "POD": "3000", "freight": "0", "fCurrency": "502", "insuredFee": "0",
            "iCurrency": "502",
            "wrapType": "2", "packNo": "1", "grossWeight": "1.5", "netWeight": "1",
        },
        [{"itemNo": "8711100010", **GOODS, **SALE, "country": "502", "qty2": Decimal("1.25"), "unit2": "035"}],
    ),
    "605": (
        {"customsCode": "0403", "copNo": "CX-1", "invtNo": INVENTORY_NO, "reason": "买家取消订单", **named("agent", "ebc")},
        [],
    ),
    "607": (
        {"customsCode": "0403", "copNo": "ZFD-1", **named("agent"), **CARRIER, **BILL, "grossWeight": "3"},
        [{"logisticsNo": "YD0001", "invtNo": INVENTORY_NO}, {"logisticsNo": "YD0002"}],
    ),
    "701": (
        {"customsCode": "0403", "copNo": "HZ-1", **named("agent", "ebc", "declAgent"), "summaryFlag": "1"},
        [{"invtNo": INVENTORY_NO}],
    ),
}  # fmt: skip
SAMPLES = {code: Document(GUID, {**OPENING, **head}, lines) for code, (head, lines) in HEADS.items()}


def changed(code: str, number: int = 1, **head) -> Document:
    """The sample of the kind with another guid and other head values; None takes an element out."""
    sample = SAMPLES[code]
    values = {name: value for name, value in {**sample.head, **head}.items() if value is not None}
    return Document(f"704EA0F1-B229-4E89-9F2F-{number:012d}", values, sample.lines)


XML_TEXT = st.characters(
    exclude_categories=["Cs"], exclude_characters=[*map(chr, {*range(32)} - {9, 10, 13}), "\ufffe", "\uffff"]
) | st.sampled_from("&<>\"'\r\n\t ]%\x85\u2028𠮷😀")


def value_of(field: Field) -> st.SearchStrategy:
    if field.choices:
        return st.sampled_from(field.choices)
    if field.type == "number":
        return st.decimals(0, Decimal("99999999999999.99999"), places=5)
    if field.type == "integer":
        return st.integers(0, 10 ** min(field.longest, 9) - 1)
    if field.type == "date":
        form = {14: "%Y%m%d%H%M%S", 8: "%Y%m%d"}[field.longest]
        return st.datetimes(datetime(1990, 1, 1), datetime(2099, 1, 1)).map(lambda moment: moment.strftime(form))
    alphabet = st.sampled_from("0123456789ABCXYZ") if field.type == "code" else XML_TEXT
    return st.text(alphabet, min_size=field.shortest, max_size=min(field.longest, max(field.shortest, 12)))


@st.composite
def _mapping(draw, fields: tuple[Field, ...], together) -> dict:
    found = {field.name: draw(value_of(field)) for field in fields if field.required or draw(st.booleans())}
    for pair in together:
        if len(found.keys() & {*pair}) == 1:
            found = {name: value for name, value in found.items() if name not in pair}
    return {name: value for name, value in found.items() if name != "guid"}


@st.composite
def documents(draw, kind: MessageType) -> list[Document]:
    """Up to 3 documents of the kind with up to 3 lines, optional elements there or not."""
    return [
        Document(
            str(draw(st.uuids())).upper(),
            draw(_mapping(kind.head_fields, kind.together)),
            [
                draw(_mapping(kind.line_fields, kind.together))
                for _ in range(draw(st.integers(1, 3)) if kind.line else 0)
            ],
        )
        for _ in range(draw(st.integers(1, 3)))
    ]


assert SAMPLES.keys() == TYPES.keys()

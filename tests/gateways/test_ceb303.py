"""The order message: canonical as built, the same as an XML library builds, and valid by the official schema."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateways.customs_dxp.messages.ceb303 import NAMESPACE, BadOrder, Order, Transfer, build

GUID = "311AF125-6FED-4603-8C5D-49B1FA4B4B9B"
XML_TEXT = st.text(
    st.characters(
        exclude_categories=["Cs"], exclude_characters=[*map(chr, {*range(32)} - {9, 10, 13}), "\ufffe", "\uffff"]
    ),
    min_size=1,
    max_size=60,
) | st.text("&<>\"'\r\n\t ]%\x85\u2028𠮷😀", min_size=1, max_size=60)
NUMBERS = st.decimals(0, Decimal("99999999999999.99999"), places=5)


def canonical(message: bytes) -> bytes:
    return etree.tostring(etree.fromstring(message), method="c14n", exclusive=False, with_comments=False)


def built_by_lxml(orders: list[Order], transfer: Transfer, guid: str) -> bytes:
    """The same message through lxml's own serialiser."""

    def add(parent, name, text=None):
        node = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
        node.text = text
        return node

    def add_all(parent, pairs):
        for name, value in pairs:
            text = f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
            if text or name not in ("note", "itemDescribe", "barCode"):
                add(parent, name, text)

    root = etree.Element(f"{{{NAMESPACE}}}CEB303Message", nsmap={"ceb": NAMESPACE}, guid=guid, version="1.0")
    for o in orders:
        order = add(root, "Order")
        head = [("guid", o.guid), ("appType", o.app_type), ("appTime", o.app_time), ("appStatus", "2")]
        head += [("orderType", o.order_type), ("orderNo", o.order_no), ("ebpCode", o.ebp_code), ("ebpName", o.ebp_name)]
        head += [
            ("ebcCode", o.ebc_code),
            ("ebcName", o.ebc_name),
            ("goodsValue", o.goods_value),
            ("freight", o.freight),
        ]
        add_all(add(order, "OrderHead"), [*head, ("currency", o.currency), ("note", o.note)])
        for g in o.lines:
            line = [
                ("gnum", g.gnum),
                ("itemNo", g.item_no),
                ("itemName", g.item_name),
                ("itemDescribe", g.item_describe),
            ]
            line += [("barCode", g.bar_code), ("unit", g.unit), ("currency", g.currency), ("qty", g.qty)]
            add_all(
                add(order, "OrderList"), [*line, ("price", g.price), ("totalPrice", g.total_price), ("note", g.note)]
            )
    pairs = [
        ("copCode", transfer.cop_code),
        ("copName", transfer.cop_name),
        ("dxpMode", "DXP"),
        ("dxpId", transfer.dxp_id),
    ]
    add_all(add(root, "BaseTransfer"), [*pairs, ("note", transfer.note)])
    return etree.tostring(root, method="c14n")


@given(name=XML_TEXT, note=XML_TEXT, number=NUMBERS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_text_is_written_as_lxml_canonicalises_it(make_order, transfer, name, note, number):
    order = make_order(item_name=name, note=note, goods_value=number, ebp_name=name)
    message = build([order], transfer, GUID)
    assert canonical(message) == message
    assert message == built_by_lxml([order], transfer, GUID)
    root = etree.fromstring(message)
    assert root.findtext(f".//{{{NAMESPACE}}}itemName") == name
    assert Decimal(root.findtext(f".//{{{NAMESPACE}}}goodsValue")) == number


def test_a_full_message_is_valid_by_the_schema(make_order, transfer, schema):
    orders = [make_order(n, lines=100 if n == 1 else 2, note="备注" if n % 2 else "") for n in range(1, 101)]
    message = build(orders, transfer, GUID)
    schema("ceb_export_202205").assertValid(etree.fromstring(message))
    assert message == built_by_lxml(orders, transfer, GUID)


@given(name=XML_TEXT, number=NUMBERS)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_is_built_is_valid_by_the_schema(make_order, transfer, schema, name, number):
    message = build([make_order(item_name=name, goods_value=number, order_type="W")], transfer, GUID)
    schema("ceb_export_202205").assertValid(etree.fromstring(message))


@pytest.mark.parametrize(
    "value, text",
    [
        ("1E+3", "1000"),
        ("1E-5", "0.00001"),
        ("0E-9", "0"),
        ("75.00", "75"),
        ("12345678912345.12345",) * 2,
        ("100", "100"),
    ],
)
def test_numbers_have_no_exponent_and_one_form(make_order, transfer, value, text):
    message = build([make_order(goods_value=Decimal(value))], transfer, GUID)
    assert f"<ceb:goodsValue>{text}</ceb:goodsValue>".encode() in message


@pytest.mark.parametrize("value", ["0.000001", "1E+19", "12345678912345678.123", "-1", "NaN", "Infinity", "1E-7"])
def test_numbers_that_customs_cannot_read_are_refused(make_order, transfer, value):
    with pytest.raises(BadOrder) as refusal:
        build([make_order(goods_value=Decimal(value))], transfer, GUID)
    assert (refusal.value.number, refusal.value.element) == ("order-1", "goodsValue")


@pytest.mark.parametrize(
    "wrong, element",
    [
        ({"order_no": "x" * 61}, "orderNo"),
        ({"order_no": ""}, "orderNo"),
        ({"ebp_name": "名" * 101}, "ebpName"),
        ({"currency": "CN"}, "currency"),
        ({"guid": "704ea0f1-b229-4e89-9f2f-000000000001"}, "guid"),
        ({"order_type": "I"}, "orderType"),
        ({"app_type": "9"}, "appType"),
        ({"app_time": "2026-01-01 120"}, "appTime"),
        ({"item_name": "名" * 251}, "itemName"),
        ({"lines": 0}, "OrderList"),
        ({"lines": 101}, "OrderList"),
    ],
)
def test_a_value_against_the_schema_is_refused_with_its_order_and_element(make_order, transfer, wrong, element):
    with pytest.raises(BadOrder) as refusal:
        build([make_order(2), make_order(**wrong)], transfer, GUID)
    assert refusal.value.element == element


@pytest.mark.parametrize("bad", ["\0", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_characters_that_xml_cannot_carry_are_refused(make_order, transfer, bad):
    with pytest.raises(BadOrder):
        build([make_order(item_name=f"a{bad}b")], transfer, GUID)


@pytest.mark.parametrize("count", [0, 101])
def test_a_message_holds_1_to_100_orders(make_order, transfer, count):
    with pytest.raises(BadOrder):
        build([make_order(n) for n in range(count)], transfer, GUID)


def test_a_message_needs_a_guid_in_upper_case(make_order, transfer):
    with pytest.raises(BadOrder):
        build([make_order()], transfer, GUID.lower())

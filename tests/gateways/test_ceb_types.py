"""Every kind of export document: its table is the official schema's, what is built is valid and canonical, what the
schema or the specification forbids is refused with the document's number and the element."""

from decimal import Decimal

import pytest
from ceb_documents import GUID, INVENTORY_NO, SAMPLES, changed, documents
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateways.customs_dxp.messages import ceb303
from gateways.customs_dxp.messages.canonical import NAMESPACE, BadDocument
from gateways.customs_dxp.messages.types import TYPES, Document, build

CEB, XS = f"{{{NAMESPACE}}}", "{http://www.w3.org/2001/XMLSchema}"
every_kind = pytest.mark.parametrize("code", TYPES)


def parts(kind, message: bytes) -> list[tuple[dict, list[dict]]]:
    """Head and lines of each document, as a reader finds them."""

    def values(node: etree._Element) -> dict[str, str]:
        return {child.tag.removeprefix(CEB): child.text for child in node}

    nodes = etree.fromstring(message).findall(CEB + kind.node)
    if not kind.head:
        return [(values(node), []) for node in nodes]
    return [(values(node[0]), [values(line) for line in node[1:]]) for node in nodes]


def said(mapping) -> dict[str, str]:
    """What is expected to come back: amounts in their one form, a number of an integer as its digits."""
    return {
        name: f"{value.normalize():f}" if isinstance(value, Decimal) else str(value) for name, value in mapping.items()
    }


def refused(code: str, document: Document, transfer) -> BadDocument:
    with pytest.raises(BadDocument) as refusal:
        build(code, [document], transfer, GUID)
    return refusal.value


@every_kind
def test_the_elements_are_those_of_the_official_schema(code, facts):
    root = etree.parse(facts("xsd/ceb_export_202205.xsd")).getroot()
    kind = TYPES[code]
    for name, fields in ((kind.head or kind.node, kind.head_fields), (kind.line, kind.line_fields)):
        found = root.find(f"{XS}element[@name='{name}']") if name else etree.Element("none")
        official = [element for element in found.iter(XS + "element") if element is not found]
        assert [field.name for field in fields] == [element.get("name") for element in official]
        for field, element in zip(fields, official, strict=True):
            restriction = element.find(f".//{XS}restriction")
            rules = {rule.tag.removeprefix(XS): rule.get("value") for rule in restriction.iterchildren("*")}
            longest = rules.get("length") or rules.get("maxLength") or rules["totalDigits"]
            assert (field.name, field.required) == (field.name, element.get("minOccurs") != "0")
            assert (field.name, field.longest) == (field.name, int(longest))
            assert (field.name, "fractionDigits" in rules) == (field.name, field.type == "number")
            assert (field.name, field.shortest) == (field.name, int(rules.get("length", field.shortest)))


@every_kind
@given(data=st.data())
@settings(max_examples=30, suppress_health_check=list(HealthCheck), deadline=None)
def test_random_documents_are_valid_canonical_and_read_back(code, transfer, ceb_schema, data):
    kind = TYPES[code]
    given_ones = data.draw(documents(kind))
    message = build(code, given_ones, transfer, GUID)
    root = etree.fromstring(message)
    ceb_schema.assertValid(root)
    assert etree.tostring(root, method="c14n") == message
    for document, (head, lines) in zip(given_ones, parts(kind, message), strict=True):
        assert head | said(document.head) == head
        assert head["guid"] == document.guid
        assert [line | said(values) for line, values in zip(lines, document.lines, strict=True)] == lines


@every_kind
def test_the_sample_is_built_with_what_may_be_left_out_by_itself(code, transfer, ceb_schema):
    message = build(code, [SAMPLES[code], changed(code, 2)], transfer, GUID)
    ceb_schema.assertValid(etree.fromstring(message))
    (head, lines), second = parts(TYPES[code], message)
    assert head["appStatus"] == "2"
    assert [line.get("gnum", str(n)) for n, line in enumerate(lines, 1)] == [str(n) for n in range(1, len(lines) + 1)]
    assert second[0]["guid"].startswith("704EA0F1")
    assert build(code, [SAMPLES[code], changed(code, 2)], transfer, GUID) == message


def test_a_list_without_a_bar_code_says_so(transfer):
    assert "<ceb:barCode>无</ceb:barCode>".encode() in build("603", [SAMPLES["603"]], transfer, GUID)


def test_the_fast_builder_of_orders_writes_the_same_bytes(make_order, transfer):
    order = make_order(3, lines=3, item_name="A&B <盒>", note="备注")
    head = {
        "appType": order.app_type, "appTime": order.app_time, "orderType": order.order_type, "orderNo": order.order_no,
        "ebpCode": order.ebp_code, "ebpName": order.ebp_name, "ebcCode": order.ebc_code, "ebcName": order.ebc_name,
        "goodsValue": order.goods_value, "freight": order.freight, "currency": order.currency, "note": order.note,
    }  # fmt: skip
    lines = [
        {
            "itemNo": line.item_no, "itemName": line.item_name, "unit": line.unit, "currency": line.currency, "qty": line.qty,
            "price": line.price, "totalPrice": line.total_price, "note": line.note,
        }
        for line in order.lines
    ]  # fmt: skip
    assert build("303", [Document(order.guid, head, lines)], transfer, GUID) == ceb303.build([order], transfer, GUID)


@every_kind
def test_a_missing_element_is_named_with_the_documents_number(code, transfer):
    kind = TYPES[code]
    for field in kind.head_fields:
        if field.required and not field.default and field.name not in ("guid", kind.number):
            refusal = refused(code, changed(code, **{field.name: None}), transfer)
            assert (refusal.number, refusal.element) == (SAMPLES[code].head[kind.number], field.name)


@every_kind
def test_a_text_that_is_too_long_is_refused(code, transfer):
    for field in TYPES[code].head_fields:
        if field.type == "text" and field.name != "guid":
            assert (
                refused(code, changed(code, **{field.name: "长" * (field.longest + 1)}), transfer).element == field.name
            )


@every_kind
def test_a_code_in_small_letters_and_an_impossible_time_are_refused(code, transfer):
    for field in TYPES[code].head_fields:
        if field.type == "code":
            assert refused(code, changed(code, **{field.name: "a" * field.longest}), transfer).element == field.name
            assert (
                refused(code, changed(code, **{field.name: "1" * (field.longest + 1)}), transfer).element == field.name
            )
        if field.type == "date":
            for wrong in ("20261301000000"[: field.longest], "２" * field.longest, "1"):
                assert refused(code, changed(code, **{field.name: wrong}), transfer).element == field.name


@every_kind
def test_a_value_that_the_specification_does_not_know_is_refused(code, transfer):
    for field in TYPES[code].head_fields:
        if field.choices:
            assert refused(code, changed(code, **{field.name: "X"}), transfer).element == field.name
    assert refused(code, changed(code, weight="1"), transfer).element == "weight"


@every_kind
@pytest.mark.parametrize("wrong", ["-1", "1.000001", "１", "1e3", "NaN", "1 ", "1" * 20, "1_0", ".5", Decimal("-1")])
def test_a_number_that_customs_cannot_read_is_refused(code, transfer, wrong):
    for field in TYPES[code].head_fields:
        if field.type in ("number", "integer"):
            assert refused(code, changed(code, **{field.name: wrong}), transfer).element == field.name


def test_a_whole_number_has_no_decimals(transfer):
    assert refused("505", changed("505", packNo="1.5"), transfer).element == "packNo"
    assert refused("505", changed("505", packNo=10**9), transfer).element == "packNo"


@pytest.mark.parametrize("wrong", ["", "704ea0f1-b229-4e89-9f2f-000000000001", "1" * 36])
def test_a_document_needs_a_guid_in_upper_case(transfer, wrong):
    document = Document(wrong, SAMPLES["403"].head)
    assert (refused("403", document, transfer).number, refused("403", document, transfer).element) == (
        "TYDH005",
        "guid",
    )


@every_kind
def test_lines_are_as_many_as_the_schema_allows(code, transfer):
    kind, sample = TYPES[code], SAMPLES[code]
    element = kind.line or kind.node
    count = [0, 101] if kind.line and kind.most_lines else [0] if kind.line else [1]
    for many in count:
        wrong = Document(GUID, sample.head, [*(sample.lines or [{}])[:1]] * many)
        assert refused(code, wrong, transfer).element == element


def test_a_manifest_may_hold_more_than_a_hundred_lists(transfer, ceb_schema):
    many = Document(GUID, SAMPLES["607"].head, [{"logisticsNo": f"YD{n}"} for n in range(500)])
    ceb_schema.assertValid(etree.fromstring(build("607", [many], transfer, GUID)))


def test_a_summary_names_its_lists_or_a_span_of_time(transfer, ceb_schema):
    span = {"startTime": "20260101000000", "endTime": "20260131235959"}
    message = build("701", [Document(GUID, {**SAMPLES["701"].head, **span})], transfer, GUID)
    ceb_schema.assertValid(etree.fromstring(message))
    del span["endTime"]
    assert refused("701", Document(GUID, {**SAMPLES["701"].head, **span}), transfer).element == "endTime"
    assert refused("701", Document(GUID, SAMPLES["701"].head), transfer).element == "SummaryApplyList"


def test_a_second_quantity_needs_its_unit(transfer):
    line = {**SAMPLES["603"].lines[0], "unit2": ""}
    assert refused("603", Document(GUID, SAMPLES["603"].head, [line]), transfer).element == "unit2"


@every_kind
@pytest.mark.parametrize("count", [0, 101])
def test_a_message_holds_1_to_100_documents(code, transfer, count):
    with pytest.raises(BadDocument):
        build(code, [SAMPLES[code]] * count, transfer, GUID)


@every_kind
def test_characters_that_xml_cannot_carry_are_refused_in_every_kind(code, transfer):
    for bad in ("\0", "\x0b", "\ud800", "\uffff"):
        with pytest.raises(BadDocument):
            build(code, [changed(code, note=f"a{bad}b", reason=None)], transfer, GUID)


@pytest.mark.parametrize(
    "code, sums",
    [("303", {"502": 25}), ("403", {"502": 25}), ("505", {"502": 0}), ("603", {"502": 25}), ("605", {}), ("701", {})],
)
def test_sums_are_what_the_card_bridge_reads(code, sums):
    assert TYPES[code].sums(SAMPLES[code]) == sums


def test_lists_add_their_lines_by_currency():
    lines = [
        {**SAMPLES["603"].lines[0], "currency": currency, "totalPrice": "1.5"} for currency in ("502", "142", "502")
    ]
    document = Document(GUID, SAMPLES["603"].head, lines)
    assert TYPES["603"].sums(document) == {"502": Decimal("3.0"), "142": Decimal("1.5")}
    assert SAMPLES["605"].head["invtNo"] == INVENTORY_NO


@pytest.fixture(scope="session")
def ceb_schema(schema):
    return schema("ceb_export_202205")

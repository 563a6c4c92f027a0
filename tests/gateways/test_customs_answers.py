"""Receipts and envelopes: the official samples are read, hostile bytes are refused in words."""

import base64
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from lxml import etree

from gateways.customs_dxp import envelope
from gateways.customs_dxp.envelope import CUSTOMS_EXPORT, BadEnvelope, DxpMsg
from gateways.customs_dxp.messages.ceb304 import BadReceipt, Receipt, parse_receipts
from gateways.customs_dxp.messages.returns import Returned, parse_returns

GUID = "311AF125-6FED-4603-8C5D-49B1FA4B4B9B"
RETURN = (
    f"<ceb:OrderReturn><ceb:guid>{GUID}</ceb:guid><ceb:ebpCode>无</ceb:ebpCode><ceb:ebcCode>1301960002</ceb:ebcCode>"
    "<ceb:orderNo>A&amp;1</ceb:orderNo><ceb:returnStatus>120</ceb:returnStatus>"
    "<ceb:returnTime>20260101120000123</ceb:returnTime><ceb:returnInfo>已入库 &lt;1&gt;</ceb:returnInfo></ceb:OrderReturn>"
)


def receipts_message(inner: str = RETURN, prolog: str = "", root: str = "CEB304Message") -> bytes:
    return f'{prolog}<ceb:{root} xmlns:ceb="http://www.chinaport.gov.cn/ceb" guid="{GUID}" version="1.0">{inner}</ceb:{root}>'.encode()


def parcel(**other) -> DxpMsg:
    created = datetime(2026, 1, 1, 12, 0, tzinfo=timezone(timedelta(hours=8)))
    values = {
        "cop_msg_id": GUID,
        "sender_id": "DXPENT0000000017",
        "receiver_ids": (CUSTOMS_EXPORT,),
        "created": created,
    }
    return DxpMsg(**{**values, "msg_type": "CEB303Message", "data": "<a>数据</a>".encode(), **other})


def test_the_official_receipt_is_read(facts):
    (receipt,) = parse_receipts(facts("samples/official_202205_CEB304Message.xml").read_bytes())
    assert (receipt.status, receipt.time, receipt.order_no) == (2, "20180507153001001", "order2018050711340001")
    assert receipt.info.startswith("新增申报成功[")


def test_receipts_come_in_the_order_of_the_message():
    second = RETURN.replace(">120<", ">-301010<")
    receipts = parse_receipts(receipts_message(RETURN + second))
    assert receipts[0] == Receipt(GUID, "无", "1301960002", "A&1", 120, "20260101120000123", "已入库 <1>")
    assert receipts[1].status == -301010


def test_receipts_in_another_encoding_are_read():
    text = receipts_message(prolog='<?xml version="1.0" encoding="GBK"?>').decode().encode("gbk")
    assert parse_receipts(text)[0].info == "已入库 <1>"


def test_a_comment_cannot_cut_a_value_in_two():
    assert parse_receipts(receipts_message(RETURN.replace(">120<", ">1<!-- -->20<")))[0].status == 120


BOMB = "<!DOCTYPE a [" + "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(12)) + '<!ENTITY e0 "x">]>'
HOSTILE = {
    "an odd namespace and a cut": receipts_message().replace(b" guid=", b' xmlns:x="##other" guid=')[:-9],
    "nothing": b"",
    "no XML": b"PK\3\4 this is a zip",
    "cut short": receipts_message()[:-20],
    "another root": receipts_message(root="CEB404Message"),
    "another namespace": receipts_message().replace(b"gov.cn/ceb", b"gov.cn/xyz"),
    "no receipts": receipts_message(""),
    "a DTD": receipts_message(prolog="<!DOCTYPE a>"),
    "an entity bomb": receipts_message(RETURN.replace("A&amp;1", "&e12;"), prolog=BOMB),
    "an entity bomb in an attribute": receipts_message(prolog=BOMB).replace(b'version="1.0"', b'version="&e12;"'),
    "a file": receipts_message(
        RETURN.replace("A&amp;1", "&f;"), prolog='<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    ),
    "a DTD in UTF-16": receipts_message(prolog="<!DOCTYPE a>").decode().encode("utf-16"),
    "10 MB": receipts_message(RETURN * 20_000),
    "deep nesting": receipts_message("<a>" * 5000 + "</a>" * 5000),
    "a word as status": receipts_message(RETURN.replace(">120<", ">ok<")),
    "a short time": receipts_message(RETURN.replace("20260101120000123", "20260101")),
    "other digits": receipts_message(RETURN.replace("20260101120000123", "２0260101120000123")),
    "no guid": receipts_message(RETURN.replace(f"<ceb:guid>{GUID}</ceb:guid>", "")),
    "two status": receipts_message(
        RETURN.replace("<ceb:returnTime>", "<ceb:returnStatus>3</ceb:returnStatus><ceb:returnTime>")
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("read", [parse_receipts, parse_returns])
def test_receipts_of_another_form_are_refused(what, read):
    with pytest.raises(BadReceipt):
        read(HOSTILE[what])


# receipts of every kind

SAMPLES = {  # root, kind of the document answered, its number, what customs gave besides
    "404": ("403", "order2018050711340001", {"payNo": "P20180507001"}),
    "506": ("505", "L2018050700001", {"logisticsCode": "1105910159"}),
    "508": ("507", "Cop20180507001", {"billNo": "B00024204001"}),
    "510": ("509", "CoP20180507000000001", {"preNo": "P20180507000000001"}),
    "604": ("603", "Cop20180507001", {"preNo": "P20180507000000001", "invtNo": "Invt20180507000001"}),
    "606": ("605", "Cop20180507001", {"invtNo": "Invt20180507000001"}),
    "608": ("607", "Cop20180507001", {"msgSeqNo": "1"}),
    "702": ("701", "C201805080001", {"sumNo": "S20180507000000001"}),
}


@pytest.mark.parametrize("root", SAMPLES)
def test_the_official_receipt_of_every_kind_is_read(root, facts):
    kind, number, extra = SAMPLES[root]
    (returned,) = parse_returns(facts(f"samples/official_202205_CEB{root}Message.xml").read_bytes())
    assert (returned.kind, returned.number, returned.status) == (kind, number, 2)
    assert returned.extra | extra == returned.extra
    assert len(returned.time) == 17
    assert returned.info.startswith("新增申报成功")


def test_order_receipts_read_either_way_say_the_same():
    (one,), (other,) = parse_receipts(receipts_message()), parse_returns(receipts_message())
    assert (other.kind, other.guid, other.status, other.time) == ("303", one.guid, one.status, one.time)
    assert (other.number, other.info) == (one.order_no, one.info)
    assert other.extra == {"ebpCode": "无", "ebcCode": "1301960002"}


def test_a_receipt_of_a_refund_is_read():
    inner = RETURN.replace("OrderReturn", "RefundReturn").replace("orderNo", "coElNo")
    assert parse_returns(receipts_message(inner, root="CEB214Message"))[0].kind == "213"


def test_the_official_result_of_a_summary_names_its_lists_and_has_no_state(facts):
    (result,) = parse_returns(facts("samples/official_202205_CEB792Message.xml").read_bytes())
    assert (result.kind, result.status, result.number) == ("701", None, "S20180507000000001")
    assert (result.extra["declSeqNo"], result.extra["decState"]) == ("S20180508000000001", "A")
    assert result.extra["invtNos"] == "Invt20180507000001"


FORMAT_RECEIPT = (
    f"<ceb:MessageReturn><ceb:guid>{GUID}</ceb:guid><ceb:returnStatus>-1</ceb:returnStatus>"
    "<ceb:returnInfo>报文格式校验失败</ceb:returnInfo><ceb:returnTime>20260101120000123</ceb:returnTime>"
    "<ceb:oriCopMsgId>M-1</ceb:oriCopMsgId><ceb:oriMessageType>CEB603Message</ceb:oriMessageType>"
    "<ceb:oriBizMessage><![CDATA[<a><b></a>]]></ceb:oriBizMessage></ceb:MessageReturn>"
)


@pytest.mark.parametrize("named, kind", [("CEB603Message", "603"), ("CEB603Message.xml", "603"), ("Unknown", "")])
def test_a_format_receipt_names_the_message_and_carries_nothing_of_it(named, kind):
    text = FORMAT_RECEIPT.replace("CEB603Message", named)
    (returned,) = parse_returns(receipts_message(text, root="CEB900Message"))
    extra = {"oriCopMsgId": "M-1", "oriMessageType": named}
    assert returned == Returned(kind, GUID, -1, "20260101120000123", "M-1", "报文格式校验失败", extra)


HOSTILE_RETURNS = {
    "a result without a head": ("CEB792Message", "<ceb:SummaryResult></ceb:SummaryResult>"),
    "a result with two heads": (
        "CEB792Message",
        f"<ceb:SummaryResult>{'<ceb:SummaryResultHead></ceb:SummaryResultHead>' * 2}</ceb:SummaryResult>",
    ),
    "a result without a time": (
        "CEB792Message",
        f"<ceb:SummaryResult><ceb:SummaryResultHead><ceb:guid>{GUID}</ceb:guid><ceb:sumNo>S</ceb:sumNo>"
        "<ceb:opDate>now</ceb:opDate></ceb:SummaryResultHead></ceb:SummaryResult>",
    ),
    "a format receipt of no message": (
        "CEB900Message",
        FORMAT_RECEIPT.replace("<ceb:oriCopMsgId>M-1</ceb:oriCopMsgId>", ""),
    ),
    "our own message back": ("CEB603Message", "<ceb:Inventory></ceb:Inventory>"),
    "another kind's node": ("CEB604Message", RETURN),
}


@pytest.mark.parametrize("what", HOSTILE_RETURNS)
def test_what_is_no_receipt_of_its_kind_is_refused(what):
    root, inner = HOSTILE_RETURNS[what]
    with pytest.raises(BadReceipt):
        parse_returns(receipts_message(inner, root=root))


@pytest.mark.parametrize(
    "what",
    [name for name in HOSTILE if not name.startswith(("no receipts", "a word", "a short", "other", "no guid", "two"))],
)
def test_envelopes_of_another_form_are_refused(what):
    with pytest.raises(BadEnvelope):
        envelope.parse(HOSTILE[what].replace(b"ceb:CEB304Message", b"ceb:DxpMsg"))


def test_an_envelope_is_valid_compact_and_comes_back_as_it_was(schema):
    built = envelope.build(parcel())
    schema("dxp_terminal_202205").assertValid(etree.fromstring(built))
    assert envelope.parse(built) == parcel()
    assert b"> <" not in built and built == envelope.build(parcel())
    assert envelope.file_name(parcel()) == f"CEB303Message_DXPENT0000000017_DXPEDCCEB0000003_{GUID}.xml"


@pytest.mark.parametrize(
    "wrong",
    [
        {"cop_msg_id": "../x"},
        {"cop_msg_id": ""},
        {"sender_id": "DXPENT00000000017"},
        {"receiver_ids": ()},
        {"receiver_ids": ("A",) * 6},
        {"receiver_ids": ("<a>",)},
        {"msg_type": "CEB/303"},
        {"created": datetime(2026, 1, 1)},
        {"data": bytes(4_000_000)},
    ],
)
def test_an_envelope_that_the_platform_would_refuse_is_not_built(wrong):
    with pytest.raises(ValueError, match=r"."):
        envelope.build(parcel(**wrong))


def test_the_official_envelope_is_read(facts):
    message = envelope.parse(facts("samples/official_DxpMsg_MaxNode-NoSign.xml").read_bytes())
    assert message.msg_type == "MsgType01" and len(message.receiver_ids) == 5
    assert message.created == datetime(2015, 7, 31, 1, 17, 28, tzinfo=UTC)
    assert message.data.decode().startswith("this is a test")


def test_the_official_transport_receipt_is_read(facts):
    reply = envelope.parse(facts("samples/official_DxpRep.xml").read_bytes())
    (response,) = reply.responses
    assert (response.code, response.cop_msg_id, response.noticed) == ("0", "201203270001", date(2016, 1, 5))


@pytest.mark.parametrize(
    "old, new",
    [
        (b"<dxp:Data>", b"<dxp:Data>*"),
        (b"<dxp:CreatTime>2026", b"<dxp:CreatTime>soon"),
        (f"<dxp:CopMsgId>{GUID}</dxp:CopMsgId>".encode(), b""),
        (b"</dxp:Data>", b"</dxp:Data><dxp:Data></dxp:Data>"),
    ],
)
def test_an_envelope_with_a_wrong_part_is_refused(old, new):
    with pytest.raises(BadEnvelope):
        envelope.parse(envelope.build(parcel()).replace(old, new))


def test_wrapped_base64_is_read():
    data = base64.b64encode(b"x" * 100)
    wrapped = envelope.build(parcel(data=b"x" * 100)).replace(data, b"\n".join([b"", data[:76], data[76:], b""]))
    assert envelope.parse(wrapped).data == b"x" * 100

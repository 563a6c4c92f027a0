"""What customs says about orders, messages, envelopes and signatures, by its own reading of the specification."""

from pathlib import Path

import pytest
from traders import CHANNEL, CODE, answers, envelope, message, new_guid, order, put, signed

from sandbox.customs import message as reading
from sandbox.customs.envelope import BadEnvelope, read

SAMPLES = Path(__file__).parents[3] / "shared" / "facts" / "samples"
sample = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the official samples are not on this machine")


def statuses(enterprise) -> list[str]:
    return [answer["returnStatus"] for answer in answers(enterprise)]


@pytest.mark.parametrize("card", ["rsa_card", "sm2_card"])
def test_a_right_order_is_sent_on_and_stored(declare, enterprise, card, request):
    declare(order(number="TYDH005"), card=request.getfixturevalue(card))
    sent, stored = answers(enterprise)
    assert (sent["returnStatus"], stored["returnStatus"]) == ("3", "120")
    assert sent["orderNo"] == "TYDH005"
    assert sent["returnTime"] < stored["returnTime"]
    assert len(sent["returnTime"]) == 17


def test_a_hundred_orders_get_two_receipt_files(declare, enterprise):
    declare(*[order() for _ in range(100)])
    assert len(list((enterprise / "InBox").iterdir())) == 2
    assert statuses(enterprise) == ["3"] * 100 + ["120"] * 100


def test_the_file_goes_to_the_sent_box(declare, enterprise):
    declare(order())
    assert not list((enterprise / "OutBox").iterdir())
    assert len(list((enterprise / "SentBox").iterdir())) == 1


def test_a_saved_order_is_only_saved(declare, enterprise):
    declare(order(appStatus="1"))
    assert statuses(enterprise) == ["1"]


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"goodsValue": "26"}, "-301008", "不等于各项总价之和"),
        ({"line_totalPrice": "26", "goodsValue": "26"}, "-301008", "单价乘数量不等于总价"),
        ({"line_unit": "999"}, "-301008", "计量单位999"),
        ({"currency": "840"}, "-301008", "币制840"),
        ({"line_currency": "142"}, "-301008", "币制与表头不一致"),
        ({"line_qty": "0", "line_totalPrice": "0", "goodsValue": "0"}, "-301008", "数量为0"),
        ({"line_qty": "1.123456"}, "-301008", "5位小数"),
        ({"freight": "123456789012345.12345"}, "-301008", "freight超过20位"),
        ({"freight": "12345678901234567890"}, "-301008", "19位数字"),
        ({"line_gnum": "2"}, "-301008", "gnum应从1开始"),
        ({"line_itemNo": "1" * 31}, "-301008", "itemNo超过30位"),
        ({"line_itemName": ""}, "-301008", "itemName不得为空"),
        ({"appTime": "20261301000000"}, "-301008", "appTime"),
        ({"appType": "4"}, "-301008", "appType"),
        ({"orderType": "I"}, "-301008", "orderType"),
        ({"ebpCode": "12345"}, "-301008", "ebpCode"),
        ({"ebcCode": "9999999999"}, "-10102", "没有备案"),
        ({"ebcCode": "1301960005", "ebcName": "样品物流（石家庄）有限公司"}, "-10101", "没有电子商务企业"),
        ({"ebcName": "示例外贸（石家庄）有限公司 "}, "-301008", "多余的空格"),
        ({"ebpName": "别的平台"}, "-301008", "ebpName"),
        ({"appType": "2"}, "-301009", "未找到操作的订单"),
    ],
)
def test_a_wrong_order_is_told_what_is_wrong(declare, enterprise, changes, code, words):
    declare(order(**changes), order())
    wrong = [answer for answer in answers(enterprise) if answer["returnStatus"] == code]
    assert len(wrong) == 1
    assert words in wrong[0]["returnInfo"]
    assert statuses(enterprise).count("120") == 1, "the right order beside it is stored"


def test_a_lower_case_guid_is_refused(declare, enterprise):
    declare(order(guid=new_guid().lower()))
    assert statuses(enterprise) == ["-301008"]


def test_an_element_out_of_place_is_refused(declare, enterprise):
    text = order().replace("<ceb:freight>0</ceb:freight><ceb:currency>502</ceb:currency>",
                           "<ceb:currency>502</ceb:currency><ceb:freight>0</ceb:freight>", 1)  # fmt: skip
    declare(text)
    assert "freight的位置上是currency" in answers(enterprise)[0]["returnInfo"]


def test_a_missing_element_is_named(declare, enterprise):
    declare(order().replace("<ceb:totalPrice>25</ceb:totalPrice>", ""))
    assert "缺少totalPrice" in answers(enterprise)[0]["returnInfo"]


def test_an_order_without_lines_is_refused(declare, enterprise):
    text = order()
    declare(text[: text.index("<ceb:OrderList>")] + "</ceb:Order>")
    assert statuses(enterprise) == ["-301001"]


def test_two_lines_of_one_number_are_refused(declare, enterprise):
    text = order(goodsValue="50")
    line = text[text.index("<ceb:OrderList>") : text.index("</ceb:Order>")]
    declare(text.replace("</ceb:Order>", line + "</ceb:Order>"))
    assert statuses(enterprise) == ["-301002"]


def test_a_price_rounded_to_five_decimals_passes(declare, enterprise):
    declare(order(line_qty="3", line_price="3.33333", line_totalPrice="10", goodsValue="10"))
    assert statuses(enterprise) == ["3", "120"]


def test_an_order_number_is_used_once_on_a_platform(declare, enterprise):
    declare(order(number="A1"))
    declare(order(number="A1"), order(number="A1", ebpCode="无", ebpName="FOREIGN PLATFORM"))
    assert sorted(statuses(enterprise)) == ["-301010", "120", "120", "3", "3"]


def test_a_changed_order_replaces_the_old_one(declare, enterprise):
    declare(order(number="A1"))
    declare(order(number="A1", appType="2"))
    assert statuses(enterprise) == ["3", "120", "3", "120"]


def test_a_deleted_order_frees_its_number(declare, enterprise):
    declare(order(number="A1"))
    declare(order(number="A1", appType="3"))
    declare(order(number="A1"))
    assert statuses(enterprise).count("120") == 3


def test_one_guid_with_two_contents_is_a_violation(declare, enterprise, client):
    guid = new_guid()
    declare(order(number="A1", guid=guid))
    declare(order(number="A2", guid=guid))
    counted = client.get("/customs/statistics").json
    assert (counted["orders"], counted["distinct_guids"], counted["violations"]) == (2, 1, 1)
    assert "同一guid有两份不同的内容" in client.get("/customs/").text


def test_the_same_order_in_a_new_message_is_no_violation(declare, enterprise, client):
    text = order()
    declare(text)
    declare(text)
    counted = client.get("/customs/statistics").json
    assert (counted["orders"], counted["distinct_guids"], counted["violations"]) == (2, 1, 0)
    assert statuses(enterprise) == ["3", "120", "3", "120"]


def test_a_file_sent_again_gets_the_same_receipts_again(declare, enterprise, office, client):
    content = declare(order())
    first = answers(enterprise)
    put(enterprise, content)
    office.look()
    assert answers(enterprise) == first + first
    counted = client.get("/customs/statistics").json
    assert (counted["messages"], counted["orders"], counted["resent"]) == (1, 1, 1)


def test_a_guid_of_another_company_is_a_violation(declare, enterprise, world, client):
    text = order()
    declare(text)
    declare(text, folder=enterprise.with_name("f" * 32))
    assert client.get("/customs/statistics").json["violations"] == 1


# the frame and the signature


@pytest.mark.parametrize(
    ("frame", "code", "words"),
    [
        ({"dxp_id": "DXPENT0000000009"}, "-301008", "SenderId"),
        ({"cop_code": "9999999999"}, "-10102", "copCode"),
        ({"cop_name": "别的名字"}, "-301008", "copName"),
    ],
)
def test_a_wrong_sender_is_told_so(declare, enterprise, frame, code, words):
    declare(order(), **frame)
    (answer,) = answers(enterprise)
    assert answer["returnStatus"] == code
    assert words in answer["returnInfo"]


def test_a_channel_belongs_to_one_company(declare, enterprise):
    declare(order())
    declare(order(), cop_code="1301960002", cop_name="样张进出口（石家庄）有限公司")
    assert "传输ID属于另一家企业" in answers(enterprise)[-1]["returnInfo"]


def test_an_unsigned_message_is_refused(enterprise, office):
    put(enterprise, envelope(message(order())))
    office.look()
    assert "没有加签" in answers(enterprise)[0]["returnInfo"]


@pytest.mark.parametrize("card", ["rsa_card", "sm2_card"])
def test_a_message_changed_after_signing_is_refused(enterprise, office, card, request):
    text = signed(message(order(number="A1")), request.getfixturevalue(card)).replace(b">A1<", b">A2<")
    put(enterprise, envelope(text))
    office.look()
    assert "加签后被改动" in answers(enterprise)[0]["returnInfo"]


@pytest.mark.parametrize("card", ["rsa_card", "sm2_card"])
def test_a_foreign_signature_value_is_refused(enterprise, office, card, request):
    path = request.getfixturevalue(card)
    one, other = signed(message(order()), path), signed(message(order()), path)

    def value(text: bytes) -> bytes:
        return text[text.index(b"<ds:SignatureValue>") : text.index(b"</ds:SignatureValue>")]

    put(enterprise, envelope(one.replace(value(one), value(other))))
    office.look()
    assert "验签失败" in answers(enterprise)[0]["returnInfo"]


def test_another_companys_card_is_refused(declare, enterprise, world):
    declare(order(), card=world.cards.folder / "8600000000501.json")
    assert "证书不是申报企业的" in answers(enterprise)[0]["returnInfo"]


def test_a_customs_brokers_card_may_sign_for_others(declare, enterprise, client, world):
    broker = {"uscc": "91130100PDY0000446", "kind": "01"}
    number = client.post("/cards", json=broker).json["number"]
    declare(order(), card=world.cards.folder / f"{number}.json")
    assert statuses(enterprise) == ["3", "120"]


def test_an_expired_card_is_refused(declare, enterprise, world):
    declare(order(), card=world.cards.folder / "8600000000105.json")
    assert "有效期" in answers(enterprise)[0]["returnInfo"]


def test_a_certificate_of_an_unknown_authority_is_refused(declare, enterprise, world):
    (world.authority.folder / "rsa.pem").unlink()
    declare(order())
    assert "不是口岸卡证书机构签发的" in answers(enterprise)[0]["returnInfo"]


@pytest.mark.parametrize(
    "old", ["REC-xml-c14n-20010315", "enveloped-signature", "xmldsig#rsa-sha1", "xmldsig#sha1", "<ds:KeyName>0"]
)
def test_a_signature_of_another_profile_is_refused(enterprise, office, rsa_card, old):
    text = signed(message(order()), rsa_card).replace(old.encode(), old.encode() + b"9")
    put(enterprise, envelope(text))
    office.look()
    assert "签名：" in answers(enterprise)[0]["returnInfo"]


# envelopes that cannot be delivered


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda text: text[:-20], ("-1201001", "不是格式正确的XML")),
        (lambda text: text.replace(b"<dxp:Data>", b"<dxp:Data>*"), ("-1201001", "Data不是base64")),
        (lambda text: text.replace(b"CEB0000003", b"CEB0000009"), ("-1201004", "接收方")),
        (lambda text: text.replace(b"CEB303Message", b"CEB999Message"), ("-1201001", "不受理的报文类型")),
        (lambda text: text.replace(b'ver="1.0"', b'ver="2.0"'), ("-1201001", "DxpMsg")),
        (lambda text: text.replace(b"SenderId>", b"Sender>"), ("-1201001", "TransInfo")),
        (lambda text: text + b"<!-- -->" * 600_000, ("-1201001", "4096KB")),
    ],
)
def test_a_broken_envelope_goes_to_the_fail_box_with_a_reason(enterprise, office, rsa_card, break_it, said):
    path = put(enterprise, break_it(envelope(signed(message(order()), rsa_card))))
    office.look()
    assert (enterprise / "FailBox" / path.name).exists()
    (reply,) = (enterprise / "InBox").glob("DxpRep*.xml")
    text = reply.read_text("utf-8")
    assert f"<ResponseCode>{said[0]}</ResponseCode>" in text
    assert said[1] in text
    assert f"<SenderId>{CHANNEL}</SenderId>" in text


def test_entities_are_not_expanded():
    bomb = b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    with pytest.raises(BadEnvelope, match="DTD"):
        read(bomb)


def test_one_message_number_with_other_content_is_not_delivered(enterprise, office, rsa_card):
    for _ in range(2):
        put(enterprise, envelope(signed(message(order()), rsa_card), cop_msg_id="SAME"))
        office.look()
    assert len(list((enterprise / "InBox").glob("DxpRep*.xml"))) == 1
    assert len(list((enterprise / "FailBox").iterdir())) == 1


@sample
def test_the_official_order_sample_is_read_and_its_second_base_transfer_found():
    text = (SAMPLES / "official_202205_CEB303Message.xml").read_bytes()
    found = reading.read(text, "CEB303Message")
    assert found.documents[0].number == "order2018050711340001"
    assert "BaseTransfer（1个）" in str(found.problem)
    assert "guid应为36位大写" in str(found.documents[0].problem)


@sample
def test_the_official_envelope_sample_is_for_other_receivers():
    with pytest.raises(BadEnvelope) as refusal:
        read((SAMPLES / "official_DxpMsg_MaxNode-NoSign.xml").read_bytes())
    assert refusal.value.code == "-1201004"


@sample
@pytest.mark.parametrize("broken", [False, True])
def test_receipts_and_replies_follow_the_official_schema(declare, enterprise, office, broken):
    import base64

    from lxml import etree

    folder = SAMPLES.parent / "xsd"
    if broken:
        put(enterprise, b"<nothing/>")
        office.look()
    else:
        declare(order(), order(goodsValue="1"))
    transport = etree.XMLSchema(etree.parse(folder / "dxp_terminal_202205.xsd"))
    business = etree.XMLSchema(etree.parse(folder / "ceb_export_202205.xsd"))
    files = list((enterprise / "InBox").iterdir())
    assert files
    for path in files:
        root = etree.parse(path)
        transport.assertValid(root)
        if not broken:
            business.assertValid(etree.fromstring(base64.b64decode(root.findtext("{*}Data"))))


def test_customs_codes_of_companies_added_now_count_at_once(declare, enterprise, client):
    code = {
        "code": "1301969999",
        "category": "进出口货物收发货人",
        "valid_from": "2020-01-01",
        "valid_to": "2099-12-31",
    }
    company = {
        "uscc": "91130100PDY000132L", "name": "晚来贸易有限公司", "customs_codes": [code | {"ecommerce_types": ["电子商务企业"]}],
        "legal_representative": {"name": "周一诺", "id_number": "130100189901010019"},
    }  # fmt: skip
    declare(order(ebcCode="1301969999", ebcName="晚来贸易有限公司"))
    assert client.post("/register/edit", json=company).status_code == 200
    declare(order(ebcCode="1301969999", ebcName="晚来贸易有限公司"))
    assert statuses(enterprise) == ["-10102", "3", "120"]
    assert CODE != "1301969999"

"""The other kinds of documents at customs: what must come before what, numbers, changes, cancellations, summaries."""

import base64
import re
from pathlib import Path

import pytest
from lxml import etree
from traders import CARRIER, CODE, PAPERS, answers, envelope, message, new_guid, order, paper, put, signed

from sandbox.customs.kinds import KINDS

XSD = Path(__file__).parents[3] / "shared" / "facts" / "xsd" / "ceb_export_202205.xsd"
official = pytest.mark.skipif(not XSD.exists(), reason="the official schema is not on this machine")
XS = "{http://www.w3.org/2001/XMLSchema}"
WAY = {"303": ["3", "120"], "403": ["3", "120"], "505": ["3", "120"], "603": ["3", "120", "800"]}
WAY |= {"605": ["3", "399"], "607": ["3", "399"], "701": ["3", "399"], "213": ["3", "120"]}
ANSWER = {kind: f"CEB{int(kind) + 1}" for kind in WAY}


@pytest.fixture
def say(declare, enterprise):
    """say("603", orderNo="A1"): declares one document; gives its receipts, the newest file last."""

    def declare_one(kind: str, text: str = "", **changes: str) -> list[dict[str, str]]:
        root = ANSWER[kind]
        before = len(answers(enterprise, root))
        declare(text or (order(**changes) if kind == "303" else paper(kind, **changes)), kind=kind)
        return answers(enterprise, root)[before:]

    return declare_one


def states(receipts: list[dict[str, str]]) -> list[str]:
    return [receipt["returnStatus"] for receipt in receipts]


@pytest.fixture
def listed(say):
    """An order, its waybill and its list, all taken; gives the list's last receipt."""
    say("303", orderNo="A1")
    say("505", logisticsNo="Y1")
    return say("603")[-1]


@pytest.mark.parametrize("kind", WAY)
def test_every_kind_is_taken_and_answered_by_its_own_receipt(say, listed, kind):
    numbers = {
        "303": {"orderNo": "B"},
        "403": {"orderNo": "B"},
        "505": {"logisticsNo": "B"},
        "603": {"copNo": "B", "orderNo": "B"},
    }
    if kind == "603":
        say("303", orderNo="B")
        say("505", logisticsNo="B")
    changes = numbers.get(kind, {}) | ({"logisticsNo": "B"} if kind == "603" else {})
    changes |= {"invtNo": listed["invtNo"]} if kind in ("605", "213") else {}
    changes |= {"line_invtNo": listed["invtNo"]} if kind == "701" else {}
    receipts = say(kind, **changes)
    assert states(receipts) == WAY[kind]
    assert [receipt["returnTime"] for receipt in receipts] == sorted({receipt["returnTime"] for receipt in receipts})
    assert {receipt["guid"] for receipt in receipts} == {receipts[0]["guid"]}


def test_a_list_gets_its_numbers(listed):
    assert re.fullmatch(r"B[0-9]{17}", listed["preNo"])
    assert re.fullmatch(r"0403[0-9]{4}E[0-9]{9}", listed["invtNo"])
    assert (listed["copNo"], listed["orderNo"], listed["statisticsFlag"]) == ("L1", "A1", "B")


@pytest.mark.parametrize(
    ("before", "changes", "code", "words"),
    [
        ((), {}, "-301003", "订单信息查询不存在[A1]"),
        (("303",), {}, "-621003", "运单[Y1]不存在"),
        (("505",), {}, "-301003", "订单"),
        (("303", "505"), {"orderNo": "A2"}, "-301003", "A2"),
        (("303", "505"), {"tradeMode": "9810"}, "-621001", "贸易方式9810"),
        (("303 E", "505"), {"tradeMode": "9610"}, "-401001", "支付凭证"),
        (("303 暂存", "505"), {}, "-301003", "订单"),
    ],
)
def test_a_list_needs_its_papers_before_it(say, before, changes, code, words):
    for step in before:
        kind, _, how = step.partition(" ")
        extra = {"E": {"orderType": "E"}, "暂存": {"appStatus": "1"}, "": {}}[how]
        say(kind, **({"orderNo": "A1"} if kind == "303" else {}) | extra)
    (receipt,) = say("603", **changes)
    assert (receipt["returnStatus"], words in receipt["returnInfo"]) == (code, True)


def test_a_9610_list_is_taken_with_its_receipt_of_money(say):
    say("303", orderNo="A1", orderType="E")
    say("505")
    say("403")
    assert states(say("603", tradeMode="9610")) == ["3", "120", "800"]


def test_a_paper_refused_by_customs_does_not_count_as_there(say, mood):
    say("303", orderNo="A1")
    mood("customs", "refuse")
    assert states(say("505")) == ["3", "100"]
    mood("customs", "yes")
    assert states(say("603")) == ["-621003"]


@pytest.mark.parametrize(
    ("kind", "changes", "code", "words"),
    [
        ("403", {"charge": "0"}, "-401009", "charge为0"),
        ("403", {"accountingDate": "20261301000000"}, "-401009", "accountingDate"),
        ("403", {"currency": "840"}, "-401009", "币制840"),
        ("403", {"ebcCode": CARRIER, "ebcName": "样品物流（石家庄）有限公司"}, "-10101", "电子商务企业"),
        ("403", {"appType": "2"}, "-401006", "未找到操作的收款单"),
        ("505", {"packNo": "1.5"}, "-504011", "packNo"),
        ("505", {"grossWeight": "heavy"}, "-504011", "grossWeight"),
        ("505", {"logisticsCode": CODE, "logisticsName": "示例外贸（石家庄）有限公司"}, "-10101", "物流企业"),
        ("505", {"logisticsName": "别的"}, "-504011", "logisticsName"),
        ("505", {"logisticsNo": "Y" * 33}, "-504011", "超过32位"),
        ("505", {"appType": "3"}, "-504014", "未找到操作的运单"),
        ("603", {"ieFlag": "I"}, "-621001", "ieFlag"),
        ("603", {"fFlag": "1"}, "-621001", "fFlag"),
        ("603", {"netWeight": "2"}, "-621001", "netWeight大于grossWeight"),
        ("603", {"tradeMode": "0110"}, "-621001", "tradeMode"),
        ("603", {"ieDate": "20260230"}, "-621001", "ieDate"),
        ("603", {"line_gcode": "8711"}, "-621001", "商品编码"),
        ("603", {"line_totalPrice": "26"}, "-621001", "单价乘数量"),
        ("603", {"line_qty2": "1"}, "-621001", "成对"),
        ("603", {"line_gnum": "2"}, "-621001", "gnum"),
        ("603", {"agentCode": "9999999999"}, "-10102", "agentCode"),
        ("603", {"appType": "2"}, "-621011", "未找到操作的清单"),
        ("603", {"POD": ""}, "-621001", "POD"),
        ("605", {}, "-623003", "系统中不存在清单编号"),
        ("605", {"reason": ""}, "-623014", "reason"),
        ("213", {}, "-625204", "未找到清单编号"),
        ("213", {"ieFlag": "E"}, "-625001", "ieFlag"),
        ("213", {"country": "142"}, "-625001", "不能是中国"),
        ("213", {"line_unit1": "999"}, "-625001", "计量单位999"),
        ("607", {}, "100", "没有这份清单"),
        ("701", {"line_invtNo": "X"}, "100", "系统中不存在"),
        ("701", {"startTime": "20260101000000"}, "100", "成对"),
        ("701", {}, "100", "没有填清单"),
    ],
)
def test_a_wrong_paper_is_told_what_is_wrong(say, kind, changes, code, words):
    receipt = say(kind, **changes)[-1]
    assert (receipt["returnStatus"], words in receipt["returnInfo"]) == (code, True), receipt["returnInfo"]


def test_a_list_without_goods_is_refused(say):
    text = paper("603")
    assert states(say("603", text[: text.index("<ceb:InventoryList>")] + "</ceb:Inventory>")) == ["-621000"]


@pytest.mark.parametrize(
    ("kind", "code"), [("403", "-401007"), ("505", "-504015"), ("603", "-621004"), ("607", "100"), ("701", "100")]
)
def test_a_number_is_used_once(say, listed, kind, code):
    changes = {"line_invtNo": listed["invtNo"]} if kind == "701" else {}
    if kind in ("403", "607", "701"):
        say(kind, **changes)
    receipt = say(kind, **changes)[-1]
    assert (receipt["returnStatus"], "相同编号" in receipt["returnInfo"]) == (code, True)


def test_a_second_list_of_one_order_or_waybill_is_refused(say, listed):
    (receipt,) = say("603", copNo="L2")
    assert (receipt["returnStatus"], "请勿重复申报" in receipt["returnInfo"]) == ("-621004", True)
    say("303", orderNo="A2")
    assert states(say("603", copNo="L2", orderNo="A2")) == ["-621004"]


def test_two_lists_of_one_order_in_one_message_are_told_apart(say, declare, enterprise):
    say("303", orderNo="A1")
    say("505")
    declare(paper("603", copNo="L1"), paper("603", copNo="L2"), kind="603")
    assert sorted(states(answers(enterprise, "CEB604"))) == ["-621004", "120", "3", "800"]


@pytest.mark.parametrize(("kind", "code"), [("303", "-301011"), ("505", "-504016"), ("403", "-401008")])
@pytest.mark.parametrize("app_type", ["2", "3"])
def test_a_paper_that_a_list_names_is_not_changed(say, kind, code, app_type):
    number = {"303": {"orderNo": "A1"}}.get(kind, {})
    for step in ("303", "403", "505"):
        say(step, **({"orderNo": "A1"} if step == "303" else {}))
    assert states(say(kind, appType="2", **number)) == ["3", "120"], "before the list it may be changed"
    say("603")
    (receipt,) = say(kind, appType=app_type, **number)
    assert (receipt["returnStatus"], "L1" in receipt["returnInfo"]) == (code, True)


def test_a_released_list_is_not_changed_but_cancelled(say, listed):
    assert states(say("603", appType="2")) == ["-621012"]
    assert states(say("605", invtNo=listed["invtNo"])) == ["3", "399"]
    assert states(say("605", copNo="L9", invtNo=listed["invtNo"])) == ["-623003"], "it is gone"
    again = say("603")
    assert states(again) == ["3", "120", "800"], "its order and waybill are free again"
    assert again[-1]["invtNo"] != listed["invtNo"]


def test_a_list_that_waits_is_changed_under_its_number_and_deleted(say, client, enterprise):
    assert client.post("/customs/release", json={"at_once": "no"}).json == {"at_once": False}
    say("303", orderNo="A1")
    say("505")
    first = say("603")
    assert states(first) == ["3", "120"]
    changed = say("603", appType="2", netWeight="0.5")
    assert (states(changed), changed[-1]["invtNo"]) == (["3", "120"], first[-1]["invtNo"])
    moved = client.post("/customs/advance", json={"kind": "603", "number": "L1", "status": 800})
    assert moved.json == {"count": 1}
    assert (
        answers(enterprise, "CEB604")[-1] | {"returnStatus": "800", "guid": changed[-1]["guid"]}
        == answers(enterprise, "CEB604")[-1]
    )
    assert states(say("603", appType="3")) == ["-621012"]
    client.post("/customs/advance", json={"kind": "603", "number": first[-1]["invtNo"], "status": 500})
    assert states(say("603", appType="3")) == ["3", "120"]
    assert states(say("605", invtNo=first[-1]["invtNo"])) == ["-623003"]


def test_a_cancellation_is_decided_at_once_and_stays(say, listed):
    say("605", invtNo=listed["invtNo"])
    assert states(say("605", appType="3", invtNo=listed["invtNo"])) == ["-623013"]


def test_another_companys_list_cannot_be_cancelled(say, listed):
    other = {"ebcCode": "1301960002", "ebcName": "样张进出口（石家庄）有限公司"}
    assert states(say("605", invtNo=listed["invtNo"], **other)) == ["-623003"]


def test_a_manifest_takes_released_lists_once(say, listed, client):
    client.post("/customs/advance", json={"kind": "603", "status": 500, "words": "查验"})
    held = say("607")[-1]
    assert (held["returnStatus"], "还没有放行" in held["returnInfo"]) == ("100", True)
    client.post("/customs/advance", json={"kind": "603", "status": 800})
    wrong = say("607", line_invtNo="X")[-1]
    assert (wrong["returnStatus"], "没有这份清单" in wrong["returnInfo"]) == ("100", True)
    taken = say("607", line_invtNo=listed["invtNo"])[-1]
    assert (taken["returnStatus"], taken["billNo"], taken["msgSeqNo"]) == ("399", "999-12345675", "1")
    second = say("607", copNo="M2")[-1]
    assert (second["returnStatus"], "已在总分单[M1]里" in second["returnInfo"]) == ("100", True)
    assert states(say("605", invtNo=listed["invtNo"])) == ["-623005"], "on a manifest it is not cancelled"


def test_a_manifest_may_be_changed(say, listed):
    say("607")
    assert states(say("607", appType="2", billNo="999-00000000")) == ["3", "399"]


def test_a_summary_of_released_lists_gets_its_number_and_the_result(say, listed, enterprise):
    receipt = say("701", line_invtNo=listed["invtNo"])[-1]
    assert re.fullmatch(r"S[0-9]{17}", receipt["sumNo"])
    (path,) = (enterprise / "InBox").glob("CEB792*.xml")
    result = etree.fromstring(base64.b64decode(etree.parse(path).findtext("{*}Data")))
    assert result.findtext(".//{*}sumNo") == receipt["sumNo"]
    assert result.findtext(".//{*}guid") == receipt["guid"]
    assert result.findtext(".//{*}SummaryResultList/{*}invtNo") == listed["invtNo"]
    again = say("701", copNo="S2", line_invtNo=listed["invtNo"])[-1]
    assert (again["returnStatus"], "已由汇总申请[S1]汇总" in again["returnInfo"]) == ("100", True)


def test_a_summary_by_time_takes_what_was_declared_then(say, listed):
    empty = say("701", startTime="20200101000000", endTime="20200102000000")[-1]
    assert (empty["returnStatus"], "没有可以汇总的清单" in empty["returnInfo"]) == ("100", True)
    assert states(say("701", startTime="20200101000000", endTime="20990101000000")) == ["3", "399"]


def test_a_summary_waits_for_the_release(say, listed, client):
    client.post("/customs/advance", json={"kind": "603", "status": 300})
    receipt = say("701", line_invtNo=listed["invtNo"])[-1]
    assert (receipt["returnStatus"], "还没有放行" in receipt["returnInfo"]) == ("100", True)


def test_a_simplified_list_is_not_summarised(say):
    say("303", orderNo="A1")
    say("505")
    number = say("603", statisticsFlag="A")[-1]["invtNo"]
    receipt = say("701", line_invtNo=number)[-1]
    assert (receipt["returnStatus"], "简化申报" in receipt["returnInfo"]) == ("100", True)


def test_goods_come_back_that_a_released_list_had(say, listed, client):
    number = {"invtNo": listed["invtNo"]}
    client.post("/customs/advance", json={"kind": "603", "status": 500})
    assert states(say("213", **number)) == ["-625004"]
    client.post("/customs/advance", json={"kind": "603", "status": 800})
    assert states(say("213", **number, line_qty="11")) == ["-625209"]
    assert states(say("213", **number, line_gnum="2")) == ["-625209"]
    assert states(say("213", **number, line_qty="3")) == ["3", "120"]
    assert states(say("213", **number)) == ["-625022"], "the number is taken"
    assert states(say("213", appType="2", **number)) == ["3", "120"]


@pytest.mark.parametrize("kind", PAPERS)
def test_one_guid_with_two_contents_is_a_violation_in_every_kind(declare, client, kind):
    guid = new_guid()
    declare(paper(kind, guid=guid), kind=kind)
    declare(paper(kind, guid=guid, appTime="20260101120001"), kind=kind)
    counted = client.get("/customs/statistics").json
    assert counted["violations"] == 1
    assert (counted["kinds"][kind]["documents"], counted["kinds"][kind]["distinct_guids"]) == (2, 1)
    assert counted["orders"] == 0
    assert KINDS[kind].title in client.get("/customs/").text


def test_a_list_sent_again_gets_the_same_receipts_again(listed, enterprise, office, rsa_card, client):
    text = paper("603", copNo="L1", guid=listed["guid"])
    before = answers(enterprise, "CEB604")
    put(enterprise, envelope(signed(message(text, kind="603"), rsa_card)))
    office.look()
    after = answers(enterprise, "CEB604")[len(before) :]
    assert [(one["guid"], one["returnStatus"]) for one in after] == [
        (listed["guid"], state) for state in ("3", "120", "800")
    ]
    assert [one["invtNo"] for one in after] == [listed["invtNo"]] * 3
    assert client.get("/customs/statistics").json["violations"] == 0


@pytest.mark.parametrize(
    ("name", "states_of_files"),
    [
        ("twice", ["3", "3", "120", "120", "800", "800"]),
        ("reversed", ["800", "120", "3"]),
        ("refuse", ["3", "100"]),
        ("silent", []),
    ],
)
def test_moods_hold_for_lists_too(say, mood, name, states_of_files):
    say("303", orderNo="A1")
    say("505")
    mood("customs", name)
    assert states(say("603")) == states_of_files


def test_an_order_is_closed_by_hand_later(say, client, enterprise):
    say("303", orderNo="A1")
    assert client.post("/customs/advance", json={"kind": "303", "number": "A1", "status": 399}).json == {"count": 1}
    assert states(answers(enterprise, "CEB304")) == ["3", "120", "399"]


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "999"},
        {"status": "soon"},
        {"status": ""},
        {"number": "nobody"},
        {"kind": "701", "number": ""},
    ],
)
def test_a_step_that_makes_no_sense_is_refused(say, client, fields):
    say("303", orderNo="A1")
    wanted = {"kind": "303", "number": "A1", "status": 399} | fields
    assert client.post("/customs/advance", json=wanted).status_code == 400


def test_a_format_receipt_is_sent_by_hand(say, client, enterprise, world):
    say("505")
    ((cop_msg_id,),) = world.ledger.run("SELECT cop_msg_id FROM messages")
    fields = {"folder": enterprise.name, "kind": "format", "guid": cop_msg_id, "words": "格式不对"}
    assert client.post("/customs/stray", json=fields).status_code == 200
    (receipt,) = answers(enterprise, "CEB900")
    assert (receipt["oriCopMsgId"], receipt["oriMessageType"], receipt["returnInfo"]) == (
        cop_msg_id,
        "CEB505Message",
        "格式不对",
    )
    assert int(receipt["returnStatus"]) < 0


def test_a_message_of_another_kind_than_its_envelope_says_is_not_delivered(enterprise, office, rsa_card):
    content = envelope(signed(message(paper("505"), kind="505"), rsa_card)).replace(b"CEB505Message", b"CEB403Message")
    put(enterprise, content)
    office.look()
    (reply,) = (enterprise / "InBox").glob("DxpRep*.xml")
    assert "根元素不是ceb:CEB403Message" in reply.read_text("utf-8")
    assert "<MsgType>CEB403Message</MsgType>" in reply.read_text("utf-8")


@pytest.mark.parametrize("kind", ["403", "603", "701"])
def test_a_signature_of_another_company_is_told_with_the_kinds_own_code(declare, enterprise, world, kind):
    code = {"403": "-401009", "603": "-621029", "701": "100"}[kind]
    declare(paper(kind), kind=kind, card=world.cards.folder / "8600000000501.json")
    last = answers(enterprise, ANSWER[kind])[-1]
    assert (last["returnStatus"], "签名：" in last["returnInfo"]) == (code, True)


@official
@pytest.mark.parametrize("kind", KINDS)
def test_our_reading_of_the_elements_agrees_with_the_official_schema(kind):
    root, of = etree.parse(XSD).getroot(), KINDS[kind]
    blocks = [(of.head_node or of.node, of.head)] + ([(of.line_node, of.line)] if of.line else [])
    for name, rules in blocks:
        found = root.find(f"{XS}element[@name='{name}']")
        elements = [element for element in found.iter(XS + "element") if element is not found]
        assert list(rules.longest) == [element.get("name") for element in elements]
        assert rules.optional == {element.get("name") for element in elements if element.get("minOccurs") == "0"}
        for element in elements:
            sizes = {
                rule.tag.removeprefix(XS): rule.get("value")
                for rule in element.find(f".//{XS}restriction").iterchildren("*")
            }
            digits = {"19": "20"}.get(sizes.get("totalDigits", ""), sizes.get("totalDigits"))  # with the point
            longest = sizes.get("length") or sizes.get("maxLength") or digits
            assert (element.get("name"), rules.longest[element.get("name")]) == (element.get("name"), int(longest))


@official
def test_every_answer_follows_the_official_schema(say, listed, enterprise):
    say("403")
    say("607")
    say("701", line_invtNo=listed["invtNo"])
    say("213", invtNo=listed["invtNo"])
    say("605", copNo="L9", invtNo="nothing")
    say("603", ieFlag="I")
    schema = etree.XMLSchema(etree.parse(XSD))
    roots = set()
    for path in (enterprise / "InBox").glob("CEB*.xml"):
        inner = etree.fromstring(base64.b64decode(etree.parse(path).findtext("{*}Data")))
        schema.assertValid(inner)
        roots.add(etree.QName(inner).localname[3:6])
    assert roots == {"214", "304", "404", "506", "604", "606", "608", "702", "792"}

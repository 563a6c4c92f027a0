"""报关单 for the import client: the official schema takes it, the zip is the same every time, answers are read or refused."""

import io
import re
import zipfile
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateways.customs_dxp import import_client
from gateways.customs_dxp.declaration import MOST_LINES, BadDeclaration, Declaration, build, pack, read
from gateways.customs_dxp.hardened_xml import BadXml
from gateways.customs_dxp.import_client import ImportFolder, read_answer
from gateways.customs_dxp.port import ContentDiffers

NUMBER = "BG2026112100000001"
SEQ = "E20260000000000001"
HEAD = {
    "IEFlag": "E", "AgentCode": "1301960001", "AgentName": "示例外贸（石家庄）有限公司", "BillNo": "COSU1", "ContrNo": "HT1",
    "CustomMaster": "0401", "CutMode": "101", "DistinatePort": "USA000", "GrossWet": Decimal("12.5"), "IEPort": "0202",
    "NetWt": Decimal("10"), "OwnerCode": "1301960001", "OwnerName": "示例外贸（石家庄）有限公司", "PackNo": "3",
    "TradeCode": "1301960001", "TradeCountry": "USA", "TradeMode": "9710", "TradeName": "示例外贸（石家庄）有限公司",
    "TrafMode": "2", "TransMode": "3", "WrapType": "22", "EdiId": "1", "CopName": "示例外贸（石家庄）有限公司",
    "CopCode": "PDY00001X", "EntryType": "M", "InputerName": "李明", "DeclTrnRel": "0", "CopCodeScc": "91130100PDY00001XG",
    "OwnerCodeScc": "91130100PDY00001XG", "AgentCodeScc": "91130100PDY00001XG", "TradeCoScc": "91130100PDY00001XG",
    "PromiseItmes": "000", "TradeAreaCode": "USA", "MarkNo": "N/M", "EntyPortCode": "120001", "NoOtherPack": "0",
    "OverseasConsigneeEname": "ACME & CO <LTD>",
}  # fmt: skip
LINE = {
    "CodeTS": "8711100010", "DeclPrice": Decimal("2.5"), "DutyMode": "1", "GModel": "0|3|品牌", "GName": "微马力摩托车",
    "GNo": "1", "OriginCountry": "USA", "TradeCurr": "USD", "DeclTotal": Decimal("25.00"), "GQty": Decimal("10"),
    "FirstQty": Decimal("10"), "GUnit": "011", "FirstUnit": "011", "DestinationCountry": "CHN", "CiqCode": "999",
    "OrigPlaceCode": "130100", "DistrictCode": "13019",
}  # fmt: skip
PAPER = {
    "EdocID": "TYDH005", "EdocCode": "10000004", "EdocFomatType": "US", "EdocCopId": "TYDH005", "EdocOwnerCode": "1301960001",
    "SignUnit": "1301960001", "SignTime": "20261121103200", "EdocOwnerName": "示例外贸（石家庄）有限公司",
}  # fmt: skip
SIGN = {"OperType": "G", "CopCode": "91130100PDY00001XG", "OperName": "李明", "ClientSeqNo": NUMBER, "DomainId": "1",
        "SignDate": "2026112110320000", "BillSeqNo": NUMBER}  # fmt: skip
WHOLE = Declaration(HEAD, [LINE], [PAPER], SIGN, {"VoyNo": "V1"})
DOCUMENTARY = re.compile(rb'<xs:pattern value="(|yyyyMMdd|yyyyMMddHH|yyyyMMdd hh:ss:mm)"\s*/>')


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    """The official schema without the patterns that only describe ("yyyyMMdd" as a pattern takes no date)."""
    from tests.conftest import SHARED

    if not SHARED.exists():
        pytest.skip("../shared is absent: schemas and samples of others are not part of the project")
    folder = tmp_path_factory.mktemp("dec")
    for path in (SHARED / "facts/xsd/dec").glob("*.xsd"):
        (folder / path.name).write_bytes(DOCUMENTARY.sub(b"", path.read_bytes()))
    return etree.XMLSchema(etree.parse(folder / "DecMessage_ImportSave_V1.0.xsd"))


def test_the_official_schema_takes_it(schema):
    schema.assertValid(etree.fromstring(build(WHOLE)))
    second = LINE | {"GNo": "2", "SecondQty": Decimal("1.25"), "SecondUnit": "035"}
    freight = {
        "FeeMark": "3",
        "FeeCurr": "USD",
        "FeeRate": Decimal("100"),
        "InsurMark": "1",
        "InsurRate": Decimal("0.3"),
    }
    papers = [PAPER] + [PAPER | {"EdocID": f"NO{n}", "EdocCopId": f"NO{n}"} for n in range(9)]
    schema.assertValid(etree.fromstring(build(Declaration(HEAD | freight, [LINE, second], papers, SIGN))))


def test_elements_stand_in_the_order_of_the_official_sample(shared):
    raw = (shared / "facts/samples/official_dec_3.1_sample.xml").read_bytes()
    sample = etree.fromstring(raw[raw.index(b"<") :])
    for part in ("DecHead", "DecList", "DecSign", "EdocRealation", "DecFreeTxt"):
        known = [node.tag for node in sample.find(f".//{{*}}{part}")]
        ours = [node.tag for node in etree.fromstring(build(WHOLE)).find(f".//{{*}}{part}")]
        assert ours == [tag for tag in known if tag in ours], part


def test_it_is_read_back_as_it_was_written():
    back = read(build(WHOLE))
    assert (
        back.lines[0]["GQty"] == "10" and back.lines[0]["DeclTotal"] == "25" and back.papers[0]["EdocID"] == "TYDH005"
    )
    assert back.head["OverseasConsigneeEname"] == "ACME & CO <LTD>" and back.sign["ClientSeqNo"] == NUMBER


@pytest.mark.parametrize(("part", "element", "value"), [
    ("head", "CustomMaster", "401"), ("head", "TradeCountry", "美国"), ("head", "IEFlag", "I"), ("head", "TransMode", "7"),
    ("head", "TradeName", ""), ("head", "TradeName", "司" * 71), ("head", "GrossWet", Decimal("-1")),
    ("head", "GrossWet", Decimal("NaN")), ("head", "GrossWet", Decimal("1.000001")), ("head", "PackNo", "1\n"),
    ("head", "NoteS", "\x00"), ("head", "NoteS", "\ud800"), ("head", "Unknown", "x"), ("line", "CodeTS", "87111000"),
    ("line", "GModel", ""), ("line", "TradeCurr", "502"), ("line", "GUnit", "个"), ("line", "GName", "名" * 256),
    ("sign", "ClientSeqNo", "../../x"), ("sign", "OperType", "C"), ("paper", "EdocID", ""), ("paper", "EdocCode", "1"),
])  # fmt: skip
def test_what_the_schema_does_not_allow_is_refused_by_name(part, element, value):
    wrong = {"head": HEAD, "line": LINE, "sign": SIGN, "paper": PAPER}
    parts = {name: values | ({element: value} if name == part else {}) for name, values in wrong.items()}
    with pytest.raises(BadDeclaration) as refused:
        build(Declaration(parts["head"], [parts["line"]], [parts["paper"]], parts["sign"]))
    assert refused.value.element == element and refused.value.line == (part == "line")


@pytest.mark.parametrize("lines", [0, MOST_LINES + 1])
def test_a_number_of_lines_that_no_declaration_has_is_refused(lines):
    with pytest.raises(BadDeclaration, match="DecLists"):
        build(replace(WHOLE, lines=[LINE] * lines))
    with pytest.raises(BadDeclaration, match="EdocRealation"):
        build(replace(WHOLE, papers=[]))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=255), st.decimals(0, 10**12, places=5, allow_nan=False))
def test_any_text_and_amount_comes_back_or_is_refused(name, quantity):
    try:
        back = read(build(replace(WHOLE, lines=[LINE | {"GName": name, "GQty": quantity}])))
    except BadDeclaration:
        return
    assert back.lines[0]["GName"].replace("\r\n", "\n").replace("\r", "\n") == name.replace("\r\n", "\n").replace(
        "\r", "\n"
    )
    assert Decimal(back.lines[0]["GQty"]) == quantity


def test_the_zip_holds_one_xml_and_is_the_same_every_time():
    name, data = pack(NUMBER, build(WHOLE))
    assert name == f"{NUMBER}.zip" and pack(NUMBER, build(WHOLE))[1] == data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == [f"{NUMBER}.xml"] and archive.read(f"{NUMBER}.xml") == build(WHOLE)


# -- folders


def test_a_zip_is_under_its_name_whole_or_absent(tmp_path, monkeypatch):
    folder, seen = ImportFolder(tmp_path), []
    replace_file = import_client.os.replace

    def look(source, target):
        seen.append((source.name, [path.name for path in tmp_path.glob("OutBox/*.zip")]))
        replace_file(source, target)

    monkeypatch.setattr(import_client.os, "replace", look)
    folder.put(f"{NUMBER}.zip", b"zip")
    assert seen[0][0].endswith(".zip.temp") and seen[0][1] == []
    assert [path.name for path in tmp_path.glob("OutBox/*")] == [f"{NUMBER}.zip"]


@pytest.mark.parametrize("box", ["OutBox", "SentBox", "FailBox/2026-11-21"])
def test_the_same_bytes_go_once_and_other_bytes_never(tmp_path, box):
    folder = ImportFolder(tmp_path)
    (tmp_path / box).mkdir(parents=True, exist_ok=True)
    (tmp_path / box / f"{NUMBER}.zip").write_bytes(b"zip")
    folder.put(f"{NUMBER}.zip", b"zip")
    assert len(list(tmp_path.glob("**/*.zip"))) == 1
    with pytest.raises(ContentDiffers):
        folder.put(f"{NUMBER}.zip", b"other")


@pytest.mark.parametrize("name", ["../x.zip", "x.zip", f"{NUMBER}.xml", f"{NUMBER}.zip/..", f"{NUMBER}.zip\n"])
def test_a_name_that_is_none_is_refused(tmp_path, name):
    with pytest.raises(ValueError):
        ImportFolder(tmp_path).put(name, b"zip")


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    folder = ImportFolder(tmp_path)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(import_client.os, "fsync", full)
    with pytest.raises(OSError):
        folder.put(f"{NUMBER}.zip", b"zip")
    assert not list((tmp_path / "OutBox").iterdir())


def test_answers_come_again_until_they_are_acknowledged(tmp_path):
    folder = ImportFolder(tmp_path)
    (tmp_path / "InBox" / "Failed_1.xml").write_bytes(b"a")
    (tmp_path / "InBox" / "half.xml.temp").write_bytes(b"b")
    (tmp_path / "InBox" / "link.xml").symlink_to("/etc/passwd")
    assert list(folder.receive()) == list(folder.receive()) == [("Failed_1.xml", b"a")]
    folder.acknowledge("Failed_1.xml")
    folder.acknowledge("Failed_1.xml")
    (tmp_path / "InBox" / "Failed_1.xml").write_bytes(b"c")
    folder.acknowledge("Failed_1.xml")
    assert not list(folder.receive()) and len(list((tmp_path / "ReadBox").iterdir())) == 2, "neither is written over"
    with pytest.raises(ValueError):
        folder.acknowledge("../OutBox/x.xml")


# -- answers


def response(code="0", number=NUMBER, seq_no=SEQ, words="导入成功") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><DecImportResponse xmlns="http://www.chinaport.gov.cn/dec"><ResponseCode>{code}'
        f"</ResponseCode><ErrorMessage>{words}</ErrorMessage><ClientSeqNo>{number}</ClientSeqNo><SeqNo>{seq_no}</SeqNo>"
        "<TrnPreId/></DecImportResponse>"
    ).encode()


def status(channel="R", entry_id="040120260000000001", time="2026-11-21T11:30:32", tag="CUS_CIQ_NO") -> bytes:
    return (
        f"<DEC_DATA><DEC_RESULT><{tag}>{SEQ}</{tag}><ENTRY_ID>{entry_id}</ENTRY_ID><NOTICE_DATE>{time}</NOTICE_DATE>"
        f"<CHANNEL>{channel}</CHANNEL><NOTE>已结关</NOTE></DEC_RESULT></DEC_DATA>"
    ).encode()


def test_what_the_client_says_is_read():
    answer = read_answer("Successed_x_1.xml", response())
    assert (answer.kind, answer.number, answer.seq_no) == ("taken", NUMBER, SEQ)
    answer = read_answer("Failed_x_1.xml", response("-1", words="商品编号不存在"))
    assert (answer.kind, answer.number) == ("not-taken", NUMBER) and "商品编号不存在" in answer.note
    own = "<Root><resultFlag><Type>1</Type><Value>11</Value></resultFlag><failCode>C134</failCode><failInfo>打开读卡器失败</failInfo></Root>"
    answer = read_answer(f"Failed_{NUMBER}_20261121103200.xml", own.encode())
    assert (answer.kind, answer.number, answer.note) == ("not-taken", NUMBER, "C134 打开读卡器失败")
    for tag in ("CUS_CIQ_NO", "SEQ_NO"):
        answer = read_answer("Receipt_1.xml", status(tag=tag))
        assert (answer.kind, answer.seq_no, answer.channel, answer.time) == ("status", SEQ, "R", "20261121113032")
        assert answer.entry_id == "040120260000000001"


@pytest.mark.parametrize("data", [
    b"", b"<", b"<x/>", response(number="short"), response(seq_no=""), status(channel="放行"), status(entry_id="1"),
    status(time="today"), response()[:-10], b"<Root><failInfo>x</failInfo></Root>",
    b'<!DOCTYPE x [<!ENTITY a "b">]><DecImportResponse><ResponseCode>0</ResponseCode></DecImportResponse>',
    b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><DEC_DATA><DEC_RESULT><NOTE>&a;</NOTE></DEC_RESULT></DEC_DATA>',
    b"<DEC_DATA>" + b"x" * (5 << 20) + b"</DEC_DATA>",
], ids=range(13))  # fmt: skip
def test_what_is_no_answer_is_refused(data):
    with pytest.raises(BadXml):
        read_answer("Receipt_1.xml", data)

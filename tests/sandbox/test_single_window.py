"""The single window that the sandbox plays: what our builder makes it takes, what is wrong it refuses, and its moods."""

import time
import zipfile
from decimal import Decimal

import pytest
import traders

from gateways.customs_dxp.declaration import Declaration, build, pack
from gateways.customs_dxp.hardened_xml import BadXml
from gateways.customs_dxp.import_client import ImportFolder, read_answer
from tests.gateways.test_declaration import HEAD, LINE, PAPER, SIGN

NUMBER = "BG2026112100000001"


@pytest.fixture
def window(world, declare):
    """Customs has order TYDH005 (9710) of company ①."""
    declare(traders.order("TYDH005"))
    return world.single_window


@pytest.fixture
def folder(world):
    return ImportFolder(world.settings.customs_folder / "declarations-0123456789abcdef0123456789abcdef")


@pytest.fixture
def hand(window, folder):
    """Puts one into OutBox and lets the client look; gives the answers as the portal reads them."""

    def put(head=(), line=(), paper=(), sign=(), number=NUMBER, raw=None):
        ours = {"TradeCode": traders.CODE, "TradeName": traders.NAME}
        sign = SIGN | {"ClientSeqNo": number, "BillSeqNo": number} | dict(sign)
        made = build(Declaration(HEAD | ours | dict(head), [LINE | dict(line)], [PAPER | dict(paper)], sign))
        name, data = pack(number, made)
        folder.put(name, raw if raw is not None else data)
        window.look()
        return heard(folder)

    return put


def heard(folder) -> list:
    return [read_answer(name, data) for name, data in folder.receive()]


def test_what_our_builder_makes_is_taken_and_its_receipts_follow(hand, folder, client):
    taken, declared, received = hand()
    assert (taken.kind, taken.number, len(taken.seq_no)) == ("taken", NUMBER, 18)
    assert (declared.channel, received.channel) == ("7", "L") and received.seq_no == taken.seq_no
    assert received.time > declared.time and received.entry_id[8] == "0", "an export"
    assert client.post("/single-window/advance", json={"number": NUMBER, "channel": "R"}).status_code == 200
    assert heard(folder)[-1].channel == "R"
    assert NUMBER in client.get("/single-window/").text
    assert client.post("/single-window/advance", json={"number": "BG", "channel": "R"}).status_code == 400


@pytest.mark.parametrize(("part", "values", "why"), [
    ("head", {"TradeMode": "9810"}, "没有这家企业的订单"), ("head", {"TradeMode": "0110"}, "只收9710、9810"),
    ("paper", {"EdocID": "NO", "EdocCopId": "NO"}, "没有这家企业的订单或订仓单NO"),
    ("paper", {"EdocCode": "00000001"}, "没有跨境电商B2B出口单证"), ("head", {"TradeCode": "1301969999"}, "没有这家企业的订单"),
    ("sign", {"ClientSeqNo": "BG2026112100000002"}, "ClientSeqNo不一样"),
])  # fmt: skip
def test_what_does_not_fit_is_refused_in_words(hand, part, values, why):
    (said,) = hand(**{part: values})
    assert said.kind == "not-taken" and why in said.note and said.number == NUMBER


def archive(path, **files) -> bytes:
    with zipfile.ZipFile(path, "w") as made:
        for name, content in files.items():
            made.writestr(name, content)
    return path.read_bytes()


def test_hostile_files_are_refused(hand, tmp_path):
    bomb = {f"{NUMBER}.xml": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}
    for raw in (b"", b"PK\x03\x04", archive(tmp_path / "1.zip", **{"../x.xml": b"<x/>"}), archive(tmp_path / "2.zip", **bomb),
                archive(tmp_path / "3.zip", **{f"{NUMBER}.xml": b" " * (5 << 20)}),
                archive(tmp_path / "4.zip", **{f"{NUMBER}.xml": b"<x/>"})):  # fmt: skip
        number = f"BG20261121{len(raw):08d}"
        said = hand(raw=raw, number=number)[-1]
        assert said.kind == "not-taken" and said.number == number


def test_the_same_file_again_is_answered_again_and_another_is_refused(hand, folder, window):
    first = hand()
    for name, _ in list(folder.receive()):
        folder.acknowledge(name)
    path = window.root / "declarations-0123456789abcdef0123456789abcdef"
    (path / "SentBox" / f"{NUMBER}.zip").rename(path / "OutBox" / f"{NUMBER}.zip")
    window.look()
    assert heard(folder) == first, "the same numbers and times"
    (path / "SentBox" / f"{NUMBER}.zip").unlink()
    assert hand(head={"GrossWet": Decimal("99")})[-1].note.endswith("同一编号已用于另一份内容")


def test_moods(hand, mood, folder, window):
    mood("single-window", "refuse", reason="申报要素不全")
    assert hand(number="BG2026112100000011")[-1].note.endswith("申报要素不全")
    mood("single-window", "silent")
    before = len(heard(folder))
    assert len(hand(number="BG2026112100000012")) == before
    mood("single-window", "twice")
    assert len(hand(number="BG2026112100000013")) == before + 6
    mood("single-window", "reversed")
    assert [answer.kind for answer in hand(number="BG2026112100000014")][-3:] == ["status", "status", "taken"]
    mood("single-window", "late", seconds=0.2)
    before = len(heard(folder))
    assert len(hand(number="BG2026112100000015")) == before
    time.sleep(0.25)
    window.look()
    assert len(heard(folder)) == before + 3
    mood("single-window", "down")
    assert len(hand(number="BG2026112100000016")) == before + 3
    assert [path.name for path in window.root.glob("declarations-*/OutBox/*")] == ["BG2026112100000016.zip"]
    mood("single-window", "garbled")
    with pytest.raises(BadXml):
        hand(number="BG2026112100000017")

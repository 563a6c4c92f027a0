"""What the gateway builds and signs is taken by a customs that read the specification on its own, and its answers are read."""

import base64
import datetime
import json
import uuid

import pytest
from ceb_documents import CARRIER, COMPANY, OPENING, SAMPLES
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from gateways.customs_dxp import envelope, signature
from gateways.customs_dxp.folder_channel import FolderChannel
from gateways.customs_dxp.messages.canonical import Transfer
from gateways.customs_dxp.messages.returns import Returned, parse_returns
from gateways.customs_dxp.messages.types import TYPES, Document, build
from sandbox.settings import Settings
from sandbox.world import World

DXP = "DXPENT9999900001"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    world = World(Settings(folder / "sandbox", folder / "customs", smtp_port=0))
    yield world
    world.close()


@pytest.fixture
def declare(world):
    """declare("603", document): signed by the company's card, by the folder to customs; gives what came back."""
    world.ledger.clear()
    kept = json.loads((world.cards.folder / "8600000000101.json").read_text())
    key = serialization.load_pem_private_key(kept["key"].encode(), None)
    folder = world.settings.customs_folder / uuid.uuid4().hex
    (folder / "OutBox").mkdir(parents=True, exist_ok=True)
    channel = FolderChannel(folder)

    def send(code: str, *documents: Document) -> list[Returned]:
        transfer = Transfer(COMPANY["Code"], COMPANY["Name"], DXP)
        message = build(code, documents, transfer, documents[0].guid)
        info = signature.signed_info("rsa-sha1", message)
        value = key.sign(info, padding.PKCS1v15(), hashes.SHA1())
        signed = signature.assemble(message, "rsa-sha1", base64.b64decode(kept["certificate"]), value)
        now = datetime.datetime.now(datetime.UTC)
        ids = (f"{code}{documents[0].guid}", DXP, (envelope.CUSTOMS_EXPORT,))
        parcel = envelope.DxpMsg(*ids, created=now, msg_type=TYPES[code].root, data=signed)
        channel.send(envelope.file_name(parcel), envelope.build(parcel))
        world.office.look()
        answers = list(channel.receive())
        channel.acknowledge_all(name for name, _ in answers)
        return [each for _, data in answers for each in parse_returns(envelope.parse(data).data)]

    return send


def sample(code: str, number: int = 1, **head) -> Document:
    guid = f"704EA0F1-B229-4E89-9F2F-{int(code) * 1000 + number:012d}"
    return Document(guid, {**SAMPLES[code].head, **head}, SAMPLES[code].lines)


def test_every_kind_goes_its_way_from_order_to_summary(declare):
    assert [r.status for r in declare("303", sample("303"))] == [3, 120]
    assert [r.status for r in declare("403", sample("403"))] == [3, 120]
    assert [r.status for r in declare("505", sample("505"))] == [3, 120]
    listed = declare("603", sample("603", statisticsFlag="B"))
    assert [(r.kind, r.number, r.status) for r in listed] == [("603", "QD-1", n) for n in (3, 120, 800)]
    invt_no = listed[-1].extra["invtNo"]
    manifest = Document(sample("607").guid, sample("607").head, [{"logisticsNo": "YD0001", "invtNo": invt_no}])
    assert [r.status for r in declare("607", manifest)] == [3, 399]
    summary = Document(sample("701").guid, sample("701").head, [{"invtNo": invt_no}])
    *states, result = declare("701", summary)
    assert [r.status for r in states] == [3, 399]
    assert (result.status, result.guid, result.number) == (None, summary.guid, states[-1].extra["sumNo"])
    assert result.extra["invtNos"] == invt_no
    assert [r.status for r in declare("213", sample("213", invtNo=invt_no))] == [3, 120]
    refused = declare("605", sample("605", invtNo=invt_no))
    assert [(r.kind, r.status) for r in refused] == [("605", -623005)]


def test_a_cancelled_list_may_be_declared_anew(declare):
    for code in ("303", "505"):
        declare(code, sample(code))
    invt_no = declare("603", sample("603"))[-1].extra["invtNo"]
    assert [r.status for r in declare("605", sample("605", invtNo=invt_no))] == [3, 399]
    assert [r.status for r in declare("603", sample("603", 2))] == [3, 120, 800]


def test_a_hundred_waybills_are_answered_each_by_its_number(declare):
    many = [sample("505", n, logisticsNo=f"YD{n}") for n in range(100)]
    returned = declare("505", *many)
    assert [r.number for r in returned if r.status == 120] == [f"YD{n}" for n in range(100)]


def test_a_change_and_a_deletion_are_taken(declare):
    declare("505", sample("505"))
    changed = {**CARRIER, **OPENING, "appType": "2", "goodsInfo": "脚踏车 <二>"}
    assert declare("505", sample("505", 2, **changed))[-1].status == 120
    assert declare("505", sample("505", 3, appType="3"))[-1].status == 120
    assert declare("505", sample("505", 4, appType="2"))[-1].status == -504014

"""The card authorities, the cards they issue, and the card panel."""

import base64
import datetime
import socket
import subprocess

import pytest
from cryptography import x509

from sandbox import downloads, seed
from sandbox.card import state
from sandbox.card.__main__ import open_card
from sandbox.customs.signature import is_issued_by, load_authorities
from sandbox.settings import NotAllowed, from_environment

ORDER = {"uscc": "91130100PDY000116Y", "kind": "01", "algorithm": "sm2"}
PIV_SELECT = bytes.fromhex("00A404000BA00000030800001000010000")
PIV = {"medium": "PIV卡", "algorithm": "ec"}
every_key = pytest.mark.parametrize("key", [{"algorithm": "rsa"}, {"algorithm": "sm2"}, PIV])


@every_key
def test_openssl_accepts_the_chain(client, world, tmp_path, key):
    card = client.post("/cards", json=ORDER | key).json
    (tmp_path / "card.der").write_bytes(base64.b64decode(card["certificate"]))
    subprocess.run(
        ["openssl", "x509", "-inform", "DER", "-in", "card.der", "-out", "card.pem"], cwd=tmp_path, check=True
    )
    is_sm2 = key["algorithm"] == "sm2"
    identity = ["-vfyopt", "distid:1234567812345678"] if is_sm2 else []
    authority = str(world.authority.folder / ("sm2.pem" if is_sm2 else "rsa.pem"))
    command = ["openssl", "verify", *identity, "-CAfile", authority, "card.pem"]
    assert subprocess.run(command, check=True, cwd=tmp_path, capture_output=True, text=True).stdout == "card.pem: OK\n"


@every_key
def test_a_certificate_says_whose_card_it_is(client, key):
    card = client.post("/cards", json=ORDER | key).json
    certificate = x509.load_der_x509_certificate(base64.b64decode(card["certificate"]))
    values = {extension.oid.dotted_string: extension.value for extension in certificate.extensions}
    texts = {
        oid: value.value[2:].decode() for oid, value in values.items() if isinstance(value, x509.UnrecognizedExtension)
    }
    assert texts == {
        "1.2.156.10260.4.1.4": "91130100PDY000116Y",
        "1.3.6.1.4.1.5315.100.5.1": "新来工贸（石家庄）有限公司",
        "1.3.6.1.4.1.5315.100.5.3": "01",
        "1.3.6.1.4.1.5315.100.5.8": "130100189901010019",
        "1.3.6.1.4.1.5315.100.5.9": card["number"],
        "1.3.6.1.4.1.5315.100.5.11": "PDY000116",
    }
    assert (
        certificate.subject.rfc4514_string() == f"2.5.4.5={card['number']},CN=周一诺,O=新来工贸（石家庄）有限公司,C=CN"
    )
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.content_commitment, usage.key_cert_sign) == (True, True, False)


def test_each_authority_vouches_only_for_its_own(world):
    rsa, sm2 = load_authorities(world.authority.folder)
    for card in world.cards.list():
        certificate = x509.load_der_x509_certificate(base64.b64decode(card["certificate"]))
        assert is_issued_by(certificate, rsa) is (card["algorithm"] in ("rsa", "ec"))
        assert is_issued_by(certificate, sm2) is (card["algorithm"] == "sm2")


def test_the_private_keys_do_not_lie_where_certificates_are_read(world):
    assert sorted(path.name for path in world.authority.folder.glob("*.pem")) == ["rsa.pem", "sm2.pem"]


@pytest.mark.parametrize("algorithm", ["rsa", "sm2"])
def test_an_authority_says_in_plain_text_that_it_is_a_sandbox(world, algorithm):
    text = (world.authority.folder / f"{algorithm}.pem").read_bytes()
    assert text.startswith(b"SANDBOX")
    assert "SANDBOX" in x509.load_pem_x509_certificate(text).subject.rfc4514_string()


def test_the_authorities_survive_a_reset(client, world):
    before = load_authorities(world.authority.folder)
    client.post("/reset")
    assert load_authorities(world.authority.folder) == before


def test_the_seeded_cards_show_every_state(client):
    cards = {card["label"]: card for card in client.get("/cards.json").json["cards"]}
    today = datetime.date.today()
    assert (cards["①的法人卡"]["algorithm"], cards["①的操作员卡"]["algorithm"]) == ("rsa", "sm2")
    assert cards["①的Ikey"]["medium"] == "Ikey"
    assert [card["algorithm"] for card in cards.values() if card["medium"] == "PIV卡"] == ["rsa", "ec"]
    assert cards["20天后到期"]["valid_to"] == (today + datetime.timedelta(20)).isoformat()
    assert cards["已过期"]["expired"]
    assert (cards["PIN只剩一次"]["tries"], cards["已锁死"]["tries"]) == (1, 0)
    assert cards["真卡速度：每分钟12次"]["delay_ms"] == 5000
    assert cards["别家企业的卡（⑤的法人卡）"]["uscc"] == "91130100PDY0000521"


@pytest.mark.parametrize(
    "wrong",
    [
        {"algorithm": "dsa"},
        {"algorithm": "ec"},  # a P-256 key is for PIV cards only
        {"medium": "PIV卡"},  # and they have no SM2
        {"medium": "磁卡"},
        PIV | {"pin": "letters"},
        {"kind": "03"},
        {"uscc": "9113"},
        {"number": "123"},
        {"number": "8600000000101"},
        {"valid_from": "soon"},
        {"valid_from": "2026-02-01", "valid_to": "2026-01-01"},
        {"pin": "1"},
        {"tries": "many"},
        {"kind": "02"},  # nobody named to hold it
    ],
)
def test_a_wrong_order_makes_no_card(client, world, wrong):
    assert client.post("/cards", json=ORDER | wrong).status_code == 400
    assert len(world.cards.list()) == len(seed.cards())


def test_a_piv_card_is_issued_and_speaks_piv(client, world):
    card = client.post("/cards", json=ORDER | PIV).json
    assert open_card(world.cards.folder / f"{card['number']}.json").answer(PIV_SELECT).endswith(b"\x90\x00")


def test_the_panel_shows_what_the_card_centre_gives_to_unlock_a_card(client, world):
    code = state.read_state(world.cards.folder / "8600000000107.json")["unlock_code"]
    assert f"解锁码{code}" in client.get("/cards/").text


def test_all_tries_come_back_and_the_pin_stays(client):
    client.post("/cards/8600000000101/tries", json={"tries": 0, "unlock_tries": 0, "pin": "271828"})
    assert client.get("/cards/").text.count("已锁死") == 4  # two counters here, and in name and counter of another card
    card = client.post("/cards/8600000000101/reset", json={}).json
    assert (card["tries"], card["unlock_tries"], card["pin"]) == (6, 10, "271828")


def test_pin_and_tries_can_be_set(client, world):
    card = client.post("/cards/8600000000101/tries", json={"tries": 0, "pin": "123456", "delay_ms": 300}).json
    assert (card["tries"], card["pin"], card["delay_ms"]) == (0, "123456", 300)
    assert state.read_state(world.cards.folder / "8600000000101.json")["tries"] == 0


@pytest.mark.parametrize("wrong", [{"tries": 7}, {"tries": -1}, {"pin": "1"}, {"unlock_tries": 11}])
def test_impossible_tries_and_pins_are_refused(client, wrong):
    assert client.post("/cards/8600000000101/tries", json=wrong).status_code == 400


@pytest.mark.parametrize("number", ["8600000000101", "8600000000102", "8600000000110"])
def test_a_card_can_be_made_to_expire(client, number):
    before = client.get("/cards.json").json
    card = client.post(f"/cards/{number}/expire", json={}).json
    certificate = x509.load_der_x509_certificate(base64.b64decode(card["certificate"]))
    assert certificate.not_valid_after_utc < datetime.datetime.now(datetime.UTC)
    assert card["expired"]
    assert len(client.get("/cards.json").json["cards"]) == len(before["cards"])


@pytest.mark.parametrize("path", ["/cards/1/insert", "/cards/1/tries", "/cards/1/reset", "/cards/1/expire"])
def test_a_card_that_was_never_issued_is_404(client, path):
    assert client.post(path, json={}).status_code == 404


def test_a_card_goes_into_the_reader_and_out_again(client, world):
    with socket.create_server(("127.0.0.1", 0)) as reader:
        world.cards._port = reader.getsockname()[1]
        assert client.post("/cards/8600000000101/insert", json={}).json["inserted"]
        connection, _ = reader.accept()
        with connection:
            assert client.get("/cards.json").json["inserted"] == "8600000000101"
            client.post("/cards/eject")
            assert connection.recv(1) == b"", "the reader sees the card leave"
    assert client.get("/cards.json").json["inserted"] == ""


def test_without_a_reader_the_panel_says_so(client, world):
    with socket.socket() as taken:  # bound, so that nobody else takes it, but not listening
        taken.bind(("127.0.0.1", 0))
        world.cards._port = taken.getsockname()[1]
        answer = client.post("/cards/8600000000101/insert", json={})
    assert answer.status_code == 400
    assert "没有读卡器" in answer.json["error"]


# start, seed, downloads


@pytest.mark.parametrize("variables", [{"EPORT_SANDBOX_ADDRESS": "0.0.0.0"}, {"EPORT_SANDBOX_ADDRESS": "example.org"}, {"EPORT_MODE": "production"}])  # fmt: skip
def test_the_sandbox_refuses_other_addresses_and_production(variables):
    with pytest.raises(NotAllowed):
        from_environment(variables)


def test_the_seed_is_whole():
    data = seed.read()
    people = {person["key"] for person in data["people"]}
    assert [company["number"] for company in data["companies"]] == list(range(1, 13))
    assert {company["legal_representative"] for company in data["companies"]} <= people
    assert {card["holder"] for card in data["cards"]} <= people


def test_the_downloads_are_what_they_say(client):
    from io import BytesIO

    from openpyxl import load_workbook
    from PIL import Image

    for name in downloads.FILES:
        content = client.get(f"/downloads/{name}").data
        if name.endswith((".png", ".jpg")):
            assert Image.open(BytesIO(content)).width == 760
        elif name.endswith(".csv"):
            assert "微马力摩托车及脚踏两用车" in content.decode("gbk")
        else:
            rows = list(load_workbook(BytesIO(content)).active.values)
            assert rows[0] == downloads.HEAD
            assert all(isinstance(cell, str) for row in rows for cell in row)
    assert rows[2][6] == "个个"
    assert client.get("/downloads/nothing.txt").status_code == 404

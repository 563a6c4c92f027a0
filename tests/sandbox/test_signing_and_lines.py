"""The data centre's 加签 service and customs' HTTP channel as a portal and a stranger meet them."""

import base64

import pytest
import traders
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

CODE, CHANNEL = traders.CODE, traders.CHANNEL
NAME = f"CEB303Message_{CHANNEL}_DXPEDCCEB0000003_A-1.xml"


def basic(user: str, password: str = "sandbox") -> dict:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


# 加签


def test_every_company_has_a_key_of_its_own_and_it_signs(client):
    said = client.get("/signing/certificate", headers=basic(CODE)).json
    certificate = x509.load_der_x509_certificate(base64.b64decode(said["certificate"]))
    assert said["profile"] == "rsa-sha1" and traders.USCC.encode() in base64.b64decode(said["certificate"])
    body = {"profile": "rsa-sha1", "content": base64.b64encode(b"info").decode()}
    value = client.post("/signing/signatures", json=body, headers=basic(CODE)).json["signature"]
    certificate.public_key().verify(base64.b64decode(value), b"info", padding.PKCS1v15(), hashes.SHA1())
    assert client.get("/signing/certificate", headers=basic(CODE)).json == said, "the key stays"
    assert client.get("/signing/certificate", headers=basic(CODE + "-sm2")).json["profile"] == "sm2-sm3"


@pytest.mark.parametrize(
    "headers",
    [{}, basic(CODE, "wrong"), basic("0000000000"), basic(""), basic(CODE + "-ec"), {"Authorization": "Bearer x"}],
)
def test_the_service_answers_nobody_else(client, headers):
    assert client.get("/signing/certificate", headers=headers).status_code == 401
    assert client.post("/signing/signatures", json={}, headers=headers).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"profile": "rsa-sha1"},
        {"profile": "rsa-sha1", "content": "?"},
        {"profile": "sm2-sm3", "content": ""},
        {"profile": "rsa-sha1", "content": 5},
    ],
)
def test_the_service_signs_nothing_that_it_cannot_read(client, body):
    assert client.post("/signing/signatures", json=body, headers=basic(CODE)).status_code == 400


@pytest.mark.parametrize(("name", "status"), [("refuse", 403), ("down", 503)])
def test_moods_of_the_service(client, mood, name, status):
    mood("signing", name)
    assert client.get("/signing/certificate", headers=basic(CODE)).status_code == status


def test_another_user_is_opened_on_the_page(client):
    fields = {"user": "yun1", "password": "p", "uscc": traders.USCC, "algorithm": "rsa"}
    assert client.post("/signing/accounts", json=fields).status_code == 200
    assert client.get("/signing/certificate", headers=basic("yun1", "p")).status_code == 200
    assert client.post("/signing/accounts", json=fields | {"uscc": "0"}).status_code == 400


# customs by HTTP


@pytest.fixture
def message(rsa_card) -> bytes:
    return traders.envelope(traders.signed(traders.message(traders.order()), rsa_card))


@pytest.fixture
def send(client):
    def go(data: bytes, name=NAME, user=CHANNEL):
        return client.post("/customs-line/messages", data=data, headers=basic(user) | {"Idempotency-Key": f'"{name}"'})

    return go


def test_a_message_goes_in_once_and_its_answers_come_out_until_they_are_stored(client, send, office, message, world):
    assert send(message).status_code == send(message).status_code == 202
    office.look()
    given = client.get("/customs-line/answers", headers=basic(CHANNEL)).json["answers"]
    assert len(given) == 2 and b"CEB304Message" in base64.b64decode(given[0]["content"])
    assert client.get("/customs-line/answers", headers=basic(CHANNEL)).json["answers"] == given
    names = [row["name"] for row in given]
    assert (
        client.post(
            "/customs-line/answers/stored", json={"names": [*names, "x.xml"]}, headers=basic(CHANNEL)
        ).status_code
        == 200
    )
    assert client.get("/customs-line/answers", headers=basic(CHANNEL)).json["answers"] == []
    assert send(message).status_code == 202
    office.look()
    said = world.ledger.statistics()
    assert (said["messages"], said["resent"], said["violations"]) == (1, 1, 0)


def test_other_bytes_under_one_key_are_refused(send, message, office):
    assert send(message).status_code == 202
    assert send(message.replace(b"DxpMsg ", b"DxpMsg  ", 1)).status_code == 422
    office.look()
    assert send(message.replace(b"DxpMsg ", b"DxpMsg  ", 1)).status_code == 422


@pytest.mark.parametrize("name", ["", "../a.xml", "a.txt", "a" * 300 + ".xml", "/etc/passwd.xml", "a\\b.xml"])
def test_a_key_that_is_no_file_name_is_refused(send, message, name):
    assert send(message, name=name).status_code == 400


def test_garbage_and_another_companys_envelope_are_refused(send, message):
    assert send(b"<a/>").status_code == send(b"").status_code == 400
    assert send(message, user="DXPENT9999900002").status_code == 400


@pytest.mark.parametrize("user", ["", "..", "a/b", "x" * 40])
def test_a_user_that_is_no_folder_is_nobody(client, user):
    assert client.get("/customs-line/answers", headers=basic(user)).status_code == 401
    assert client.get("/customs-line/state", headers=basic(CHANNEL, "wrong")).status_code == 401


@pytest.mark.parametrize("body", [None, [], {}, {"names": "a.xml"}, {"names": ["../a.xml"]}, {"names": [5]}])
def test_only_names_of_files_are_taken_as_stored(client, body):
    assert client.post("/customs-line/answers/stored", json=body, headers=basic(CHANNEL)).status_code == 400


def test_moods_of_the_line(client, send, message, mood, office):
    mood("customs-line", "down")
    assert send(message).status_code == client.get("/customs-line/state", headers=basic(CHANNEL)).status_code == 503
    mood("customs-line", "refuse", reason="不收")
    assert send(message).json == {"error": "不收"}
    mood("customs-line", "garbled")
    assert send(message).get_json(silent=True) is None
    mood("customs-line", "twice")
    office.look()
    assert len(client.get("/customs-line/answers", headers=basic(CHANNEL)).json["answers"]) == 4

"""Customs over HTTP and AMQP: sent again does no harm, nothing is lost, every mood of the other side becomes one of few words."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gateways.customs_dxp.amqp_channel import AmqpChannel
from gateways.customs_dxp.folder_channel import DIFFERS, FolderChannel
from gateways.customs_dxp.http_channel import HttpChannel
from gateways.outcomes import NotLetIn, Unavailable

pytest_plugins = ["tests.broker"]

DXP = "DXPENT0000000001"
NAME = f"CEB303Message_{DXP}_DXPEDCCEB0000003_A-1.xml"
OTHER = NAME.replace("A-1", "A-2")


class Party:
    """The data centre over HTTP: `answers` by (method, path) → (status, body); what came is kept."""

    def __init__(self) -> None:
        self.answers: dict = {}
        self.requests: list[tuple[str, str, dict, bytes]] = []
        self.headers: dict[str, str] = {}
        self.wait = self.slow = 0.0

    def say(self, method: str, path: str, status: int, body) -> None:
        self.answers[method, path] = (status, body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.fixture
def party():
    party = Party()

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            party.requests.append((self.command, self.path, dict(self.headers), body))
            time.sleep(party.wait)
            status, content = party.answers.get((self.command, self.path), (404, b"{}"))
            try:
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(content))} | party.headers).items():
                    self.send_header(name, value)
                self.end_headers()
                for byte in content if party.slow else ():
                    time.sleep(party.slow)
                    self.wfile.write(bytes([byte]))
                self.wfile.write(b"" if party.slow else content)
            except OSError:  # the gateway has hung up
                return

        do_GET = do_POST = answer

        def log_message(self, *_):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    party.address = f"http://127.0.0.1:{server.server_port}"
    yield party
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def http(party):
    channel = HttpChannel(party.address + "/", DXP, "秘密", timeout=0.5)
    yield channel
    channel.close()


@pytest.fixture
def accepting(party):
    party.say("POST", "/messages", 202, {"accepted": True})
    return party


# HTTP, going out


def test_each_message_goes_as_it_is_under_its_own_key(http, accepting):
    assert http.send_all([(NAME, b"<a/>"), (OTHER, b"<b/>")]) == {}
    assert [(headers["Idempotency-Key"], body) for _, _, headers, body in accepting.requests] == [
        (f'"{NAME}"', b"<a/>"), (f'"{OTHER}"', b"<b/>"),
    ]  # fmt: skip
    user = base64.b64decode(accepting.requests[0][2]["Authorization"].removeprefix("Basic ")).decode()
    assert user == f"{DXP}:秘密"


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_a_message_that_is_not_taken_comes_back_with_its_reason(http, party, status):
    party.say("POST", "/messages", status, {"error": "报文太大"})
    assert http.send_all([(NAME, b"<a/>")]) == {NAME: "报文太大"}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"error": "x"}), (503, {}), (502, b"<html>"), (429, {}), (404, {}), (202, b"{broken"), (202, {}), (202, []),
        (202, {"accepted": "true"}), (301, {}), (202, b"[" * 100_000),
    ],
)  # fmt: skip
def test_anything_else_is_no_answer(http, party, status, body):
    party.say("POST", "/messages", status, body)
    party.headers = {"Location": party.address + "/elsewhere"}
    with pytest.raises(Unavailable) as error:
        http.send_all([(NAME, b"<a/>")])
    assert not isinstance(error.value, NotLetIn) and len(party.requests) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_password_is_told_apart(http, party, status):
    party.say("POST", "/messages", status, {"error": "unauthorized"})
    with pytest.raises(NotLetIn):
        http.send_all([(NAME, b"<a/>")])


def test_a_party_that_says_nothing_holds_us_no_longer_than_the_timeout(http, accepting):
    accepting.wait, began = 2, time.monotonic()
    with pytest.raises(Unavailable):
        http.send_all([(NAME, b"<a/>")])
    assert time.monotonic() - began < 1.5


def test_a_trickle_holds_us_no_longer_than_the_timeout(http, accepting):
    accepting.slow, began = 0.2, time.monotonic()
    with pytest.raises(Unavailable):
        http.send_all([(NAME, b"<a/>")])
    assert time.monotonic() - began < 1.5


def test_nobody_there_is_no_answer():
    with pytest.raises(Unavailable):
        HttpChannel("http://127.0.0.1:9", DXP, "x", timeout=0.5).check()


def test_proxies_of_the_machine_are_not_used(http, accepting, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert http.send_all([(NAME, b"<a/>")]) == {}


# HTTP, coming in


def answers(*pairs) -> dict:
    return {"answers": [{"name": name, "content": base64.b64encode(data).decode()} for name, data in pairs]}


def test_answers_come_in_order_and_stay_until_they_are_stored(http, party):
    party.say("GET", "/answers", 200, answers(("a.xml", b"1"), ("b.xml", b"2")))
    party.say("POST", "/answers/stored", 200, {"stored": True})
    assert list(http.receive()) == [("a.xml", b"1"), ("b.xml", b"2")] == list(http.receive())
    http.acknowledge_all(["a.xml", "b.xml"])
    assert json.loads(party.requests[-1][3]) == {"names": ["a.xml", "b.xml"]}


@pytest.mark.parametrize(
    "body",
    [
        {}, {"answers": {}}, {"answers": [1]}, {"answers": [{"name": "a.xml"}]}, answers(("../a.xml", b"1")), answers(("", b"")),
        {"answers": [{"name": "a.xml", "content": "?"}]}, {"answers": [{"name": 5, "content": ""}]}, answers(("a.xml\n", b"1")),
    ],
)  # fmt: skip
def test_garbled_answers_are_not_taken_and_not_acknowledged(http, party, body):
    party.say("GET", "/answers", 200, body)
    with pytest.raises(Unavailable):
        list(http.receive())


def test_an_answer_of_endless_length_is_cut_off(http, party):
    party.say("GET", "/answers", 200, answers(("a.xml", b"x" * (9 * 1024 * 1024))))
    with pytest.raises(Unavailable):
        list(http.receive())


def test_the_check_asks_for_the_state_and_sends_nothing(http, party):
    party.say("GET", "/state", 200, {"open": True})
    http.check()
    party.say("GET", "/state", 200, {"open": False})
    with pytest.raises(Unavailable):
        http.check()
    assert [method for method, *_ in party.requests] == ["GET", "GET"]


# AMQP


@pytest.fixture
def amqp(broker):
    channel = AmqpChannel(broker.url, DXP, "sandbox", DXP)
    yield channel
    channel.close()


at_broker = pytest.mark.xdist_group("broker")


@at_broker
def test_a_confirmed_message_lies_in_the_queue_of_declarations(amqp, broker):
    assert amqp.send_all([(NAME, b"<a/>"), (OTHER, b"<b/>")]) == {}
    assert broker.waiting("declare") == [(NAME, b"<a/>"), (OTHER, b"<b/>")]


@at_broker
def test_answers_stay_the_brokers_until_they_are_acknowledged(amqp, broker):
    broker.put(f"answers.{DXP}", "a.xml", b"1")
    broker.put(f"answers.{DXP}", None, b"2")
    broker.put(f"answers.{DXP}", "../../etc/passwd", b"3")
    found = list(amqp.receive())
    assert [data for _, data in found] == [b"1", b"2", b"3"] and found[0][0] == "a.xml"
    assert all("/" not in name and name.endswith(".xml") for name, _ in found)
    amqp.close()
    assert list(amqp.receive()) == found, "nothing was acknowledged"
    amqp.acknowledge_all([name for name, _ in found])
    amqp.acknowledge_all([name for name, _ in found])
    assert list(amqp.receive()) == []
    amqp.close()
    assert broker.waiting(f"answers.{DXP}") == []


@at_broker
def test_a_broker_refuses_another_password_and_another_companys_queue(amqp, broker):
    amqp.check()
    for user, password, queue in (
        (DXP, "wrong", DXP),
        ("nobody", "sandbox", DXP),
        (DXP, "sandbox", "DXPENT0000000002"),
    ):
        other = AmqpChannel(broker.url, user, password, queue)
        with pytest.raises(NotLetIn):
            list(other.receive())
        other.close()


@at_broker
def test_a_message_that_no_queue_takes_is_no_answer(broker, amqp):
    import pika

    with pika.BlockingConnection(pika.URLParameters(broker.customs_url)) as connection:
        connection.channel().queue_unbind("declare", "dxp", "declare")
        try:
            with pytest.raises(Unavailable):
                amqp.send_all([(NAME, b"<a/>")])
        finally:
            connection.channel().queue_bind("declare", "dxp", "declare")
    assert amqp.send_all([(NAME, b"<a/>")]) == {}


@at_broker
def test_what_was_confirmed_outlives_the_broker_and_the_channel_comes_back(amqp, broker):
    assert amqp.send_all([(NAME, b"<a/>")]) == {}
    broker.stop()
    try:
        with pytest.raises(Unavailable):
            amqp.send_all([(OTHER, b"<b/>")])
        with pytest.raises(Unavailable):
            amqp.check()
    finally:
        broker.start()
    assert amqp.send_all([(OTHER, b"<b/>")]) == {}
    assert broker.waiting("declare") == [(NAME, b"<a/>"), (OTHER, b"<b/>")]


def test_a_broker_that_is_not_there_is_no_answer():
    with pytest.raises(Unavailable):
        AmqpChannel("amqp://127.0.0.1:9/vhost", DXP, "x", DXP, timeout=0.5).check()


def test_an_encrypted_address_wants_a_certificate_that_holds(party):
    """A plain listener where TLS is expected: no message is ever sent to it."""
    with pytest.raises(Unavailable):
        AmqpChannel(party.address.replace("http", "amqps"), DXP, "x", DXP, timeout=0.5).send_all([(NAME, b"<a/>")])
    assert not party.requests


# folders


def test_a_folder_gives_back_what_was_sent_with_other_bytes_and_takes_the_rest(tmp_path):
    channel = FolderChannel(tmp_path)
    channel.send(NAME, b"<a/>")
    assert channel.send_all([(NAME, b"<other/>"), (OTHER, b"<b/>")]) == {NAME: DIFFERS}
    assert (tmp_path / "OutBox" / NAME).read_bytes() == b"<a/>" and (tmp_path / "OutBox" / OTHER).exists()


def test_the_check_of_a_folder_leaves_nothing_behind(tmp_path):
    channel = FolderChannel(tmp_path)
    channel.check()
    assert not list((tmp_path / "OutBox").iterdir())
    (tmp_path / "OutBox").rmdir()
    with pytest.raises(OSError):
        channel.check()

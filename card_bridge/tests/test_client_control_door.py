"""Who gets into the client control, how much one client can take, and what no client can have signed."""

import base64
import hashlib
import json
import re
import socket
import subprocess
import sys
import time

import portal_checks as checks
import pytest
from bridge_stage import PIN, free_port, wait_until
from control_client import Closed, ControlClient, Refused, block
from control_stage import ERP, RAW, certificate_of, is_signed, open_control
from cryptography import x509
from eport_card_bridge.applet import EportApplet
from eport_card_bridge.client_control import framing, server, session
from eport_card_bridge.health import is_running
from eport_card_bridge.outcomes import Stop

TEXT = "三百台"
CALL = json.dumps({"_method": "ver", "_id": 1})


@pytest.fixture
def shop(stage):
    stage.control_port = open_control(stage)
    return stage


def refusal(port: int, *args, **kwargs) -> int:
    with pytest.raises(Refused) as refused, ControlClient(port, *args, **kwargs):
        pass
    return refused.value.status


# Who


def test_without_the_option_nothing_listens(tmp_path):
    port, control = free_port(), free_port()
    arguments = ("--port", str(port), "--data", str(tmp_path), "--virtual-card", str(free_port()))
    command = [sys.executable, "-m", "eport_card_bridge", *arguments, "--client-control-port", str(control)]
    command += ["--client-control-origin", ERP]
    path = {"PYTHONPATH": re.sub("/eport_card_bridge/.*", "", sys.modules["eport_card_bridge"].__file__)}
    for option, is_open in (([], False), (["--client-control"], True)):
        program = subprocess.Popen([*command, *option], env=path, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: is_running(port), 60)
            assert is_listening(control) is is_open
            if is_open:
                with ControlClient(control, ERP) as client:
                    assert client.data("ver")
                assert refusal(control, RAW) == 403
        finally:
            program.terminate()
            program.wait(10)


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--client-control-origin", "null"],
        ["--client-control-origin", "http://erp.example.com/"],
        ["--client-control-origin", "http://ERP.example.com"],
        ["--client-control-origin", "*"],
        ["--client-control-origin", "file://"],
        ["--client-control-raw-origin", "http://erp.example.com"],
    ],
)
def test_an_origin_that_is_misspelt_is_said_at_the_start(arguments):
    path = {"PYTHONPATH": re.sub("/eport_card_bridge/.*", "", sys.modules["eport_card_bridge"].__file__)}
    command = [sys.executable, "-m", "eport_card_bridge", "--client-control", *arguments]
    done = subprocess.run(command, env=path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert arguments[1] in done.stderr


@pytest.mark.parametrize("origin", [None, ERP, RAW])
def test_the_listed_origins_and_programs_without_one_get_in(shop, origin):
    with ControlClient(shop.control_port, origin) as client:
        assert client.data("cus-sec_SpcVerifyPIN", passwd=PIN) == []


@pytest.mark.parametrize(
    "origin",
    [
        *("null", "http://evil.example.com", ERP + "/", ERP + ":80", ERP + ".evil.com", "https://erp.example.com"),
        *("http://ERP.example.com", "http://127.0.0.1", "file://", f"{ERP}, {RAW}", " ", "*"),
    ],
)
def test_any_other_origin_is_refused_however_like_it_looks(shop, origin):
    host = ("Host", f"127.0.0.1:{shop.control_port}")
    assert refusal(shop.control_port, headers=[host, ("Origin", origin)]) == 403


def test_two_origins_are_none(shop):
    host = ("Host", f"127.0.0.1:{shop.control_port}")
    assert refusal(shop.control_port, headers=[host, ("Origin", ERP), ("Origin", ERP)]) in (400, 403)


@pytest.mark.parametrize(
    "host", ["localhost:{port}", "127.0.0.1", "evil.test:{port}", "127.0.0.1:61230", "[::1]:{port}"]
)
def test_another_host_is_refused(shop, host):
    headers = [("Host", host.format(port=shop.control_port)), ("Origin", ERP)]
    assert refusal(shop.control_port, headers=headers) == 421


def test_two_hosts_are_refused(shop):
    host = ("Host", f"127.0.0.1:{shop.control_port}")
    assert refusal(shop.control_port, headers=[host, ("Host", "evil.test"), ("Origin", ERP)]) in (400, 421)


@pytest.mark.parametrize("path", ["/x", "//", "/health", "/?a=1"])
def test_another_path_leads_nowhere(shop, path):
    assert refusal(shop.control_port, ERP, path=path) == 404


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "HEAD"])
def test_what_is_no_websocket_gets_no_answer_worth_reading(shop, method):
    with socket.create_connection(("127.0.0.1", shop.control_port), timeout=10) as plain:
        plain.sendall(f"{method} / HTTP/1.1\r\nHost: 127.0.0.1:{shop.control_port}\r\n\r\n".encode())
        answer = plain.makefile("rb").read().decode()
    assert answer.split()[1] == "400"
    assert "access-control" not in answer.lower()


def test_another_users_process_is_cut_off(shop):
    code = (
        "import socket\n"
        f"s = socket.create_connection(('127.0.0.1', {shop.control_port}))\n"
        f"s.sendall(b'GET / HTTP/1.1\\r\\nHost: 127.0.0.1:{shop.control_port}\\r\\nUpgrade: websocket\\r\\n'\n"
        "b'Connection: Upgrade\\r\\nSec-WebSocket-Version: 13\\r\\n'\n"
        "b'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\\r\\n\\r\\n')\n"
        "try: print(s.recv(12))\nexcept ConnectionError: print(b'')"
    )
    other = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "/usr/bin/python3", "-c"]
    if subprocess.run([*other, "print(1)"], capture_output=True, check=False).returncode:
        pytest.skip("cannot become another user here")
    for command, expected in (([*other, code], "b''"), (["/usr/bin/python3", "-c", code], "b'HTTP/1.1 101'")):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.stdout.strip() == expected


# How much


def test_there_is_an_end_to_connections_and_a_place_gets_free_again(shop, monkeypatch):
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 4)
    clients = [ControlClient(shop.control_port) for _ in range(4)]
    assert refusal(shop.control_port) == 0
    clients.pop().socket.close()
    wait_until(lambda: gets_in(shop.control_port))
    assert all(client.data("ver") for client in clients)
    for client in clients:
        client.socket.close()


def gets_in(port: int) -> bool:
    try:
        with ControlClient(port) as client:
            return bool(client.data("ver"))
    except Refused:
        return False


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1", b"\r\n" * 20])
def test_a_handshake_that_does_not_come_is_not_waited_for(shop, monkeypatch, said):
    monkeypatch.setattr(server, "HANDSHAKE_SECONDS", 0.3)
    with socket.create_connection(("127.0.0.1", shop.control_port), timeout=10) as half_open:
        half_open.sendall(said)
        assert ended(half_open)


def test_a_handshake_that_drips_is_not_waited_for(shop, monkeypatch):
    monkeypatch.setattr(server, "HANDSHAKE_SECONDS", 0.5)
    slow = socket.create_connection(("127.0.0.1", shop.control_port), timeout=10)
    with slow, pytest.raises(ConnectionError):
        for byte in b"GET / HTTP/1.1\r\n" + b"X" * 500:
            slow.sendall(bytes([byte]))
            time.sleep(0.02)


def ended(sock: socket.socket) -> bool:
    try:
        while sock.recv(4096):
            pass
    except ConnectionError:
        return True
    return True


def test_a_connection_that_is_open_is_not_cut_off_by_the_handshakes_clock(shop, monkeypatch):
    monkeypatch.setattr(server, "HANDSHAKE_SECONDS", 0.3)
    with ControlClient(shop.control_port) as client:
        time.sleep(0.6)
        assert client.data("ver")


def test_a_client_that_answers_no_ping_is_cut_off_and_one_that_does_stays(shop, monkeypatch):
    monkeypatch.setattr(server, "HEARTBEAT_SECONDS", 0.4)
    with ControlClient(shop.control_port) as dead, ControlClient(shop.control_port) as alive:
        alive.answer_pings(4)
        assert alive.data("ver")
        with pytest.raises(Closed):
            dead.receive_text(answer_pings=False)


def test_a_message_that_is_too_large_ends_the_connection(shop, monkeypatch):
    monkeypatch.setattr(server, "LARGEST_TEXT", 10_000)
    with ControlClient(shop.control_port) as client:
        assert client.data("cus-sec_SpcEncodePEM", inData="x" * 9_000)
        client.send("x" * 10_001)
        with pytest.raises(Closed) as closed:
            client.receive_text()
    assert closed.value.code in (0, 1009)
    assert gets_in(shop.control_port)


def test_a_message_in_pieces_counts_as_a_whole(shop, monkeypatch):
    monkeypatch.setattr(server, "LARGEST_TEXT", 10_000)
    with ControlClient(shop.control_port) as client, pytest.raises((Closed, ConnectionError)):
        client.send_frame(1, b"x" * 9_000, final=False)
        for _ in range(20):
            client.send_frame(0, b"x" * 9_000, final=False)
        client.receive_text()
    assert gets_in(shop.control_port)


def test_a_client_that_does_not_read_is_cut_off(shop, monkeypatch):
    monkeypatch.setattr(session, "SEND_SECONDS", 0.3)
    with ControlClient(shop.control_port) as client:
        client.socket.settimeout(10)
        with pytest.raises(ConnectionError):
            for call_id in range(200):
                client.ask("cus-sec_SpcEncodePEM", call_id, inData="x" * 1_000_000)
        with pytest.raises((Closed, AssertionError)):
            for _ in range(200):
                client.receive()
    assert gets_in(shop.control_port)


def test_a_binary_message_ends_the_connection(shop):
    with ControlClient(shop.control_port) as client:
        client.send_frame(2, CALL.encode())
        with pytest.raises(Closed):
            client.receive_text()


def test_text_that_is_no_utf8_ends_the_connection(shop):
    with ControlClient(shop.control_port) as client:
        client.send_frame(1, b'{"_method": "\xff"}')
        with pytest.raises(Closed):
            client.receive_text()


def test_more_requests_than_can_wait_are_told_so_at_once(new_stage):
    stage = new_stage(delay_ms=300)
    with ControlClient(open_control(stage)) as client:
        for call_id in range(session.MOST_WAITING + 3):
            client.ask("cus-sec_SpcSignDataAsPEM", call_id, inData=TEXT, passwd=PIN)
        answers = [client.receive() for _ in range(session.MOST_WAITING + 3)]
    busy = [answer["_id"] for answer in answers if answer["_args"]["Error"][1:] == ["Err:Bridge9775"]]
    assert busy == [8, 9, 10]
    done = [answer["_id"] for answer in answers if answer["_args"]["Result"]]
    assert done == list(range(session.MOST_WAITING))
    assert answers.index(next(a for a in answers if a["_id"] == 8)) < len(done), "before the work is done"


def test_requests_that_wait_are_counted_by_size_too(new_stage, monkeypatch):
    stage = new_stage(delay_ms=300)
    monkeypatch.setattr(session, "LARGEST_TEXT", 3000)
    with ControlClient(open_control(stage)) as client:
        for call_id in range(4):
            client.ask("cus-sec_SpcSignDataAsPEM", call_id, inData="x" * 1200, passwd=PIN)
        answers = {answer["_id"]: answer["_args"]["Result"] for answer in (client.receive() for _ in range(4))}
        assert answers == {0: True, 1: True, 2: False, 3: False}
        assert client.data("cus-sec_SpcEncodePEM", inData="x" * 1200)


def test_blocks_of_many_groups_hold_no_more_than_one_text(shop):
    with ControlClient(shop.control_port) as client:
        for index in range(framing.MOST_GROUPS + 1):
            client.send(block("two parts", ["two ", "parts"], 0, f"{index:036d}"))
        said = [client.receive()["_args"] for _ in range(framing.MOST_GROUPS + 1)]
    assert [one["Result"] for one in said] == [True] * framing.MOST_GROUPS + [False]
    assert said[-1]["Error"][1] == "Err:Base50000"


def test_a_client_that_goes_while_the_card_works_leaves_a_clean_card(new_stage, monkeypatch):
    stage, signed = new_stage(delay_ms=1000), []
    sign = EportApplet.sign_message
    monkeypatch.setattr(EportApplet, "sign_message", lambda card, data: signed.append(data) or sign(card, data))
    port = open_control(stage)
    with ControlClient(port) as client:
        for _ in range(4):
            client.ask("cus-sec_SpcSignDataAsPEM", inData=TEXT, passwd=PIN)
        wait_until(stage.reader.lock.locked)
    with ControlClient(port) as client:
        signature, _ = client.data("cus-sec_SpcSignDataAsPEM", inData=TEXT, passwd=PIN)
    assert is_signed(certificate_of(stage), base64.b64decode(signature), TEXT.encode())
    assert len(signed) == 2, "what waited for nobody was not done"
    with stage.reader.card(reset=False) as card, pytest.raises(Stop):
        card.sign_message(b"by another program")


def test_two_clients_at_once_get_each_their_own(new_stage):
    stage = new_stage(delay_ms=50)
    port = open_control(stage)
    with ControlClient(port) as one, ControlClient(port, ERP) as two:
        for number in range(3):
            one.ask("cus-sec_SpcSignDataAsPEM", number, inData=f"one {number}", passwd=PIN)
            two.ask("cus-sec_SpcSignDataAsPEM", number, inData=f"two {number}", passwd=PIN)
        for number in range(3):
            for client, word in ((one, "one"), (two, "two")):
                answer = client.receive()
                assert answer["_id"] == number
                signature = base64.b64decode(answer["_args"]["Data"][0])
                assert is_signed(certificate_of(stage), signature, f"{word} {number}".encode())


def test_a_program_waits_for_its_turn_at_a_slow_card(new_stage):
    """Longer than the bridge waits for a foreign program that holds the card: the one before is no foreign one."""
    port = open_control(new_stage(delay_ms=2200))
    with ControlClient(port) as one, ControlClient(port, ERP) as two:
        one.ask("cus-sec_SpcSignDataAsPEM", inData=TEXT, passwd=PIN)
        two.ask("cus-sec_SpcSignDataAsPEM", inData=TEXT, passwd=PIN)
        one.ask("cus-sec_SpcSignDataAsPEM", inData=TEXT, passwd=PIN)
        assert [client.receive()["_args"]["Result"] for client in (one, two, one)] == [True] * 3


# What is never signed


@pytest.mark.parametrize("algorithm", ["rsa", "sm2"])
def test_no_login_can_be_had_this_way(new_stage, algorithm):
    """A website that may use the control asks for the very bytes that would log it in at the portal as the card's owner."""
    stage = new_stage(algorithm=algorithm)
    port, der = open_control(stage), certificate_of(stage)
    row = stage.portal.create("login")
    byte17 = 2 if algorithm == "sm2" else 1
    statement = checks.statement("login", byte17, stage.origin, nonce=row.nonce, certificate=der, payload=row.payload)
    hashed = hashlib.new("sm3" if algorithm == "sm2" else "sha256", statement).digest()
    block = b"EPORT-AUTH\0" + hashed
    with ControlClient(port, RAW) as client:
        for login in (statement, block, b"eport-portal/v2", b"eport-portal/"):
            pem = base64.b64encode(login).decode()
            for method, args in (
                ("SpcSignPemDataAsPem", {"inData": pem}),
                ("SpcSignPemDataAsPem", {"inData": list(login)}),
                ("SpcSignRandom", {"random": pem}),
                ("SpcSignData", {"inData": login.decode("latin-1")}),
                ("SpcSignDataAsPEM", {"inData": login.decode("latin-1")}),
            ):
                assert client.error("cus-sec_" + method, passwd=PIN, **args) == "Err:Bridge9773"
        for digest in (hashed, sm2_hash(der, block) if algorithm == "sm2" else hashlib.sha256(block).digest()):
            code = client.error("cus-sec_SpcSignDataNoHash", passwd=PIN, inData=base64.b64encode(digest).decode())
            assert code == ("Err:Bridge9773" if algorithm == "sm2" else "Err:Base50000")


def sm2_hash(der: bytes, data: bytes) -> bytes:
    """SM3(Z_A ‖ data): what a card without the refusal would be asked to sign bare (GB/T 32918.2)."""
    certificate = x509.load_der_x509_certificate(der)
    point = certificate.tbs_certificate_bytes.split(bytes.fromhex("03420004"))[1][:64]
    p = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
    b = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
    g = "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0"
    z = b"\x00\x80" + b"1234567812345678" + (p - 3).to_bytes(32, "big") + b.to_bytes(32, "big") + bytes.fromhex(g)
    return hashlib.new("sm3", hashlib.new("sm3", z + point).digest() + data).digest()


def test_what_only_mentions_a_login_is_signed(shop):
    with ControlClient(shop.control_port) as client:
        signature, _ = client.data("cus-sec_SpcSignDataAsPEM", inData=" eport-portal/v1", passwd=PIN)
    assert is_signed(certificate_of(shop), base64.b64decode(signature), b" eport-portal/v1")

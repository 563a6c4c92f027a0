"""Addresses that companies typed: only the public internet, resolved once, no redirects, a signature that others can check."""

import hashlib
import hmac
import socket
import ssl
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateways.webhooks import BadAddress, Unavailable, Unresolved, address, check_address, http, post, sign
from gateways.webhooks.address import is_public


@pytest.fixture
def names(monkeypatch):
    """{host: [addresses]}; counts how often each was asked for."""
    known, asked = {}, []

    def look_up(host, port, *args, **options):
        asked.append(host)
        found = known.get(host) or ([host] if is_ip(host) else None)
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        kind = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [(kind[ip_address(each).version], socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    monkeypatch.setattr(address.socket, "getaddrinfo", look_up)
    known["asked"] = asked
    return known


def is_ip(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False


@pytest.mark.parametrize("text", [
    "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "203.0.113.1",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "fec0::1", "2001:db8::1", "::ffff:127.0.0.1",
    "::ffff:8.8.8.8", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "::127.0.0.1", "nonsense", "",
])  # fmt: skip
def test_what_is_not_of_the_public_internet_is_refused(text):
    assert not is_public(text)


@pytest.mark.parametrize("text", ["8.8.8.8", "114.114.114.114", "1.1.1.1", "2400:3200::1", "2606:4700:4700::1111"])
def test_public_addresses_are_taken(text):
    assert is_public(text)


@pytest.mark.parametrize(("url", "reason"), [
    ("http://erp.example.com/x", "https"), ("ftp://erp.example.com/x", "form"), ("file:///etc/passwd", "form"), ("erp.example.com", "form"),
    ("https://", "form"), ("https:///x", "form"), ("https://u:p@erp.example.com/", "form"), ("https://erp.example.com@127.0.0.1/", "form"),
    ("https://erp.example.com/#x", "form"), ("https://erp.example.com\\@127.0.0.1/", "form"), ("https://erp.example.com/a b", "form"),
    ("https://erp.example.com:0/", "form"), ("https://erp.example.com:99999/", "form"), ("https://erp.example.com:25/", "port"),
    ("https://erp.example.com:22/", "port"), ("https://例子.com/", "form"), ("https://erp.example.com/\r\nHost: x", "form"),
    ("https://[::1]/", "private"), ("https://127.0.0.1/", "private"), ("https://[::ffff:127.0.0.1]/", "private"),
    ("https://localhost/", "private"), ("https://metadata.internal/", "private"), ("https://both.example.com/", "private"),
    ("https://[fe80::1%25eth0]/", "form"), ("https://erp_x.example.com/", "form"), ("https://" + "a" * 64 + ".com/", "form"),
    ("https://erp.example.com/" + "x" * 500, "form"), ("javascript:alert(1)", "form"), ("https://-a.com/", "form"), ("gopher://x/", "form"),
])  # fmt: skip
def test_an_address_that_leads_elsewhere_is_refused(names, url, reason):
    names |= {"erp.example.com": ["8.8.8.8"], "localhost": ["127.0.0.1"], "metadata.internal": ["169.254.169.254"],
              "both.example.com": ["8.8.8.8", "10.0.0.1"]}  # fmt: skip
    with pytest.raises(BadAddress) as refused:
        check_address(url)
    assert refused.value.reason == reason


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
def test_other_spellings_of_this_machine_are_refused(host):
    """As the system's own resolver reads them."""
    with pytest.raises((BadAddress, Unresolved)):
        check_address(f"https://{host}/")


def test_a_good_address_is_resolved_once_and_kept_as_it_was(names):
    names["erp.example.com"] = ["8.8.8.8"]
    target = check_address("https://ERP.example.com/eport?x=1")
    assert (target.host, target.address, target.port, target.path) == ("erp.example.com", "8.8.8.8", 443, "/eport?x=1")
    assert names["asked"] == ["erp.example.com"]
    assert check_address("https://erp.example.com:8443").port == 8443
    with pytest.raises(Unresolved):
        check_address("https://nowhere.example.com/")


def test_a_sandbox_may_be_here_and_nothing_else(names):
    allowed = "http://127.0.0.1:8090"
    assert check_address("http://127.0.0.1:8090/x", allowed).address == "127.0.0.1"
    for url in (
        "http://127.0.0.1:8091/x",
        "http://127.0.0.1/x",
        "http://127.0.0.1:8090.evil.example/x",
        "https://127.0.0.1:8090/x",
    ):
        with pytest.raises((BadAddress, Unresolved)):
            check_address(url, allowed)
    with pytest.raises(BadAddress):
        check_address("http://127.0.0.1:8090/x")


# -- sending


class Receiver:
    """The company's side: `status` and `headers` of its answer; what it was sent."""

    def __init__(self, context: ssl.SSLContext | None = None):
        self.status, self.headers, self.requests = 200, {}, []
        receiver = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((self.path, dict(self.headers), body))
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *args):
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.port = self.server.server_port
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


def test_a_notice_arrives_with_its_headers_and_redirects_are_not_followed(receiver):
    origin = f"http://127.0.0.1:{receiver.port}"
    assert post(f"{origin}/hook?a=1", b"{}", {"Eport-Event": "test"}, origin) == 200
    path, headers, body = receiver.requests[0]
    assert (path, body, headers["Eport-Event"]) == ("/hook?a=1", b"{}", "test") and headers[
        "Host"
    ] == f"127.0.0.1:{receiver.port}"
    receiver.status, receiver.headers = 302, {"Location": f"{origin}/other"}
    assert post(f"{origin}/hook", b"{}", {}, origin) == 302
    assert [each[0] for each in receiver.requests] == ["/hook?a=1", "/hook"]


def test_nobody_there_is_unavailable(receiver):
    origin = f"http://127.0.0.1:{receiver.port}"
    receiver.close()
    with pytest.raises(Unavailable):
        post(f"{origin}/", b"{}", {}, origin, timeout=1)


def test_who_does_not_answer_in_time_is_unavailable():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        origin = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Unavailable):
            post(f"{origin}/", b"{}", {}, origin, timeout=0.2)


@pytest.mark.parametrize("is_https", [False, True])
def test_who_answers_byte_by_byte_holds_nobody_up(is_https, monkeypatch):
    """Not in the head of the answer, and not in the handshake of TLS."""
    monkeypatch.setattr(address, "is_public", lambda text: True)
    with socket.create_server(("127.0.0.1", 0)) as slow:
        threading.Thread(target=trickle, args=(slow,), daemon=True).start()
        origin = f"http{'s' if is_https else ''}://127.0.0.1:{slow.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(Unavailable):
            post(f"{origin}/", b"{}", {}, origin, timeout=0.5)
        assert time.monotonic() - began < 5


def trickle(server) -> None:
    """A byte every 0.1 s, for a minute."""
    connection, _ = server.accept()
    with connection, suppress(OSError):
        for byte in b"\x16\x03\x03\x40\x00" + b"x" * 600:
            connection.sendall(bytes([byte]))
            time.sleep(0.1)


@pytest.fixture
def secure(tmp_path, monkeypatch, names):
    """A receiver with a certificate for erp.example.com; its authority is trusted, and the name leads to this machine."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "erp.example.com")]), datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("erp.example.com")]), False)
    made = made.add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256())
    (tmp_path / "c.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "k.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))  # fmt: skip
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "c.pem", tmp_path / "k.pem")
    monkeypatch.setattr(http, "authorities", lambda: ssl.create_default_context(cafile=str(tmp_path / "c.pem")))
    monkeypatch.setattr(address, "is_public", lambda text: True)
    names |= {"erp.example.com": ["127.0.0.1"], "other.example.com": ["127.0.0.1"]}
    receiver = Receiver(server)
    yield receiver
    receiver.close()


def test_the_certificate_must_be_for_the_name_though_the_ip_was_dialled(secure, names):
    url = f"https://erp.example.com:{secure.port}/hook"
    assert post(url, b"{}", {}) == 200
    assert (
        secure.requests[0][1]["Host"] == f"erp.example.com:{secure.port}"
        and names["asked"].count("erp.example.com") == 1
    )
    with pytest.raises(Unavailable):
        post(url.replace("erp.", "other."), b"{}", {})


def test_a_certificate_that_nobody_trusts_is_unavailable(secure, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(address, "is_public", lambda text: True)
    with pytest.raises(Unavailable):
        post(f"https://127.0.0.1:{secure.port}/hook", b"{}", {})


def test_the_signature_is_an_hmac_over_moment_and_body():
    value = hmac.new(b"whsec_x", b'1700000000.{"a":1}', hashlib.sha256).hexdigest()
    assert sign("whsec_x", 1_700_000_000, b'{"a":1}') == f"t=1700000000,v1={value}"
    assert sign("whsec_y", 1_700_000_000, b'{"a":1}') != sign("whsec_x", 1_700_000_000, b'{"a":1}')

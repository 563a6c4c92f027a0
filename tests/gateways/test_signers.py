"""加密机 and 加签 service: what they sign verifies, and what goes wrong becomes one of few words."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from card_authority import Card

from gateways.certificates import NotVerified
from gateways.customs_dxp import signature
from gateways.customs_dxp.messages import ceb303
from gateways.outcomes import NotLetIn, Unavailable
from gateways.signers import HttpSigner, Pkcs11Signer

pytest_plugins = ["tests.encryption_machine"]
PIN = "314159"
GUID = "704EA0F1-B229-4E89-9F2F-000000000099"


@pytest.fixture
def message(make_order, transfer) -> bytes:
    return ceb303.build([make_order(1)], transfer, GUID)


def signed_by(signer, message: bytes) -> bytes:
    value = signer.sign(signature.signed_info(signer.profile, message))
    return signature.assemble(message, signer.profile, signer.certificate, value)


# the encryption machine


class TestMachine:
    pytestmark = pytest.mark.xdist_group("softhsm")

    def test_what_it_signs_verifies_as_the_companys(self, machine, rsa_card, message, authorities, now):
        machine.add("company-1", rsa_card)
        signer = Pkcs11Signer(machine.module, "company-1", PIN)
        try:
            signed = signed_by(signer, message)
        finally:
            signer.close()
        assert signature.verify(signed, authorities, now).company == "梧桐跨境电子商务有限公司"

    def test_a_wrong_pin_is_said_and_the_right_one_opens_afterwards(self, machine, rsa_card, message):
        machine.add("company-1", rsa_card)
        for _ in range(2):
            with pytest.raises(NotLetIn):
                Pkcs11Signer(machine.module, "company-1", "000000")
        signer = Pkcs11Signer(machine.module, "company-1", PIN)
        assert signed_by(signer, message)
        signer.close()

    def test_a_token_that_is_not_there_is_a_wrong_user(self, machine, rsa_card):
        machine.add("company-1", rsa_card)
        with pytest.raises(NotLetIn):
            Pkcs11Signer(machine.module, "company-2", PIN)

    def test_a_token_without_key_and_certificate_is_no_answer(self, machine):
        machine.add("company-1", None)
        with pytest.raises(Unavailable) as error:
            Pkcs11Signer(machine.module, "company-1", PIN)
        assert not isinstance(error.value, NotLetIn)

    def test_one_companys_login_does_not_open_anothers_token(self, machine, rsa_card):
        machine.add("company-1", rsa_card)
        machine.add("company-2", rsa_card)
        signer = Pkcs11Signer(machine.module, "company-1", PIN)
        signer.close()
        signer.close()
        with pytest.raises(NotLetIn):
            Pkcs11Signer(machine.module, "company-2", "999999")

    def test_two_threads_use_it_one_after_the_other(self, machine, rsa_card, message):
        machine.add("company-1", rsa_card)
        done = []

        def work():
            signer = Pkcs11Signer(machine.module, "company-1", PIN)
            try:
                done.extend(signed_by(signer, message) for _ in range(5))
            finally:
                signer.close()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(done) == 20 and len(set(done)) == 1


def test_a_module_that_is_none_is_no_answer(tmp_path):
    path = tmp_path / "module.so"
    path.write_bytes(b"no library")
    for module in (str(path), str(tmp_path / "absent.so")):
        with pytest.raises(Unavailable):
            Pkcs11Signer(module, "company-1", PIN)


# the service


class Service:
    def __init__(self, card: Card) -> None:
        self.card, self.requests = card, []
        self.status, self.changes, self.raw = 200, {}, None

    def answer(self, path: str, body: bytes) -> bytes:
        if self.raw is not None:
            return self.raw
        if path == "/certificate":
            said = {"profile": self.card.profile, "certificate": base64.b64encode(self.card.der).decode()}
        else:
            asked = json.loads(body)
            value = self.card.sign(base64.b64decode(asked["content"]))
            said = {"signature": base64.b64encode(value).decode()}
        return json.dumps(said | self.changes).encode()


@pytest.fixture
def service(card):
    service = Service(card)

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            service.requests.append((self.path, self.headers["Authorization"]))
            content = service.answer(self.path, body)
            self.send_response(service.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer

        def log_message(self, *_):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    service.address = f"http://127.0.0.1:{server.server_port}"
    yield service
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def signer(service):
    signer = HttpSigner(service.address, "1301960001", "密码", timeout=1)
    yield signer
    signer.close()


def test_the_service_signs_in_both_profiles(signer, service, message, authorities, now):
    signed = signed_by(signer, message)
    assert signature.verify(signed, authorities, now).uscc == "91130100MA0000001X"
    user = base64.b64decode(service.requests[0][1].removeprefix("Basic ")).decode()
    assert user == "1301960001:密码" and signer.profile == service.card.profile


def test_a_signature_of_something_else_is_never_put_into_a_message(signer, service, message):
    wrong = service.card.sign(b"something else")
    service.changes = {"signature": base64.b64encode(wrong).decode()}
    with pytest.raises(NotVerified):
        signed_by(signer, message)


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_password_of_the_service_is_told_apart(service, status):
    service.status = status
    with pytest.raises(NotLetIn):
        HttpSigner(service.address, "x", "y", timeout=1)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"{}", b'{"profile": "rsa-md5", "certificate": ""}', b'{"profile": 5}']
)
def test_a_garbled_certificate_is_no_answer(service, raw):
    service.raw = raw
    with pytest.raises(Unavailable):
        HttpSigner(service.address, "x", "y", timeout=1)


@pytest.mark.parametrize(
    ("status", "raw"), [(200, b'{"signature": "?"}'), (200, b"{}"), (400, b'{"error": "x"}'), (500, b"")]
)
def test_no_signature_is_no_answer(signer, service, message, status, raw):
    service.status, service.raw = status, raw
    with pytest.raises(Unavailable):
        signed_by(signer, message)

"""Company register, identity authority and SMS over HTTP: good answers are read, every mood of the other side becomes one of few words."""

import json
import threading
import time
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gateways.company_register import HttpCompanyRegister, NotFound, OffCompanyRegister, TurnedOff, Unavailable
from gateways.identity import BankCardCheck, HttpIdentity, OffIdentity, PaperCheck
from gateways.sms import HttpSms, OffSms, Refused, ShortMessage

USCC = "91130100MA0000001X"
CODE = {"code": "1301960001", "valid_from": "2024-01-01", "valid_to": "2099-12-31", "ecommerce_types": ["电子商务企业"]}
COMPANY = {
    "uscc": USCC,
    "name": "梧桐跨境电子商务有限公司",
    "english_name": "Wutong",
    "address": "河北省石家庄市",
    "org_code": "MA0000001",
    "status": "存续",
    "legal_representative": {"name": "张三", "id_type": "身份证", "id_number": "11010519491231002X"},
    "customs_codes": [{**CODE, "category": "进出口货物收发货人"}],
    "revision": "7",
}


class Party:
    """The outside party: `status`, `body`, `headers` and `slow` (seconds before each byte) are its mood."""

    def __init__(self) -> None:
        self.status, self.body, self.headers, self.slow = 200, b"", {}, 0.0
        self.requests: list[tuple[str, str, dict, bytes]] = []


@pytest.fixture
def party():
    party = Party()

    class Answer(BaseHTTPRequestHandler):
        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            party.requests.append((self.command, self.path, dict(self.headers), body))
            self.send_response(party.status)
            for name, value in {"Content-Length": str(len(party.body)), **party.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                if party.slow:
                    for byte in party.body:
                        time.sleep(party.slow)
                        self.wfile.write(bytes([byte]))
                        self.wfile.flush()
                else:
                    self.wfile.write(party.body)
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
def register(party):
    return HttpCompanyRegister(party.address + "/", "secret", timeout=0.5)


def says(party, value, status=200, **headers):
    party.status, party.body, party.headers = status, json.dumps(value).encode(), headers


def test_a_company_is_read_with_its_customs_codes(party, register):
    says(party, COMPANY)
    company = register.company(USCC)
    assert (company.name, company.status, company.revision) == ("梧桐跨境电子商务有限公司", "存续", "7")
    assert company.customs_codes[0].valid_to == date(2099, 12, 31)
    assert company.customs_codes[0].ecommerce_types == ("电子商务企业",)
    assert company.legal_representative.id_number == "11010519491231002X"
    assert "11010519491231002X" not in repr(company)
    method, path, headers, _ = party.requests[0]
    assert (method, path, headers["Authorization"]) == ("GET", f"/companies/{USCC}", "Bearer secret")


def test_a_customs_code_says_who_holds_it(party, register):
    says(party, {**CODE, "uscc": USCC, "name": "梧桐", "revision": "3"})
    assert register.customs_code("1301960001").uscc == USCC
    assert party.requests[0][1] == "/customs-codes/1301960001"


def test_what_the_register_does_not_know_is_not_found(party, register):
    says(party, {"error": "not-found"}, 404)
    with pytest.raises(NotFound):
        register.company(USCC)
    with pytest.raises(NotFound):
        register.customs_code("1301960001")


@pytest.mark.parametrize("number", ["", "../../admin", USCC + "\r\nX: y", "91130100ma0000001x", "9113010?A0000001X"])
def test_a_number_of_another_form_is_not_even_asked(party, register, number):
    with pytest.raises(NotFound):
        register.company(number)
    assert not party.requests


def test_maintenance_says_until_when(party, register):
    says(party, {"error": "maintenance", "until": "2026-01-01T08:00:00+08:00"}, 503)
    with pytest.raises(Unavailable) as refusal:
        register.company(USCC)
    assert refusal.value.until == datetime(2026, 1, 1, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"until": "soon"}', b'{"until": 5}', b'{"until": "2026-01-01T08:00"}', b"[]"]
)
def test_maintenance_in_other_words_is_still_maintenance(party, register, body):
    party.status, party.body = 503, body
    with pytest.raises(Unavailable) as refusal:
        register.company(USCC)
    assert refusal.value.until is None


GARBLED = {
    "no JSON": b"<html>ok</html>",
    "cut": json.dumps(COMPANY).encode()[:-9],
    "a list": b"[]",
    "a number": b"1",
    "nothing": b"",
    "deep": b"[" * 100_000,
    "other encoding": json.dumps(COMPANY, ensure_ascii=False).encode("gbk"),
    "too long": b" " * 300_000 + json.dumps(COMPANY).encode(),
    "another company": json.dumps({**COMPANY, "uscc": "91130100MA00000000"}).encode(),
    "no name": json.dumps({k: v for k, v in COMPANY.items() if k != "name"}).encode(),
    "a null name": json.dumps({**COMPANY, "name": None}).encode(),
    "a name with a line break": json.dumps({**COMPANY, "name": "a\nb"}).encode(),
    "a long name": json.dumps({**COMPANY, "name": "a" * 501}).encode(),
    "an unknown status": json.dumps({**COMPANY, "status": "?"}).encode(),
    "no representative": json.dumps({**COMPANY, "legal_representative": None}).encode(),
    "a code that is none": json.dumps({**COMPANY, "customs_codes": [{**CODE, "code": "1", "category": ""}]}).encode(),
    "codes that are no list": json.dumps({**COMPANY, "customs_codes": "1301960001"}).encode(),
    "a wrong day": json.dumps({**COMPANY, "customs_codes": [{**CODE, "category": "", "valid_to": "长期"}]}).encode(),
}


@pytest.mark.parametrize("what", GARBLED)
def test_a_garbled_answer_is_no_answer(party, register, what):
    party.body = GARBLED[what]
    with pytest.raises(Unavailable):
        register.company(USCC)


def test_a_redirect_is_not_followed(party, register):
    says(party, COMPANY, 302, Location=party.address + "/elsewhere")
    with pytest.raises(Unavailable):
        register.company(USCC)
    assert len(party.requests) == 1


@pytest.mark.parametrize("status", [201, 204, 400, 401, 403, 429, 500, 502])
def test_any_other_status_is_no_answer(party, register, status):
    party.status, party.body = status, b"" if status == 204 else json.dumps(COMPANY).encode()
    with pytest.raises(Unavailable):
        register.company(USCC)


@pytest.mark.parametrize("slow", [2.0, 0.1], ids=["silent", "a trickle"])
def test_a_slow_answer_is_given_up(party, register, slow):
    says(party, COMPANY)
    party.slow = slow
    begin = time.monotonic()
    with pytest.raises(Unavailable):
        register.company(USCC)
    assert time.monotonic() - begin < 10  # the whole answer would take a minute


def test_a_broken_connection_is_no_answer(party, register):
    says(party, COMPANY, **{"Content-Length": "99999"})
    with pytest.raises(Unavailable):
        register.company(USCC)


def test_a_closed_port_is_no_answer():
    with pytest.raises(Unavailable):
        HttpCompanyRegister("http://127.0.0.1:1", "secret", timeout=0.5).company(USCC)


def test_the_machines_netrc_and_proxy_are_not_used(party, register, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    says(party, COMPANY)
    assert register.company(USCC).uscc == USCC
    assert party.requests[0][2]["Authorization"] == "Bearer secret"


def test_a_register_that_is_off_says_so():
    register = OffCompanyRegister()
    assert not register.is_on
    with pytest.raises(TurnedOff):
        register.company(USCC)
    with pytest.raises(TurnedOff):
        register.customs_code("1301960001")


MESSAGE = ShortMessage("notice-17", "13800000000", "验证码123456")


def test_a_short_message_is_handed_over_with_its_number(party):
    says(party, {"accepted": True}, 202)
    HttpSms(party.address, "secret").send(MESSAGE)
    method, path, headers, body = party.requests[0]
    assert (method, path, headers["Authorization"]) == ("POST", "/messages", "Bearer secret")
    assert json.loads(body) == {"id": "notice-17", "to": "13800000000", "text": "验证码123456"}
    assert "验证码" not in repr(MESSAGE)


def test_a_short_message_that_the_provider_refuses_is_refused_for_good(party):
    says(party, {"error": "bad number"}, 400)
    with pytest.raises(Refused, match="bad number"):
        HttpSms(party.address, "secret").send(MESSAGE)


@pytest.mark.parametrize(
    "status, value", [(200, {"accepted": True}), (202, {}), (202, {"accepted": "yes"}), (404, {}), (503, {}), (500, {})]
)
def test_a_short_message_without_a_clear_yes_is_sent_later(party, status, value):
    says(party, value, status)
    with pytest.raises(Unavailable):
        HttpSms(party.address, "secret").send(MESSAGE)


def test_short_messages_that_are_off_say_so():
    assert not OffSms().is_on
    with pytest.raises(TurnedOff):
        OffSms().send(MESSAGE)


# -- the identity authority

PAPER = PaperCheck("c1", "张三", "居民身份证", "11010519491231002X", "20200101", "00000000")
BANK_CARD = BankCardCheck("c2", "张三", "11010519491231002X", "6200000000000000013", "13000000001")


@pytest.fixture
def identity(party):
    return HttpIdentity(party.address, "secret", timeout=0.5)


def test_the_authority_hears_every_element_and_says_yes_or_no(party, identity):
    says(party, {"result": "match", "element": None})
    assert identity.does_paper_agree(PAPER) is True
    method, path, headers, body = party.requests[0]
    assert (method, path, headers["Authorization"]) == ("POST", "/checks", "Bearer secret")
    assert json.loads(body) == {"id": "c1", "method": "id-card", "name": "张三", "id_type": "居民身份证",
                                "id_number": "11010519491231002X", "valid_from": "20200101", "valid_to": "00000000"}  # fmt: skip
    says(party, {"result": "mismatch", "element": None})
    assert identity.does_bank_card_agree(BANK_CARD) is False
    assert json.loads(party.requests[1][3])["card_number"] == "6200000000000000013"
    assert "6200000000000000013" not in repr(BANK_CARD) and "11010519491231002X" not in repr(PAPER)


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"{}"), (200, b'{"result": "yes"}'), (200, b'{"result": true}'), (200, b"<html>"), (400, b'{"error": "id"}'),
     (404, b'{"error": "no"}'), (500, b""), (503, b'{"error": "maintenance"}'), (302, b"")],
)  # fmt: skip
def test_whatever_is_no_clear_answer_is_no_answer(party, identity, status, body):
    party.status, party.body = status, body
    with pytest.raises(Unavailable):
        identity.does_paper_agree(PAPER)


def test_an_authority_that_is_not_connected_says_so():
    for ask in (lambda: OffIdentity().does_paper_agree(PAPER), lambda: OffIdentity().does_bank_card_agree(BANK_CARD)):
        with pytest.raises(TurnedOff):
            ask()

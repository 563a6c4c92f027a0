"""Banks in three dialects: what they signed is read, and nothing that anybody changed, made up or cut."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from test_http_gateways import party, says  # noqa: F401  (the outside party over real HTTP)

from gateways.banks import BANKS, REFUSED, VERIFIED, BankRequest, NotGenuine, Unavailable, connect_bank
from gateways.banks.keys import OAEP
from gateways.banks.signed import ANSWER

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
ASKED = BankRequest(
    number="0f" * 16, nonce="n" * 43, origin="https://portal.example", company="甲&乙=<丙>“丁”+（石家庄）有限公司",
    return_url="https://portal.example/realname/bank/return/x", uscc="91130100PDY000028G", org_code="PDY000028",
    expires=NOW + timedelta(minutes=15),
)  # fmt: skip
SAID = {
    "kind": ANSWER, "number": ASKED.number, "nonce": ASKED.nonce, "result": VERIFIED, "reason": "",
    "company": ASKED.company, "uscc": ASKED.uscc, "org_code": ASKED.org_code,
}  # fmt: skip


class Folders:
    """Both sides' keys: `ours` as the portal has it, `of(slug)` as the bank would sign with it."""

    def __init__(self, root: Path):
        self.root, self.ours = root, root / "ours"
        self.ours.mkdir()
        self.opening = write_key(self.ours / "opening.key")
        write_key(self.ours / "signing.key")
        for slug in BANKS:
            self.of(slug).mkdir()
            key = write_key(self.of(slug) / "signing.key")
            write_certificate(self.ours / f"{slug}.pem", key)

    def of(self, slug: str) -> Path:
        return self.root / slug

    def seal(self, text: str) -> str:
        return base64.b64encode(self.opening.public_key().encrypt(text.encode(), OAEP)).decode()


def write_key(path: Path, key=None):
    key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(key.private_bytes(*form))
    return key


def write_certificate(path: Path, key, first=NOW - timedelta(1), last=NOW + timedelta(1)) -> None:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, path.stem)])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, first, last).sign(key, hashes.SHA256())
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    return Folders(tmp_path_factory.mktemp("banks"))


@pytest.fixture(params=BANKS)
def slug(request):
    return request.param


@pytest.fixture
def bank(folders, slug):
    return connect_bank(slug, f"https://{slug}.example/ukey/", folders.ours)


@pytest.fixture
def answer(folders, slug):
    """answer(result="refused", …): the query that the bank would send back; `key_of`: whose key signs."""

    def make(key_of=slug, **said) -> str:
        side = connect_bank(slug, "https://x.example", folders.of(key_of))
        said = (
            {"bank": slug, "owner": folders.seal("宋长宁\n130100189904040045"), "at": side.write_time(NOW)}
            | SAID
            | said
        )
        return urlencode(side.pack({side.answer_names[key]: value for key, value in said.items()}))

    return make


def refuses(bank, query: str, reason: str = "") -> None:
    with pytest.raises(NotGenuine) as refusal:
        bank.read_return(query, NOW)
    assert not reason or refusal.value.reason == reason


def test_what_the_bank_signed_is_read(bank, answer):
    got = bank.read_return(answer(), NOW)
    assert (got.number, got.nonce, got.result) == (ASKED.number, ASKED.nonce, VERIFIED)
    assert (got.company, got.uscc, got.org_code) == (ASKED.company, ASKED.uscc, ASKED.org_code)
    assert (got.owner, got.owner_id, got.at) == ("宋长宁", "130100189904040045", NOW)
    assert "130100189904040045" not in repr(got)


def test_a_refusal_says_why_and_names_nobody(bank, answer):
    got = bank.read_return(answer(result=REFUSED, reason="ukey-blocked", owner="", company="", uscc=""), NOW)
    assert (got.result, got.reason, got.owner, got.owner_id) == (REFUSED, "ukey-blocked", "", "")


def test_the_owner_stands_in_no_address(bank, answer):
    query = answer()
    said = "".join(bank.unpack(dict(parse_qsl(query, keep_blank_values=True)), NOW).values())
    assert ASKED.uscc in said and "130100189904040045" not in query + said and "宋长宁" not in said


def test_nothing_of_an_answer_can_be_changed(bank, answer):
    pairs = parse_qsl(answer(), keep_blank_values=True)
    for place, (name, value) in enumerate(pairs):
        middle = len(value) // 2
        other = value[:middle] + ("A" if value[middle : middle + 1] != "A" else "B") + value[middle + 1 :]
        rest = pairs[:place] + pairs[place + 1 :]
        refuses(bank, urlencode([*rest, (name, other)]))
        refuses(bank, urlencode(rest))
        refuses(bank, urlencode([*pairs, (name, value)]), "form")
    refuses(bank, urlencode([*pairs, ("next", "https://evil.example")]))


@pytest.mark.parametrize(
    "query", ["", "x", "%", "MSG=", "context=a.b", "SIGN=%FF", "&" * 50, "a=1&" * 30, "a=" + "9" * 9000]
)
def test_what_is_no_answer_at_all_is_refused(bank, query):
    refuses(bank, query, "form")


def test_another_banks_key_signs_nothing_for_this_one(bank, slug, answer):
    for other in BANKS.keys() - {slug}:
        refuses(bank, answer(key_of=other), "signature")


def test_our_own_key_signs_no_answer(folders, bank, slug, answer):
    refuses(bank, urlsplit(bank.address_of(ASKED)).query)
    refuses(bank, answer(key_of=folders.ours), "signature")


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "eport-bank-request/v1"}, {"bank": "icbc"}, {"number": "../x"}, {"number": "0F" * 16}, {"nonce": ""},
        {"result": "yes"}, {"result": REFUSED}, {"reason": "not-now"}, {"result": REFUSED, "reason": "?"},
        {"company": "a\nb"}, {"company": "a" * 201}, {"uscc": "91130100pdy000028g"}, {"org_code": "1"}, {"at": ""},
        {"at": "soon"}, {"at": "9" * 30}, {"owner": "-"}, {"owner": "QQ=="},
    ],
    ids=str,
)  # fmt: skip
def test_a_signed_answer_of_another_form_is_refused_too(bank, answer, said):
    refuses(bank, answer(**said), "form")


def test_an_owner_sealed_for_somebody_else_or_without_number_is_refused(bank, answer, folders):
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    refuses(bank, answer(owner=base64.b64encode(stranger.encrypt("甲\n1".encode(), OAEP)).decode()), "form")
    refuses(bank, answer(owner=folders.seal("只有姓名")), "form")


def test_a_certificate_counts_while_it_is_valid_and_where_it_lies(folders, slug, answer, tmp_path):
    bank, key = connect_bank(slug, "https://x.example", tmp_path), folders.of(slug) / "signing.key"
    refuses(bank, answer(), "certificate")
    (tmp_path / f"{slug}.pem").write_text("no certificate")
    refuses(bank, answer(), "certificate")
    (tmp_path / "opening.key").write_bytes((folders.ours / "opening.key").read_bytes())
    key = serialization.load_pem_private_key(key.read_bytes(), None)
    for first, last in ((NOW - timedelta(9), NOW - timedelta(1)), (NOW + timedelta(1), NOW + timedelta(9))):
        write_certificate(tmp_path / f"{slug}.pem", key, first, last)
        refuses(bank, answer(), "certificate")
    write_certificate(tmp_path / f"{slug}.pem", key)
    assert bank.read_return(answer(), NOW).result == VERIFIED, "a new certificate counts at once"


# what a bank that went bad could sign


BAD_XML = {
    "entities": b'<!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><MSG><FunctionID>&b;</FunctionID></MSG>',
    "a file": b'<!DOCTYPE m [<!ENTITY a SYSTEM "file:///etc/passwd">]><MSG><FunctionID>&a;</FunctionID></MSG>',
    "an empty DTD": b"<!DOCTYPE MSG><MSG/>",
    "deep": b"<MSG>" + b"<a>" * 300 + b"</a>" * 300 + b"</MSG>",
    "nested": b"<MSG><FunctionID><x/>eport-bank-answer/v1</FunctionID></MSG>",
    "another root": b"<ReturnMSG/>",
    "twice": b"<MSG><BankID>abc</BankID><BankID>abc</BankID></MSG>",
    "not XML": b"{}",
}


@pytest.mark.parametrize("what", BAD_XML)
def test_xml_of_another_form_is_refused(folders, what):
    key = serialization.load_pem_private_key((folders.of("abc") / "signing.key").read_bytes(), None)
    signature = key.sign(BAD_XML[what], padding.PKCS1v15(), hashes.SHA256())
    pairs = {"MSG": base64.b64encode(BAD_XML[what]), "Signature": base64.b64encode(signature)}
    refuses(connect_bank("abc", "https://x.example", folders.ours), urlencode(pairs), "form")


def url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


GOOD_HEADER = '{"alg":"RS256","typ":"JWT"}'
BAD_HEADERS = (
    '{"alg":"none","typ":"JWT"}', '{"alg":"HS256","typ":"JWT"}', '{"alg":"RS256"}', "[]", "x",
    '{"alg":"RS256","typ":"JWT","jku":"https://evil.example"}',
)  # fmt: skip
BAD_BODIES = ("[]", '{"iat":1}', '{"iat":"1","iat":"2"}', "[" * 5000)


def token(folders, header: str, body: bytes) -> str:
    """Signed by the bank, whatever it says."""
    key = serialization.load_pem_private_key((folders.of("cmbc") / "signing.key").read_bytes(), None)
    signed = f"{url_safe(header.encode())}.{url_safe(body)}"
    return f"{signed}.{url_safe(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


@pytest.mark.parametrize("slug", ["cmbc"], indirect=True)
def test_a_token_of_another_algorithm_or_form_is_refused(bank, folders, answer):
    body = base64.urlsafe_b64decode(parse_qsl(answer())[0][1].split(".")[1] + "==")
    good = token(folders, GOOD_HEADER, body)
    assert bank.read_return(urlencode({"context": good}), NOW).result == VERIFIED
    for bad in [token(folders, header, body) for header in BAD_HEADERS]:
        refuses(bank, urlencode({"context": bad}), "form")
    for bad in [token(folders, GOOD_HEADER, text.encode()) for text in BAD_BODIES]:
        refuses(bank, urlencode({"context": bad}), "form")
    refuses(bank, urlencode({"context": good.rpartition(".")[0] + "."}))


# what we ask


def asked_in(bank, slug: str, request: BankRequest) -> dict[str, str]:
    """Our request by meaning, read without the adapter's own `unpack`."""
    pairs = dict(parse_qsl(urlsplit(bank.address_of(request)).query, keep_blank_values=True))
    if slug == "abc":
        from lxml import etree

        named = {child.tag: child.text or "" for child in etree.fromstring(base64.b64decode(pairs["MSG"]))}
    elif slug == "cmbc":
        named = json.loads(base64.urlsafe_b64decode(pairs["context"].split(".")[1] + "=="))
    else:
        named = pairs
    return {key: named[name] for key, name in bank.request_names.items()}


def test_a_request_says_who_asks_for_whom_and_until_when(bank, slug):
    said = asked_in(bank, slug, ASKED)
    assert (said["kind"], said["bank"]) == ("eport-bank-request/v1", slug)
    for key in ("number", "nonce", "origin", "return_url", "company", "uscc", "org_code"):
        assert said[key] == getattr(ASKED, key)
    assert bank.read_time(said["expires"]) == ASKED.expires


def test_the_same_request_gives_the_same_address_of_this_bank_alone(bank, slug):
    address = bank.address_of(ASKED)
    assert address == bank.address_of(ASKED) and address.startswith(f"https://{slug}.example/ukey/verify?")


def test_an_address_is_short_enough_for_the_browsers_that_banks_ask_for(bank, answer):
    """Internet Explorer 8 takes 2083 characters."""
    name = "石家庄某某某某某某某某跨境电子商务供应链管理服务股份有限公司"
    assert len(bank.address_of(replace(ASKED, company=name))) < 2083
    assert len("https://portal.example/realname/bank/return/x?" + answer(company=name)) < 2083


@pytest.mark.parametrize("content", [None, b"no key", "an EC key"])
def test_without_a_usable_key_of_our_own_nobody_is_sent_anywhere(slug, tmp_path, content):
    if content == "an EC key":
        write_key(tmp_path / "signing.key", ec.generate_private_key(ec.SECP256R1()))
    elif content:
        (tmp_path / "signing.key").write_bytes(content)
    with pytest.raises(Unavailable):
        connect_bank(slug, "https://x.example", tmp_path).address_of(ASKED)


# whether the bank is there


def test_an_open_bank_is_asked_without_any_token(party, folders, slug):  # noqa: F811
    says(party, {"open": True})
    connect_bank(slug, party.address + "/ukey", folders.ours, timeout=0.5).check_is_open()
    method, path, headers, _ = party.requests[0]
    assert (method, path) == ("GET", "/ukey/state") and "Authorization" not in headers


@pytest.mark.parametrize(
    ("body", "status"), [({"open": False}, 200), ({}, 200), ({"open": 1}, 200), ({"open": True}, 404)]
)
def test_a_bank_that_does_not_say_so_is_closed(party, folders, body, status):  # noqa: F811
    says(party, body, status)
    with pytest.raises(Unavailable):
        connect_bank("ccb", party.address, folders.ours, timeout=0.5).check_is_open()


def test_a_bank_under_maintenance_says_until_when(party, folders):  # noqa: F811
    says(party, {"error": "maintenance", "until": "2026-11-20T12:00:00+08:00"}, 503)
    with pytest.raises(Unavailable) as away:
        connect_bank("abc", party.address, folders.ours, timeout=0.5).check_is_open()
    assert away.value.until == datetime(2026, 11, 20, 4, 0, tzinfo=UTC)

"""The sandbox's banks as portal and user meet them: requests taken and refused, the four steps, UKEYs and moods."""

import base64
import datetime
import json
import secrets
import threading
import time
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest
from bs4 import BeautifulSoup
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

from sandbox.banks.keys import OAEP

PORTAL = "http://127.0.0.1:8080"
BANKS = ("ccb", "abc", "cmbc")
GOOD = {"ccb": "CCB00000201", "abc": "ABC00000201", "cmbc": "CMBC00000201"}
NAMES = {
    "ccb": "TXCODE BANKID ORDERID NONCE MERCHANT RETURL ENTNAME USCC ORGCODE TIMEOUT",
    "abc": "FunctionID BankID TrxID Random MerchantOrigin ResultNotifyURL CorpName CorpUSCC CorpOrgCode ValidUntil",
    "cmbc": "typ aud jti nonce iss redirectUri enterpriseName uscc orgCode exp",
}
RESULT = {"ccb": "RESULT", "abc": "ReturnCode", "cmbc": "result"}


class Portal:
    """Asks as docs/protocols/bank-ukey.md says, without a line of the portal's adapters."""

    def __init__(self, world, slug: str):
        self.folder, self.slug = world.bank_keys.folder, slug

    def key(self, name: str):
        return serialization.load_pem_private_key((self.folder / f"{name}.key").read_bytes(), None)

    def sign(self, data: bytes) -> bytes:
        return self.key("signing").sign(data, padding.PKCS1v15(), hashes.SHA256())

    def asks(self, minutes: float = 15, **other: str) -> dict[str, str]:
        until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)
        local = until.astimezone(datetime.timezone(datetime.timedelta(hours=8)))
        ends = {
            "ccb": f"{local:%Y%m%d%H%M%S}",
            "abc": local.isoformat(timespec="seconds"),
            "cmbc": str(int(until.timestamp())),
        }
        values = ("eport-bank-request/v1", self.slug, secrets.token_hex(16), "n" * 43, PORTAL)
        values += (
            f"{PORTAL}/realname/bank/return/{self.slug}",
            "样张进出口（石家庄）有限公司",
            "91130100PDY000028G",
            "PDY000028",
        )
        said = dict(zip(NAMES[self.slug].split(), (*values, ends[self.slug]), strict=True))
        return said | {NAMES[self.slug].split()[int(place[1:])]: text for place, text in other.items()}

    def pack(self, said: dict[str, str]) -> dict[str, str]:
        if self.slug == "ccb":
            signed = "&".join(f"{name}={quote(said[name], safe='')}" for name in sorted(said)).encode()
            return said | {"SIGN": base64.b64encode(self.sign(signed)).decode()}
        if self.slug == "abc":
            message = ("<MSG>" + "".join(f"<{name}>{text}</{name}>" for name, text in said.items()) + "</MSG>").encode()
            return {
                "MSG": base64.b64encode(message).decode(),
                "Signature": base64.b64encode(self.sign(message)).decode(),
            }
        parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, said)]
        signed = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
        return {"context": f"{signed}.{base64.urlsafe_b64encode(self.sign(signed.encode())).decode().rstrip('=')}"}

    def address(self, **asked) -> str:
        return f"/bank-{self.slug}/verify?{urlencode(self.pack(self.asks(**asked)))}"

    def read(self, address: str) -> dict[str, str]:
        """What the bank answers, by its own names; the signature is checked in tests/gateways and tests of the portal."""
        assert address.startswith(f"{PORTAL}/realname/bank/return/{self.slug}?")
        pairs = dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))
        if self.slug == "ccb":
            return pairs
        if self.slug == "abc":
            return {child.tag: child.text or "" for child in etree.fromstring(base64.b64decode(pairs["MSG"]))}
        return json.loads(base64.urlsafe_b64decode(pairs["context"].split(".")[1] + "=="))


@pytest.fixture(params=BANKS)
def portal(world, request):
    return Portal(world, request.param)


@pytest.fixture
def ccb(world):
    return Portal(world, "ccb")


def begin(client, portal, **asked) -> str:
    """The address of the visit."""
    answer = client.get(portal.address(**asked))
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def go_through(client, portal, ukey: str, pin: str = "66668888"):
    """The answer to the PIN."""
    visit = begin(client, portal)
    assert client.post(f"{visit}/insert", data={"ukey": ukey}).status_code == 303
    assert client.post(f"{visit}/confirm").status_code == 303
    return client.post(f"{visit}/pin", data={"pin": pin})


def test_the_four_steps_lead_back_with_company_and_owner(client, portal):
    visit = begin(client, portal)
    first = client.get(visit).text
    assert "点击确定" in first and ("仅支持 IE8 及以上浏览器" in first) == (portal.slug == "ccb")
    client.post(f"{visit}/insert", data={"ukey": GOOD[portal.slug]})
    soup = BeautifulSoup(client.get(visit).text, "html.parser")
    assert "您正在“中国国际贸易单一窗口”进行企业实名认证，输入的信息如下" in soup.text
    terms = [term.text for term in soup.find_all("dt")]
    assert terms == ["企业名称", "社会信用代码", "组织机构代码", "法定代表人", "营业执照代码", "统一社会信用代码"]
    assert soup.find("button", string="单一窗口企业实名认证")
    client.post(f"{visit}/confirm")
    assert "密码并点击确定" in client.get(visit).text
    said = portal.read(client.post(f"{visit}/pin", data={"pin": "66668888"}).headers["Location"])
    assert said[RESULT[portal.slug]] == "verified"
    assert {"样张进出口（石家庄）有限公司", "91130100PDY000028G", "PDY000028"} <= set(said.values())
    sealed = said[{"ccb": "OPERATOR", "abc": "OperatorSealed", "cmbc": "operator"}[portal.slug]]
    assert portal.key("opening").decrypt(base64.b64decode(sealed), OAEP).decode() == "宋长宁\n130100189904040045"


def test_the_banks_forms_may_lead_back_to_the_portal_and_nowhere_else(client, ccb):
    policy = client.get(begin(client, ccb)).headers["Content-Security-Policy"]
    assert policy.endswith(f"form-action 'self' {PORTAL}")
    assert client.get("/mail/").headers["Content-Security-Policy"].endswith("form-action 'self'")


# requests that a bank does not take


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"minutes": -1}, "过期"), ({"minutes": 90}, "过期"), ({"_1": "icbc"}, "不是发给本行"),
        ({"_0": "eport-bank-answer/v1"}, "不是发给本行"), ({"_4": "https://evil.example"}, "没有在本行登记"),
        ({"_5": "https://evil.example/realname/bank/return/ccb"}, "没有在本行登记"),
        ({"_5": PORTAL + "@evil.example/"}, "没有在本行登记"), ({"_9": "soon"}, "读不懂"),
    ],
    ids=str,
)  # fmt: skip
def test_a_signed_request_that_is_late_or_for_others_is_refused(client, portal, asked, words):
    answer = client.get(portal.address(**asked))
    assert answer.status_code == 400 and words in answer.text


def test_an_unsigned_or_altered_request_is_refused(client, portal):
    pairs = portal.pack(portal.asks())
    for name, value in pairs.items():
        changed = [{**pairs, name: value[:20] + ("A" if value[20:21] != "A" else "B") + value[21:]}]
        changed += [{key: text for key, text in pairs.items() if key != name}]
        for query in changed:
            assert client.get(f"/bank-{portal.slug}/verify?{urlencode(query)}").status_code == 400
    twice = urlencode([*pairs.items(), *pairs.items()])
    assert client.get(f"/bank-{portal.slug}/verify?{twice}").status_code == 400
    assert client.get(f"/bank-{portal.slug}/verify?{urlencode(pairs)}&x={'9' * 9000}").status_code == 400


def test_a_request_for_one_bank_is_none_for_another(client, world):
    for portal in (Portal(world, slug) for slug in BANKS):
        query = portal.address().partition("?")[2]
        for other in set(BANKS) - {portal.slug}:
            assert client.get(f"/bank-{other}/verify?{query}").status_code == 400


def test_a_request_with_entities_is_refused(client, world):
    portal = Portal(world, "abc")
    bomb = b'<!DOCTYPE m [<!ENTITY a "x">]><MSG><FunctionID>&a;</FunctionID></MSG>'
    pairs = {"MSG": base64.b64encode(bomb).decode(), "Signature": base64.b64encode(portal.sign(bomb)).decode()}
    assert client.get(f"/bank-abc/verify?{urlencode(pairs)}").status_code == 400


def test_there_is_no_other_bank(client):
    assert client.get("/bank-icbc/").status_code == 404
    assert client.get("/bank-icbc/state").status_code == 404


# UKEYs


def said_by(portal, answer) -> tuple[str, str]:
    said = portal.read(answer.headers["Location"])
    return said["RESULT"], said["REASON"]


def test_a_wrong_pin_costs_a_try_and_a_right_one_gives_them_back(client, ccb):
    answer = go_through(client, ccb, GOOD["ccb"], "1")
    assert "密码不对，还能试5次" in answer.text
    assert tries(client, GOOD["ccb"]) == 5
    assert said_by(ccb, go_through(client, ccb, GOOD["ccb"]))[0] == "verified"
    assert tries(client, GOOD["ccb"]) == 6


def tries(client, number: str) -> int:
    return next(ukey["tries"] for ukey in client.get("/bank-ccb/ukeys.json").json if ukey["number"] == number)


@pytest.mark.parametrize(
    ("ukey", "pin", "reason"),
    [
        ("CCB00000204", "1", "ukey-blocked"), ("CCB00000205", "66668888", "ukey-blocked"),
        ("CCB00000206", "66668888", "ukey-expired"),
    ],
)  # fmt: skip
def test_a_ukey_that_cannot_be_used_leads_back_with_the_reason(client, ccb, ukey, pin, reason):
    assert said_by(ccb, go_through(client, ccb, ukey, pin)) == ("refused", reason)


def test_one_bank_compares_the_company_itself_the_others_say_whose_ukey_it_is(client, world, ccb):
    said = ccb.read(go_through(client, ccb, "CCB00000501").headers["Location"])
    assert (said["RESULT"], said["USCC"]) == ("verified", "91130100PDY0000521")
    abc = Portal(world, "abc")
    said = abc.read(go_through(client, abc, "ABC00000501").headers["Location"])
    assert (said["ReturnCode"], said["ErrorReason"], said["CorpUSCC"]) == ("refused", "company-differs", "")


def test_another_banks_ukey_is_not_found(client, ccb):
    visit = begin(client, ccb)
    assert "没有找到Ukey" in client.post(f"{visit}/insert", data={"ukey": GOOD["abc"]}).text
    assert "没有找到Ukey" in client.post(f"{visit}/insert").text


def test_no_step_can_be_skipped_and_giving_up_leads_back(client, ccb):
    visit = begin(client, ccb)
    assert client.post(f"{visit}/pin", data={"pin": "66668888"}).headers["Location"] == visit
    assert client.post(f"{visit}/confirm").headers["Location"] == visit
    assert said_by(ccb, client.post(f"{visit}/give-up")) == ("cancelled", "")


def test_what_is_over_cannot_be_done_again_only_brought_back(client, ccb):
    answer = go_through(client, ccb, GOOD["ccb"])
    visit = f"/bank-ccb/visits/{ccb.read(answer.headers['Location'])['ORDERID']}"
    assert client.post(f"{visit}/pin", data={"pin": "1"}).headers["Location"] == visit
    link = BeautifulSoup(client.get(visit).text, "html.parser").find("a", class_="button")["href"]
    assert ccb.read(link)["RESULT"] == "verified"


def test_a_request_opened_again_goes_on_where_it_was(client, ccb):
    address = ccb.address()
    visit = client.get(address).headers["Location"]
    client.post(f"{visit}/insert", data={"ukey": GOOD["ccb"]})
    assert client.get(address).headers["Location"] == visit
    assert "单一窗口企业实名认证" in client.get(visit).text


def test_ukeys_are_issued_and_changed_at_the_counter(client, ccb):
    made = client.post("/bank-ccb/ukeys", json={"uscc": "91130100PDY000116Y"}).json
    assert (made["company"], made["owner"]) == ("新来工贸（石家庄）有限公司", "周一诺")
    assert client.post(f"/bank-ccb/ukeys/{made['number']}", json={"tries": 0, "pin": "1234"}).json["tries"] == 0
    for wrong in ({"tries": 99, "pin": "1234"}, {"tries": "x", "pin": "1234"}, {"tries": 1, "pin": ""}):
        assert client.post(f"/bank-ccb/ukeys/{made['number']}", json=wrong).status_code == 400
    assert client.post("/bank-abc/ukeys/CCB00000201", json={"tries": 1, "pin": "1234"}).status_code == 400
    for wrong in (
        {"uscc": "1"},
        {"uscc": "91130100PDY000116Y", "valid_to": "soon"},
        {"uscc": "91130100PDY000116Y", "owner": "甲"},
    ):
        assert client.post("/bank-ccb/ukeys", json=wrong).status_code == 400
    assert "key" not in made and "66668888" in client.get("/bank-ccb/").text


def test_a_reset_brings_the_ukeys_back_and_leaves_the_keys_that_others_trust(client, world):
    before = (world.bank_keys.folder / "ccb.pem").read_bytes()
    client.post("/bank-ccb/ukeys/CCB00000201", json={"tries": 0, "pin": "1234"})
    client.post("/reset")
    assert tries(client, "CCB00000201") == 6
    assert (world.bank_keys.folder / "ccb.pem").read_bytes() == before
    assert b"SANDBOX" in before and b"SANDBOX" in (world.bank_keys.folder / "signing.key").read_bytes()


# moods


def test_a_bank_that_is_down_says_until_when_and_shows_no_page(client, mood, ccb):
    assert client.get("/bank-ccb/state").json == {"open": True}
    mood("bank-ccb", "down")
    answer = client.get("/bank-ccb/state")
    assert answer.status_code == 503 and answer.json["until"] > "2020"
    assert client.get(ccb.address()).status_code == 503
    assert client.get("/bank-abc/state").status_code == 200, "the others work"


def test_a_silent_bank_says_nothing_until_its_mood_changes(client, mood):
    mood("bank-ccb", "silent")
    answers = []
    asking = threading.Thread(target=lambda: answers.append(client.application.test_client().get("/bank-ccb/state")))
    asking.start()
    time.sleep(0.15)
    assert not answers
    mood("bank-ccb", "yes")
    asking.join(5)
    assert answers[0].status_code == 504


def test_a_refusing_bank_refuses_the_right_ukey(client, mood, ccb):
    mood("bank-ccb", "refuse")
    assert said_by(ccb, go_through(client, ccb, GOOD["ccb"])) == ("refused", "not-now")


def test_a_late_bank_leads_back_after_its_seconds(client, mood, ccb):
    mood("bank-ccb", "late", seconds=0.2)
    start = time.monotonic()
    assert said_by(ccb, go_through(client, ccb, GOOD["ccb"]))[0] == "verified"
    assert time.monotonic() - start >= 0.2


def test_a_garbled_bank_signs_nothing_that_holds(client, mood, portal):
    mood(f"bank-{portal.slug}", "garbled")
    assert "verified" not in go_through(client, portal, GOOD[portal.slug]).headers["Location"]


def test_a_bank_that_answers_twice_offers_both_answers(client, mood, ccb):
    mood("bank-ccb", "twice")
    visit = go_through(client, ccb, GOOD["ccb"]).headers["Location"]
    links = BeautifulSoup(client.get(visit).text, "html.parser").find_all("a", class_="button")
    assert [ccb.read(link["href"])["RESULT"] for link in links] == ["verified", "verified"]


def test_no_order_of_answers_can_be_reversed(client):
    assert client.post("/moods/bank-ccb", json={"mood": "reversed"}).status_code == 400

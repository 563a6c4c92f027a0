"""Cards whose keys the tests hold, and what the program on the user's PC does with them, through the portal's routes."""

import base64
import re
from urllib.parse import parse_qs, urlsplit

from gateways.card_answers import Question, statement
from models.challenges import Challenge
from models.database import session
from tests.browsing import ORIGIN
from tests.conftest import ID_NUMBER, USCC
from tests.gateways.card_authority import TEXTS, RsaPki

_USCC, _COMPANY, _TYPE, _HOLDER, _NUMBER, _ORG = TEXTS


def issue(pki: RsaPki, number="8600000000101", uscc=USCC, holder_id=ID_NUMBER, kind="01", **options):
    """A card as its certificate has it."""
    company = "示例外贸（石家庄）有限公司" if uscc == USCC else "别家（石家庄）有限公司"
    texts = {_USCC: uscc, _COMPANY: company, _TYPE: kind, _HOLDER: holder_id, _NUMBER: number, _ORG: uscc[8:17]}
    return pki.card(texts=texts, **options)


class BridgeDouble:
    """Made from the page 3004 that a browser shows; has no cookies, as the real one."""

    def __init__(self, app, link: str):
        parts = urlsplit(link)
        self.client, self.origin = app.test_client(use_cookies=False), parse_qs(parts.query)["portal"][0]
        self.path, self.key, self.claimed = "/card" + parts.path, "", {}

    @classmethod
    def of(cls, browser):
        return cls(browser.client.application, browser.soup.find(id="new-tab")["href"])

    def call(self, method: str, path: str, body=None, key: str | None = None):
        headers = {"Authorization": f"Bearer {self.key if key is None else key}"}
        return self.client.open(f"{self.path}/{path}", method=method, json=body, headers=headers, base_url=ORIGIN)

    def claim(self, version="1.0"):
        answer = self.call("POST", "claim", {"version": version})
        if answer.status_code == 200:
            self.claimed = answer.json
            self.key = self.claimed["post_key"]
        return answer

    def body(self, card, **changes) -> dict:
        """The answer of a card: certificate and signature over M; `changes` to what is signed."""
        asked = {
            "purpose": self.claimed["purpose"], "origin": self.origin,
            "nonce": base64.b64decode(self.claimed["nonce"]), "payload": self.claimed["payload"].encode(),
        } | changes  # fmt: skip
        m = statement(Question(**asked), card.der, "sha256")
        signature = card.sign(m, "sha256")
        encoded = [base64.b64encode(data).decode() for data in (card.der, signature)]
        return {"certificate": encoded[0], "algorithm": "rsa-sha256", "signature": encoded[1]}

    def answer(self, card, **changes):
        return self.call("POST", "answer", self.body(card, **changes))

    def confirm(self, card, **changes) -> str:
        """Claims, answers, and gives the address to which the browser is sent back."""
        assert self.claim().status_code == 200
        return f"/card/return?code={self.answer(card, **changes).json['code']}"


def confirm_by_card(browser, card, **changes):
    """On page 3004: opens the bridge, types the PIN, comes back in the same browser."""
    return browser.open(BridgeDouble.of(browser).confirm(card, **changes))


def check_number_of(browser) -> str:
    return re.fullmatch(r"\d{4}", browser.soup.find(id="check").get_text(strip=True))[0]


def errors_of(browser) -> list[str]:
    """Number and sentence of each error of the page."""
    lines = [line.get_text(" ", strip=True) for line in browser.soup.select(".govuk-error-summary__list li")]
    return [" ".join(reversed(line.rsplit(" ", 1))) for line in lines]


def the_challenge() -> Challenge:
    session.expire_all()
    return session.query(Challenge).order_by(Challenge.created_at.desc()).first()

"""Somebody who travels between the portal and the sandbox's banks, and what the portal remembers of it."""

import requests
from sqlalchemy import select

from models.accounts import Enterprise
from models.banks import BankVisit
from models.database import session
from models.realname import Verification
from tests.browsing import ORIGIN, Browser

NAME, USCC = "样张进出口（石家庄）有限公司", "91130100PDY000028G"
SONG = ("宋长宁", "130100189904040045", "demo02@example.com")
SHORT = {"ccb": "建设银行", "abc": "农业银行", "cmbc": "民生银行"}
GOOD = {"ccb": "CCB00000201", "abc": "ABC00000201", "cmbc": "CMBC00000201"}
STEPS = (("insert", {"ukey": GOOD["ccb"]}), ("confirm", {}), ("pin", {"pin": "66668888"}))
RETURN = "/realname/bank/return/"


class Traveller:
    """One person's browser: `portal` on our side, plain HTTP on the banks'."""

    def __init__(self, portal: Browser):
        self.portal, self.bank = portal, requests.Session()
        self.bank.trust_env = False

    def set_out(self, slug: str = "ccb") -> str:
        """Presses the bank's button; gives the bank's address that the portal leads to."""
        self.portal.open("/realname/bank")
        answer = self.post(slug)
        assert answer.status_code == 303, self.portal.main
        return answer.headers["Location"]

    def post(self, slug: str):
        data = {"csrf_token": self.portal.value("csrf_token"), "bank": slug}
        return self.portal.client.post("/realname/bank", base_url=ORIGIN, data=data)

    def at_the_bank(self, address: str, *steps: tuple[str, dict]) -> str:
        """Where the bank leads after these steps."""
        answer = self.bank.get(address)
        assert answer.status_code == 200, answer.text
        visit = answer.url
        for act, data in steps:
            answer = self.bank.post(f"{visit}/{act}", data=data, allow_redirects=False)
        return answer.headers.get("Location", "")

    def prove(self, slug: str = "ccb", ukey: str = "", pin: str = "66668888") -> str:
        """The whole way through the bank; gives the portal's address that it leads back to."""
        steps = (("insert", {"ukey": ukey or GOOD[slug]}), ("confirm", {}), ("pin", {"pin": pin}))
        back = self.at_the_bank(self.set_out(slug), *steps)
        assert back.startswith(ORIGIN + RETURN), back
        return back

    def verify(self, *args, **kwargs) -> Browser:
        return self.portal.open(self.prove(*args, **kwargs))


def level_now(user) -> int:
    session.expire_all()
    return session.get(Enterprise, user.enterprise_id).level


def verifications() -> list[Verification]:
    session.expire_all()
    return list(session.scalars(select(Verification)))


def last_state() -> str:
    session.expire_all()
    return session.scalars(select(BankVisit).order_by(BankVisit.at.desc())).first().state


def nothing_happened(user) -> bool:
    return level_now(user) == 0 and not verifications()


def refused(traveller, address: str, number: str = "90584") -> bool:
    return number in traveller.portal.open(address).main

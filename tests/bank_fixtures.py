"""The sandbox's banks on a port of their own, and somebody who travels between them and the portal."""

import threading
from dataclasses import replace

import pytest
import requests
from sqlalchemy import select
from werkzeug.serving import make_server

from gateways.banks import connect_bank
from models.accounts import Enterprise
from models.banks import BankVisit
from models.database import session
from models.realname import Verification
from sandbox.app import create_app
from sandbox.moods import set_mood
from sandbox.settings import Settings as WorldSettings
from sandbox.world import World
from tests.browsing import ORIGIN, Browser
from tests.conftest import log_in, make_enterprise, make_user

NAME, USCC = "样张进出口（石家庄）有限公司", "91130100PDY000028G"
SONG = ("宋长宁", "130100189904040045", "demo02@example.com")
SHORT = {"ccb": "建设银行", "abc": "农业银行", "cmbc": "民生银行"}
GOOD = {"ccb": "CCB00000201", "abc": "ABC00000201", "cmbc": "CMBC00000201"}
STEPS = (("insert", {"ukey": GOOD["ccb"]}), ("confirm", {}), ("pin", {"pin": "66668888"}))
RETURN = "/realname/bank/return/"


@pytest.fixture(scope="session")
def bank_world(tmp_path_factory):
    """The sandbox with its banks, answering on a port of its own."""
    folder = tmp_path_factory.mktemp("bank-world")
    world = World(WorldSettings(folder / "sandbox", folder / "customs", smtp_port=0, portal=ORIGIN))
    server = make_server("127.0.0.1", 0, create_app(world), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    world.address = f"http://127.0.0.1:{server.port}"
    yield world
    server.shutdown()
    thread.join()
    server.server_close()
    world.close()


@pytest.fixture
def banks(app, bank_world, monkeypatch):
    """All three connected; their moods and UKEYs as on the first day."""
    for slug in SHORT:
        set_mood(bank_world.store, f"bank-{slug}", "yes")
    bank_world.ukeys.seed()
    urls = {slug: f"{bank_world.address}/bank-{slug}" for slug in SHORT}
    monkeypatch.setitem(app.config, "SETTINGS", replace(
        app.config["SETTINGS"], banks=",".join(f"{slug}={url}" for slug, url in urls.items())
    ))  # fmt: skip
    made = {slug: connect_bank(slug, url, bank_world.bank_keys.folder, timeout=0.5) for slug, url in urls.items()}
    monkeypatch.setitem(app.config, "GATEWAYS", replace(app.config["GATEWAYS"], banks=made))
    return made


@pytest.fixture
def mood(bank_world):
    return lambda slug, name: set_mood(bank_world.store, f"bank-{slug}", name, 0)


@pytest.fixture
def owner(app):
    """The administrator of ②, whom the seeded UKEYs belong to."""
    return make_user("demo02", enterprise=make_enterprise(NAME, USCC, origin="migrated"), person=SONG)


@pytest.fixture
def traveller(browser, owner):
    return Traveller(log_in(browser, owner))


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

"""Every kind of card at the real portal through the real card bridge: what the portal checks differs by the card's key.

The bridge's own matrix, with a portal that is a stub, is card_bridge/tests/test_bridge_matrix.py.
"""

import psycopg
import pytest
import requests

from benchmarks.house import demonstration
from tests.browsing import HttpBrowser
from tests.tours import PIN, World, ask_for_the_card, log_in, log_out, sign

pytestmark = pytest.mark.xdist_group("pcsc")  # one pcscd a machine

KEYS = {
    "e-port RSA": {"algorithm": "rsa"},
    "e-port SM2": {"algorithm": "sm2"},
    "PIV RSA": {"algorithm": "rsa", "medium": "PIV卡"},
    "PIV P-256": {"algorithm": "ec", "medium": "PIV卡"},
}
EXPORTER, MIGRATED = "91130100PDY00001XG", "91130100PDY000028G"  # companies ① and ② of the demonstration
every_card = pytest.mark.parametrize("key", KEYS)


@pytest.fixture(scope="module")
def house():
    with demonstration(bridge=True) as programs:
        yield programs


@pytest.fixture
def world(house):
    return World(house.origin, house.sandbox_origin, f"http://127.0.0.1:{house.ports.bridge}")


@pytest.fixture
def issue(world):
    """Issues a 法人卡 with a key of that kind, valid as wanted, and puts it into the reader; gives its number."""

    def issue(key: str, uscc: str = EXPORTER, **more) -> str:
        number = world.issue_card(uscc=uscc, kind="01", **KEYS[key], **more)
        world.insert_card(number)
        return number

    yield issue
    world.eject_card()


def asked_to_bind(world) -> HttpBrowser:
    """Company ①'s administrator at the page with the check number."""
    browser = log_in(world, HttpBrowser(), "demo01").follow("我的IC卡")
    return browser.submit("绑定一张卡")


@pytest.mark.item("M86", "M60")
@every_card
def test_a_card_is_bound_logs_in_and_pushes_three_orders(world, issue, key):
    number = issue(key)
    browser = asked_to_bind(world)
    sign(browser)
    assert number in browser.main
    log_out(browser)
    browser.open(f"{world.portal}/login").follow("卡介质登录")
    browser.submit("开始读卡")
    sign(browser)
    assert "卡介质有效期截至" in browser.text
    ready_to_sign(world, browser, mark=number[-6:])
    waiting = browser.url
    sign(browser)
    if key == "PIV P-256":
        assert "9728" in browser.main, "customs know no signature of such a card"
        assert "这张卡的算法，网站这次不收" in browser.open(waiting).main
        return
    browser.wait_for("成功 3，失败 0", 60)
    assert world.statistics()["violations"] == 0


def ready_to_sign(world, browser, mark: str) -> None:
    """Three orders imported and generated, the card asked for."""
    browser.follow("基础数据导入")
    browser.follow("创建申报任务")
    book = world.workbook("orders-good.xlsx", mark)
    browser.submit("导入", {"file": ("good.xlsx", book)}, client_number=f"m{mark}", strategy="9710美金")
    browser.wait_for("已经存好")
    ask_for_the_card(browser)


@pytest.fixture
def kept(house):
    """Asks the portal's database for one value; the migrated company is unverified again, by whatever came before."""
    with psycopg.connect(house.database_url.replace("+psycopg", ""), autocommit=True) as database:
        database.execute("UPDATE verifications SET ended_at = now() WHERE ended_at IS NULL")
        database.execute("UPDATE enterprises SET level = 0 WHERE uscc = %s", [MIGRATED])
        yield lambda query: database.execute(query).fetchone()[0]


@pytest.mark.item("M96")
@every_card
def test_a_card_proves_a_migrated_company_and_its_certificate_is_kept_as_evidence(world, issue, kept, key):
    number = issue(key, uscc=MIGRATED)
    browser = log_in(world, HttpBrowser(), "demo02").follow("单位实名认证")
    browser.submit("去认证")
    sign(browser)
    assert "IC认证成功" in browser.main
    certificate = requests.get(f"{world.sandbox}/cards/{number}.cer", timeout=20).content
    assert kept("SELECT evidence FROM verifications WHERE ended_at IS NULL") == certificate


@every_card
def test_a_wrong_pin_binds_nothing_and_the_portals_page_says_the_tries_left(world, issue, key):
    issue(key)
    browser = asked_to_bind(world)
    waiting = browser.url
    browser.follow("在本页打开")
    browser.submit("确认", pin="12345678")
    assert "还可以试5次" in browser.main
    assert "PIN剩5次" in browser.open(waiting).main
    browser.follow("在本页打开").submit("确认", pin=PIN)
    assert browser.h1 == "我的IC卡"


@every_card
def test_an_expired_card_binds_nothing_and_the_portals_page_says_why(world, issue, key):
    number = issue(key, valid_from="2020-01-01", valid_to="2025-12-31")
    browser = asked_to_bind(world)
    waiting = browser.url
    sign(browser)
    assert "9719" in browser.main
    assert "这张卡的证书已经过期" in browser.open(waiting).main
    assert number not in browser.open(f"{world.portal}/account/cards").main

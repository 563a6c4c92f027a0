"""Both tours through every program: portal, worker, sandbox, card bridge, SMTP, virtual card; plain, htmx, Chromium."""

import shutil
import signal
import time

import pytest
from lxml import etree

from benchmarks.house import demonstration
from tests.browsing import HttpBrowser
from tests.chromium import CHROMIUM, Chromium
from tests.strangers import pushed_messages, verify
from tests.tours import PIN, World, ask_for_the_card, log_in, long_tour, short_tour, sign, verify_migrated_company

pytestmark = pytest.mark.xdist_group("pcsc")  # one pcscd a machine


@pytest.fixture(scope="module")
def house():
    """One running demonstration for all tours of this module."""
    with demonstration(bridge=True) as programs:
        yield programs


@pytest.fixture
def world(house):
    world = world_of(house)
    yield world
    world.mood("customs", "yes")


@pytest.mark.item("M193", "M195", "M205")
@pytest.mark.parametrize("kind", ["page", "htmx"])
def test_the_short_tour_by_links_and_forms_alone(world, kind):
    short_tour(world, HttpBrowser(kind), mark=f"S{kind}")


def world_of(house) -> World:
    return World(house.origin, house.sandbox_origin, f"http://127.0.0.1:{house.ports.bridge}")


@pytest.mark.item("M2", "M54", "M55")
@pytest.mark.parametrize("kind", ["page", "htmx"])
def test_the_long_tour_by_links_and_forms_alone(kind):
    """In a demonstration of its own: a company registers once."""
    with demonstration(bridge=True) as programs:
        long_tour(world_of(programs), HttpBrowser(kind), HttpBrowser(kind))


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_the_long_tour_in_chromium(world):
    with Chromium() as chromium:
        company, official = chromium.browser(), chromium.browser()
        long_tour(world, company, official)
        assert company.errors_seen == official.errors_seen == []


@pytest.mark.item("M91", "M92", "M96")
def test_a_migrated_company_proves_itself_by_its_card(world):
    verify_migrated_company(world, HttpBrowser("htmx"))


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("script", [True, False], ids=["scripts", "no scripts"])
def test_the_short_tour_in_chromium(world, script):
    with Chromium() as chromium:
        browser = chromium.browser(script)
        short_tour(world, browser, mark=f"C{int(script)}")
        assert browser.errors_seen == []


def test_every_message_that_reached_customs_was_declared_once(world):
    """Runs after the tours of its group: what they pushed, counted by the other side."""
    short_tour(world, HttpBrowser(), mark="ONCE")
    counted = world.statistics()
    assert counted["violations"] == 0
    assert counted["orders"] == counted["distinct_guids"]


@pytest.mark.skipif(not shutil.which("xmlsec1"), reason="xmlsec1 is not installed")
def test_strangers_find_every_pushed_message_valid_and_signed(world, house, shared, tmp_path):
    """The RSA card of the short tours and the SM2 card of the long one; the official schema of 2022-05."""
    browser = ready_to_sign(world, "SM2", card="8600000000102")
    sign(browser)
    browser.wait_for("推送完了", 60)
    schema = etree.XMLSchema(etree.parse(shared / "facts" / "xsd" / "ceb_export_202205.xsd"))
    messages = pushed_messages(house.folder / "customs")
    assert messages
    for message in messages:
        schema.assertValid(etree.fromstring(message))
    assert {verify(message, tmp_path) for message in messages} == {"rsa-sha1", "sm2-sm3"}


# -- faults


def push_three_orders(world, mark: str, then=lambda: None) -> HttpBrowser:
    """As far as the push page after the PIN; `then` happens just before the card signs."""
    browser = ready_to_sign(world, mark)
    then()
    sign(browser)
    return browser


def ready_to_sign(world, mark: str, card: str = "8600000000101") -> HttpBrowser:
    """Three orders imported and generated, the card asked for."""
    browser = HttpBrowser()
    world.insert_card(card)
    log_in(world, browser, "demo01")
    browser.follow("基础数据导入")
    browser.follow("创建申报任务")
    book = world.workbook("orders-good.xlsx", mark)
    browser.submit("导入", {"file": ("good.xlsx", book)}, client_number="fault", strategy="9710美金")
    browser.wait_for("已经存好")
    ask_for_the_card(browser)
    return browser


MOODS = {
    "yes": "成功 3，失败 0", "refuse": "成功 0，失败 3", "twice": "成功 3，失败 0", "reversed": "成功 3，失败 0",
    "late": "成功3，失败0", "silent": "等回执3", "garbled": "等回执3", "down": "等回执3",
}  # fmt: skip


@pytest.mark.item("M198")
@pytest.mark.parametrize("mood", MOODS)
def test_the_push_page_tells_the_truth_in_each_mood_of_customs(world, mood):
    browser = push_three_orders(world, f"M{mood}", lambda: world.mood("customs", mood, seconds=3))
    browser.wait_for(MOODS[mood], 30)
    if mood in ("silent", "garbled", "down"):
        time.sleep(2)
        assert MOODS[mood].replace(" ", "") in browser.open(browser.url).main.replace(" ", "")
    assert world.statistics()["violations"] == 0


def test_customs_that_were_down_get_the_messages_afterwards(world):
    browser = push_three_orders(world, "DOWN", lambda: world.mood("customs", "down"))
    browser.wait_for("等回执 3")
    world.mood("customs", "yes")
    browser.wait_for("成功 3，失败 0", 30)


def test_a_worker_killed_in_the_middle_of_a_push_loses_and_doubles_nothing(world, house):
    browser = push_three_orders(world, "KILL", lambda: house.stop("worker", sign=signal.SIGKILL))
    browser.wait_for("等回执 3")
    house.start_worker()
    browser.wait_for("成功 3，失败 0", 90)
    counted = world.statistics()
    assert counted["violations"] == 0 and counted["orders"] == counted["distinct_guids"]


def test_a_card_pulled_before_signing_is_said_and_the_push_goes_on_later(world):
    browser = ready_to_sign(world, "PULL")
    world.eject_card()
    browser.follow("在本页打开")
    assert "卡" in browser.main and "9703" in browser.main
    world.insert_card("8600000000101")
    browser.open(browser.url)
    browser.submit("确认", pin=PIN)
    browser.wait_for("推送完了", 60)


def test_a_wrong_pin_is_said_with_the_tries_that_are_left(world):
    browser = ready_to_sign(world, "PIN")
    browser.follow("在本页打开")
    browser.submit("确认", pin="12345678")
    assert "还可以试5次" in browser.main and "9735" in browser.main
    browser.submit("确认", pin=PIN)
    browser.wait_for("推送完了", 60)


def test_a_bridge_that_does_not_run_is_said_by_the_portals_page(world, house):
    browser = ready_to_sign(world, "NOBRIDGE")
    assert "读卡程序没有运行" in browser.main and "启动读卡程序" in browser.main


def test_a_request_opened_in_another_browser_is_refused_and_nothing_is_signed(world):
    browser = ready_to_sign(world, "STOLEN")
    stranger = HttpBrowser()
    link = next(a["href"] for a in browser.soup.find_all("a", href=True) if "在本页打开" in a.get_text())
    stranger.check = False
    stranger.open(link)
    stranger.submit("确认", pin=PIN)
    assert "另一个浏览器" in stranger.main
    before = world.statistics()["orders"]
    time.sleep(1)
    assert world.statistics()["orders"] == before

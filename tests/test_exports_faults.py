"""Programs that are killed and a database that goes away while 10 000 orders are declared: nothing lost, nothing twice.

Everything runs as in the demonstration: portal, worker, sandbox, card bridge and card, each a program of its own.
"""

import contextlib
import random
import re
import signal
import threading
import time
from dataclasses import dataclass, field

import pytest
import requests

from benchmarks.exporters import workbook
from benchmarks.house import demonstration
from sandbox.card.state import change_state
from stack import postgres
from tests.browsing import HttpBrowser
from tests.tours import PIN, World, ask_for_the_card, log_in

pytestmark = pytest.mark.xdist_group("faults")
CARD = "8600000000101"
ORDERS = 10_000
KILLS = 9
GONE_SECONDS = 60
PROGRESS = re.compile(r"签好(\d+)单，一共(\d+)单.*?成功(\d+)，失败(\d+)，等回执(\d+)。")


@pytest.fixture(scope="module")
def house():
    with demonstration(bridge=True, readers=False, fast=False) as programs:
        yield programs


@pytest.fixture
def world(house):
    world = World(house.origin, house.sandbox_origin, f"http://127.0.0.1:{house.ports.bridge}")
    change_state(house.folder / "sandbox" / "cards" / f"{CARD}.json", delay_ms=50)
    world.insert_card(CARD)
    return world


class Patient(HttpBrowser):
    """Opens a page again when the portal does not answer, as a person would; what was sent is sent once."""

    def _request(self, method, url, **options):
        end = time.monotonic() + 60
        while True:
            try:
                super()._request(method, url, **options)
                if self.status < 500 or method == "POST":
                    return self
            except requests.RequestException:
                if method == "POST":
                    raise
            assert time.monotonic() < end, f"{url} does not answer"
            time.sleep(0.5)


@dataclass
class Watcher:
    """Looks at the push page as a person does, and holds it to what customs counted."""

    world: World
    browser: Patient
    orders: int = ORDERS
    seen: list[tuple] = field(default_factory=list)

    def look(self) -> tuple[int, int]:
        """(orders signed, orders that succeeded)"""
        self.browser.open(self.browser.url)
        said = PROGRESS.search(self.browser.main.replace(" ", ""))
        assert said, f"{self.browser.url}: {self.browser.main[:500]}"
        signed, total, success, failed, waiting = map(int, said.groups())
        assert (total, failed) == (self.orders, 0) and success + waiting == signed, said[0]
        if self.seen:
            assert (signed, success) >= self.seen[-1], "the page took something back"
        with contextlib.suppress(requests.RequestException):  # killed just now
            assert success <= self.world.statistics()["distinct_guids"], "the page said more than customs did"
        self.seen.append((signed, success))
        return signed, success


class Killer(threading.Thread):
    """Kills programs at random moments, with SIGKILL, and starts them again a little later."""

    def __init__(self, house, names, seed: int):
        super().__init__(daemon=True)
        self.house, self.names, self.random = house, names, random.Random(seed)
        self.killed: list[str] = []

    def run(self) -> None:
        for _ in range(KILLS):
            time.sleep(self.random.uniform(0.2, 1.5))
            name = self.names[len(self.killed) % len(self.names)]
            self.house.stop(name, sign=signal.SIGKILL)
            time.sleep(self.random.uniform(0, 0.5))
            getattr(self.house, f"start_{name}")()
            self.killed.append(name)
            self.house.wait_until_up()


def make_data(world, mark: str, count: int = ORDERS) -> Patient:
    browser = Patient()
    log_in(world, browser, "demo01")
    browser.follow("基础数据导入")
    browser.follow("创建申报任务")
    file = {"file": ("orders.xlsx", workbook(count, mark))}
    browser.submit("导入", file, client_number="fault", strategy="9710美金")
    browser.wait_for("已经存好", 180)
    return browser


def declare(world, browser, seconds: float, count: int = ORDERS) -> Watcher:
    """From the push page on: signs whenever nothing goes on, until all of it is answered."""
    push, watcher, end = browser.url, Watcher(world, browser, count), time.monotonic() + seconds
    moved = time.monotonic()
    while watcher.look()[1] < count:
        assert time.monotonic() < end, f"{watcher.seen[-1]} {browser.main[:500]}"
        if watcher.seen[-1:] != watcher.seen[-2:-1]:
            moved = time.monotonic()
        elif "接着用卡签名" in browser.main and time.monotonic() > moved + 6:
            moved = time.monotonic()
            sign_again(world, browser)
            browser.open(push)
        time.sleep(0.3)
    return watcher


def sign_again(world, browser) -> None:
    """What a person does who finds that nothing is signed any more; whatever is down now is tried again later. The card is
    out: the sandbox holds it, and was killed."""
    with contextlib.suppress(requests.RequestException, AssertionError, LookupError, AttributeError):
        world.insert_card(CARD)
        browser.submit("接着用卡签名")
        sign(browser)


def ask_and_sign(browser) -> None:
    """The card is asked for and begins to sign."""
    ask_for_the_card(browser)
    sign(browser)


def sign(browser) -> str:
    """The bridge reads all that is to be signed before it asks for the PIN. Gives its page; the push's own is open."""
    browser.follow("在本页打开")
    end = time.monotonic() + 60
    while not browser.can_press("确认"):
        assert time.monotonic() < end, browser.main[:300]
        time.sleep(0.3)
        browser.open(browser.url)
    page = browser.url
    browser.submit("确认", pin=PIN)
    return page


def declared_once(world, before: dict, count: int = ORDERS) -> None:
    counted = world.statistics()
    assert counted["distinct_guids"] - before["distinct_guids"] == count
    assert counted["orders"] == counted["distinct_guids"] and counted["violations"] == 0
    assert counted["rejected_orders"] == 0


@pytest.mark.item("M198", "M200")
def test_programs_killed_at_random_moments_lose_and_double_nothing(world, house):
    before = world.statistics()
    browser = make_data(world, "KILLED")
    ask_and_sign(browser)
    killer = Killer(house, ("worker", "sandbox", "portal"), seed=before["orders"] + 7)
    killer.start()
    watcher = declare(world, browser, 300)
    killer.join()
    assert len(killer.killed) == KILLS
    declared_once(world, before)
    assert watcher.seen[-1] == (ORDERS, ORDERS)


@pytest.mark.parametrize(("a_minute", "messages"), [(12, 5), (200, 20)], ids=["IC卡", "Ikey"])
def test_at_a_real_cards_speed_signing_is_stopped_and_goes_on_another_time(world, house, a_minute, messages):
    before, count = world.statistics(), messages * 100
    change_state(house.folder / "sandbox" / "cards" / f"{CARD}.json", delay_ms=60_000 // a_minute)
    browser = make_data(world, f"SLOW{a_minute}", count)
    ask_for_the_card(browser)
    bridge_page = sign(browser)
    watcher = Watcher(world, browser, count)
    while watcher.look()[0] < 200:
        time.sleep(0.3)
    assert "签完" in browser.main, "how long it still takes"
    push = browser.url
    browser.open(bridge_page)
    browser.submit("停下")
    browser.wait_for("接着签", 20)
    browser.open(push)
    signed = watcher.look()[0]
    time.sleep(60 / a_minute + 1)
    assert watcher.look()[0] == signed < count, "stopped is stopped"
    browser.submit("接着用卡签名")
    sign(browser)
    declare(world, browser, 200, count)
    declared_once(world, before, count)


def test_a_worker_killed_while_it_reads_and_makes_data_goes_on(world, house):
    """The import and the making of the data are taken up by the next worker, from where they were."""
    before = world.statistics()
    killer = Killer(house, ("worker",), seed=3)
    browser = Patient()
    log_in(world, browser, "demo01")
    browser.follow("基础数据导入")
    browser.follow("创建申报任务")
    file = {"file": ("orders.xlsx", workbook(ORDERS, "READ"))}
    browser.submit("导入", file, client_number="fault", strategy="9710美金")
    killer.start()
    browser.wait_for("已经存好", 240)
    ask_and_sign(browser)
    declare(world, browser, 300)
    killer.join()
    declared_once(world, before)


def test_a_database_that_is_gone_for_a_minute_costs_nothing_but_the_minute(world, house):
    before = world.statistics()
    browser = make_data(world, "NODB")
    ask_and_sign(browser)
    cluster = postgres.start(house.folder / "postgres")
    cluster.stop()
    try:
        gone = time.monotonic()
        while time.monotonic() < gone + GONE_SECONDS:
            answer = browser.http.get(browser.url, timeout=30)
            assert answer.status_code == 503 and "90924" in answer.text and "没有丢" in answer.text
            time.sleep(5)
    finally:
        postgres.start(house.folder / "postgres", cluster.port)
    declare(world, browser, 300)
    declared_once(world, before)

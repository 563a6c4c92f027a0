"""Page 9609, 检查读卡程序: what it finds, what it shows, and the numbers that may go back to a portal."""

import datetime
import re
import threading
import time
from contextlib import contextmanager

import pytest
import requests
from bridge_stage import Browser, Readers
from card_authority import COMPANY, HOLDER
from eport_card_bridge import VERSION, check_page
from eport_card_bridge.outcomes import Outcome, Stop
from eport_card_bridge.vpcd import VirtualReader

from sandbox.card.state import change_state


def check(browser: Browser, portal: bool = True) -> Browser:
    stage = browser.stage
    return browser.open(stage.bridge_origin + "/check" + (f"?portal={stage.origin}" if portal else ""))


def numbers(browser: Browser) -> list[str]:
    """Of the findings, in the order in which they stand."""
    return re.findall(r'id="found-(\d+)"', browser.text)


def way_back(browser: Browser) -> str:
    found = re.search(r'id="back" href="([^"]*)"', browser.text)
    return found.group(1).replace("&amp;", "&") if found else ""


class Without:
    """A source that cannot list readers."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def readers(self):
        raise Stop(self._outcome)

    def close(self) -> None:
        pass


class Held:
    """A reader whose card another program holds until `ended`."""

    name = "Held <b>reader</b>"

    def __init__(self) -> None:
        self.lock, self.ended, self.looks = threading.Lock(), threading.Event(), 0

    def presence(self):
        return True, 1

    @contextmanager
    def card(self, reset=True):
        self.looks += 1
        self.ended.wait(20)
        raise Stop(Outcome.REMOVED)
        yield

    def close(self) -> None:
        self.ended.set()


def test_a_good_card_is_shown_with_everything_the_helpdesk_asks(stage, anna, authority):
    check(anna)
    assert numbers(anna) == ["9780"] and "编号<b>9780</b>" in anna.text
    for words in (
        "Virtual",
        HOLDER,
        COMPANY,
        "8600000000024",
        "操作员卡",
        "SM2（国密）",
        "在运行",
        "6次",
        stage.origin,
    ):
        assert words in anna.text, words
    today = datetime.datetime.now().astimezone()
    assert f"{today:%Y-%m-%d %H:%M}"[:-1] in anna.text  # the computer's clock
    assert re.search(r"证书编号</dt><dd>[0-9a-f]+</dd>", anna.text)
    assert re.search(r"证书有效期</dt><dd>\d{4}-\d\d-\d\d到\d{4}-\d\d-\d\d</dd>", anna.text)
    assert f"读卡程序{VERSION}版" in anna.text and "<b>9609</b>" in anna.text


def test_only_numbers_go_back_to_the_portal(stage, anna):
    stage.bridge.store.save_phrase("")
    link = way_back(check(anna))
    assert link == f"{stage.origin}/device/result?version={VERSION}&found=9780.9785"
    assert set(re.findall(r'href="(http[^"]*)"', anna.text.replace("&amp;", "&"))) == {link}


def test_looking_contacts_nobody_and_costs_no_try(stage, anna):
    tries = stage.card.tries
    check(anna)
    assert stage.resolver.asked == [] and stage.portal.rows == [] and stage.card.tries == tries
    assert 'class="pin"' not in anna.text and "<form" not in anna.text


def test_a_portal_without_consent_gets_no_way_back(new_stage):
    anna = check(Browser(new_stage(signing=False)))
    assert numbers(anna) == ["9780", "9786"] and way_back(anna) == "" and "/device/result" not in anna.text
    assert HOLDER in anna.text


def test_without_a_portal_there_is_no_way_back(anna):
    check(anna, portal=False)
    assert numbers(anna) == ["9780"] and way_back(anna) == ""


@pytest.mark.parametrize("outcome", [Outcome.NO_SERVICE, Outcome.NO_READER])
def test_what_keeps_every_reader_away_is_said(new_stage, outcome):
    anna = check(Browser(new_stage(source=Without(outcome))))
    assert numbers(anna) == [str(outcome.shown)] and outcome.mend in anna.text
    assert f"智能卡服务</dt><dd>{'没有运行' if outcome is Outcome.NO_SERVICE else '在运行'}" in anna.text
    assert way_back(anna).endswith(f"found={outcome.shown}")


def test_an_empty_reader_is_said_with_its_name(stage, anna):
    stage.card.pull()
    assert numbers(check(anna)) == ["9703"] and "Virtual" in anna.text
    stage.card.insert()
    assert numbers(check(anna)) == ["9780"]


@pytest.mark.parametrize(
    ("days", "found"), [((-400, -30), "9719"), ((5, 300), "9720"), ((-300, 59), "9781"), ((-300, 62), "9780")]
)
def test_the_certificate_is_held_against_the_clock(new_stage, authority, days, found):
    reader = VirtualReader(0)
    stage = new_stage(source=Readers(reader))
    card = stage.put_in(reader, authority.card("rsa", f"86000000055{days[1] % 100:02d}", days))
    assert numbers(check(Browser(stage))) == [found]
    card.pull()


def test_a_clock_before_the_release_is_wrong(anna, monkeypatch):
    monkeypatch.setattr(check_page, "RELEASED", datetime.datetime.now(datetime.UTC) + datetime.timedelta(1))
    assert numbers(check(anna)) == ["9782"]


@pytest.mark.parametrize(("tries", "found"), [(0, "9707"), (1, "9783"), (2, "9783"), (3, "9780")])
def test_few_tries_are_said_before_they_are_spent(new_stage, authority, tries, found):
    reader = VirtualReader(0)
    stage = new_stage(source=Readers(reader))
    path = authority.card("rsa", f"860000000062{tries}")
    change_state(path, tries=tries)
    card = stage.put_in(reader, path)
    assert numbers(check(Browser(stage))) == [found]
    card.pull()


def test_several_cards_are_all_shown(new_stage, authority):
    readers = [VirtualReader(0), VirtualReader(0)]
    stage = new_stage(source=Readers(*readers))
    cards = [stage.put_in(*pair) for pair in zip(readers, (authority.rsa_card, authority.sm2_card), strict=True)]
    anna = check(Browser(stage))
    assert numbers(anna) == ["9780", "9784"]
    assert "8600000000017" in anna.text and "8600000000024" in anna.text and "RSA" in anna.text
    for card in cards:
        card.pull()


def test_a_card_that_another_program_holds_is_said_and_reloads_take_no_more_threads(new_stage, monkeypatch):
    monkeypatch.setattr(check_page, "LOOK_SECONDS", 0.3)
    held = Held()
    stage = new_stage(source=Readers(held))
    anna, began = Browser(stage), time.monotonic()
    for _ in range(check_page.THREADS + 2):
        assert numbers(check(anna)) == ["9709"]
    assert held.looks == 1 and time.monotonic() - began < 10
    assert "Held &lt;b&gt;reader&lt;/b&gt;" in anna.text
    held.close()


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("?portal=https://evil.test/path", "9710"), ("?portal=http://evil.test", "9710"),
        ("?portal=javascript:alert(1)", "9710"),
        ("?portal=https://a.test&portal=https://b.test", "9716"), ("?pin=88888888", "9716"),
        ("?portal=https://a.test&found=1", "9716"),
    ],
)  # fmt: skip
def test_an_address_with_anything_else_is_refused(stage, anna, query, shown):
    anna.open(stage.bridge_origin + "/check" + query)
    assert anna.status == 403 and shown in anna.text and HOLDER not in anna.text


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Mode": "cors"}, {"Sec-Fetch-Dest": "iframe"}, {"Purpose": "prefetch"}, {"Host": "evil.test"}],
)
def test_no_website_can_read_it(stage, headers):
    sent = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Origin": stage.origin, **headers}
    answer = requests.get(f"{stage.bridge_origin}/check?portal={stage.origin}", headers=sent, timeout=5)
    assert answer.status_code in (403, 421) and HOLDER not in answer.text
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_it_takes_no_post(stage, anna):
    anna.open(stage.bridge_origin + "/check", "POST", {"a": "1"}, {"Origin": stage.bridge_origin})
    assert anna.status == 405 and HOLDER not in anna.text


def test_the_start_page_leads_to_it(stage, anna):
    assert 'href="/check"' in anna.open(stage.bridge_origin + "/").text

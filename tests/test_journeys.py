"""The journeys of accounts through portal, worker, sandbox and SMTP: plain, with htmx, in Chromium."""

import pytest

from benchmarks.house import demonstration
from tests.browsing import HttpBrowser
from tests.chromium import CHROMIUM, Chromium
from tests.journeys import (
    code_change_with_open_tasks,
    forgotten_name_and_password,
    new_company_with_two_operators,
    verified_with_the_representative_on_his_telephone,
)
from tests.test_tours import world_of

pytestmark = pytest.mark.xdist_group("journeys")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
KINDS = ["page", "htmx"]


@pytest.fixture(scope="module")
def world():
    with demonstration() as programs:
        yield world_of(programs)


# first: a journey below gives demo02 another password
@pytest.mark.item("M97", "M99", "M100", "M102")
@pytest.mark.parametrize("kind", KINDS)
def test_a_verification_with_the_representative_on_his_telephone(world, kind):
    verified_with_the_representative_on_his_telephone(world, HttpBrowser(kind), HttpBrowser())


@needs_chromium
def test_a_verification_with_the_representative_on_his_telephone_in_chromium(world):
    with Chromium() as chromium:
        clerk, telephone = chromium.browser(), chromium.browser(script=False)
        verified_with_the_representative_on_his_telephone(world, clerk, telephone)
        assert clerk.errors_seen == []


@pytest.mark.item("M54", "M55", "M88")
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_company_with_two_operators(world, kind):
    browsers = [HttpBrowser(kind) for _ in range(3)]
    new_company_with_two_operators(world, *browsers, number=200 + 10 * KINDS.index(kind))


@needs_chromium
def test_a_new_company_with_two_operators_in_chromium(world):
    with Chromium() as chromium:
        browsers = [chromium.browser() for _ in range(3)]
        new_company_with_two_operators(world, *browsers, number=300)
        assert [browser.errors_seen for browser in browsers] == [[], [], []]


@pytest.mark.item("M65", "M66", "M67")
@pytest.mark.parametrize(("kind", "user"), [("page", "demo04"), ("htmx", "demo05")])
def test_a_forgotten_user_name_and_password(world, kind, user):
    forgotten_name_and_password(world, HttpBrowser(kind), user)


@needs_chromium
def test_a_forgotten_user_name_and_password_in_chromium(world):
    with Chromium() as chromium:
        browser = chromium.browser(script=False)
        forgotten_name_and_password(world, browser, "demo02")


@pytest.mark.item("M137", "M138", "M139", "M140", "M141")
@pytest.mark.parametrize("kind", KINDS)
def test_a_code_change_with_open_tasks(world, kind):
    code_change_with_open_tasks(world, HttpBrowser(kind))


@needs_chromium
def test_a_code_change_with_open_tasks_in_chromium(world):
    with Chromium() as chromium:
        browser = chromium.browser()
        code_change_with_open_tasks(world, browser)
        assert browser.errors_seen == []

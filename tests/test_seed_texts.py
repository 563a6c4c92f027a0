"""Every text of the source manuals that this stage shows stands on its page, character for character."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.browsing import Browser
from tests.conftest import log_in, make_enterprise, make_user
from tests.test_realname_representative import Authority, Register
from tests.test_registration import ADMINISTRATOR, COMPANY, PNG
from tests.test_transmission_id import APPLICANT, EXCHANGE

TEXTS = tomllib.loads((Path(__file__).with_name("seed_texts.toml")).read_text("utf-8"))["text"]
PUBLIC = (
    "/", "/login", "/login/card", "/login/recovery/password", "/login/recovery/name", "/before-you-start", "/faq", "/terms", "/help", "/why", "/promotions", "/downloads",
    "/guides", "/announcements", "/regions", "/registration/", "/registration/resume", "/recovery", "/about/browsers",
)  # fmt: skip
MEMBER = (
    "/member", "/", "/account/company", "/account/cards", "/account/qualifications", "/realname/", "/access/transmission-id", "/why", "/exports/profiles",
    "/exports/profiles/new", "/exports/warehouses/new", "/exports/strategies", "/exports/strategies/new",
    "/exports/tasks", "/exports/tasks/new", "/exports/orders", "/trade/orders/open", "/trade/orders/concluded",
)  # fmt: skip


class Reader:
    """Collects what each page says: its text without and with spaces between parts, and what stands in its fields."""

    def __init__(self):
        self.said: dict[str, str] = {}

    def read(self, browser: Browser) -> None:
        if browser.status != 200 or not browser.soup.find(id="page-number"):
            return
        attributes = [
            node.get(name, "") for node in browser.soup.find_all(True) for name in ("value", "placeholder", "title")
        ]
        parts = [browser.soup.get_text(""), browser.soup.get_text(" "), browser.text, *attributes]
        self.said[browser.number] = self.said.get(browser.number, "") + "\n".join(map(str, parts))


@pytest.fixture
def said(app, monkeypatch):
    """{page number: all that it says}, for a stranger, a company and a migrated one."""
    reader, stranger = Reader(), Browser(app)
    for path in PUBLIC:
        reader.read(stranger.open(path))
    for link in [a["href"] for a in stranger.open("/guides").soup.select("main .list a")]:
        reader.read(stranger.open(link))
    read_registration(reader, stranger)
    read_company(reader, Browser(app), make_user(enterprise=make_enterprise()))
    migrated = make_enterprise("迁移贸易", "91130100PDY000028G", code="1301960002", origin="migrated")
    log_in(browser := Browser(app), make_user("demo02", enterprise=migrated))
    reader.read(browser.open("/realname/"))
    doubles = {"company_register": Register("迁移贸易"), "identity": Authority()}
    monkeypatch.setitem(app.config, "GATEWAYS", replace(app.config["GATEWAYS"], **doubles))
    read_verification(reader, browser)
    return reader.said


def read_verification(reader: Reader, browser: Browser) -> None:
    """法定代表人身份认证 with both error dialogs, and where the banks are chosen."""
    for path in ("/realname/bank", "/realname/representative"):
        reader.read(browser.open(path))
    person = {"legal_name": "王芳", "id_type": "id-card", "id_number": "130100189902020024"}
    reader.read(browser.submit("下一步", **person | {"legal_name": "王方"}))
    reader.read(browser.submit("下一步", **person))
    reader.read(browser.submit("下一步", valid_from="20200102", valid_to="20400101"))
    reader.read(browser.follow("切换到银行卡认证"))
    browser.open("/realname/representative/person/id-card")
    reader.read(browser.submit("下一步", valid_from="20200101", valid_to="20400101"))
    reader.read(browser.submit("下一步", valid_from="20200101", valid_to="20400101"))
    reader.read(browser.open("/realname/result"))


def read_registration(reader: Reader, browser: Browser) -> None:
    browser.open("/registration/")
    for typed in ({}, {"type": "three-in-one", "agreed": "agreed"}, COMPANY, {}, ADMINISTRATOR):
        browser.submit("保存，去下一步" if typed or browser.number == "2003" else "开始填写", **typed)
        reader.read(browser)
    browser.open(browser.url.replace("papers", "administrator"))
    browser.submit("保存，去下一步", name="")
    reader.read(browser)
    browser.submit("保存，去下一步", name="李明")
    browser.submit("保存，去下一步", {"licence": ("执照.png", PNG)})
    reader.read(browser)
    reader.read(browser.open(browser.url.replace("check", "papers")))


def read_company(reader: Reader, browser: Browser, user) -> None:
    log_in(browser, user)
    for path in MEMBER:
        reader.read(browser.open(path))
    browser.open("/access/transmission-id")
    browser.submit("开始填写")
    for typed in (APPLICANT, EXCHANGE | {"node": "other", "data": ["other"]}, EXCHANGE, {}):
        reader.read(browser)
        if typed:
            browser.submit("保存，去下一步", **typed)


@pytest.mark.item("M177")
def test_each_text_stands_on_its_page(said):
    missing = [
        (row["item"], row["page"], row["text"])
        for row in TEXTS
        if row["page"] and row["text"] not in said.get(row["page"], "")
    ]
    assert not missing


def test_texts_without_a_page_are_those_of_later_issues():
    """A text that no page shows yet is listed with `page = ""`; their number only falls."""
    assert len([row for row in TEXTS if not row["page"] and "when" not in row]) <= LATER


LATER = 42

"""What people do on the pages of a made-up kind."""

import re
from uuid import UUID

from bs4 import BeautifulSoup

from models.database import session
from models.documents import Document
from tests.browsing import ORIGIN, form_data
from tests.engine.filling import PNG

NEXT = "保存，去下一步"
NO_MORE = "没有其他了"
FILE = ("执照.png", PNG)


def begin(browser, kind: str):
    browser.open(f"/made-up/{kind}")
    return browser.submit("开始填写")


def fill_opening(browser):
    begin(browser, "opening")
    browser.submit(NEXT, type="new")
    browser.submit(NEXT, name="丁公司", uscc="9113000034801880XB")
    browser.submit(NEXT, user="Carol", password="correct horse", again="correct horse", email="carol@example.com")
    return browser.submit(NEXT, {"paper": FILE})


def fill_link(browser):
    begin(browser, "link")
    browser.submit(NEXT, phone="0571-95198")
    browser.submit(NEXT, node="2", data=["order", "list"])
    return browser.submit(NEXT, device="machine")


def fill_booking(browser, slot="25am"):
    begin(browser, "booking")
    browser.submit(NEXT, operation="new")
    return browser.submit(NEXT, slot=slot)


def add_item(browser, files, **typed):
    browser.follow("添加一项")
    return browser.submit(NEXT, files, **typed)


def root_of(browser) -> str:
    """`/made-up/<kind>/<id>`"""
    return re.match(r"/made-up/[^/]+/[^/]+", browser.url).group()


def document_of(browser) -> Document:
    """As it is in the database now."""
    return session.get(Document, UUID(root_of(browser).rpartition("/")[2]), populate_existing=True)


def autosave(browser, **typed):
    """What htmx does when a field was left: gives the answer and puts its parts in their places."""
    form, span = browser.soup.find("form", id="step"), browser.soup.find(id="autosave")
    data = [pair for pair in form_data(form) if pair[0] not in typed] + [("go", "auto"), *typed.items()]
    for name, value in typed.items():
        put(form, name, value)
    headers = {"HX-Request": "true", "HX-Target": "autosave"}
    answer = browser.client.post(
        span["data-hx-post"], data=to_fields(data), headers=headers, base_url=ORIGIN, follow_redirects=True
    )
    part = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
    for node in part.select("[data-hx-swap-oob]"):
        del node["data-hx-swap-oob"]
        browser.soup.find(id=node["id"]).replace_with(node.extract())
    if part.find(id="autosave"):
        span.replace_with(part.find(id="autosave"))
    return answer


def put(form, name: str, value: str) -> None:
    """Types into the page as it stands."""
    field = form.find(attrs={"name": name})
    if field.name == "select":
        for option in field.find_all("option"):
            option.attrs.pop("selected", None)
            if option.get("value") == value:
                option["selected"] = ""
    elif field.name == "textarea":
        field.string = value
    else:
        field["value"] = value


def to_fields(pairs) -> dict:
    fields: dict = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields

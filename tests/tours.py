"""The two tours of the demonstration, walked by any of the browsers. `docs/tours.md` tells them to people."""

import io
from dataclasses import dataclass

import openpyxl
import requests

from stack.seed import PASSWORD

PIN = "88888888"
CAPTCHA = "XXXXX"


@dataclass
class World:
    """Addresses of the running programs, and what a person does at the sandbox's own pages."""

    portal: str
    sandbox: str
    bridge: str

    def insert_card(self, number: str) -> None:
        self._post(f"/cards/{number}/insert")

    def issue_card(self, **card) -> str:
        return self._post("/cards", card)["number"]

    def download(self, name: str) -> bytes:
        answer = requests.get(f"{self.sandbox}/downloads/{name}", timeout=20)
        answer.raise_for_status()
        return answer.content

    def workbook(self, name: str, mark: str = "") -> bytes:
        """A workbook of the sandbox; with `mark` its order numbers are new ones, for a tour that is walked again."""
        data = self.download(name)
        if not mark:
            return data
        book = openpyxl.load_workbook(io.BytesIO(data))
        for row in book.active.iter_rows(min_row=2, max_col=1):
            if row[0].value:
                row[0].value = f"{row[0].value}{mark}"
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()

    def mails_to(self, address: str) -> list[dict]:
        return requests.get(f"{self.sandbox}/mail/messages.json", params={"to": address}, timeout=20).json()

    def statistics(self) -> dict:
        return requests.get(f"{self.sandbox}/customs/statistics", timeout=20).json()

    def mood(self, party: str, mood: str, **more) -> None:
        self._post(f"/moods/{party}", {"mood": mood, **more})

    def reset(self) -> None:
        self._post("/reset")

    def _post(self, path: str, data: dict | None = None):
        answer = requests.post(self.sandbox + path, json=data or {}, timeout=60)
        assert answer.ok, answer.text[:300]
        return answer.json()


def log_in(world: World, browser, user: str, password: str = PASSWORD):
    browser.open(f"{world.portal}/login")
    browser.submit("登 录", user=user, password=password, captcha=CAPTCHA)
    return browser


def log_out(browser):
    return browser.submit("退出")


def sign(browser):
    """From the page with the check number through the bridge's PIN page and back."""
    browser.follow("在本页打开")
    return browser.submit("确认", pin=PIN)


def short_tour(world: World, browser, mark: str = "") -> None:
    """From a workbook with a wrong row to the customs' answer."""
    world.insert_card("8600000000101")
    log_in(world, browser, "demo01")
    browser.follow("基础数据导入")
    browser.follow("创建申报任务")
    browser.submit("导入", {"file": ("bad.xlsx", world.workbook("orders-bad.xlsx", mark))}, client_number=f"ceshi{mark or 111}", strategy="9710美金")
    browser.wait_for("行要改")
    browser.follow("补充导入")
    browser.submit("导入", {"file": ("good.xlsx", world.workbook("orders-good.xlsx", mark))})
    browser.wait_for("存好")
    browser.follow("看数据详情")
    browser.submit("生成申报数据")
    browser.wait_for("去推送")
    browser.follow("去推送")
    browser.submit("推送查到的全部")
    sign(browser)
    browser.wait_for("推送完了", 60)
    browser.follow("订单查询(未审结)")
    browser.follow(f"TYDH005{mark}")
    assert "海关入库" in browser.main, browser.main

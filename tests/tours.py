"""The two tours of the demonstration, walked by any of the browsers. `docs/tours.md` tells them to people."""

from dataclasses import dataclass

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

"""The same browser as in `browsing.py`, but a real Chromium: it opens, follows and presses by the words on the page."""

import re
import shutil

from playwright.sync_api import Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--lang=zh-CN",
]  # fmt: skip


IS_SETTLED = "() => document.readyState === 'complete' && !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')"


class Chromium:
    """`with Chromium() as chromium: browser = chromium.browser()`; one process, a fresh profile per browser."""

    def __enter__(self):
        self._playwright = sync_playwright().start()
        self._process = self._playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        return self

    def __exit__(self, *error):
        self._process.close()
        self._playwright.stop()

    def browser(self, script: bool = True, width: int = 1366, height: int = 768) -> "ChromiumBrowser":
        context = self._process.new_context(
            java_script_enabled=script, locale="zh-CN", viewport={"width": width, "height": height}
        )
        context.set_default_timeout(10_000)
        return ChromiumBrowser(context.new_page())


class ChromiumBrowser:
    """`submit` types into the form of the button, as people do, and waits for the next page or swap."""

    def __init__(self, page: Page):
        self.page = page
        self.errors_seen: list[str] = []
        page.on("pageerror", lambda error: self.errors_seen.append(str(error)))

    @property
    def h1(self) -> str:
        return "".join(self.page.locator("h1").first.inner_text().split())

    @property
    def main(self) -> str:
        return " ".join(self.page.locator("main").first.inner_text().split())

    @property
    def number(self) -> str:
        return self.page.locator("#page-number b").inner_text().strip()

    @property
    def url(self) -> str:
        return self.page.url

    def open(self, url: str):
        self.page.goto(url)
        return self

    def follow(self, words: str):
        self.page.locator("a", has_text=words).first.click()
        self._settle()
        return self

    def can_press(self, words: str) -> bool:
        return self.page.locator("button", has_text=words).count() > 0

    def submit(self, words: str, files: dict | None = None, **typed):
        button = self.page.locator("button", has_text=words).first
        form = button.locator("xpath=ancestor::form")
        for name, value in typed.items():
            self._type(form, name, value)
        for name, (file_name, content) in (files or {}).items():
            payload = {"name": file_name, "mimeType": "application/octet-stream", "buffer": content}
            form.locator(f'input[type=file][name="{name}"]').set_input_files(payload)
        button.click()
        self._settle()
        return self

    def value(self, name: str) -> str:
        return self.page.locator(f'[name="{name}"]').first.input_value()

    def wait_for(self, words: str, seconds: float = 30):
        """Until the page says it; reloads where there is no script to do so."""
        self.page.wait_for_function(
            "words => document.body.innerText.replace(/\\s+/g, '').includes(words)", arg=re.sub(r"\s+", "", words),
            timeout=seconds * 1000,
        )  # fmt: skip
        return self

    def shot(self, path) -> None:
        self.page.screenshot(path=str(path), full_page=True)

    def _type(self, form, name: str, value) -> None:
        field = form.locator(f'[name="{name}"]')
        kind = field.first.evaluate("node => node.tagName + ':' + (node.type || '')")
        if kind.startswith("SELECT"):
            options = field.locator("option").evaluate_all("all => all.map(one => [one.value, one.text])")
            field.select_option(next(key for key, text in options if key == value or value in text))
        elif kind in ("INPUT:checkbox", "INPUT:radio"):
            for one in value if isinstance(value, list) else [value]:
                form.locator(f'[name="{name}"][value="{one}"]').check(force=True)
        else:
            field.first.fill(value)

    def _settle(self) -> None:
        self.page.wait_for_timeout(80)  # the request that was caused begins
        self.page.wait_for_function(IS_SETTLED)

"""Server time of pages against a bare Flask page on the same server in the same run; sizes of first and later visits."""

import gzip
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
from bs4 import BeautifulSoup

from stack.programs import Ports, Programs, is_up
from tests.browsing import HttpBrowser
from tests.tours import World
from tests.tours import log_in as enter

from .house import demonstration

PUBLIC = ("/", "/login", "/registration/", "/registration/registration", "/before-you-start", "/faq", "/terms", "/why")
MEMBER = (
    "/member",
    "/account/company",
    "/access/transmission-id",
    "/exports/tasks",
    "/exports/orders",
    "/trade_queries/orders/open",
)
BARE = """
from flask import Flask, render_template_string
app = Flask("bare")
PAGE = "<!doctype html><html><head><title>{{ t }}</title></head><body><h1>{{ t }}</h1><ul>" \
       "{% for n in range(20) %}<li>{{ n }} {{ t }}</li>{% endfor %}</ul></body></html>"
@app.get("/")
def page():
    return render_template_string(PAGE, t="one template")
"""


def main() -> None:
    with demonstration() as programs, tempfile.TemporaryDirectory() as folder:
        bare, server = start_bare(Path(folder))
        try:
            measure(programs, bare)
        finally:
            server.terminate()
            server.wait()


def start_bare(folder: Path) -> tuple[str, subprocess.Popen]:
    (folder / "bare.py").write_text(BARE)
    port = Ports.free().portal
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
               "--workers", "1", "--blocking-threads", "4", "--no-ws", "bare:app"]  # fmt: skip
    server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/"
    while not is_up(url):
        time.sleep(0.1)
    return url, server


def measure(programs: Programs, bare: str, rounds: int = 40) -> None:
    stranger, member = requests.Session(), log_in(programs)
    form, step = open_form(programs)
    pages = [(stranger, path) for path in PUBLIC] + [(member, path) for path in MEMBER] + [(form, step)]
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        times.setdefault("bare", []).append(seconds_of(stranger, bare))
        for browser, path in pages:
            times.setdefault(path, []).append(seconds_of(browser, programs.origin + path))
    floor = statistics.median(times.pop("bare"))
    print(f"bare page {floor * 1000:.2f} ms, {rounds} rounds")
    ratios = {path: statistics.median(values) / floor for path, values in times.items()}
    for path, ratio in sorted(ratios.items(), key=lambda pair: -pair[1]):
        print(f"  {path:36} {ratio:5.1f} ×   {statistics.median(times[path]) * 1000:.1f} ms")
    worst = max(ratios, key=ratios.get)
    print(f"FIGURE page_ratio {ratios[worst]:.1f} x (worst page: {worst})")
    print(f"FIGURE first_visit_kb {first_visit(stranger, programs.origin):.1f} kB")
    later = max(len(gzip.compress(browser.get(programs.origin + path).content)) for browser, path in pages)
    print(f"FIGURE later_page_kb {later / 1000:.1f} kB (the largest page)")


def open_form(programs: Programs) -> tuple[requests.Session, str]:
    """The longest form there is: 基本信息 of the registration, 21 fields."""
    browser = HttpBrowser()
    browser.open(f"{programs.origin}/registration/registration")
    browser.submit("开始填写")
    browser.submit("保存，去下一步", type="three-in-one", agreed="agreed")
    return browser.http, urlsplit(browser.url).path


def seconds_of(browser: requests.Session, url: str) -> float:
    began = time.perf_counter()
    answer = browser.get(url)
    took = time.perf_counter() - began
    assert answer.status_code == 200 and "/login" not in answer.url.removesuffix("/login"), answer.url
    return took


def first_visit(browser: requests.Session, origin: str) -> float:
    """kB of the home page and all its files, each compressed as a proxy would."""
    page = browser.get(origin + "/")
    soup = BeautifulSoup(page.content, "html.parser")
    addresses = [node.get("href") or node.get("src") for node in soup.select("link[href], script[src], img[src]")]
    files = [browser.get(urljoin(origin, address)).content for address in addresses]
    return sum(len(gzip.compress(data)) for data in (page.content, *files)) / 1000


def log_in(programs: Programs) -> requests.Session:
    browser = HttpBrowser()
    enter(World(programs.origin, programs.sandbox_origin, ""), browser, "demo01")
    assert browser.status == 200 and "会员首页" in browser.text, browser.main[:500]
    return browser.http


if __name__ == "__main__":
    main()

"""The device doctor in a real browser, with and without the real card bridge: what its script finds and sends on."""

import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from tests.chromium import CHROMIUM, FLAGS

pytestmark = [
    pytest.mark.xdist_group("chromium"),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
ROOT = Path(__file__).parents[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def ports():
    """Of the portal and of the bridge."""
    return free_port(), free_port()


@pytest.fixture
def served(app, ports, monkeypatch):
    """The portal on a port of its own; gives a function that changes its settings."""
    port, bridge = ports

    def settings(**changes):
        new = replace(app.config["SETTINGS"], bridge_origin=f"http://127.0.0.1:{bridge}", **changes)
        monkeypatch.setitem(app.config, "SETTINGS", replace(new, public_origin=f"http://127.0.0.1:{port}"))

    settings()
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield settings
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def bridge(ports, tmp_path):
    """The real bridge, which has consented to the portal; its reader is empty."""
    command = [sys.executable, "-m", "eport_card_bridge", "--port", str(ports[1]), "--data", str(tmp_path / "bridge")]
    command += ["--virtual-card", str(free_port()), "--allow-http-loopback"]
    command += ["--signing-origin", f"http://127.0.0.1:{ports[0]}"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "card_bridge" / "src")}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 20
    while not listens(ports[1]):
        assert process.poll() is None and time.monotonic() < end, "the bridge did not start"
        time.sleep(0.05)
    yield process
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="module")
def chromium():
    """`chromium(*flags)`: a running browser, one for each set of flags."""
    playwright, running = sync_playwright().start(), {}

    def launch(*flags: str):
        if flags not in running:
            running[flags] = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
        return running[flags]

    yield launch
    for process in running.values():
        process.close()
    playwright.stop()


@pytest.fixture
def open_doctor(served, ports, chromium):
    """`open_doctor(*flags)`: page 1016 in a fresh profile; `script` runs before the page's own."""
    contexts, origin = [], f"http://127.0.0.1:{ports[0]}"

    def start(*flags: str, script: str = "", permission: str = ""):
        process = chromium(*flags)
        contexts.append(process.new_context(locale="zh-CN"))
        contexts[-1].set_default_timeout(10_000)
        if permission:
            set_loopback(process, origin, permission)
        page = contexts[-1].new_page()
        if script:
            page.add_init_script(script)
        page.goto(f"{origin}/device")
        return page

    yield start
    for context in contexts:
        context.close()


def set_loopback(chromium, origin: str, setting: str) -> None:
    session = chromium.new_browser_cdp_session()
    context = session.send("Target.getBrowserContexts")["browserContextIds"][-1]
    asked = {
        "permission": {"name": "loopback-network"},
        "setting": setting,
        "origin": origin,
        "browserContextId": context,
    }
    session.send("Browser.setPermission", asked)


def found_on(page) -> list[str]:
    """Numbers that the script shows."""
    shown = "all => all.filter(one => !one.hasAttribute('hidden')).map(one => one.id.slice(6))"
    return page.locator("[id^=found-]").evaluate_all(shown)


def look_for_bridge(page) -> list[str]:
    page.click("#find-bridge")
    page.wait_for_function("() => !document.getElementById('find-bridge').disabled")
    return [number for number in found_on(page) if number >= "90780"]


def test_what_browser_and_bridge_found_comes_together_on_the_result(open_doctor, bridge):
    page = open_doctor()
    assert found_on(page) == ["90778"]  # the clock is right; nothing is looked for before the user asks
    assert look_for_bridge(page) == ["90780"] and "是1.0版" in page.locator("#found-90780").inner_text()
    assert page.get_attribute("a[data-found]", "href").endswith("90776.90778.90780")
    page.click("#bridge-check")
    assert page.locator("h1").inner_text() == "检查读卡程序" and page.locator("#found-9703").count() == 1
    page.click("#back")
    assert page.locator("#page-number b").inner_text() == "1017"
    assert "读卡器里没有卡" in page.locator("main").inner_text() and found_on(page) == ["90778"]
    assert page.input_value("#found").split(".")[0] == "9703" and "90778" in page.input_value("#found")


def test_without_a_bridge_it_says_how_to_start_and_install_it(open_doctor):
    page = open_doctor()
    assert look_for_bridge(page) == ["90783"] and "启动读卡程序" in page.locator("#found-90783").inner_text()
    page.click("a[data-found]")
    assert "读卡程序没有回答" in page.locator("main").inner_text() and "90783" in page.input_value("#found")


def test_a_bridge_that_is_too_old_is_told_from_one_that_is_not_there(open_doctor, bridge, served):
    served(bridge_minimum="1.10")
    page = open_doctor()
    assert look_for_bridge(page) == ["90781"] and "是1.0版" in page.locator("#found-90781").inner_text()


def test_not_allowed_by_the_browser_is_told_from_not_installed(open_doctor, bridge, ports):
    """The page counts as one from the internet; the link needs no permission and works all the same."""
    page = open_doctor(f"--ip-address-space-overrides=127.0.0.1:{ports[0]}=public", permission="denied")
    assert look_for_bridge(page) == ["90782"]
    page.click("#bridge-check")
    assert page.locator("h1").inner_text() == "检查读卡程序"


def test_allowed_it_is_found_from_the_internet_too(open_doctor, bridge, ports):
    page = open_doctor(f"--ip-address-space-overrides=127.0.0.1:{ports[0]}=public", permission="granted")
    assert look_for_bridge(page) == ["90780"]


def test_a_wrong_clock_and_refused_cookies_are_seen(open_doctor):
    later = "Object.defineProperty(performance, 'timing', {value: {responseStart: Date.now() + 5 * 60000 + 500}});"
    page = open_doctor(script=later + "Object.defineProperty(navigator, 'cookieEnabled', {value: false});")
    assert sorted(found_on(page)) == ["90777", "90779"]
    assert "相差5分钟" in page.locator("#found-90779").inner_text()

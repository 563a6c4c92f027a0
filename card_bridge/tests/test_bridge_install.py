"""Installation and versions: /health, the page that says what is too old, autostart, the address eport-card-bridge:."""

import configparser
import contextlib
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import threading

import pytest
import requests
from bridge_stage import Browser, free_port, wait_until
from eport_card_bridge import VERSION, install
from eport_card_bridge.health import is_running
from eport_card_bridge.install import WindowsRegistry, quoted

SOURCE = re.sub("/eport_card_bridge/.*", "", sys.modules["eport_card_bridge"].__file__)
FETCH = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "cross-site"}


def ask(stage, origin: str | None, method: str = "GET", path: str = "/health", **headers) -> requests.Response:
    headers = FETCH | ({"Origin": origin} if origin else {}) | headers
    return requests.request(method, stage.bridge_origin + path, headers=headers, timeout=10)


# /health


def test_a_consented_website_learns_the_version_and_nothing_else(new_stage):
    stage = new_stage(signing=False)
    assert ask(stage, stage.origin).status_code == 403, "not yet consented"
    anna = Browser(stage)
    anna.open(anna.ask()).submit("/consent")
    answer = ask(stage, stage.origin)
    assert (answer.status_code, answer.json()) == (200, {"version": VERSION})
    assert answer.headers["Access-Control-Allow-Origin"] == stage.origin
    assert answer.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Set-Cookie" not in answer.headers


def test_an_origin_of_the_settings_learns_it_too(stage):
    assert ask(stage, stage.origin).json() == {"version": VERSION}


def test_an_old_browser_that_sends_no_fetch_headers_learns_it_too(stage):
    answer = requests.get(stage.bridge_origin + "/health", headers={"Origin": stage.origin}, timeout=10)
    assert answer.json() == {"version": VERSION}


@pytest.mark.parametrize("origin", [None, "null", "https://evil.test", "{origin}/", "{origin}.evil.test", "*", ""])
def test_no_other_website_learns_anything(stage, origin):
    answer = ask(stage, origin and origin.format(origin=stage.origin))
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "version" not in answer.text


@pytest.mark.parametrize(
    "method,path,headers",
    [
        ("POST", "/health", {}),
        ("OPTIONS", "/health", {"Access-Control-Request-Method": "GET"}),
        ("HEAD", "/health", {}),
        ("GET", "/health?x=1", {}),
        ("GET", "/health/", {}),
        ("GET", "/", {}),
        ("GET", "/settings", {}),
        ("GET", "/pin", {}),
        ("GET", "/health", {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}),
        ("GET", "/health", {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}),
        ("GET", "/health", {"Host": "evil.test"}),
    ],
)
def test_the_exception_is_for_that_one_question_alone(stage, method, path, headers):
    answer = ask(stage, stage.origin, method, path, **headers)
    assert answer.status_code in (403, 421)
    assert "Access-Control-Allow-Origin" not in answer.headers


# Versions


@pytest.mark.parametrize(
    "version,protocol,sentence",
    [
        ("1.10", "", "读卡程序的版本太旧"),
        ("", "0.9", "网站的版本太旧"),
        ("", "0.9.9", "网站的版本太旧"),
    ],
)
def test_what_is_too_old_is_said_with_a_way_to_the_download(stage, anna, version, protocol, sentence):
    stage.portal.minimum_version, stage.portal.protocol = version, protocol
    anna.open(anna.ask())
    assert sentence in anna.text
    assert f'href="{stage.origin}/downloads"' in anna.text
    assert stage.request.stage == "failed"


def test_a_portal_that_refuses_an_old_bridge_gets_the_same_page(stage, anna):
    stage.portal.claim_status = 426
    anna.open(anna.ask())
    assert "读卡程序的版本太旧" in anna.text
    assert f'href="{stage.origin}/downloads"' in anna.text


@pytest.mark.parametrize("protocol", ["1.0", "1.1", "2.0"])
def test_a_portal_of_the_same_age_or_younger_is_no_trouble(stage, anna, protocol):
    stage.portal.protocol = protocol
    assert anna.open(anna.ask()).find("purpose") == "登录"


def test_other_ends_lead_to_no_download(stage, anna):
    assert "/downloads" not in anna.open(anna.ask()).submit("/pin", answer="no").text


# Registration on Linux


@pytest.fixture
def home(tmp_path):
    """A home folder with a space in its name, and the files that registration writes there."""
    folder = tmp_path / "home folder"
    folder.mkdir()
    return folder


def run(home, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess:
    environment = {"PYTHONPATH": SOURCE, "HOME": str(home), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "eport_card_bridge", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout, check=False)


def desktop_file(home, folder: str) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser()
    parser.optionxform = str
    parser.read(home / folder / "eport-card-bridge.desktop", "utf-8")
    return parser["Desktop Entry"]


def command_of(entry: configparser.SectionProxy) -> list[str]:
    """As the Desktop Entry specification reads Exec: escapes of a value, then quotes as a shell has them, then %%."""
    value = re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), entry["Exec"])
    script = f"for part in {value}; do printf '%s\\0' \"$part\"; done"
    parts = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout.split("\0")
    return [part.replace("%%", "%") for part in parts[:-1]]


def test_registered_it_starts_with_the_desktop_and_by_its_address(home):
    data = home / "my data"
    assert run(home, "--register", "--data", str(data), "--signing-origin", "https://portal.test").returncode == 0
    options = ["--data", str(data), "--signing-origin", "https://portal.test"]
    start = [sys.executable, "-P", "-m", "eport_card_bridge", *options]
    autostart = desktop_file(home, ".config/autostart")
    assert command_of(autostart) == start
    assert "MimeType" not in autostart
    application = desktop_file(home, ".local/share/applications")
    assert command_of(application) == [*start, "--by-address"]
    assert "%u" not in application["Exec"].lower()
    assert application["MimeType"] == "x-scheme-handler/eport-card-bridge;"
    assert run(home, "--unregister").returncode == 0
    assert not list(home.rglob("*.desktop"))
    assert run(home, "--unregister").returncode == 0, "twice does no harm"


def test_the_desktops_own_folders_are_kept_to(home, tmp_path):
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_DATA_HOME": str(tmp_path / "data")}
    install.register_on_linux(["bridge"], environment, home)
    assert (tmp_path / "config/autostart/eport-card-bridge.desktop").exists()
    assert (tmp_path / "data/applications/eport-card-bridge.desktop").exists()
    assert not list(home.iterdir())


@pytest.mark.parametrize(
    "argument", ["plain", "two words", 'a"b', "a\\b", "$HOME", "`x`", "100%u", "", "'", "a\tb", "零"]
)
def test_any_argument_comes_back_out_of_the_desktop_file(argument):
    assert command_of({"Exec": f"bridge {quoted(argument)}"}) == ["bridge", argument]


# Started by the address


@contextlib.contextmanager
def started(home, *arguments: str):
    """The program as the desktop file starts it, until it answers."""
    port = int(arguments[arguments.index("--port") + 1])
    environment = {"PYTHONPATH": SOURCE, "HOME": str(home), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-P", "-m", "eport_card_bridge", *arguments]
    program = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        wait_until(lambda: program.poll() is not None or is_running(port), 60)
        yield program
    finally:
        program.terminate()
        program.wait(10)
        program.stdout.close()


@pytest.mark.parametrize(
    "address",
    [
        ["eport-card-bridge:"],
        ["eport-card-bridge:--signing-origin=https://evil.test"],
        ["--signing-origin", "https://evil.test"],
        ["--client-control", "--client-control-origin=http://evil.test"],
        ["--data", "/tmp/evil"],
        ["--unregister"],
        ["--help"],
    ],
)
def test_what_a_website_adds_to_the_address_is_not_read(home, address):
    """xdg-open puts the address behind the command; a careless one might even split it."""
    port, data = free_port(), home / "data"
    options = ("--port", str(port), "--data", str(data), "--virtual-card", str(free_port()))
    with started(home, *options, "--by-address", *address) as program:
        assert program.poll() is None
        health = f"http://127.0.0.1:{port}/health"
        assert requests.get(health, headers={"Origin": f"http://127.0.0.1:{port}"}, timeout=5).status_code == 200
        assert requests.get(health, headers={"Origin": "https://evil.test"}, timeout=5).status_code != 200
        assert data.is_dir()
        with socket.socket() as control:
            assert control.connect_ex(("127.0.0.1", 61232)) != 0


def test_a_second_start_by_the_address_ends_quietly_and_says_so(stage, home):
    done = run(home, "--port", str(stage.bridge_port), "--by-address", "eport-card-bridge:")
    assert done.returncode == 0
    assert "读卡程序已经开着" in done.stdout
    assert "9779" in done.stdout
    assert done.stderr == ""


def test_a_second_start_by_hand_says_that_the_port_is_taken(stage, home):
    done = run(home, "--port", str(stage.bridge_port))
    assert done.returncode != 0
    assert "9724" in done.stderr


class Impostor(http.server.BaseHTTPRequestHandler):
    """Another program on the port; `said` is what it answers to everything."""

    said = b"{}"

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.said)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("said", [b"", b"{}", b"[]", b'{"version": 1}', b"<html>", b'{"version": "' + b"1" * 5000])
def test_a_port_that_another_program_holds_is_never_taken_for_the_bridge(home, said):
    handler = type("Handler", (Impostor,), {"said": said})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        try:
            done = run(home, "--port", str(other.server_port), "--by-address", "eport-card-bridge:")
        finally:
            other.shutdown()
            thread.join()
    assert done.returncode != 0
    assert "9724" in done.stderr


def test_a_port_that_does_not_answer_is_not_waited_for_long(home, monkeypatch):
    monkeypatch.setattr("eport_card_bridge.health.SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not is_running(silent.getsockname()[1])
    assert not is_running(free_port())


def test_another_users_bridge_is_not_taken_for_ours(stage):
    code = f"from eport_card_bridge.health import is_running; print(is_running({stage.bridge_port}))"
    other = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    if subprocess.run([*other, "true"], capture_output=True, check=False).returncode:
        pytest.skip("cannot become another user here")
    # health.py needs aiohttp; the other user may not read this environment, so its few lines are run by themselves.
    code = (
        "import http.client as h\n"
        f"c = h.HTTPConnection('127.0.0.1', {stage.bridge_port}, timeout=5)\n"
        f"c.request('GET', '/health', headers={{'Origin': '{stage.bridge_origin}'}})\nprint(c.getresponse().status)"
    )
    done = subprocess.run([*other, "/usr/bin/python3", "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "403"


# Registration on Windows


class FakeKey:
    def __init__(self, path: str) -> None:
        self.path = path

    def __enter__(self) -> "FakeKey":
        return self

    def __exit__(self, *_: object) -> None:
        pass


class FakeWinreg:
    """HKEY_CURRENT_USER in memory, as strict as winreg: no parent is deleted before its children."""

    HKEY_CURRENT_USER, REG_SZ, KEY_SET_VALUE = "HKCU", 1, 2

    def __init__(self) -> None:
        self.keys: dict[str, dict[str, str]] = {install.RUN_KEY: {"OneDrive": "onedrive.exe"}}

    def CreateKey(self, root, path):
        assert root == "HKCU"
        names = path.split("\\")
        for end in range(1, len(names) + 1):
            self.keys.setdefault("\\".join(names[:end]), {})
        return FakeKey(path)

    def OpenKey(self, root, path, reserved, access):
        assert (root, reserved, access) == ("HKCU", 0, self.KEY_SET_VALUE)
        if path not in self.keys:
            raise FileNotFoundError(path)
        return FakeKey(path)

    def SetValueEx(self, key, name, reserved, kind, value):
        assert (reserved, kind) == (0, self.REG_SZ)
        self.keys[key.path][name] = value

    def DeleteValue(self, key, name):
        if name not in self.keys[key.path]:
            raise FileNotFoundError(name)
        del self.keys[key.path][name]

    def DeleteKey(self, root, path):
        if path not in self.keys:
            raise FileNotFoundError(path)
        assert not [key for key in self.keys if key.startswith(path + "\\")], "winreg refuses a key with sub-keys"
        del self.keys[path]


def test_on_windows_it_stands_in_the_users_own_registry_and_takes_no_address():
    winreg = FakeWinreg()
    registry = WindowsRegistry(winreg)
    command = [r"C:\Program Files\Python\pythonw.exe", "-P", "-m", "eport_card_bridge"]
    install.register_on_windows(registry, command)
    line = '"C:\\Program Files\\Python\\pythonw.exe" -P -m eport_card_bridge'
    assert winreg.keys[install.RUN_KEY] == {"OneDrive": "onedrive.exe", "eport-card-bridge": line}
    scheme = r"Software\Classes\eport-card-bridge"
    assert winreg.keys[scheme] == {"": "URL:读卡程序", "URL Protocol": ""}
    assert winreg.keys[scheme + r"\shell\open\command"] == {"": line + " --by-address"}
    assert "%1" not in json.dumps(winreg.keys)
    install.unregister_on_windows(registry)
    install.unregister_on_windows(registry)
    assert winreg.keys[install.RUN_KEY] == {"OneDrive": "onedrive.exe"}
    assert not [key for key in winreg.keys if key.startswith(scheme)]


def test_the_windowless_python_is_started_where_there_is_one(tmp_path, monkeypatch):
    for name in ("python.exe", "pythonw.exe"):
        (tmp_path / name).touch()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python.exe"))
    command = install.own_command(["--register", "--port", "1"])
    assert command == [str(tmp_path / "pythonw.exe"), "-P", "-m", "eport_card_bridge", "--port", "1"]

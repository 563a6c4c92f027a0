"""Starts portal and bridge in a thread of the test process, so that a test can play card, portal and stranger."""

import asyncio
import contextlib
import re
import shutil
import socket
import ssl
import threading
import time
from html import unescape
from pathlib import Path

import requests
from aiohttp import web
from aiohttp.abc import AbstractResolver
from card_authority import Authority, messages
from eport_card_bridge.app import BRIDGE, create_app
from eport_card_bridge.bridge import Options
from eport_card_bridge.vpcd import VirtualReader
from portal_stub import Challenge, Portal

from sandbox.card.__main__ import open_card, serve
from sandbox.card.state import change_state, read_state

PIN = "88888888"
PHRASE = "海棠花开过渤海湾"


class ToLoopback(AbstractResolver):
    """Resolves every name to 127.0.0.1 and notes that it was asked: proof that nothing is looked up before consent."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def resolve(self, host, port=0, family=socket.AF_INET):
        self.asked.append(host)
        found = {"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
        return [found]

    async def close(self) -> None:
        pass


class Card:
    """A virtual card, in the test's own process, that can be put into a virtual reader and pulled."""

    def __init__(self, path: Path, reader: VirtualReader, delay_ms: int = 0) -> None:
        change_state(path, delay_ms=delay_ms)
        self.path, self.reader = path, reader
        self.insert()

    def insert(self) -> None:
        self.applet = open_card(self.path)
        self._socket = socket.create_connection(("127.0.0.1", self.reader.port))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        wait_until(lambda: self.reader.presence()[0])

    def _serve(self) -> None:
        try:
            serve(self.applet, self._socket)
        except (EOFError, OSError):
            return

    def pull(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._socket.close()
        wait_until(lambda: not self.reader.presence()[0])

    def put_back(self) -> None:
        self.pull()
        self.insert()

    @property
    def tries(self) -> int:
        return read_state(self.path)["tries"]


class Readers:
    """Several readers at once, as PC/SC would list them."""

    def __init__(self, *readers) -> None:
        self._readers = readers

    def readers(self):
        return list(self._readers)

    def close(self) -> None:
        for reader in self._readers:
            reader.close()


class Stage:
    """Portal and bridge on free ports; an https portal is called portal.test."""

    def __init__(
        self,
        authority: Authority,
        folder: Path,
        scheme="http",
        algorithm="sm2",
        *,
        source=None,
        delay_ms=0,
        signing=True,
    ) -> None:
        folder.mkdir(parents=True)
        self.folder, self.authority = folder, authority
        self.port, self.bridge_port = free_port(), free_port()
        self.origin = f"https://portal.test:{self.port}" if scheme == "https" else f"http://127.0.0.1:{self.port}"
        self.bridge_origin = f"http://127.0.0.1:{self.bridge_port}"
        self.portal = Portal(self.origin, authority.authorities())
        self.card = None
        self._own_source = source is None
        if source is None:
            source = VirtualReader(0)
            self.card = self.put_in(source, getattr(authority, f"{algorithm}_card"), delay_ms)
        self.reader = source
        self.resolver = ToLoopback()
        self._tls = None
        if scheme == "https":
            self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._tls.load_cert_chain(authority.folder / "cert.pem", authority.folder / "key.pem")
        self.options = Options(
            KeptOpen(source),
            folder / "data",
            port=self.bridge_port,
            signing_origins=frozenset([self.origin] if signing else []),
            allow_http_loopback=True,
            resolver=self.resolver,
            tls=ssl.create_default_context(cafile=str(authority.folder / "root.pem")),
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._portal_runner = self._run(self._serve(self.portal.app, self.port, self._tls))
        self.start_bridge()
        self.bridge.store.save_phrase(PHRASE)

    def put_in(self, reader: VirtualReader, path: Path, delay_ms: int = 0) -> Card:
        copy = self.folder / path.name
        shutil.copy(path, copy)
        return Card(copy, reader, delay_ms)

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    async def _serve(self, app: web.Application, port: int, tls) -> web.AppRunner:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
        return runner

    def start_bridge(self) -> None:
        self._app = create_app(self.options)
        self._runner = self._run(self._serve(self._app, self.bridge_port, None))

    def stop_bridge(self) -> None:
        self._run(self._runner.cleanup())

    @property
    def bridge(self):
        return self._app[BRIDGE]

    @property
    def row(self) -> Challenge:
        return self.portal.rows[-1]

    @property
    def request(self):
        """The request as the bridge holds it."""
        return list(self.bridge.requests.values())[-1]

    def close(self) -> None:
        if self.card:
            self.card.pull()
        self.stop_bridge()
        self._run(self._portal_runner.cleanup())
        if self._own_source:
            self.reader.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


class KeptOpen:
    """A source that outlives a restart of the bridge."""

    def __init__(self, source) -> None:
        self.readers = source.readers

    def close(self) -> None:
        pass


class Browser:
    """A well-behaved browser: cookies, navigation headers, Origin on forms, redirects."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.cookies: dict[str, str] = {}
        self.url, self.text, self.status = "", "", 0

    def open(self, url: str, method: str = "GET", data=None, headers=None, hops: int = 8):
        for _ in range(hops):
            host = re.match(r"https?://([^/]+)", url).group(1)
            real = re.sub(r"^(https?)://[a-z]+\.test:", r"\1://127.0.0.1:", url)
            sent = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Host": host, **(headers or {})}
            root = str(self.stage.authority.folder / "root.pem")
            answer = requests.request(
                method,
                real,
                data=data,
                headers=sent,
                cookies=self.cookies,
                verify=root,
                allow_redirects=False,
                timeout=60,
            )
            self.url, self.text, self.status, self.headers = url, answer.text, answer.status_code, answer.headers
            if answer.status_code != 303:
                return self
            target = answer.headers["Location"]
            url = target if target.startswith("http") else re.match(r"https?://[^/]+", url).group(0) + target
            method, data, headers = "GET", None, None
        return self

    def find(self, element: str) -> str:
        match = re.search(rf'id="?{element}"?[^>]*>([^<]*)<', self.text)
        return unescape(match.group(1)) if match else ""

    def field(self, name: str) -> str:
        return unescape(re.search(rf'name="{name}" value="([^"]*)"', self.text).group(1))

    def ask(self, purpose: str = "login", count: int = 2, orders: int = 1) -> str:
        """Starts a challenge; returns the link to the bridge."""
        row = self.stage.portal.create(purpose, messages(count, orders) if purpose == "batch" else [], orders)
        self.cookies["card-" + row.id[:8]] = row.cookie
        return f"{self.stage.bridge_origin}/requests/{row.id}?portal={self.stage.origin}"

    def submit(self, action: str, hops: int = 8, **fields):
        """Posts the form of the bridge page that is open."""
        path = re.search(r'action="([^"]*)"', self.text).group(1)
        assert path.endswith(action), self.text
        hidden = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', self.text))
        own = self.stage.bridge_origin
        headers = {"Origin": own, "Sec-Fetch-Site": "same-origin"}
        return self.open(own + path, "POST", {**hidden, "answer": "yes", **fields}, headers, hops)

    def enter_pin(self, pin: str = PIN, **fields):
        return self.submit("/pin", pin=pin, **fields)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(true, seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)

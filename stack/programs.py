"""The programs of the demonstration as child processes, their environment, and waiting until they answer."""

import base64
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from settings import ROOT


@dataclass
class Ports:
    portal: int = 8080
    sandbox: int = 8090
    smtp: int = 8025
    bridge: int = 61230
    vpcd: int = 35963

    @classmethod
    def from_environment(cls) -> "Ports":
        """EPORT_PORTS: portal,sandbox,smtp,bridge,vpcd, where the usual ones are taken."""
        text = os.environ.get("EPORT_PORTS")
        return cls(*map(int, text.split(","))) if text else cls()

    @classmethod
    def free(cls) -> "Ports":
        """For tests: ports nobody uses now (vpcd's own is fixed by pcscd's reader)."""
        probes = [socket.socket() for _ in range(4)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        numbers = [probe.getsockname()[1] for probe in probes]
        for probe in probes:
            probe.close()
        return cls(*numbers)


@dataclass
class Programs:
    """Children of one demonstration in `folder`. `start…` returns at once; `wait_until_up` waits for all of them."""

    folder: Path
    ports: Ports
    database_url: str
    mode: str = "demo"
    extra: dict = field(default_factory=dict)
    children: dict[str, subprocess.Popen] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.ports.portal}"

    @property
    def sandbox_origin(self) -> str:
        return f"http://127.0.0.1:{self.ports.sandbox}"

    def environment(self) -> dict[str, str]:
        """Settings of the portal, worker and sandbox; secrets of this folder are made once and kept."""
        world = self.folder / "sandbox"
        return {
            "EPORT_MODE": self.mode,
            "EPORT_PUBLIC_ORIGIN": self.origin,
            "EPORT_DATABASE_URL": self.database_url,
            "EPORT_SECRET_KEY": self._secret("secret-key", lambda: "demo" + secrets.token_urlsafe(32)),
            "EPORT_DATA_KEYS": self._secret("data-key", lambda: "demo:" + base64.b64encode(os.urandom(32)).decode()),
            "EPORT_FILE_STORE": str(self.folder / "files"),
            "EPORT_CARD_AUTHORITIES": str(world / "ca"),
            "EPORT_CUSTOMS_FOLDER": str(self.folder / "customs"),
            "EPORT_COMPANY_REGISTER_URL": f"{self.sandbox_origin}/register",
            "EPORT_COMPANY_REGISTER_TOKEN": "sandbox",
            "EPORT_IDENTITY_URL": f"{self.sandbox_origin}/identity",
            "EPORT_IDENTITY_TOKEN": "sandbox",
            "EPORT_SMS_URL": f"{self.sandbox_origin}/sms",
            "EPORT_SMS_TOKEN": "sandbox",
            "EPORT_BANKS": ",".join(f"{slug}={self.sandbox_origin}/bank-{slug}" for slug in ("ccb", "abc", "cmbc")),
            "EPORT_BANK_KEYS": str(world / "banks"),
            "EPORT_SMTP": f"127.0.0.1:{self.ports.smtp}",
            "EPORT_BRIDGE_ORIGIN": f"http://127.0.0.1:{self.ports.bridge}",
            "EPORT_SANDBOX_ORIGIN": self.sandbox_origin,
            "EPORT_DEMO_CAPTCHA": "XXXXX",
            "EPORT_SANDBOX_FOLDER": str(world),
            "EPORT_SANDBOX_PORT": str(self.ports.sandbox),
            "EPORT_SANDBOX_SMTP_PORT": str(self.ports.smtp),
            "EPORT_VPCD_PORT": str(self.ports.vpcd),
            **self.extra,
        }

    def _secret(self, name: str, make) -> str:
        path = self.folder / "secrets" / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(make())
        return path.read_text()

    def prepare(self) -> str:
        """Migrates and seeds, as a program of its own; gives the resume code if it was made now."""
        command = [sys.executable, "-m", "stack.prepare"]
        environ = {**os.environ, **self.environment()}
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the demonstration could not be prepared:\n{done.stderr[-2000:]}")
        return done.stdout.strip()

    # -- starting

    def start_sandbox(self) -> None:
        self._start("sandbox", sys.executable, "-m", "sandbox")

    def start_portal(self, workers: int = 2) -> None:
        address = ("--host", "127.0.0.1", "--port", str(self.ports.portal))
        self._start("portal", sys.executable, "-m", "granian", "--interface", "wsgi", *address, "--workers", str(workers),
                    "--blocking-threads", "4", "--no-ws", "--factory", "app:create_app")  # fmt: skip

    def start_worker(self) -> None:
        self._start("worker", sys.executable, "worker.py")

    def start_bridge(self, virtual: bool) -> None:
        """`virtual`: no PC/SC here, so the bridge listens for the card program itself."""
        options = ["--port", str(self.ports.bridge), "--data", str(self.folder / "bridge"), "--allow-http-loopback"]
        options += ["--signing-origin", self.origin]
        options += ["--virtual-card", str(self.ports.vpcd)] if virtual else []
        self._start("bridge", sys.executable, "-m", "eport_card_bridge", *options)

    def _start(self, name: str, *command: str) -> None:
        log = open(self.folder / f"{name}.log", "ab")  # noqa: SIM115  (the child keeps it)
        path = f"{ROOT / 'card_bridge' / 'src'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
        environ = {**os.environ, "PYTHONPATH": path, **self.environment()}
        self.children[name] = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        log.close()

    # -- waiting and ending

    def wait_until_up(self, seconds: float = 60) -> None:
        """Raises RuntimeError with the end of the log of a program that did not come up."""
        wanted = {"sandbox": f"{self.sandbox_origin}/", "portal": f"{self.origin}/health"}
        for name, url in wanted.items():
            if name in self.children:
                self._wait(name, seconds, lambda url=url: is_up(url))
        if "bridge" in self.children:
            self._wait("bridge", seconds, lambda: _listens(self.ports.bridge))

    def _wait(self, name: str, seconds: float, is_up) -> None:
        end = time.monotonic() + seconds
        while not is_up():
            if self.children[name].poll() is not None or time.monotonic() > end:
                log = (self.folder / f"{name}.log").read_text("utf-8", "replace")[-2000:]
                raise RuntimeError(f"{name} did not start:\n{log}")
            time.sleep(0.1)

    def dead(self) -> list[str]:
        return [name for name, child in self.children.items() if child.poll() is not None]

    def stop(self, *names: str, sign=signal.SIGTERM) -> None:
        """All of them, or those named; a program that does not end within 8 seconds is killed."""
        chosen = {name: self.children.pop(name) for name in names or tuple(self.children)}
        for child in chosen.values():
            if child.poll() is None:
                os.killpg(child.pid, sign)
        for child in chosen.values():
            try:
                child.wait(8)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

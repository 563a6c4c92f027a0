"""Signatures a second of the card bridge for a batch under one PIN ÷ those of bare pyscard on the same virtual card.

`bridge [messages]`, 500 by default. Both send the same command through the same pcscd to the same card program, in turn,
three times; the ratio is that of the medians. The bridge is a program of its own and sends each signature by HTTP to a
portal that only keeps it (the tests' stub; each signature is verified afterwards). Its rate is taken from the first to
the last signature that the portal got, so PIN page and release are not in it. Three figures for each card: at full speed
with a portal that takes several signatures in a call, with one that takes each alone, and at the speed of a real card,
200 signatures a minute. At full speed virtual card, pcscd, bridge and portal share the cores of this machine.
"""

import asyncio
import base64
import hashlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from aiohttp import web
from smartcard import scard

from sandbox.card import stack as card_stack
from sandbox.card.applet import AID, DIGEST_INFO
from sandbox.card.state import change_state
from settings import ROOT
from stack.programs import Ports, Programs

sys.path.insert(0, str(ROOT / "card_bridge" / "src"))
sys.path.insert(0, str(ROOT / "card_bridge" / "tests"))

from bridge_stage import PIN, Browser, wait_until
from card_authority import Authority, messages
from portal_checks import signed_message
from portal_stub import Challenge, Portal

TURNS = 3
IKEY_MS, IKEY_COUNT = 300, 20  # 200 signatures a minute
AT_ONCE = 32  # signatures in one call, as a portal may allow
FIGURES = {"rsa": "bridge_ratio", "sm2": "bridge_sm2_ratio"}
SELECT = bytes([0, 0xA4, 4, 0, len(AID)]) + AID + b"\0"
VERIFY = bytes([0, 0x20, 0, 0x81, len(PIN)]) + PIN.encode()


class KeepingPortal(Portal):
    """Keeps signatures and when they came; `verify` is for afterwards."""

    def __init__(self, origin: str, authorities: list[bytes]) -> None:
        super().__init__(origin, authorities)
        self.came: list[float] = []

    def _keep(self, row: Challenge, index: int, text: str) -> None:
        row.signed[index] = base64.b64decode(text)
        self.came.append(time.monotonic())
        row.state = "finished" if len(row.signed) == len(row.messages) else "released"

    def verify(self) -> None:
        """Raises NotVerified."""
        row = self.rows[-1]
        certificate = base64.b64decode(row.answer["certificate"])
        for index, message in enumerate(row.messages):
            signed_message(message, certificate, row.signed[index])


def main(count: int = 500) -> None:
    if lacking := card_stack.missing():
        sys.exit(lacking)
    with tempfile.TemporaryDirectory(prefix="eport-bench-") as name:
        folder = Path(name)
        authority = Authority(folder)
        ports = Ports.free()
        ports.vpcd = Ports.free().portal
        card_stack.start(folder / "pcsc", ports.vpcd)
        programs = Programs(folder, ports, "")
        try:
            programs.start_bridge(virtual=False)
            programs.wait_until_up()
            with serving(KeepingPortal(programs.origin, authority.authorities()), ports.portal) as portal:
                stage = SimpleNamespace(
                    portal=portal, authority=authority, origin=portal.origin,
                    bridge_origin=f"http://127.0.0.1:{ports.bridge}",
                )  # fmt: skip
                for algorithm in FIGURES:
                    measure(stage, programs, algorithm, count)
        finally:
            programs.stop()
            card_stack.stop(folder / "pcsc")


@contextmanager
def serving(portal: KeepingPortal, port: int) -> Iterator[KeepingPortal]:
    """The portal in a thread of this process, which does nothing else meanwhile."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    def run(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(20)

    runner = web.AppRunner(portal.app, access_log=None)
    run(runner.setup())
    run(web.TCPSite(runner, "127.0.0.1", port).start())
    yield portal
    run(runner.cleanup())
    loop.call_soon_threadsafe(loop.stop)


def measure(stage, programs: Programs, algorithm: str, count: int) -> None:
    state = getattr(stage.authority, f"{algorithm}_card")
    with card_in(programs, state):
        for delay, number, at_once, suffix in (
            (0, count, AT_ONCE, ""), (0, count, 1, "_one_in_a_call"), (IKEY_MS, IKEY_COUNT, 1, "_at_200_a_minute"),
        ):  # fmt: skip
            change_state(state, delay_ms=delay)
            stage.portal.signatures_at_once = at_once
            turns = [(bare(algorithm, number), through_bridge(stage, number)) for _ in range(TURNS)]
            alone, bridge = (statistics.median(rates) for rates in zip(*turns, strict=True))
            print(f"{algorithm}, {number} messages, {delay} ms a signature, up to {at_once} in a call:")
            print(f"  pyscard and bridge, signatures a second: {', '.join(f'{a:.1f} {b:.1f}' for a, b in turns)}")
            print(f"FIGURE {FIGURES[algorithm]}{suffix} {bridge / alone:.2f} ratio", flush=True)


@contextmanager
def card_in(programs: Programs, state: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "sandbox.card", "--state", str(state), "--port", str(programs.ports.vpcd)]
    with subprocess.Popen(command, cwd=ROOT) as card:
        time.sleep(2)  # pcscd looks every 0.4 s
        try:
            yield
        finally:
            card.terminate()
    time.sleep(1)


def bare(algorithm: str, count: int) -> float:
    """Signatures a second of one transaction with pyscard's own calls."""
    _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    _, readers = scard.SCardListReaders(context, [])
    reader = next(name for name in readers if name.endswith("00 00"))
    _, card, _ = scard.SCardConnect(context, reader, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T1)
    scard.SCardBeginTransaction(card)
    for command in (SELECT, VERIFY):
        transmit(card, command)
    commands = [sign_command(algorithm, number) for number in range(count)]
    began = time.monotonic()
    for command in commands:
        transmit(card, command)
    seconds = time.monotonic() - began
    scard.SCardEndTransaction(card, scard.SCARD_RESET_CARD)
    scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
    scard.SCardReleaseContext(context)
    return count / seconds


def sign_command(algorithm: str, number: int) -> bytes:
    """PSO: COMPUTE DIGITAL SIGNATURE over some digest, as the bridge sends it for a message."""
    text = str(number).encode()
    head = b"" if algorithm == "sm2" else next(iter(DIGEST_INFO))  # of SHA-1
    block = head + hashlib.new("sm3" if algorithm == "sm2" else "sha1", text).digest()
    return bytes([0, 0x2A, 0x9E, 0x9A, len(block)]) + block + b"\0"


def transmit(card, command: bytes) -> bytes:
    _, answer = scard.SCardTransmit(card, scard.SCARD_PCI_T1, list(command))
    if answer[-2:] != [0x90, 0x00]:
        sys.exit(f"the card answers {bytes(answer[-2:]).hex()} to {command.hex()}")
    return bytes(answer[:-2])


def through_bridge(stage, count: int) -> float:
    """Signatures a second of one batch, from the first to the last that the portal got."""
    portal, browser = stage.portal, Browser(stage)
    row = portal.create("batch", messages(count))
    browser.cookies["card-" + row.id[:8]] = row.cookie
    portal.came.clear()
    browser.open(f"{stage.bridge_origin}/requests/{row.id}?portal={stage.origin}")
    wait_until(lambda: 'name="pin"' in browser.open(browser.url).text, 60)
    browser.enter_pin(PIN)
    wait_until(lambda: row.state == "finished", 60 + count)
    portal.verify()
    return (count - 1) / (portal.came[-1] - portal.came[0])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

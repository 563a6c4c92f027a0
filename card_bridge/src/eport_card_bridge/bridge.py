"""State of the running bridge, and what is done for a request outside the browser's view."""

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from .cards import Card
from .client_control.options import ControlOptions
from .guard import Tokens
from .outcomes import CAN_GO_ON, Outcome, Stop
from .pin_change import PinChanges, TypedCode, TypedPins
from .portal_client import PortalClient
from .readers import CardInReader, ReaderList, find_cards
from .requests import Request, claim
from .store import Store
from .tries import PinTries
from .worker import HELD_SECONDS, Attempt, PinEntry, Worker, resolve

T = TypeVar("T")
LOG = logging.getLogger(__name__)
LOOK_SECONDS = 5
PAUSE_SECONDS = 6  # a slow card takes 5 s for a signature
KEEP_ENDED_SECONDS = 600
# Their sentences speak of what is signed; in a PIN change the card has done nothing yet when they arise.
BEFORE_THE_CHANGE = {Outcome.REMOVED, Outcome.CARD_RESET, Outcome.STOPPED}


@dataclass
class Options:
    """What the command line gives."""

    source: ReaderList
    data_folder: Path
    port: int = 61230
    signing_origins: frozenset[str] = frozenset()
    allow_http_loopback: bool = False
    hotline: str = "95198"
    resolver: Any = None
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    client_control: ControlOptions | None = None


class Bridge:
    """Requests live in memory only: after a restart the portal starts a new one over what is unsigned."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.store = Store(options.data_folder, options.signing_origins)
        self.tokens = Tokens()
        self.requests: dict[tuple[str, str], Request] = {}
        self.pin_changes, self.unlocks = PinChanges(), PinChanges()
        self._tries = PinTries()
        self._codes = PinTries(Outcome.UNLOCK_CODE_BLOCKED, Outcome.UNLOCK_REINSERT)
        self._pool = ThreadPoolExecutor(max_workers=8)
        self._tasks: set[asyncio.Task] = set()

    def _start(self, coroutine: Coroutine) -> asyncio.Task:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        for request in self.requests.values():
            await request.client.close()
        self.options.source.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def get_request(self, origin: str, request_id: str) -> Request:
        """Gives the request, claiming it the first time. Reload, Back and double click never claim twice."""
        request = self.requests.get((origin, request_id))
        if request is None:
            await self._forget_old()
            client = PortalClient(origin, request_id, self.options.tls, self.options.resolver)
            request = self.requests[origin, request_id] = Request(origin, request_id, client)
            request.task = self._start(self._read(request))
        if request.task and not request.task.done():
            await asyncio.wait([request.task], timeout=1)
        return request

    async def _forget_old(self) -> None:
        now = time.monotonic()
        for key, request in list(self.requests.items()):
            ended = request.stage in ("done", "failed") and now > request.ended + KEEP_ENDED_SECONDS
            if ended or (now > request.ends and request.stage != "signing"):
                del self.requests[key]
                await request.client.close()

    async def _read(self, request: Request) -> None:
        try:
            await claim(request, self.store.may_sign_messages(request.origin))
            request.stage = "pin"
        except Stop as stop:
            await self.end(request, stop, "entry")
        finally:
            if request.stage == "reading":  # an error of ours: the page must not wait for ever
                request.stage, request.stop, request.ended = "failed", Stop(Outcome.CONTENT), time.monotonic()

    async def end(self, request: Request, stop: Stop, page: str) -> None:
        """The request is at its end, for better or worse; the portal is told the number."""
        request.stage = "done" if stop.outcome is Outcome.OK else "failed"
        request.stop, request.ended = stop.bare, time.monotonic()
        LOG.info("outcome %s for %s", stop.outcome.number, request.origin)
        await request.client.report(page, stop.outcome)
        await request.client.close()

    async def look_at_cards(self) -> tuple[list[CardInReader], Stop | None]:
        """The cards that are in, or why none can be used. Another program may hold one for as long as it likes."""
        work = asyncio.get_running_loop().run_in_executor(self._pool, find_cards, self.options.source)
        try:
            return await asyncio.wait_for(asyncio.shield(work), LOOK_SECONDS), None
        except Stop as stop:
            return [], stop
        except TimeoutError:
            work.add_done_callback(take_result)
            return [], Stop(Outcome.HELD)

    async def sign(self, request: Request, pin: str, serial: str) -> str:
        """Starts the card work; gives the URL that releases M, or an empty text if it came to nothing."""
        before, request.stage, request.stop, request.is_to_pause = request.stage, "signing", None, False
        started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        attempt = Attempt(serial=serial, pin=pin, request=request, started=started)
        self._start(self._work(attempt, before))
        return await started

    async def pause(self, request: Request) -> None:
        """Stops the signing between two messages; waits a little, so that the page can say so."""
        request.is_to_pause = True
        end = time.monotonic() + PAUSE_SECONDS
        while request.stage == "signing" and time.monotonic() < end:
            await asyncio.sleep(0.05)

    async def _work(self, attempt: Attempt, before: str) -> None:
        """Maps every way the card work can stop to a stage from which the user can go on."""
        request = attempt.request
        try:
            await self._run(attempt, lambda worker: worker.sign(attempt))
            await self.end(request, Stop(Outcome.OK), "signing" if request.messages else "pin")
        except Stop as stop:
            page = "signing" if request.code_sent else "pin"
            if stop.outcome in CAN_GO_ON and time.monotonic() < request.ends:
                request.stop, request.stage = stop.bare, "stopped" if request.code_sent else before
                LOG.info("outcome %s for %s", stop.outcome.number, request.origin)
                await request.client.report(page, stop.outcome)
            else:
                await self.end(request, stop, page)
        finally:
            if request.stage == "signing":  # an error of ours: what is signed stays, the user may go on
                request.stop, request.stage = Stop(Outcome.STOPPED), "stopped" if request.code_sent else before
            resolve(attempt.started, "")

    def start_pin_change(self, token: str, typed: TypedPins) -> None:
        """Goes on when the browser is closed; what came of it stands under `token`."""
        self.pin_changes.add(token, self._start(self.change_pin(typed)))

    async def change_pin(self, typed: TypedPins) -> Stop:
        """Gives the outcome, good or bad."""
        return await self._write_pin(typed, Worker.change_pin, Outcome.PIN_NOT_CHANGED)

    def start_unlock(self, token: str, typed: TypedCode) -> None:
        self.unlocks.add(token, self._start(self._write_pin(typed, Worker.unlock, Outcome.NOT_UNLOCKED)))

    async def _write_pin(
        self, typed: TypedPins, command: Callable[[Worker, PinEntry], None], not_done: Outcome
    ) -> Stop:
        try:
            typed.check()
            entry = PinEntry(serial=typed.serial, pin=typed.old, new_pin=typed.new)
            await self._run(entry, lambda worker: command(worker, entry))
            stop = typed.success
        except Stop as trouble:
            stop = Stop(not_done) if trouble.outcome in BEFORE_THE_CHANGE else trouble.bare
        LOG.info("outcome %s of a new PIN", stop.outcome.number)
        return stop

    async def use_card(self, pin: str, job: Callable[[Card], T]) -> T:
        """For another program (client control): one PIN entry, one transaction, no choice of card; raises Stop."""
        entry = PinEntry(serial="", pin=pin)
        return await self._run(entry, lambda worker: worker.use(entry, job))

    async def _run(self, entry: PinEntry, action: Callable[[Worker], T]) -> T:
        """The card work in a thread. While another program holds the card the PIN is kept for HELD_SECONDS only."""
        loop = asyncio.get_running_loop()
        worker = Worker(self.options.source, loop, self._tries, self._codes)
        work = loop.run_in_executor(self._pool, action, worker)
        opened = asyncio.create_task(entry.opened.wait())
        await asyncio.wait([work, opened], timeout=HELD_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()
        if not work.done() and entry.give_up():
            work.add_done_callback(take_result)
            raise Stop(Outcome.HELD)
        return await work


def take_result(work: asyncio.Future) -> None:
    """Work that nobody waits for any more may still end in a Stop."""
    with contextlib.suppress(Stop, asyncio.CancelledError):
        work.result()

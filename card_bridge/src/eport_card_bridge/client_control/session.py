"""One connection of the client control: requests are read at once, worked off one after the other, answered by id."""

import asyncio
import logging
from collections.abc import Callable

from aiohttp import WSMsgType, web

from ..outcomes import Outcome, Stop
from . import methods, wire
from .desk import CardDesk
from .framing import LARGEST_TEXT, MARK, Assembler
from .wire import BadCall, Call

LOG = logging.getLogger(__name__)
MOST_WAITING = 8  # requests of one connection, and their characters together at most LARGEST_TEXT
SEND_SECONDS = 20


class Session:
    """`abort` cuts the connection off; `name` is the origin, or stands for a program without one."""

    def __init__(
        self, socket: web.WebSocketResponse, abort: Callable[[], None], desk: CardDesk, name: str, may_use_raw: bool
    ) -> None:
        self._socket, self._abort = socket, abort
        self._desk, self._name, self._may_use_raw = desk, name, may_use_raw
        self._assembler = Assembler()
        self._calls: asyncio.Queue[tuple[Call, int] | None] = asyncio.Queue()
        self._waiting, self._characters = 0, 0

    async def run(self) -> None:
        """Until the client closes. Card work that has begun is ended properly although nobody waits for it."""
        worker = asyncio.create_task(self._work())
        try:
            await self._say(wire.hello())
            while await self._take_next():
                pass
        finally:
            while not self._calls.empty():
                self._calls.get_nowait()
            self._calls.put_nowait(None)
            await worker

    async def _take_next(self) -> bool:
        """False when there is nothing more to take. A call of its own, as `_do_next`: what it read, perhaps a PIN, is
        forgotten with it and does not stay until the next message."""
        message = await self._socket.receive()
        if message.type is not WSMsgType.TEXT:
            return False
        await self._take(message.data)
        return True

    async def _say(self, text: str) -> None:
        """A client that does not read is cut off."""
        try:
            await asyncio.wait_for(self._socket.send_str(text), SEND_SECONDS)
        except (TimeoutError, ConnectionError):
            self._abort()

    async def _take(self, text: str) -> None:
        """One message: a request, or a block of one. A request that cannot wait is refused, not held up."""
        if text.startswith(MARK):
            progress = self._assembler.take(text)
            if progress is None:
                return await self._say(wire.failure(0, "_nextBlock", Stop(Outcome.CONTROL_ARGUMENTS)))
            await self._say(wire.next_block(progress))
            if progress.text is None:
                return None
            text = progress.text
        try:
            call = wire.read_call(text)
        except BadCall as bad:
            return await self._say(wire.failure(bad.id, bad.method, Stop(Outcome.CONTROL_ARGUMENTS)))
        if self._waiting >= MOST_WAITING or self._characters + len(text) > LARGEST_TEXT:
            return await self._say(wire.failure(call.id, call.method, Stop(Outcome.CONTROL_BUSY)))
        self._waiting, self._characters = self._waiting + 1, self._characters + len(text)
        self._calls.put_nowait((call, len(text)))
        return None

    async def _work(self) -> None:
        try:
            while await self._do_next():
                pass
            await asyncio.wait_for(self._socket.close(), SEND_SECONDS)
        finally:
            self._abort()

    async def _do_next(self) -> bool:
        waiting = await self._calls.get()
        if waiting is None:
            return False
        call, size = waiting
        await self._say(await self._answer(call))
        self._waiting, self._characters = self._waiting - 1, self._characters - size
        return True

    async def _answer(self, call: Call) -> str:
        try:
            data = await methods.answer(call, self._desk, self._may_use_raw)
        except Stop as stop:
            LOG.info("client control: %r of %s, outcome %s", call.method, self._name, stop.outcome.number)
            return wire.failure(call.id, call.method, stop)
        LOG.info("client control: %r of %s done", call.method, self._name)
        return wire.success(call.id, call.method, data)

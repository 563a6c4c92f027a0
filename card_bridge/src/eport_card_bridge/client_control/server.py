"""The door of the client control on 127.0.0.1: who may connect, how many, and how long a handshake may take."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from ..bridge import Bridge
from ..outcomes import Outcome
from ..peer import is_same_user
from .desk import CardDesk
from .framing import LARGEST_TEXT
from .options import ControlOptions
from .session import Session

LOG = logging.getLogger(__name__)
MOST_CONNECTIONS = 32
HANDSHAKE_SECONDS = 5
HEARTBEAT_SECONDS = 30
LOCAL_PROGRAM = "a local program"


class Hall:
    """All connections. One that has not become a WebSocket within HANDSHAKE_SECONDS is cut off."""

    def __init__(self) -> None:
        self._timers: dict[asyncio.Transport, asyncio.TimerHandle] = {}

    def admit(self, transport: asyncio.Transport) -> bool:
        """Refuses other users of this machine and whoever comes when all places are taken."""
        if len(self._timers) >= MOST_CONNECTIONS:
            LOG.warning("client control: refused, too many connections")
            return False
        peer, own = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        if not peer or not is_same_user(peer, own):  # no peer: it has gone again
            LOG.warning("client control: refused, other user")
            return False
        self._timers[transport] = asyncio.get_running_loop().call_later(HANDSHAKE_SECONDS, transport.abort)
        return True

    def welcome(self, transport: asyncio.Transport) -> None:
        """It has become a WebSocket, unless it has gone again."""
        if transport in self._timers:
            self._timers[transport].cancel()

    def leave(self, transport: asyncio.Transport) -> None:
        self._timers.pop(transport).cancel()

    def close(self) -> None:
        for transport in list(self._timers):
            transport.abort()


class Gate(asyncio.Protocol):
    """Stands before aiohttp's protocol of one connection: what the hall does not admit never reaches it."""

    def __init__(self, hall: Hall, server: web.Server) -> None:
        self._hall, self._server = hall, server
        self._inner: asyncio.Protocol | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        if not self._hall.admit(transport):
            transport.abort()
            return
        self._transport, self._inner = transport, self._server()
        self._inner.connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._inner:
            self._hall.leave(self._transport)
            self._inner.connection_lost(error)

    def data_received(self, data: bytes) -> None:
        if self._inner:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._inner else None

    def pause_writing(self) -> None:
        if self._inner:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner:
            self._inner.resume_writing()


class Entrance:
    """The handshake: exact Host, an origin of the list, or none at all, which is a program of this user."""

    def __init__(self, bridge: Bridge, options: ControlOptions, hall: Hall) -> None:
        self._desk, self._options, self._hall = CardDesk(bridge), options, hall

    async def connect(self, request: web.Request) -> web.StreamResponse:
        origins = request.headers.getall("Origin", [])
        if request.path_qs != "/":
            return refuse(request, 404, Outcome.FORM)
        if request.headers.getall("Host", []) != [self._options.host]:
            return refuse(request, 421, Outcome.FORM)
        if not (origins == [] or (len(origins) == 1 and origins[0] in self._options.origins)):
            return refuse(request, 403, Outcome.ORIGIN)
        answer = web.WebSocketResponse(
            max_msg_size=LARGEST_TEXT, heartbeat=HEARTBEAT_SECONDS, compress=False, timeout=HANDSHAKE_SECONDS
        )
        if request.method != "GET" or not answer.can_prepare(request).ok:
            return refuse(request, 400, Outcome.FORM)
        transport, name = request.transport, "".join(origins) or LOCAL_PROGRAM
        if transport is not None:
            await answer.prepare(request)
            self._hall.welcome(transport)
            may_use_raw = name in self._options.raw_origins
            await Session(answer, transport.abort, self._desk, name, may_use_raw).run()
        return answer


def refuse(request: web.Request, status: int, outcome: Outcome) -> web.Response:
    LOG.warning("client control: refused with %s, origin %r", status, request.headers.get("Origin"))
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    answer = web.Response(status=status, text=f"{outcome.sentence}编号{outcome.shown}", headers=headers)
    answer.force_close()
    return answer


@asynccontextmanager
async def serve(bridge: Bridge, options: ControlOptions) -> AsyncIterator[None]:
    hall = Hall()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", Entrance(bridge, options, hall).connect)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    listener = await asyncio.get_running_loop().create_server(lambda: Gate(hall, runner.server), sock=options.socket)
    try:
        yield
    finally:
        listener.close()
        hall.close()
        await runner.cleanup()

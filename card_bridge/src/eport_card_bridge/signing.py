"""Signs the messages of a batch: the card works on the next one while the signature before is on its way."""

import asyncio
import base64
import concurrent.futures
import itertools
import threading
import time
from typing import Any

from .cards import Card
from .messages import PROFILE_OF, build_signed_info
from .outcomes import Outcome, Stop
from .requests import Request

KEEP_ALIVE_SECONDS = 2
RETRY_PAUSES = (1, 2, 4)
MOST_UNSENT = 64  # signatures that the portal has not stored yet; the card waits then
GATHER_SECONDS, LOOKS = 0.04, 4  # so long a portal that takes several waits for more to come together


def wait_with_card(work: concurrent.futures.Future, card: Card) -> Any:
    """The result of `work`. Windows resets a card whose transaction is idle for 5 s, so it is kept busy meanwhile."""
    while True:
        try:
            return work.result(timeout=KEEP_ALIVE_SECONDS)
        except TimeoutError:
            if work.done():
                raise
            card.tries_left()


class Signing:
    """One run over the list under one PIN entry, from the first message without a signature on.

    What the card has signed and the portal has not stored is in `request.unsent`, and stays there after a stop: it is
    sent first then, so that nothing is signed twice. Signatures are stored in the order of the list: one in a call, or as
    many as have come together if the portal takes them so.
    """

    def __init__(self, request: Request, card: Card, loop: asyncio.AbstractEventLoop) -> None:
        self._request, self._card, self._loop = request, card, loop
        self._first = request.signed + len(request.unsent)
        self._room = threading.Semaphore(MOST_UNSENT - len(request.unsent))
        self._news = asyncio.Event()
        self._all_made = self._is_hurried = self._is_idle = False

    def run(self) -> None:
        """In the card's thread; raises Stop. Nothing is being sent any more when it ends."""
        sending = asyncio.run_coroutine_threadsafe(self._send(), self._loop)
        try:
            self._make(sending)
            self._no_more()
            wait_with_card(sending, self._card)
        finally:
            self._is_hurried = True
            self._no_more()
            concurrent.futures.wait([sending])

    def _no_more(self) -> None:
        self._all_made = True
        self._loop.call_soon_threadsafe(self._news.set)

    def _make(self, sending: concurrent.futures.Future) -> None:
        """Signs until all is signed or the sending has failed; raises Stop."""
        request = self._request
        for message in request.messages[self._first :]:
            while not self._room.acquire(timeout=KEEP_ALIVE_SECONDS):
                self._card.tries_left()
            if sending.done():
                return
            if request.is_to_pause:
                raise Stop(Outcome.PAUSED)
            if time.monotonic() > request.ends:
                raise Stop(Outcome.EXPIRED)
            signature = self._card.sign_message(build_signed_info(message, PROFILE_OF[self._card.algorithm]))
            request.unsent.append(base64.b64encode(signature).decode())
            if self._is_idle:  # to wake the loop for each signature would cost more than the sending
                self._loop.call_soon_threadsafe(self._news.set)

    async def _send(self) -> None:
        """In the event loop, until all that is made is stored; raises Stop."""
        request = self._request
        try:
            while True:
                self._is_idle, is_last = True, self._all_made  # both before looking at what there is
                if request.unsent:
                    self._is_idle = False
                    await self._gather()
                    await self._store(list(itertools.islice(request.unsent, request.at_once)))
                elif is_last:
                    return
                else:
                    await self._news.wait()
                    self._news.clear()
        finally:
            self._room.release()  # wakes the card's thread, which then sees that this has ended

    async def _gather(self) -> None:
        """Until as many have come together as the portal takes in a call, the card has no more, or the time is over."""
        for _ in range(LOOKS):
            if len(self._request.unsent) >= self._request.at_once or self._all_made:
                return
            await asyncio.sleep(GATHER_SECONDS / LOOKS)

    async def _store(self, signatures: list[str]) -> None:
        """Sends the first ones of what is unsent; raises Stop. A short trouble of the network costs no new PIN, for
        storing twice does no harm. Once the card has stopped there is no point in waiting: what is left is sent when the
        work goes on."""
        request = self._request
        for pause in (*RETRY_PAUSES, None):
            try:
                await request.client.store_signatures(request.signed, signatures)
                break
            except Stop as stop:
                if stop.outcome is not Outcome.UNREACHABLE or pause is None or self._is_hurried:
                    raise
                await asyncio.sleep(pause)
        for _ in signatures:
            request.unsent.popleft()
        request.signed += len(signatures)
        self._room.release(len(signatures))

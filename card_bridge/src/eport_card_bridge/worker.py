"""The card work for one PIN entry, in a thread: everything inside one transaction that ends with a reset."""

import asyncio
import base64
import datetime
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .cards import Card
from .messages import PROFILE_OF
from .outcomes import PIN_SPENT, Outcome, Stop
from .readers import CardInReader, ReaderList, choose_card, find_cards
from .requests import Request
from .signing import KEEP_ALIVE_SECONDS, Signing, wait_with_card
from .statement import build_statement
from .tries import Insertion, PinTries

T = TypeVar("T")
RELEASE_SECONDS = 60
HELD_SECONDS = 10
RELEASE_POLL_SECONDS = 0.05


@dataclass(kw_only=True)
class PinEntry:
    """What was typed once, for the card with this number; `new_pin` only when the PIN is to be changed."""

    serial: str
    pin: str = field(repr=False)
    new_pin: str = field(repr=False, default="")
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _state: str = "waiting"

    def open(self) -> tuple[str, str]:
        """Takes the PINs, once, when the card is ours; empty texts say that the user no longer waits."""
        with self._lock:
            pins = self.pin, self.new_pin
            self.pin = self.new_pin = ""
            if self._state == "waiting":
                self._state = "open"
            return pins

    def give_up(self) -> bool:
        """Another program holds the card: forgets the PIN. False if the card has been opened after all."""
        with self._lock:
            if self._state != "waiting":
                return False
            self._state = "given up"
            self.pin = self.new_pin = ""
            return True


@dataclass(kw_only=True)
class Attempt(PinEntry):
    """A PIN entry to sign. `started` gets the URL the browser is sent to as soon as M is in quarantine."""

    request: Request
    started: asyncio.Future[str]


class Worker:
    """Portal calls go back to the event loop; card commands stay in the calling thread."""

    def __init__(self, source: ReaderList, loop: asyncio.AbstractEventLoop, tries: PinTries, codes: PinTries) -> None:
        self._source, self._loop, self._tries, self._codes = source, loop, tries, codes

    def sign(self, attempt: Attempt) -> None:
        """Signs M, and for a batch its messages; raises Stop."""
        with self._hold(attempt.serial, attempt.request.card) as (card, insertion):
            self._work(card, attempt, insertion)

    def change_pin(self, entry: PinEntry) -> None:
        """Changes the PIN; raises Stop. The certificate may have expired: the card is still its holder's."""
        with self._hold(entry.serial, None) as (card, insertion):
            pin, new_pin = entry.open()
            if not pin:
                return
            self._loop.call_soon_threadsafe(entry.opened.set)
            self._spend(card, insertion, lambda: card.change_pin(pin, new_pin))

    def unlock(self, entry: PinEntry) -> None:
        """Gives the card the new PIN; `entry.pin` is the unlock code (解锁码). Raises Stop."""
        with self._hold(entry.serial, None) as (card, insertion):
            code, new_pin = entry.open()
            if not code:
                return
            self._loop.call_soon_threadsafe(entry.opened.set)
            self._codes.check(card.serial, insertion, card.unlock_tries_left())
            spend(self._codes, card, insertion, lambda: card.unlock(code, new_pin))
            self._tries.right(card.serial)

    def use(self, entry: PinEntry, job: Callable[[Card], T]) -> T:
        """For another program (client control): what `job` makes of the card once the PIN is verified; raises Stop."""
        with self._hold(entry.serial, None) as (card, insertion):
            pin, _ = entry.open()
            if not pin:
                raise Stop(Outcome.HELD)
            self._loop.call_soon_threadsafe(entry.opened.set)
            check_validity(card)
            self._spend(card, insertion, lambda: card.verify_pin(pin))
            return job(card)

    @contextmanager
    def _hold(self, serial: str, shown: CardInReader | None) -> Iterator[tuple[Card, Insertion]]:
        """The chosen card, and no other, in a transaction of its own, with its insertion as it was before."""
        if shown is None or shown.serial != serial or not shown.reader.presence()[0]:
            shown = choose_card(find_cards(self._source), serial)
        reader = shown.reader
        present, counter = reader.presence()
        if not present:
            raise Stop(Outcome.NO_CARD)
        if not reader.lock.acquire(timeout=HELD_SECONDS):
            raise Stop(Outcome.HELD)
        try:
            with reader.card() as card:
                if card.serial != shown.serial:
                    raise Stop(Outcome.WRONG_CARD)
                yield card, Insertion(reader.name, counter, reader.removable)
        finally:
            reader.lock.release()

    def _work(self, card: Card, attempt: Attempt, insertion: Insertion) -> None:
        pin, _ = attempt.open()
        if not pin:
            return
        self._loop.call_soon_threadsafe(attempt.opened.set)
        self._open(card, attempt.request, pin, insertion)
        del pin
        self._answer(attempt, card)
        if attempt.request.messages:
            self._sign_messages(attempt.request, card)

    def _open(self, card: Card, request: Request, pin: str, insertion: Insertion) -> None:
        """Checks all that can be checked before a try is spent, then verifies the PIN."""
        if request.certificate and request.certificate != card.certificate_der:
            raise Stop(Outcome.WRONG_CARD)
        check_validity(card)
        if request.messages and PROFILE_OF.get(card.algorithm) not in request.profiles:
            raise Stop(Outcome.ALGORITHM)
        self._spend(card, insertion, lambda: card.verify_pin(pin))

    def _spend(self, card: Card, insertion: Insertion, command: Callable[[], None]) -> None:
        self._tries.check(card.serial, insertion, card.tries_left())
        spend(self._tries, card, insertion, command)

    def _answer(self, attempt: Attempt, card: Card) -> None:
        """Sends certificate and signature over M. A lost reply is mended by sending the very same answer again."""
        request = attempt.request
        url = f"{request.origin}/card/return"
        if not request.code_sent:
            request.certificate = card.certificate_der
            request.answer = request.answer or self._sign_statement(request, card)
            url += "?code=" + self._wait(request.client.answer(request.answer), card)
            request.code_sent = True
        self._loop.call_soon_threadsafe(resolve, attempt.started, url)

    def _sign_statement(self, request: Request, card: Card) -> dict[str, str]:
        statement = build_statement(
            request.purpose,
            "sm3" if card.algorithm == "sm2" else "sha256",
            origin=request.origin,
            nonce=request.nonce,
            certificate=card.certificate_der,
            payload=request.payload,
        )
        algorithm, signature = card.sign_statement(statement)
        return {
            "certificate": base64.b64encode(card.certificate_der).decode(),
            "algorithm": algorithm,
            "signature": base64.b64encode(signature).decode(),
        }

    def _sign_messages(self, request: Request, card: Card) -> None:
        """Signs the list from the first unsigned message on. Nothing is signed before the portal has released M in the
        browser that asked: a stranger's link yields no message signature at all."""
        self._await_release(request, card)
        request.signing_since = (time.monotonic(), request.signed)
        try:
            Signing(request, card, self._loop).run()
        except Stop:
            if request.signed < len(request.messages):  # a card that goes after its last signature stops nothing
                raise

    def _await_release(self, request: Request, card: Card) -> None:
        end = time.monotonic() + RELEASE_SECONDS
        spoken = time.monotonic()
        while not self._wait(request.client.is_released(), card):
            if request.is_to_pause:
                raise Stop(Outcome.PAUSED)
            if time.monotonic() > end:
                raise Stop(Outcome.NOT_RELEASED)
            if time.monotonic() > spoken + KEEP_ALIVE_SECONDS:
                spoken = time.monotonic()
                card.tries_left()
            time.sleep(RELEASE_POLL_SECONDS)

    def _wait(self, coroutine: Coroutine, card: Card) -> Any:
        return wait_with_card(asyncio.run_coroutine_threadsafe(coroutine, self._loop), card)


def spend(tries: PinTries, card: Card, insertion: Insertion, command: Callable[[], None]) -> None:
    """Sends the one command that may cost a try, and notes what it has cost."""
    try:
        command()
    except Stop as stop:
        if stop.outcome in PIN_SPENT:
            tries.wrong(card.serial, insertion, stop.left)
        raise
    tries.right(card.serial)


def check_validity(card: Card) -> None:
    now = datetime.datetime.now(datetime.UTC)
    if now > card.certificate.not_after:
        raise Stop(Outcome.CARD_EXPIRED)
    if now < card.certificate.not_before:
        raise Stop(Outcome.CARD_NOT_YET_VALID)


def resolve(future: asyncio.Future, value: str) -> None:
    if not future.done():
        future.set_result(value)

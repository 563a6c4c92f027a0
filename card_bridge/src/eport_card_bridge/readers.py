"""What the bridge needs of a reader, and the look at the cards that are in."""

import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from .cards import Card
from .certificate import CardCertificate
from .outcomes import Outcome, Stop

PATIENCE_SECONDS = 2  # the work before may just be ending with the reset of the card


class Reader(Protocol):
    """One reader. `lock` is held for as long as this process works with its card.

    `place` is the same for two back ends that see the same reader; `removable`: the card can be taken out by hand.
    """

    name: str
    place: str
    removable: bool
    lock: threading.Lock

    def presence(self) -> tuple[bool, int]:
        """(card present, insertion counter): the counter changes whenever a card is taken out or put in."""

    def card(self, reset: bool = True) -> AbstractContextManager[Card]:
        """The card that is in, in one transaction. Ends with a card reset unless no PIN was sent, so no PIN stays on
        the card."""


class ReaderList(Protocol):
    """All readers of this machine; a reader keeps its object (and lock) for as long as it is plugged in."""

    def readers(self) -> list[Reader]:
        """Raises Stop: no service, no reader."""

    def close(self) -> None:
        """Releases ports and threads."""


@dataclass(frozen=True)
class CardInReader:
    """A card as the PIN page describes it."""

    reader: Reader
    serial: str
    tries_left: int | None
    certificate: CardCertificate
    certificate_der: bytes


class AllReaders:
    """The readers of several back ends, the first ones preferred. A reader that two of them see has one lock, so that
    one back end never disturbs the work of the other."""

    def __init__(self, *sources: ReaderList) -> None:
        self._sources = sources
        self._locks: dict[str, threading.Lock] = {}

    def readers(self) -> list[Reader]:
        found: list[Reader] = []
        trouble = Stop(Outcome.NO_READER)
        for source in reversed(self._sources):
            try:
                found[:0] = source.readers()
            except Stop as stop:
                trouble = stop
        if not found:
            raise trouble
        for reader in found:
            reader.lock = self._locks.setdefault(reader.place, reader.lock)
        return found

    def close(self) -> None:
        for source in self._sources:
            source.close()


def find_cards(source: ReaderList) -> list[CardInReader]:
    """Looks at every reader; raises Stop (no card, held, unknown card, ...) if not one e-port card can be read. A card
    that two back ends see is found once."""
    found: dict[str, CardInReader] = {}
    done: set[str] = set()
    trouble = Stop(Outcome.NO_CARD)
    for reader in source.readers():
        if reader.place in done or not reader.presence()[0]:
            continue
        try:
            card = look_at(reader)
            found.setdefault(card.serial, card)
            done.add(reader.place)
        except Stop as stop:
            trouble = stop
            if stop.outcome is Outcome.HELD:
                done.add(reader.place)
    if not found:
        raise trouble
    return list(found.values())


def look_at(reader: Reader) -> CardInReader:
    if not reader.lock.acquire(timeout=PATIENCE_SECONDS):
        raise Stop(Outcome.HELD)
    try:
        with reader.card(reset=False) as card:
            return CardInReader(reader, card.serial, card.tries_left(), card.certificate, card.certificate_der)
    finally:
        reader.lock.release()


def choose_card(cards: list[CardInReader], serial: str) -> CardInReader:
    """`serial` is the card that the page showed or the user chose; empty if the page showed none."""
    if serial:
        matching = [card for card in cards if card.serial == serial]
        if not matching:
            raise Stop(Outcome.WRONG_CARD)
        return matching[0]
    if len(cards) > 1:
        raise Stop(Outcome.SEVERAL_CARDS)
    return cards[0]

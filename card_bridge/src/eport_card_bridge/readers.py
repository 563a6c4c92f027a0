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
    """One reader. `lock` is held for as long as this process works with its card."""

    name: str
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


def find_cards(source: ReaderList) -> list[CardInReader]:
    """Looks at every reader; raises Stop (no card, held, unknown card, ...) if not one e-port card can be read."""
    found: list[CardInReader] = []
    trouble = Stop(Outcome.NO_CARD)
    for reader in source.readers():
        if not reader.presence()[0]:
            continue
        try:
            found.append(look_at(reader))
        except Stop as stop:
            trouble = stop
    if not found:
        raise trouble
    return found


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

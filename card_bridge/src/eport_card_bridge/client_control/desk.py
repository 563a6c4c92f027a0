"""The card as the client control sees it: looked at without a PIN, or used once with one."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ..bridge import Bridge
from ..cards import Card
from ..outcomes import Stop
from ..pin_change import TypedPins
from ..readers import choose_card
from .certificate_fields import CertificateFields, read_fields

T = TypeVar("T")


@dataclass(frozen=True)
class SeenCard:
    """The one card that is in. `serial` is the card number, 13 digits."""

    serial: str
    certificate_der: bytes
    fields: CertificateFields


class CardDesk:
    """The bridge's own way to the card, so that its rule of tries and its locks hold for other programs too.

    Programs take turns in the order in which they ask: none is told that the card is held because others are quicker.
    """

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._turn = asyncio.Lock()

    async def look(self) -> SeenCard:
        """Raises Stop; with more than one card in, too: the protocol has no way to choose."""
        async with self._turn:
            cards, trouble = await self._bridge.look_at_cards()
        if trouble:
            raise trouble
        card = choose_card(cards, "")
        return SeenCard(card.serial, card.certificate_der, read_fields(card.certificate_der))

    async def use(self, pin: str, job: Callable[[Card], T]) -> T:
        """Verifies the PIN and does `job`, in one transaction that ends with a reset of the card; raises Stop."""
        async with self._turn:
            return await self._bridge.use_card(pin, job)

    async def change_pin(self, typed: TypedPins) -> Stop:
        """Gives the outcome, good or bad."""
        async with self._turn:
            return await self._bridge.change_pin(typed)

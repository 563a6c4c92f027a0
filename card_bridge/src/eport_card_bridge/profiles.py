"""The table of APDU profiles: which application a card has decides how it is spoken to."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from .apdu import Commands, Transmit
from .applet import AID as EPORT_AID
from .applet import EportApplet
from .cards import Card
from .outcomes import Outcome, Stop
from .piv import AID as PIV_AID
from .piv import PivCard

PROFILES = ((EPORT_AID, EportApplet), (PIV_AID, PivCard))


def open_card(transmit: Transmit) -> Card:
    """Selects the first application of the table that the card has; raises Stop if it has none."""
    commands = Commands(transmit)
    for aid, profile in PROFILES:
        if commands.select(aid):
            return profile(commands)
    raise Stop(Outcome.UNKNOWN_CARD)


class ApduReader:
    """A reader that carries APDUs; its card can always be taken out."""

    name: str
    removable = True

    @property
    def place(self) -> str:
        return self.name

    def transaction(self, reset: bool = True) -> AbstractContextManager[Transmit]:
        """Gives a transmit function; ends with a reset of the card unless `reset` is False. Raises Stop."""
        raise NotImplementedError

    @contextmanager
    def card(self, reset: bool = True) -> Iterator[Card]:
        """The card that is in, in one transaction; see readers.Reader."""
        with self.transaction(reset) as transmit:
            yield open_card(transmit)

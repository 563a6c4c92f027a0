"""Short messages where the operator has not connected a provider."""

from ..outcomes import TurnedOff
from .port import ShortMessage


class OffSms:
    """Sends nothing."""

    is_on = False

    def send(self, message: ShortMessage) -> None:
        raise TurnedOff("short messages")

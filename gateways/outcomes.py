"""What an outside party can answer besides yes: the same words for every gateway."""

from datetime import datetime


class NotFound(LookupError):
    """The outside party does not know what was asked for."""


class Refused(Exception):
    """The outside party will never take this: asking again does not help. The text is for the log."""


class Unavailable(Exception):
    """No usable answer now; it may come later. `until` is when the party says it is back, if it said so."""

    def __init__(self, detail: str = "", until: datetime | None = None) -> None:
        super().__init__(detail)
        self.until = until


class TurnedOff(Unavailable):
    """The operator has not connected this outside party."""


class NotLetIn(Unavailable):
    """The outside party does not take the user or the password; asking again with the same may lock the account."""

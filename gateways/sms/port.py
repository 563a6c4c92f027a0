"""What the portal hands over as a short message."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class ShortMessage:
    """One short message; sent again with the same `id` it reaches the phone once."""

    id: str
    to: str
    text: str = field(repr=False)


class Sms(Protocol):
    """`send` raises Refused (this message will never go) or Unavailable (try later)."""

    is_on: bool

    def send(self, message: ShortMessage) -> None: ...

"""What the portal hands over for mailing."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Mail:
    """One plain-text mail; `notice_id` stays the same when it is sent again."""

    notice_id: str
    to: str
    subject: str
    text: str = field(repr=False)


class Mailer(Protocol):
    """`send` raises Refused (this mail will never go) or Unavailable (try later)."""

    def send(self, mail: Mail) -> None: ...

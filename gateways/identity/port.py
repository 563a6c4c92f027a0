"""What the portal asks the identity authority: whether a person's data agree, never which of them does not."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class PaperCheck:
    """Somebody's ID card. `valid_from`, `valid_to`: YYYYMMDD, 00000000 for 长期. `id`: our own number of this check."""

    id: str
    name: str
    id_type: str  # as printed: 居民身份证
    id_number: str = field(repr=False)
    valid_from: str
    valid_to: str


@dataclass(frozen=True)
class BankCardCheck:
    """A person's own bank card. `id_number` may belong to any kind of paper; `phone` is the one the bank knows."""

    id: str
    name: str
    id_number: str = field(repr=False)
    card_number: str = field(repr=False)
    phone: str = field(repr=False)


class Identity(Protocol):
    """Both give True where every element agrees. Raise Unavailable (also where the authority is turned off)."""

    is_on: bool

    def does_paper_agree(self, check: PaperCheck) -> bool: ...

    def does_bank_card_agree(self, check: BankCardCheck) -> bool: ...

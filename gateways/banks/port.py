"""What the portal asks a bank about a company, and what the bank says of the UKEY that was used."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

VERIFIED, CANCELLED, REFUSED = "verified", "cancelled", "refused"
REASONS = ("ukey-blocked", "ukey-expired", "company-differs", "not-now")  # why a bank refused


class NotGenuine(Exception):
    """What came back is not a bank's answer. `reason`: form | signature | certificate; `detail` is for the log."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


@dataclass(frozen=True)
class BankRequest:
    """One 银行UKEY认证 that a browser takes to the bank."""

    number: str  # 32 hexadecimal digits
    nonce: str  # 43 characters of base64url: 256 random bits
    origin: str  # who asks: PUBLIC_ORIGIN
    return_url: str
    company: str
    uscc: str  # 统一社会信用代码, or "" where the company has none
    org_code: str  # 组织机构代码
    expires: datetime  # aware


@dataclass(frozen=True)
class BankAnswer:
    """What the bank has signed. Company and owner are empty unless `result` is VERIFIED."""

    number: str
    nonce: str
    result: str  # VERIFIED | CANCELLED | REFUSED
    reason: str  # of REFUSED: one of REASONS
    company: str  # 户名 of the 对公账号
    uscc: str
    org_code: str
    owner: str  # 经办人: to whom the bank gave the UKEY
    owner_id: str = field(repr=False)
    at: datetime


class Bank(Protocol):
    """One bank in its own dialect."""

    slug: str

    def check_is_open(self) -> None:
        """Raises Unavailable, with `until` where the bank said it."""

    def address_of(self, request: BankRequest) -> str:
        """Where the browser goes, signed. Raises Unavailable when our own keys cannot be used."""

    def read_return(self, query: str, now: datetime) -> BankAnswer:
        """`query` as it stands in the address. Raises NotGenuine."""

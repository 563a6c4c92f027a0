"""银行UKEY认证 (docs/protocols/bank-ukey.md): three banks in three dialects behind one port.

bank = connect_bank("ccb", "https://bank.example/ukey", Path("banks"))
bank.check_is_open()                                  # Unavailable, with .until where the bank said it
address = bank.address_of(BankRequest(…))             # the browser goes there
answer = bank.read_return(query, now)                 # NotGenuine unless this bank signed it
"""

from pathlib import Path

from ..outcomes import Unavailable
from .abc import AgriculturalBank
from .ccb import ConstructionBank
from .cmbc import MinshengBank
from .keys import BankKeys
from .port import CANCELLED, REFUSED, VERIFIED, Bank, BankAnswer, BankRequest, NotGenuine

__all__ = [
    "BANKS",
    "CANCELLED",
    "REFUSED",
    "VERIFIED",
    "Bank",
    "BankAnswer",
    "BankRequest",
    "NotGenuine",
    "Unavailable",
    "connect_bank",
]

BANKS = {each.slug: each for each in (ConstructionBank, AgriculturalBank, MinshengBank)}


def connect_bank(slug: str, url: str, keys: Path, timeout: float = 3.0) -> Bank:
    """`keys`: the folder of BankKeys; `timeout` in seconds, of the bank's state page. Raises KeyError."""
    return BANKS[slug](url, BankKeys(keys), timeout)

"""The identity authority 身份核验 (docs/protocols/identity.md).

identity = HttpIdentity(address, token)            # or OffIdentity()
identity.does_paper_agree(PaperCheck(…))           # True, False; Unavailable
"""

from ..outcomes import TurnedOff, Unavailable
from .http import HttpIdentity
from .off import OffIdentity
from .port import BankCardCheck, Identity, PaperCheck

__all__ = ["BankCardCheck", "HttpIdentity", "Identity", "OffIdentity", "PaperCheck", "TurnedOff", "Unavailable"]

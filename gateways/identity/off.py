"""The authority where the operator has not connected one: the way is greyed, card and bank UKEY remain."""

from ..outcomes import TurnedOff
from .port import BankCardCheck, PaperCheck


class OffIdentity:
    """Answers every question with TurnedOff."""

    is_on = False

    def does_paper_agree(self, check: PaperCheck) -> bool:
        raise TurnedOff("identity")

    def does_bank_card_agree(self, check: BankCardCheck) -> bool:
        raise TurnedOff("identity")

"""The register where the operator has not connected one: the way is greyed, officials check the papers."""

from ..outcomes import TurnedOff
from .port import CompanyRecord, CustomsCodeRecord


class OffCompanyRegister:
    """Answers every question with TurnedOff."""

    is_on = False

    def company(self, uscc: str) -> CompanyRecord:
        raise TurnedOff("company register")

    def customs_code(self, code: str) -> CustomsCodeRecord:
        raise TurnedOff("company register")

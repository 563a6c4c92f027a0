"""The register of companies and their customs codes (docs/protocols/company-register.md).

register = HttpCompanyRegister(address, token)     # or OffCompanyRegister()
record = register.company("91130000MA0000000X")    # NotFound, Unavailable (with .until where it said so)
code = register.customs_code("1301960001")
"""

from ..outcomes import NotFound, TurnedOff, Unavailable
from .http import HttpCompanyRegister
from .off import OffCompanyRegister
from .port import CompanyRecord, CompanyRegister, CustomsCode, CustomsCodeRecord, LegalRepresentative

__all__ = [
    "CompanyRecord",
    "CompanyRegister",
    "CustomsCode",
    "CustomsCodeRecord",
    "HttpCompanyRegister",
    "LegalRepresentative",
    "NotFound",
    "OffCompanyRegister",
    "TurnedOff",
    "Unavailable",
]

"""What the portal asks the company register, and what comes back."""

from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

UNLIMITED = date(2099, 12, 31)  # 长期


@dataclass(frozen=True)
class LegalRepresentative:
    """法定代表人."""

    name: str
    id_type: str
    id_number: str = field(repr=False)


@dataclass(frozen=True)
class CustomsCode:
    """海关注册编码, 10 characters, with the 跨境电商企业类型 that customs has ticked."""

    code: str
    category: str
    valid_from: date
    valid_to: date  # UNLIMITED: 长期
    ecommerce_types: tuple[str, ...]


@dataclass(frozen=True)
class CompanyRecord:
    """A company as the register has it; `revision` changes when anything does."""

    uscc: str  # 统一社会信用代码
    name: str
    english_name: str
    address: str
    org_code: str  # 组织机构代码
    status: str  # 存续 | 注销
    legal_representative: LegalRepresentative
    customs_codes: tuple[CustomsCode, ...]
    revision: str


@dataclass(frozen=True)
class CustomsCodeRecord:
    """Who holds a customs code."""

    code: str
    uscc: str
    name: str
    valid_from: date
    valid_to: date
    ecommerce_types: tuple[str, ...]
    revision: str


class CompanyRegister(Protocol):
    """Both questions raise NotFound or Unavailable."""

    is_on: bool

    def company(self, uscc: str) -> CompanyRecord: ...

    def customs_code(self, code: str) -> CustomsCodeRecord: ...

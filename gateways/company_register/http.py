"""The register over HTTP; an answer that does not have the agreed form counts as no answer."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from ..http_json import JsonClient
from ..outcomes import NotFound, Unavailable
from .port import CompanyRecord, CustomsCode, CustomsCodeRecord, LegalRepresentative

_USCC = re.compile(r"[0-9A-Z]{18}")
_CODE = re.compile(r"[0-9A-Z]{10}")
_Record = TypeVar("_Record", CompanyRecord, CustomsCodeRecord)


class HttpCompanyRegister:
    """`base_url` without a trailing path of ours, bearer `token`, `timeout` in seconds for the whole answer."""

    is_on = True

    def __init__(self, base_url: str, token: str, timeout: float = 5.0) -> None:
        self._client = JsonClient(base_url, token, timeout)

    def company(self, uscc: str) -> CompanyRecord:
        """Raises NotFound, Unavailable."""
        return self._ask("companies", uscc, _USCC, _company)

    def customs_code(self, code: str) -> CustomsCodeRecord:
        """Raises NotFound, Unavailable."""
        return self._ask("customs-codes", code, _CODE, _customs_code_record)

    def _ask(self, kind: str, number: str, form: re.Pattern, read: Callable[[dict[str, Any], str], _Record]) -> _Record:
        if not form.fullmatch(number):
            raise NotFound(number)
        status, answer = self._client.call("GET", f"/{kind}/{number}")
        if status == 404:
            raise NotFound(number)
        if status != 200:
            raise Unavailable(f"HTTP {status}")
        try:
            return read(answer, number)
        except (KeyError, TypeError, ValueError) as error:
            raise Unavailable("garbled answer") from error


def _text(answer: dict[str, Any], name: str) -> str:
    """A text without control characters, at most 500 long; raises ValueError."""
    value = answer[name]
    if not isinstance(value, str) or len(value) > 500 or any(ord(character) < 32 for character in value):
        raise ValueError(name)
    return value


def _texts(answer: dict[str, Any], name: str) -> tuple[str, ...]:
    return tuple(_text({name: value}, name) for value in _list(answer, name))


def _list(answer: dict[str, Any], name: str) -> list[Any]:
    if not isinstance(answer[name], list):
        raise TypeError(name)
    return answer[name]


def _same(answer: dict[str, Any], name: str, asked: str) -> str:
    """The number that was asked for: an answer about somebody else must not be taken."""
    if answer[name] != asked:
        raise ValueError(name)
    return asked


def _day(answer: dict[str, Any], name: str) -> date:
    return date.fromisoformat(answer[name])


def _company(answer: dict[str, Any], uscc: str) -> CompanyRecord:
    if answer["status"] not in ("存续", "注销"):
        raise ValueError("status")
    person = answer["legal_representative"]
    return CompanyRecord(
        uscc=_same(answer, "uscc", uscc),
        name=_text(answer, "name"),
        english_name=_text(answer, "english_name"),
        address=_text(answer, "address"),
        org_code=_text(answer, "org_code"),
        status=answer["status"],
        legal_representative=LegalRepresentative(
            _text(person, "name"), _text(person, "id_type"), _text(person, "id_number")
        ),
        customs_codes=tuple(_customs_code(code) for code in _list(answer, "customs_codes")),
        revision=_text(answer, "revision"),
    )


def _customs_code(answer: dict[str, Any]) -> CustomsCode:
    code = _text(answer, "code")
    if not _CODE.fullmatch(code):
        raise ValueError("code")
    return CustomsCode(
        code=code,
        category=_text(answer, "category"),
        valid_from=_day(answer, "valid_from"),
        valid_to=_day(answer, "valid_to"),
        ecommerce_types=_texts(answer, "ecommerce_types"),
    )


def _customs_code_record(answer: dict[str, Any], code: str) -> CustomsCodeRecord:
    if not _USCC.fullmatch(_text(answer, "uscc")):
        raise ValueError("uscc")
    return CustomsCodeRecord(
        code=_same(answer, "code", code),
        uscc=answer["uscc"],
        name=_text(answer, "name"),
        valid_from=_day(answer, "valid_from"),
        valid_to=_day(answer, "valid_to"),
        ecommerce_types=_texts(answer, "ecommerce_types"),
        revision=_text(answer, "revision"),
    )

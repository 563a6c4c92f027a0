"""续办码: 16 digits in four groups (the last is a check digit) by which a draft without account is found again."""

import hashlib
import hmac
import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete

from blueprints.common import clock
from blueprints.common.checks import is_email, is_mobile
from blueprints.common.limits import Limit
from blueprints.common.proofs import can_sms
from models.database import session
from models.documents import Document, ResumeCode, find_document
from models.types import keyring

DAYS = 30
GLOBAL_LIMIT = Limit("resume-code", 100, 60)
ADDRESS_LIMIT = Limit("resume-code-address", 10, 60)


def check_digit(digits: str) -> str:
    """Luhn over 15 digits: catches one wrong digit and most swaps of neighbours."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def new_code(document: Document) -> str:
    """Replaces the draft's code; gives the 16 digits, which are kept by keyed hash only."""
    digits = "".join(secrets.choice("0123456789") for _ in range(15))
    code = digits + check_digit(digits)
    session.execute(delete(ResumeCode).where(ResumeCode.document_id == document.id))
    session.add(ResumeCode(code_hash=_hash(code), document_id=document.id, until=clock.now() + timedelta(days=DAYS)))
    session.flush()
    return code


def normalised(text: str) -> str:
    return "".join(letter for letter in text if letter.isdecimal())


def is_well_typed(code: str) -> bool:
    return len(code) == 16 and check_digit(code[:15]) == code[15]


def find_by_code(code: str) -> Document | None:
    row = session.get(ResumeCode, _hash(code))
    if row is None or row.until < clock.now():
        return None
    return find_document(UUID(str(row.document_id)))


def contact_of(document: Document) -> tuple[str, str]:
    """(way, address) by which the owner of a draft can prove himself: mail first; ("", "") where none is filled in."""
    answer = document.answers.get("administrator")
    typed = {name: (values or [""])[0].strip() for name, values in ((answer and answer.typed) or {}).items()}
    if is_email(typed.get("email", "")):
        return "mail", typed["email"]
    if can_sms() and is_mobile(typed.get("mobile", "")):
        return "sms", typed["mobile"]
    return "", ""


def _hash(code: str) -> bytes:
    return hmac.digest(keyring().blind("resume_codes", "code"), code.encode(), hashlib.sha256)

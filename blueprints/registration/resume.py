"""续办码: 16 digits in four groups (the last is a check digit) by which a draft without account is found again."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete

from blueprints.common import clock
from blueprints.common.checks import is_email, is_mobile
from blueprints.common.limits import Limit
from blueprints.common.proofs import can_sms
from blueprints.common.spoken_codes import code_hash, new_digits
from models.database import session
from models.documents import Document, ResumeCode, find_document

SIZE, DAYS = 16, 30
GLOBAL_LIMIT = Limit("resume-code", 100, 60)
ADDRESS_LIMIT = Limit("resume-code-address", 10, 60)


def new_code(document: Document) -> str:
    """Replaces the draft's code; gives the 16 digits, which are kept by keyed hash only."""
    code = new_digits(SIZE)
    session.execute(delete(ResumeCode).where(ResumeCode.document_id == document.id))
    session.add(ResumeCode(code_hash=_hash(code), document_id=document.id, until=clock.now() + timedelta(days=DAYS)))
    session.flush()
    return code


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
    return code_hash("resume_codes.code", code)

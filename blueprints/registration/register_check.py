"""企业登记库核对: what the company register says of a submission, asked by the worker and shown to the officials only."""

from uuid import UUID

from blueprints.common import clock
from blueprints.common.codes import CannotRefresh, ask_register
from blueprints.common.kinds import Beside
from blueprints.common.numbers import Sentence
from blueprints.common.records import lines_sent
from models.database import session
from models.documents import RegisterCheck, find_document
from models.queue import defer

OUTCOMES = {"90561": "off", "90563": "unknown"}
WORDS = {
    "waiting": "正在问企业登记库，过一会儿刷新这一页",
    "off": "没有接通企业登记库，请对照证照审核",
    "unknown": "企业登记库里没有这个统一社会信用代码，请仔细核对证照",
    "unavailable": "企业登记库现在没有答复，系统会接着问，请先对照证照",
    "cancelled": "企业登记库说这个单位已经注销",
    "found": "和企业登记库核对过（{at}），各项写在下面",
}


def ask_later(document) -> None:
    """Within the submission; the worker asks once it is committed."""
    if answers_of(document).get("company/uscc"):
        session.merge(RegisterCheck(id=document.id, outcome="waiting", at=clock.now()))
        defer("check_register", document_id=str(document.id))


def answers_of(document) -> dict[str, str]:
    return {line.path: line.value for line in lines_sent(document)}


def check_register(document_id: str) -> None:
    """Raises `CannotRefresh` where asking again can help, so that the worker does."""
    document = find_document(UUID(document_id))
    uscc = answers_of(document)["company/uscc"]
    session.commit()  # nothing is held while the register thinks
    problem, record = None, None
    try:
        record = ask_register(uscc)
    except CannotRefresh as refused:
        problem = refused
    check = RegisterCheck(id=UUID(document_id), at=clock.now(), outcome=outcome_of(problem, record))
    check.record = record and {
        "company/name": record.name,
        "company/address": record.address,
        "contacts/legal_name": record.legal_representative.name,
        "company/customs_code": "、".join(code.code for code in record.customs_codes),
    }
    session.merge(check)
    session.commit()
    if problem and problem.may_come:
        raise problem


def outcome_of(problem: CannotRefresh | None, record) -> str:
    if problem:
        return OUTCOMES.get(problem.sentence.number, "unavailable")
    return "cancelled" if record.status == "注销" else "found"


def beside(document) -> Beside | None:
    """For the review page."""
    check = session.get(RegisterCheck, document.id)
    if check is None:
        return None
    sentence = Sentence("", WORDS[check.outcome], at=f"{clock.local(check.at):%m-%d %H:%M}")
    return Beside(sentence, check.outcome == "found", check.record or {})

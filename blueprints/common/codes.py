"""海关编码 of a company, taken over from the company register; which one is in use is the company's choice."""

from uuid import UUID

from flask import g

from gateways.company_register import CompanyRecord, NotFound, TurnedOff, Unavailable
from models.accounts import Enterprise, lock_enterprise
from models.codes import HeldCode, codes_of, replace_codes
from models.database import session

from . import clock
from .access import current
from .gateways import gateways
from .numbers import Sentence


class CannotRefresh(Exception):
    """The register gave no usable answer; what is stored stays. `may_come`: asking again later can help."""

    def __init__(self, sentence: Sentence, may_come: bool = False):
        super().__init__(sentence)
        self.sentence, self.may_come = sentence, may_come


class NotHeld(Exception):
    """A code that the company does not hold today."""


def refresh_codes(enterprise_id: str | UUID) -> int:
    """Asks the register outside of any transaction, stores what it says and commits. Gives how many are valid today.

    The only valid code is taken into use where none is; a code in use that is not valid any more is put out of use.
    Raises `CannotRefresh`.
    """
    enterprise_id = UUID(str(enterprise_id))
    uscc = session.get(Enterprise, enterprise_id).uscc
    session.commit()
    record = ask_register(uscc)
    rows = [] if record.status == "注销" else [row_of(enterprise_id, record, code) for code in record.customs_codes]
    company = lock_enterprise(enterprise_id)
    replace_codes(enterprise_id, rows)
    valid = [row.code for row in codes_of(enterprise_id, clock.today())]
    if company.active_code not in valid:
        company.active_code = valid[0] if len(valid) == 1 else None
    session.commit()
    if record.status == "注销":
        raise CannotRefresh(Sentence("90564", "海关登记里本单位已经注销，不能再用海关编码；如果不对，请到海关更正"))
    return len(valid)


def ask_register(uscc: str | None) -> CompanyRecord:
    try:
        return gateways().company_register.company(uscc or "")
    except TurnedOff as error:
        raise CannotRefresh(Sentence("90561", "本平台还没有接通海关登记，请打客服热线")) from error
    except NotFound as error:
        words = "海关登记里没有本单位（按统一社会信用代码查），请先到海关办理备案，再来更新"
        raise CannotRefresh(Sentence("90563", words)) from error
    except Unavailable as error:
        if error.until:
            words = Sentence("90562", "海关登记正在维护，{until}以后再来更新；现有的资料都留着",
                             until=f"{clock.local(error.until):%m月%d日%H:%M}")  # fmt: skip
        else:
            words = Sentence("90565", "海关登记现在没有答复，请过几分钟再试；现有的资料都留着")
        raise CannotRefresh(words, may_come=True) from error


def row_of(enterprise_id: UUID, record: CompanyRecord, code) -> HeldCode:
    return HeldCode(
        enterprise_id=enterprise_id, code=code.code, category=code.category, valid_from=code.valid_from,
        valid_to=code.valid_to, ecommerce_types=list(code.ecommerce_types), revision=record.revision,
        seen_at=clock.now(),
    )  # fmt: skip


def holds_several_codes() -> bool:
    """Whether the company of this request could work under another code; asked of the database once a request."""
    if "code_count" not in g:
        g.code_count = len(codes_of(current().enterprise_id, clock.today()))
    return g.code_count > 1


def choose_code(enterprise_id: UUID, code: str) -> None:
    """The code that new business is done under, from the next login on. Raises `NotHeld`."""
    company = lock_enterprise(enterprise_id)
    if code not in [row.code for row in codes_of(enterprise_id, clock.today())]:
        raise NotHeld(code)
    company.active_code = code

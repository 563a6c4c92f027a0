"""法定代表人身份认证 (M97–M107): what is checked of a case, and what is kept of it.

`VerificationCase.data` holds
    typed     {step: {field: [text]}}: what was filled in, right or wrong, until the step is done; what the 法定代表人
              types stands under a step of his telephone's own (PHONE), which no other browser sees
    person    {name, id_type, id_number, by_name}: the 法定代表人 as found right in step 1
    refused   {name_agrees, …person}: what the register said no to last, for 「银行卡认证」 of error dialog 1
    proven    {step: {phone, until}}: a telephone proven by SMS, so that a silent authority costs no second message
    codes     {step: proof id}
    evidence  {step: {…}}: goes into the Verification at the end
Nobody is asked inside a transaction: rows are read, committed, the party asked, and the row is locked and read anew.
"""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from flask import current_app

from blueprints.common import clock
from blueprints.common.checks import PERSON_PAPERS, org_code_of
from blueprints.common.fields import plain_code
from blueprints.common.gateways import gateways
from blueprints.common.history import record
from blueprints.common.limits import Limit
from blueprints.common.numbers import Sentence, masked
from blueprints.common.proofs import TooManyMessages
from gateways.company_register import CompanyRecord, NotFound, TurnedOff, Unavailable
from gateways.identity import BankCardCheck, PaperCheck
from models.accounts import Enterprise, User, holds_person, lock_enterprise, lock_user
from models.database import session
from models.realname import VerificationCase, open_case

from .results import keep_result, level_of

PERSON, MANAGER, PHONE = "person", "manager", "phone "
WAYS = {"id-card": "身份证认证", "bank-card": "银行卡认证"}
DAY = 24 * 60
BY_ACCOUNT = Limit("realname-account", 6, DAY)  # refused checks in a day, by whoever uses the account
BY_SUBJECT = Limit("realname-subject", 4, DAY)  # … about one person, from whatever account
BY_SENDER = Limit("realname-messages", 20, DAY)  # short messages on behalf of one account, to whomever
PAPERS = dict(PERSON_PAPERS)


class NotProven(Exception):
    """The step is not done. `dialog`: which of the seeds' two error dialogs says so ("" for neither)."""

    def __init__(self, sentence: Sentence, dialog: str = ""):
        super().__init__(sentence)
        self.sentence, self.dialog = sentence, dialog


def case_of(user: User, *, lock: bool = False) -> VerificationCase | None:
    """The open case of this administrator; one that is too old, or that another administrator began, is ended."""
    case = open_case(user.enterprise_id, lock=lock)
    if case and (case.user_id != user.id or clock.now() > case.until):
        case.state, case.data = "ended", None
        session.flush()
        return None
    return case


def start_case(user: User) -> VerificationCase:
    days = current_app.config["REGION"]["realname"]["case_days"]
    case = VerificationCase(enterprise_id=user.enterprise_id, user_id=user.id, started_at=clock.now(), state="open",
                            until=clock.now() + timedelta(days=days))  # fmt: skip
    case.data = {}
    session.add(case)
    session.flush()
    return case


def keep(case: VerificationCase, part: str, **values) -> None:
    """Changes one part of the case's data, as it is now: the telephone and the PC may both be at work."""
    session.flush()
    session.refresh(case, with_for_update=True)
    if case.state != "open":
        return
    data = case.data or {}
    case.data = data | {part: data.get(part, {}) | values}


def keep_typed(case: VerificationCase, step: str, typed: dict) -> None:
    """Of one telephone only: another one that is used takes the place of the one before."""
    keep(case, "typed", **{step: {name: value for name, value in typed.items() if name != "code"}})
    if step.startswith(PHONE):
        forget(case, lambda other: other.startswith(PHONE) and other != step)


def forget(case: VerificationCase, is_gone: Callable[[str], bool]) -> None:
    """What was typed, proven and sent in these steps, of a case that is locked."""
    parts = ("typed", "proven", "codes")
    if case.data:
        case.data = case.data | {part: {step: value for step, value in case.data.get(part, {}).items() if not is_gone(step)}
                                 for part in parts}  # fmt: skip


def typed_of(case: VerificationCase | None, step: str) -> dict:
    return ((case and case.data) or {}).get("typed", {}).get(step, {})


# -- step 1: 核验企业信息


def check_company(user: User, company: Enterprise, typed: dict) -> None:
    """Asks the company register; commits. Raises `NotProven`. `typed`: name, id_type, id_number of the 法定代表人."""
    subject = typed["id_number"]
    attempts = count_try(user, subject)
    uscc, name = company.uscc or "", company.name
    session.commit()
    try:
        record_ = gateways().company_register.company(uscc)
    except NotFound:
        record_ = None
    except Unavailable as error:
        uncount(attempts)
        raise NotProven(silence(error, "企业登记")) from error
    if record_ and record_.status == "注销":
        uncount(attempts)
        raise NotProven(Sentence("90676", "企业登记里本单位已经注销，不能认证；如果不对，请到市场监管部门更正"))
    person = {"name": typed["name"], "id_type": typed["id_type"], "id_number": typed["id_number"]}
    company = lock_enterprise(company.id)
    lock_user(user.id)  # one case only, however often the button is pressed
    if (company.uscc or "", company.name) != (uscc, name):
        session.rollback()
        raise NotProven(Sentence("90922", "单位信息刚刚改过，请核对后再点一次“下一步”；填的都留着"))
    case = case_of(user, lock=True) or start_case(user)
    if record_ is None or not same_company(record_, name) or not same_person(record_, person):
        agrees = bool(record_) and same_company(record_, name) and plain(person["name"]) == plain(
            record_.legal_representative.name)  # fmt: skip
        case.data = (case.data or {}) | {"refused": person | {"name_agrees": agrees}}
        session.commit()
        raise NotProven(REPRESENTATIVE_REFUSED, "representative")
    uncount(attempts)
    pass_company(case, person | {"by_name": False}, record_.revision)
    session.commit()


def pass_by_name(user: User) -> None:
    """「银行卡认证」 of error dialog 1: company and name agree, so the bank may prove the person; the level is lower."""
    case = case_of(user, lock=True)
    refused = case and case.data.get("refused")
    if not refused:
        raise NotProven(Sentence("90680", "请先填企业信息，点“下一步”"))
    if not refused["name_agrees"] or not level_of("representative-by-name"):
        raise NotProven(Sentence("90678", "企业登记里的单位名称或法定代表人姓名也不一样，银行卡认证帮不上。请核对姓名；"
                                 "核对没有错的，请改用银行UKEY或IC卡认证"), "representative")  # fmt: skip
    pass_company(case, {name: refused[name] for name in ("name", "id_type", "id_number")} | {"by_name": True}, "")


def pass_company(case: VerificationCase, person: dict, revision: str) -> None:
    """Step 1 is right; what was proven of another 法定代表人 counts no more."""
    if (case.data or {}).get("person") != person:
        case.person_at = case.handover_hash = None
        forget(case, lambda step: step.startswith(PHONE))
    case.company_at = clock.now()
    left = {name: value for name, value in case.data.items() if name != "refused"}
    case.data = left | {"person": person}
    keep(case, "evidence", company={"at": clock.now().isoformat(), "revision": revision, "by_name": person["by_name"]})


def same_company(found: CompanyRecord, name: str) -> bool:
    return plain(found.name) == plain(name)


def same_person(found: CompanyRecord, person: dict) -> bool:
    theirs = found.legal_representative
    return (plain(theirs.name), theirs.id_type, theirs.id_number.upper()) == (
        plain(person["name"]), PAPERS.get(person["id_type"]), person["id_number"].upper(),
    )  # fmt: skip


def plain(name: str) -> str:
    """Width of brackets and spaces do not count."""
    return plain_code(name, True)


def org_code(company: Enterprise) -> str:
    return company.org_code or org_code_of(company.uscc or "")


REPRESENTATIVE_REFUSED = Sentence("90674", "法定代表人信息验证不通过，请核对后重新填写，或可尝试银行卡认证方式。")
PAPER_REFUSED = Sentence(
    "90681",
    "您提交的身份证有效开始时间和有效截止时间未通过验证,请仔细检查是否填写错误,如果确认填写无误,可选择一个下面途径继续实名认证:"
    "一、使用CTID APP开通CTID(使用方法可查看页面上的帮助文档),开通完成后继续身份证认证;二、使用银行卡认证。",
)
BANK_REFUSED = Sentence(
    "90682", "银行卡核验不通过：姓名、证件号、银行卡号、预留手机号里有和银行登记不一样的。请用本人的卡，逐项核对后再试"
)


# -- steps 2 and 3: a person, by ID card or bank card


def ways_of(person: dict) -> list[str]:
    """「身份证认证方式只支持证件类型为身份证的情况」; whom only the name proves must go by bank card."""
    return ["bank-card"] if person["id_type"] != "id-card" or person.get("by_name") else list(WAYS)


def owner_of(user: User) -> dict:
    """The owner of the account as the account has him; empty texts where it does not."""
    papers = user.papers or {}
    return {
        "name": user.real_name or "",
        "id_type": papers.get("id_type") or "id-card",
        "id_number": user.id_number or "",
    }


def ask_authority(user: User, way: str, person: dict, values: dict) -> dict:
    """The evidence of a check that agreed. Commits, asks outside of a transaction. Raises `NotProven`."""
    check = str(uuid.uuid4())
    attempts = count_try(user, person["id_number"])
    session.commit()
    identity = gateways().identity
    try:
        if way == "id-card":
            agrees = identity.does_paper_agree(PaperCheck(
                check, person["name"], PAPERS[person["id_type"]], person["id_number"], values["valid_from"], values["valid_to"],
            ))  # fmt: skip
        else:
            agrees = identity.does_bank_card_agree(BankCardCheck(
                check, person["name"], person["id_number"], values["card_number"], values["phone"],
            ))  # fmt: skip
    except Unavailable as error:
        uncount(attempts)
        raise NotProven(silence(error, "身份核验")) from error
    if not agrees:
        raise NotProven(*((PAPER_REFUSED, "paper") if way == "id-card" else (BANK_REFUSED, "")))
    uncount(attempts)
    return {"check": check, "way": way, "name": person["name"], "id_number": masked(person["id_number"]),
            "at": clock.now().isoformat()}  # fmt: skip


def pass_person(case: VerificationCase, evidence: dict) -> None:
    """Step 2 is done, here or on the 法定代表人's telephone; the link or code is void."""
    case.person_at, case.handover_hash = clock.now(), None
    finish_step(case, PERSON, evidence)


def pass_manager(case: VerificationCase, user: User, person: dict, evidence: dict) -> str:
    """Step 3 is done and with it the whole: path of the result. An account without owner gets the proven person."""
    if not user.id_number:
        if holds_person(user.enterprise_id, person["id_number"], user.id):
            raise NotProven(Sentence("90683", "这个证件号码已经是本单位另一个账号的，同一个人在一个单位只能有一个账号"))
        user.keep_person(person["name"], person["id_number"], user.email or "")
        user.papers = (user.papers or {}) | {"id_type": person["id_type"]}
    case.manager_at = clock.now()
    finish_step(case, MANAGER, evidence)
    method = "representative-by-name" if case.data["person"]["by_name"] else "representative"
    path = keep_result(user, user.enterprise, method, case.data["evidence"])
    case.state, case.data = "done", None
    return path


def finish_step(case: VerificationCase, step: str, evidence: dict) -> None:
    forget(case, lambda other: other == step or (step == PERSON and other.startswith(PHONE)))
    keep(case, "evidence", **{step: evidence})
    record("realname step", f"enterprise:{case.enterprise_id}", by=session.get(User, case.user_id).shown_name,
           enterprise_id=case.enterprise_id, step=step)  # fmt: skip


# -- limits and words


def count_try(user: User, id_number: str) -> list:
    """Counts a check before it is made, so that many at once do not pass; `uncount` where it was not refused.

    Raises `NotProven` with the time to come back.
    """
    lock_user(user.id)
    BY_SUBJECT.lock(id_number)
    for limit, subject, words in ((BY_ACCOUNT, str(user.id), "今天核验不通过的次数太多"),
                                  (BY_SUBJECT, id_number, "这个人今天核验不通过的次数太多")):  # fmt: skip
        if wait := limit.minutes_left(subject):
            raise NotProven(Sentence("90677", "{words}，请{when}以后再来；填的都留着。不想等的，可以用IC卡认证",
                                     words=words, when=moment(clock.now() + timedelta(minutes=wait))))  # fmt: skip
    return [BY_ACCOUNT.add(str(user.id)), BY_SUBJECT.add(id_number)]


def count_message(user: User) -> None:
    """One short message more on behalf of this account. Raises `TooManyMessages`."""
    BY_SENDER.lock(str(user.id))
    if wait := BY_SENDER.minutes_left(str(user.id)):
        raise TooManyMessages(Sentence("90921", "这个账号今天发的短信太多，请{when}以后再来；填的都留着。不想等的，可以用IC卡认证",
                                       when=moment(clock.now() + timedelta(minutes=wait))))  # fmt: skip
    BY_SENDER.add(str(user.id))


def uncount(attempts: list) -> None:
    for attempt in attempts:
        session.delete(attempt)
    session.commit()


def silence(error: Unavailable, who: str) -> Sentence:
    """No answer is nobody's fault and costs no try."""
    if isinstance(error, TurnedOff):
        return Sentence("90673", "本平台还没有接通{who}，这种办法现在用不了；请用IC卡认证或银行UKEY认证", who=who)
    if error.until:
        return Sentence(
            "90675", "{who}正在维护，请{until}以后再来；不算您错，填的都留着", who=who, until=moment(error.until)
        )
    return Sentence("90679", "{who}现在没有答复，请过几分钟再点一次；不算您错，填的都留着", who=who)


def moment(at: datetime) -> str:
    return f"{clock.local(at):%m月%d日%H:%M}"

"""Handing step 2 to the 法定代表人: a link by SMS or a code that can be said; he proves himself on his own telephone.

The clerk learns only that it is done or not; the 法定代表人 types his own data, of which the page shows nothing.
"""

from datetime import timedelta

from flask import current_app

from blueprints.common import clock
from blueprints.common.access import current
from blueprints.common.history import record
from blueprints.common.limits import Limit
from blueprints.common.notices import notify, notify_by_sms
from blueprints.common.numbers import Sentence, masked
from blueprints.common.proofs import count_message as count_message_to
from blueprints.common.spoken_codes import code_hash, is_well_typed, new_digits, normalised
from models.accounts import User
from models.database import session
from models.realname import VerificationCase, case_by_handover

from .cases import PERSON, PHONE, NotProven, count_message, forget, keep, moment

SIZE = 12
# In all: with a thousand open codes one wrong try in 10^8 meets one, and a few addresses must not shut the door for all.
WRONG_BY_ADDRESS, WRONG_IN_ALL = Limit("handover-address", 10, 60), Limit("handover", 1000, 60)


def hash_of(code: str) -> bytes:
    return code_hash("verification_cases.handover_hash", code)


def give_out(case: VerificationCase, user: User, mobile: str, link_of, asker: str) -> str:
    """A new code; the one before is void. With `mobile` the link goes there by SMS. Raises `TooManyMessages`."""
    days = current_app.config["REGION"]["realname"]["handover_days"]
    if mobile:
        count_message(user)
        count_message_to("handover", mobile, asker)
    code = new_digits(SIZE)
    keep(case, "handover", mobile=mobile, refused=False, address=asker)
    case.handover_hash, case.handover_opened_at = hash_of(code), None
    case.handover_until = min(clock.now() + timedelta(days=days), case.until)
    if mobile:
        notify_by_sms(mobile, f"“{user.enterprise.name}”请法定代表人核验身份：{link_of(code)} ，{moment(case.handover_until)}前有效。"
                      "不是您本人的单位，请不要打开。")  # fmt: skip
    record("realname hand-over", f"enterprise:{case.enterprise_id}", by=user.shown_name,
           enterprise_id=case.enterprise_id, by_sms=bool(mobile))  # fmt: skip
    return code


def handover_state(case: VerificationCase) -> dict | None:
    """What the clerk sees: to whom, until when, whether it was opened or refused; None where nothing was given out."""
    given = (case.data or {}).get("handover")
    if given is None or case.person_at:
        return None
    return {"mobile": masked(given["mobile"]) if given["mobile"] else "", "until": case.handover_until,
            "opened": case.handover_opened_at, "refused": given["refused"],
            "is_open": case.handover_hash is not None and clock.now() < case.handover_until}  # fmt: skip


def find_handover(typed: str, address: str) -> VerificationCase:
    """By the code, from a link or typed. Raises `NotProven`; wrong ones are limited and counted (commits)."""
    code = normalised(typed)
    WRONG_BY_ADDRESS.lock(address)
    if wait := max(WRONG_BY_ADDRESS.minutes_left(address), WRONG_IN_ALL.minutes_left("all")):
        raise NotProven(Sentence("90687", "试的次数太多，请过{wait}分钟再试，或打客服热线", wait=wait))
    if not is_well_typed(code, SIZE):
        raise NotProven(Sentence("90688", "核验码要12位数字，这样输入有一位不对，请对照收到的再输一遍"))
    case = handed_over(hash_of(code))
    if case is None:
        WRONG_BY_ADDRESS.add(address)
        WRONG_IN_ALL.add("all")
        session.commit()
        raise NotProven(Sentence("90689", "这个核验码已经用过、换过或过期了，请让经办人重新发一个"))
    return case


def handed_over(handover_hash: bytes, *, lock: bool = False) -> VerificationCase | None:
    """The case as long as its code counts, and the account that began it."""
    case = case_by_handover(handover_hash, lock=lock)
    if case is None or clock.now() >= case.handover_until or case.person_at:
        return None
    return case if session.get(User, case.user_id).is_active else None


def refuse(case: VerificationCase) -> None:
    """「不是我同意的」: the code is void, the clerk sees it, nothing of the case is lost."""
    keep(case, "handover", refused=True)
    forget(case, lambda step: step.startswith(PHONE))
    case.handover_hash = None
    tell_clerk(
        case, "法定代表人没有同意核验身份", "法定代表人在手机上点了“不同意”。请先和本人说好，再重新发一个核验码。"
    )


def tell_clerk(case: VerificationCase, subject: str, words: str) -> None:
    user = session.get(User, case.user_id)
    if user.email:
        notify(user.email, subject, f"{words}\n接着办：登录后点“单位实名认证”。")


def is_his(case: VerificationCase, typed: dict) -> bool:
    """Whether the one at the telephone gave the name and number of the 法定代表人 of step 1."""
    person = case.data[PERSON]
    same = "".join(typed["name"].split()) == "".join(person["name"].split())
    return same and (typed["id_type"], typed["id_number"].upper()) == (person["id_type"], person["id_number"].upper())


def witnesses(case: VerificationCase, user: User, phone: str, address: str) -> dict:
    """For the evidence: signs that the clerk may have held the telephone himself, which nothing here can rule out.

    `phone`: what was typed on the page, `address`: network address it was done from.
    """
    given, principal = case.data["handover"], current()
    return {
        "place": "phone",
        "link_sent_to": masked(given["mobile"]),
        "by_an_account": bool(principal and principal.enterprise_id == case.enterprise_id),
        "clerks_phone": bool(phone) and phone == (user.contact or {}).get("mobile"),
        "clerks_address": address == given.get("address"),
    }

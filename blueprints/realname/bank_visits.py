"""One way to a bank and back: begun here, bound to one browser and one account, ended once."""

import hashlib
import hmac
import secrets
import unicodedata
from datetime import timedelta
from uuid import UUID

from flask import current_app, request, url_for

from blueprints.common import clock
from blueprints.common.access import Principal
from blueprints.common.challenges import NotAccepted
from blueprints.common.gateways import gateways
from blueprints.common.limits import Limit
from blueprints.common.numbers import Sentence
from gateways.banks import CANCELLED, VERIFIED, Bank, BankAnswer, BankRequest, Unavailable
from models.accounts import Enterprise, User, lock_enterprise, lock_user
from models.banks import ENDED, FINISHED, OPEN, BankVisit, find_visit, lock_open_visits, sweep_visits
from models.database import session

from .results import check_may_verify, keep_result

TIME = timedelta(minutes=15)
SKEW = timedelta(minutes=5)  # of the bank's clock
REFUSALS = {  # why a visit ended: number and template; the bank's name fills {bank}
    "not-genuine": ("90584", "{bank}送回来的结果核对不上，没有采用；请重新认证，还是不行请打客服热线"),
    "browser-differs": ("90585", "这次认证是在另一个浏览器里开始的，已经作废；请在同一个浏览器里从头办"),
    "user-differs": ("90586", "开始时登录的账号和现在的不一样，这次认证已经作废；请登录自己的账号重新认证"),
    "replaced": ("90587", "后来又开始了一次认证，这一次作废；请看最新的那一次"),
    "expired": ("90588", "这次认证过期了（15分钟内要办完），请重新认证"),
    "cancelled": ("90589", "您在{bank}的页面上放弃了；想好了可以再来"),
    "ukey-blocked": ("90590", "Ukey已经锁住了，请带Ukey和证件到{bank}的网点解锁，再来认证"),
    "ukey-expired": ("90591", "Ukey已经过期，请先到{bank}换发，再来认证"),
    "company-differs": ("90592", "{bank}说本单位的信息和开户时登记的不一致；请换本单位对公账号的Ukey，"
                        "单位改过名称或代码的先到银行更新"),
    "not-now": ("90593", "{bank}这次没有给本单位办认证，请问开户网点，或换一种办法"),
    "stopped": ("90599", "您已经停下这次认证；想好了可以再来"),
}  # fmt: skip


def offered() -> list[dict]:
    """The region's banks: {code, name, short, kind (of its UKEY), text}."""
    return current_app.config["REGION"]["realname"]["banks"]["offered"]


def bank_named(slug: str) -> dict:
    """Also of a bank that the region offers no more, while a visit there is under way."""
    return next((row for row in offered() if row["code"] == slug), {"code": slug, "name": "银行"})


def begin(principal: Principal, slug: str) -> tuple[str, BankVisit, str]:
    """(the bank's address, the visit, its cookie). Commits; the bank is asked between transactions. Raises `NotAccepted`."""
    bank, row = get_bank(slug)
    user = session.get(User, principal.user_id)
    check_may_verify(user, user.enterprise)
    limit = start_limit()
    check_limit(limit, user)
    session.commit()
    check_is_open(bank, row["name"])
    visit, cookie = new_visit(user, slug)
    address = address_of(visit, user.enterprise)
    limit.lock(str(user.id))
    check_limit(limit, user)
    limit.add(str(user.id))
    sweep_visits(clock.now())
    for older in lock_open_visits(user.id):
        end(older, "replaced")
    session.add(visit)
    session.commit()
    return address, visit, cookie


def get_bank(slug: str) -> tuple[Bank, dict]:
    row = next((row for row in offered() if row["code"] == slug), None)
    if row is None or slug not in gateways().banks:
        name = row["name"] if row else "这家银行"
        raise NotAccepted(Sentence("90581", "本地区还没有接通{bank}，请换一家，或换一种办法", bank=name))
    return gateways().banks[slug], row


def start_limit() -> Limit:
    rules = current_app.config["REGION"]["realname"]["banks"]
    return Limit("bank-ukey", rules["starts"], rules["minutes"])


def check_limit(limit: Limit, user: User) -> None:
    if wait := limit.minutes_left(str(user.id)):
        raise NotAccepted(
            Sentence("90580", "这个账号去银行认证的次数太多，请过{wait}分钟再来，或换一种办法", wait=wait)
        )


def check_is_open(bank: Bank, name: str) -> None:
    try:
        bank.check_is_open()
    except Unavailable as away:
        raise NotAccepted(closed(name, away)) from away


def closed(name: str, away: Unavailable) -> Sentence:
    if away.until and away.until > clock.now():
        until = f"{clock.local(away.until):%m月%d日%H:%M}"
        return Sentence(
            "90583", "{bank}正在维护，{until}以后再来；急着办的请换一家银行或换一种办法", bank=name, until=until
        )
    return Sentence("90582", "{bank}现在没有应答，请过几分钟再试；急着办的请换一家银行或换一种办法", bank=name)


def new_visit(user: User, slug: str) -> tuple[BankVisit, str]:
    cookie, now = secrets.token_urlsafe(32), clock.now()
    visit = BankVisit(
        cookie_hash=digest(cookie), bank=slug, nonce=secrets.token_urlsafe(32), enterprise_id=user.enterprise_id,
        user_id=user.id, state=OPEN, at=now, until=now + TIME,
    )  # fmt: skip
    return visit, cookie


def address_of(visit: BankVisit, company: Enterprise) -> str:
    """Where the browser goes: the same for the same visit, so that its page can be opened again. Raises `NotAccepted`."""
    origin = current_app.config["SETTINGS"].public_origin
    asked = BankRequest(
        number=visit.id.hex, nonce=visit.nonce, origin=origin, company=company.name, uscc=company.uscc or "",
        return_url=origin + url_for("realname.come_back_from_bank", slug=visit.bank), org_code=company.org_code or "",
        expires=visit.until,
    )  # fmt: skip
    try:
        return gateways().banks[visit.bank].address_of(asked)
    except Unavailable as away:
        current_app.logger.error("bank %s: %s", visit.bank, away)
        raise NotAccepted(closed(bank_named(visit.bank)["name"], away)) from away


def cookie_prefix() -> str:
    return "__Host-eport-bank-" if current_app.config["SETTINGS"].is_https else "eport-bank-"


def cookie_name(visit: BankVisit) -> str:
    return cookie_prefix() + visit.id.hex[:12]


def is_held(visit: BankVisit) -> bool:
    """Whether this browser began it."""
    return hmac.compare_digest(digest(request.cookies.get(cookie_name(visit), "")), visit.cookie_hash)


def digest(cookie: str) -> bytes:
    """256 random bits, so a plain hash will do."""
    return hashlib.sha256(cookie.encode()).digest()


def is_expired(visit: BankVisit) -> bool:
    return clock.now() > visit.until


def refusal(key: str, bank: str) -> Sentence:
    number, template = REFUSALS[key]
    parts = {"bank": bank_named(bank)["name"]} if "{bank}" in template else {}
    return Sentence(number, template, **parts)


def end(visit: BankVisit, key: str = "", sentence: Sentence | None = None) -> None:
    """Ends a locked visit for good; what is over stays as it was."""
    if visit.state != OPEN:
        return
    said = sentence or refusal(key, visit.bank)
    visit.state = ENDED
    visit.refusal = {"number": said.number, "template": said.template, "parts": said.parts}


def end_and_commit(visit_id: UUID, key: str = "", sentence: Sentence | None = None) -> BankVisit:
    visit = find_visit(visit_id, lock=True)
    end(visit, key, sentence)
    session.commit()
    return visit


def sentence_of(visit: BankVisit) -> Sentence | None:
    found = visit.refusal
    return Sentence(found["number"], found["template"], **found["parts"]) if found else None


def take(visit: BankVisit, answer: BankAnswer, query: str) -> str | None:
    """What a genuine answer does to its visit, which is locked: the path of the result, or None where it ended otherwise.

    Only in the browser and under the account that began it; the callers have looked. Commits.
    """
    if visit.state != OPEN:
        return url_for("realname.show_result") if visit.state == FINISHED else None
    key = refused(visit, answer)
    if key:
        end_and_commit(visit.id, key)
        return None
    try:
        path = verify(visit, answer, query)
    except NotAccepted as not_accepted:
        session.rollback()
        end_and_commit(visit.id, sentence=not_accepted.sentence)
        return None
    session.commit()
    return path


def refused(visit: BankVisit, answer: BankAnswer) -> str:
    """Which of REFUSALS, "" for none."""
    is_of_visit = hmac.compare_digest(answer.nonce, visit.nonce)
    if not is_of_visit or not visit.at - SKEW <= answer.at <= clock.now() + SKEW:
        return "not-genuine"
    if is_expired(visit):
        return "expired"
    if answer.result == CANCELLED:
        return "cancelled"
    return "" if answer.result == VERIFIED else answer.reason


def verify(visit: BankVisit, answer: BankAnswer, query: str) -> str:
    """Raises `NotAccepted`. The result and the end of the visit are one transaction."""
    company, user = lock_enterprise(visit.enterprise_id), lock_user(visit.user_id)
    check_may_verify(user, company)
    check_company(company, answer)
    check_owner(user, answer)
    visit.state = FINISHED
    evidence = {
        "bank": visit.bank, "number": answer.number, "company": answer.company, "uscc": answer.uscc, "query": query,
        "org_code": answer.org_code, "owner": answer.owner, "owner_id": answer.owner_id, "at": answer.at.isoformat(),
    }  # fmt: skip
    return keep_result(user, company, f"bank-{visit.bank}", evidence)


def check_company(company: Enterprise, answer: BankAnswer) -> None:
    """企业信息认证 (M92): the code decides, and the name must be the same too."""
    is_same = answer.uscc == company.uscc if company.uscc else answer.org_code == company.org_code != ""
    if not is_same:
        raise NotAccepted(Sentence("90594", "企业信息不一致：这是“{company}”的Ukey，不是本单位的。请换本单位对公账号的Ukey再认证",
                                   company=answer.company))  # fmt: skip
    if plain(answer.company) != plain(company.name):
        raise NotAccepted(Sentence("90595", "企业名称不一致：银行登记的是“{company}”，这里是“{name}”。请先把旧的那一处改过来，"
                                   "再来认证", company=answer.company, name=company.name))  # fmt: skip


def check_owner(user: User, answer: BankAnswer) -> None:
    """账号所有人身份信息认证 (M92)."""
    if not answer.owner_id:
        raise NotAccepted(
            Sentence("90597", "银行没有说Ukey发给了谁，没法核对账号所有人。请到开户网点登记Ukey的使用人，再来认证")
        )
    if not user.id_number:
        raise NotAccepted(Sentence("90596", "账号里还没有所有人的证件号码，没法和Ukey核对。请打客服热线补上，再来认证"))
    if user.id_number.upper() != answer.owner_id.upper():
        raise NotAccepted(Sentence("90598", "账号所有人不一致：Ukey是发给{owner}的，和账号所有人的证件号码不一样。请用账号所有人"
                                   "本人的Ukey；账号换了人管的，请打客服热线更正", owner=answer.owner or "—"))  # fmt: skip


def plain(name: str) -> str:
    """Full-width or half-width, spaced or not, a name stays the same."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()

"""What an approved registration makes: the company (or person) and its first user, who is its administrator (M55)."""

import base64
from datetime import datetime

from blueprints.common import clock
from blueprints.common.checks import org_code_of
from blueprints.common.kinds import CannotTakeEffect
from blueprints.common.numbers import Sentence
from blueprints.common.records import kept_secret
from models.accounts import (
    CARD,
    REGISTERED,
    BoundCard,
    Enterprise,
    User,
    find_card,
    find_organisation,
    find_user,
)
from models.database import session
from models.documents import Participation
from models.queue import defer

from .forms import KIND_OF_TYPE

TYPE_OF_KIND = {kind: name for name, kind in KIND_OF_TYPE.items()}
OWN_COLUMNS = {"name", "uscc", "org_code", "address"}
PRIVATE = {"account", "id_number", "legal_number"}  # they stay in the encrypted snapshot


def create_account(document, case) -> None:
    """Raises `CannotTakeEffect` where company, user name or card were taken since the submission."""
    company = enterprise_from(case)
    if company.org_code and find_organisation(company.org_code):
        path = "company/uscc" if company.uscc else "company/org_code"
        raise cannot(path, "90212", "该单位已经注册，请找本单位的管理员开账号")
    if find_user(case["administrator/user"]):
        raise cannot("administrator/user", "90210", "这个平台帐户名已有人用，请换一个")
    session.add(company)
    session.flush()
    user = administrator_from(case, company, kept_secret(document, "administrator/password"))
    session.add(user)
    session.flush()
    if case.given:
        bind_given_card(case.given, user)
    document.participants.append(
        Participation(document_id=document.id, role="applicant", enterprise_id=company.id, code=None, may=["see"])
    )
    if company.uscc:
        defer("refresh_codes", enterprise_id=str(company.id))


def cannot(path: str, number: str, words: str) -> CannotTakeEffect:
    return CannotTakeEffect(path, number, Sentence(number, words))


def enterprise_from(case) -> Enterprise:
    answers = case["company"]
    uscc = answers.get("uscc") or None
    details = {name: value for name, value in answers.items() if value and name not in OWN_COLUMNS | PRIVATE}
    company = Enterprise(
        name=answers["name"], uscc=uscc, org_code=org_code_of(uscc) if uscc else answers.get("org_code") or None,
        address=answers["address"], origin=CARD if case.given else REGISTERED, details=details,
        account_type=TYPE_OF_KIND[case.kind.slug], created_at=clock.now(),
    )  # fmt: skip
    company.representative = representative_from(case)
    return company


def representative_from(case) -> dict:
    """法定代表人 as far as the registration asks: of a person himself, of a foreign company its head."""
    people, answers = case["contacts"], case["company"]
    if people:
        return {name: people[f"legal_{name}"] for name in ("name", "id_type", "id_number")}
    if "legal_name" in answers:
        return {"name": answers["legal_name"], "id_type": "passport", "id_number": answers["legal_number"]}
    return {name: answers[name] for name in ("name", "id_type", "id_number", "valid_from", "valid_to")}


def administrator_from(case, company: Enterprise, password_hash: str) -> User:
    person, himself = case["administrator"], case["company"]
    user = User(
        name=person["user"].casefold(), shown_name=person["user"], password_hash=password_hash,
        enterprise_id=company.id, role="administrator", created_at=clock.now(), rights={}, reminders={},
    )  # fmt: skip
    number = person.get("id_number") or person.get("passport") or himself.get("id_number") or ""
    user.keep_person(person.get("name") or himself["name"], number, person["email"])
    names = ("phone", "mobile", "fax", "position", "declarant", "inspector")
    user.contact = {name: person[name] for name in names if name in person}
    user.keep_mobile(person.get("mobile", ""))
    user.papers = papers_from(person, himself)
    return user


def papers_from(person: dict, himself: dict) -> dict | None:
    if "passport" in person:
        return {"id_type": "passport"}
    return {name: himself[name] for name in ("id_type", "valid_from", "valid_to")} if "id_type" in himself else None


def bind_given_card(given: dict, user: User) -> None:
    """The 法人卡 that the registration was begun with opens the account from now on (M216)."""
    if find_card(given["card_number"]):
        raise cannot("administrator/user", "90216", "这张卡刚绑定了另一个账号，请核对")
    session.add(
        BoundCard(
            card_number=given["card_number"], user_id=user.id, card_type="法人卡", serial=given["serial"],
            certificate=base64.b64decode(given["certificate"]), bound_at=clock.now(),
            not_after=datetime.fromisoformat(given["not_after"]),
        )
    )  # fmt: skip

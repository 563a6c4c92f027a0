"""Fills the portal's side of the demonstration (DEMO.md) from `sandbox/seed.toml`; all dates relative to today."""

import tomllib
from datetime import date, timedelta

from argon2 import PasswordHasher

from blueprints.common import clock
from blueprints.common.access import EDIT, SEE, SUBMIT
from blueprints.common.checks import PERSON_PAPERS, org_code_of
from blueprints.common.documents import Office
from blueprints.common.wizard_base import office
from models.accounts import MIGRATED, REGISTERED, Enterprise, User, find_user
from models.codes import HeldCode
from models.database import session
from models.transmission import TransmissionId
from settings import ROOT

from .seed_agreements import add_agreements
from .seed_documents import draft_registration, overdue_registration, returned_registration, second_look
from .seed_exports import OF_CARRIER, OF_SELLER, add_export_settings
from .seed_orders import add_open_tasks, add_orders, lock_account

PASSWORD = "demo-2026-eport"
RIGHTS = {  # of operators
    "demo01a": {"exports": SUBMIT, "trade": SUBMIT, "access": SUBMIT, "agreements": SUBMIT},
    "demo01b": {"exports": EDIT, "trade": SEE},
}
STAFF = (
    ("shenhe1", ["registration"]), ("shenhe2", ["registration"]), ("fenzhongxin", ["data-centre"]),
    ("kefu", ["helpdesk"]), ("yunying", ["registration", "data-centre", "helpdesk"]),
)  # fmt: skip


def seed_demonstration(settings) -> str | None:
    """Gives the resume code of ⑧'s draft; None where the demonstration is there already."""
    if find_user("demo01"):
        return None
    data = tomllib.loads((ROOT / "sandbox" / "seed.toml").read_text("utf-8"))
    people = {person["key"]: person for person in data["people"]}
    password = PasswordHasher(time_cost=2, memory_cost=settings.argon2_memory, parallelism=1).hash(PASSWORD)
    for name, desks in STAFF:
        session.add(
            User(name=name, shown_name=name, password_hash=password, role="staff", desks=desks, created_at=clock.now())
        )
    holders = {(card["company"], card["kind"]): card["holder"] for card in reversed(data["cards"])}
    for row in data["companies"]:
        if row["state"] in ACCOUNTS:
            add_company(row, people, holders, password)
    session.commit()
    add_agreements()
    add_export_settings()
    add_export_settings("demo03", ("declarant", "seller"), OF_SELLER)
    add_export_settings("demo05", ("declarant", "logistics"), OF_CARRIER)
    add_orders()
    add_open_tasks()
    lock_account()
    code = add_documents(office(), data, people)
    session.commit()
    return code


ACCOUNTS = ("ready", "migrated", "two-codes", "broker", "logistics", "locked")


def add_company(row: dict, people: dict, holders: dict, password: str) -> None:
    """A company with its administrator, operators, codes and 传输ID as the register knows them."""
    legal = people[row["legal_representative"]]
    company = Enterprise(
        name=row["name"], uscc=row["uscc"], org_code=org_code_of(row["uscc"]), address=row["address"], details={},
        origin=MIGRATED if row["state"] == "migrated" else REGISTERED, created_at=clock.now(),
        active_code=row["customs_codes"][0]["code"] if row["customs_codes"] else None,
    )  # fmt: skip
    paper = next(key for key, label in PERSON_PAPERS if label == legal["id_type"])
    company.representative = {"name": legal["name"], "id_type": paper, "id_number": legal["id_number"]}
    session.add(company)
    session.flush()
    for code in row["customs_codes"]:
        session.add(
            HeldCode(
                enterprise_id=company.id,
                code=code["code"],
                category=code["category"],
                revision="seed",
                valid_from=date.fromisoformat(code["valid_from"]),
                valid_to=date.fromisoformat(code["valid_to"]),
                ecommerce_types=code["ecommerce_types"],
                seen_at=clock.now(),
            )
        )
    add_users(row, company, people, holders, password)
    if row["state"] in ("ready", "logistics", "two-codes"):
        session.add(
            TransmissionId(
                value=row["dxp_id"],
                enterprise_id=company.id,
                customs_code=company.active_code,
                node="province",
                device="ic-card",
                granted_at=clock.now() - timedelta(days=30),
            )
        )


def add_users(row: dict, company: Enterprise, people: dict, holders: dict, password: str) -> None:
    names = [(row["administrator"], "administrator"), *((name, "operator") for name in row.get("operators", ()))]
    persons = [row["legal_representative"], holders.get((row["number"], "02"), "qian"), "ye"]
    for (name, role), key in zip(names, persons, strict=False):
        user = User(
            name=name,
            shown_name=name,
            password_hash=password,
            role=role,
            enterprise_id=company.id,
            created_at=clock.now(),
            rights=RIGHTS.get(name, {}),
        )
        person = people[key]
        user.keep_person(person["name"], person["id_number"], f"{name}@example.com")
        user.keep_mobile(person["phone"])
        session.add(user)


def add_documents(desk: Office, data: dict, people: dict) -> str:
    """⑥ 待审核 and overdue, ⑦ 退回 with two reasons, ⑨ second look, ⑧ a draft; gives the draft's resume code."""
    rows = {row["state"]: row for row in data["companies"]}
    overdue_registration(desk, rows["waiting"], people)
    returned_registration(desk, rows["returned"], people)
    second_look(desk, rows["second-look"], people)
    return draft_registration(desk, rows["draft"], people)

"""Registrations of the demonstration in every state, made by the engine itself on the days when they would have been."""

from datetime import timedelta

from blueprints.common import clock
from blueprints.common.access import Principal
from blueprints.common.documents import Office
from blueprints.common.files import write_bytes
from blueprints.registration.resume import new_code
from models.accounts import find_user
from models.database import session
from models.documents import Document
from settings import ROOT

SCAN = ROOT / "sandbox" / "scans"


def kind_of(row: dict) -> tuple[str, str]:
    """(account type, kind of registration): 事业单位 by the first digits of its code (GB 32100-2015)."""
    return (
        ("institution", "registration-institution")
        if row["uscc"].startswith("12")
        else ("three-in-one", "registration")
    )


def answers_of(row: dict, people: dict) -> dict[str, dict]:
    """What the company types, page by page."""
    person, (account_type, _) = people[row["legal_representative"]], kind_of(row)
    trading = (
        {"entity_types": ["cargo-owner"], "english": [row["english_name"]]} if account_type == "three-in-one" else {}
    )
    return {
        "type": {"type": [account_type], "agreed": ["agreed"]},
        "company": {
            "province": ["130000"], "city": ["130100"], "name": [row["name"]], "address": [row["address"]],
            "uscc": [row["uscc"]],
        } | trading,
        "contacts": {"legal_name": [person["name"]]},
        "administrator": {
            "user": [row["administrator"]], "password": ["demo-2026-eport"], "password_again": ["demo-2026-eport"],
            "name": [person["name"]], "id_number": [person["id_number"]], "email": [f"{row['administrator']}@example.com"],
            "phone": ["0311-12345678"], "mobile": [person["phone"]], "fax": ["0311-12345679"],
        },
    }  # fmt: skip


def fill(desk: Office, row: dict, people: dict, until: str | None = None) -> Document:
    """A draft with every page filled, or all but the papers (`until="papers"`)."""
    document = desk.start(kind_of(row)[1], None)
    for place, typed in answers_of(row, people).items():
        desk.save(document, desk.form(document, place, typed), "填表人", 0)
    if until == "papers":
        return document
    scan = next(SCAN.glob("*.png"))
    file = write_bytes(scan.read_bytes(), scan.name, "png", document_id=document.id)
    session.flush()
    desk.save(document, desk.form(document, "papers", {"licence": [str(file.id)]}), "填表人", 0)
    return document


def reviewer() -> Principal:
    user = find_user("shenhe1")
    return Principal(user.id, user.shown_name, "staff", desks=frozenset(user.desks))


def overdue_registration(desk: Office, row: dict, people: dict) -> None:
    with clock.stopped_at(clock.now() - timedelta(days=9)):
        desk.submit(fill(desk, row, people), "填表人")


def returned_registration(desk: Office, row: dict, people: dict) -> None:
    with clock.stopped_at(clock.now() - timedelta(days=3)):
        document = fill(desk, row, people)
        desk.submit(document, "填表人")
        reasons = desk.region["reasons"]["registration"]
        desk.send_back(
            document, "review", reviewer(), 1, [("company/address", reasons[3]), ("papers/licence", reasons[8])]
        )


def second_look(desk: Office, row: dict, people: dict) -> None:
    """Returned once, mended, waiting again: the desk sees what changed."""
    with clock.stopped_at(clock.now() - timedelta(days=4)):
        document = fill(desk, row, people)
        desk.submit(document, "填表人")
        desk.send_back(
            document, "review", reviewer(), 1, [("company/address", desk.region["reasons"]["registration"][3])]
        )
    with clock.stopped_at(clock.now() - timedelta(days=1)):
        typed = answers_of(row, people)["company"] | {"address": [row["address"] + "3楼"]}
        desk.save(document, desk.form(document, "company", typed), "填表人", 1)
        desk.submit(document, "填表人")


def draft_registration(desk: Office, row: dict, people: dict) -> str:
    """Three minutes left of thirty; gives its resume code, which `make run` prints."""
    with clock.stopped_at(clock.now() - timedelta(minutes=27)):
        document = fill(desk, row, people, until="papers")
        return new_code(document)

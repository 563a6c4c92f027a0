"""Fills the outside parties with the people, companies and cards of seed.toml."""

import datetime
import tomllib
from pathlib import Path

from sandbox.store import Store

FILE = Path(__file__).with_name("seed.toml")
CARD_FIELDS = ("number", "label", "kind", "algorithm", "medium", "pin", "tries", "tries_left", "delay_ms")


def read() -> dict:
    return tomllib.loads(FILE.read_text("utf-8"))


def fill(store: Store) -> None:
    """Puts people, bank cards and companies back as they were; keeps nothing else. Cards are issued by the card panel."""
    data = read()
    people = {person["key"]: person for person in data["people"]}
    with store.transaction():
        store.clear()
        for person in data["people"]:
            store.put("person", person["id_number"], person)
        for card in data["bank_cards"]:
            holder = people[card["holder"]]
            store.put(
                "bank-card", card["card_number"], card | {"name": holder["name"], "id_number": holder["id_number"]}
            )
        for company in data["companies"]:
            store.put("company", company["uscc"], _company(company, people))


def _company(company: dict, people: dict) -> dict:
    keep = ("uscc", "name", "english_name", "address", "org_code", "status", "customs_codes", "dxp_id", "note")
    representative = people[company["legal_representative"]]
    who = {key: representative[key] for key in ("name", "id_type", "id_number")}
    return {key: company[key] for key in keep} | {"legal_representative": who}


def ukeys() -> list[dict]:
    """The UKEYs that banks have given out, with dates; `holder` may be empty: the bank never wrote it down."""
    data = read()
    people = {person["key"]: person for person in data["people"]}
    companies = {company["number"]: company for company in data["companies"]}
    today = datetime.date.today()
    return [
        {key: ukey[key] for key in ("number", "label", "bank", "pin", "tries")}
        | {
            "uscc": companies[ukey["company"]]["uscc"],
            "company": ukey.get("name") or companies[ukey["company"]]["name"],
            "owner": people[ukey["holder"]]["name"] if ukey["holder"] else "",
            "owner_id": people[ukey["holder"]]["id_number"] if ukey["holder"] else "",
            "valid_from": (today + datetime.timedelta(ukey["valid_from_days"])).isoformat(),
            "valid_to": (today + datetime.timedelta(ukey["valid_to_days"])).isoformat(),
        }
        for ukey in data["ukeys"]
    ]


def cards() -> list[dict]:
    """The cards to issue: the fields of an order to the card panel, with dates."""
    data = read()
    people = {person["key"]: person for person in data["people"]}
    companies = {company["number"]: company for company in data["companies"]}
    today = datetime.date.today()
    return [
        {key: card[key] for key in CARD_FIELDS}
        | {
            "uscc": companies[card["company"]]["uscc"],
            "company": companies[card["company"]]["name"],
            "holder": people[card["holder"]]["name"],
            "id_number": people[card["holder"]]["id_number"],
            "valid_from": (today + datetime.timedelta(card["valid_from_days"])).isoformat(),
            "valid_to": (today + datetime.timedelta(card["valid_to_days"])).isoformat(),
        }
        for card in data["cards"]
    ]

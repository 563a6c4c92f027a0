"""A house with the made-up kinds, on a Friday at 10:32, with three companies, officials and some files."""

from dataclasses import dataclass, replace

import pytest
from sqlalchemy import update

from app import AREAS
from blueprints.common.access import Principal
from blueprints.common.regions import Region
from models.codes import HeldCode
from models.database import session
from tests.conftest import build_house, make_enterprise, make_user
from tests.engine.filling import Draft, make_files, principal_of
from tests.kinds import MADE_UP


@pytest.fixture(scope="session")
def house(settings):
    with build_house(settings, areas=(*AREAS, MADE_UP)) as app:
        yield app


@pytest.fixture(autouse=True)
def friday(clock_at):
    with clock_at(2026, 11, 20, 10, 32):
        yield


@dataclass
class People:
    anna: Principal
    boris: Principal
    sam: Principal
    clerk: Principal
    market: Principal
    users: dict


@pytest.fixture
def people(app) -> People:
    """Anna and Boris of two companies, of which Boris's is a customs broker; Sam of a third; two officials."""
    users = {}
    for number, name in enumerate(("anna", "boris", "sam"), 1):
        company = make_enterprise(f"{name}公司", f"9113010000000000{number}A", code=f"130100000{number}")
        users[name] = make_user(name, enterprise=company, person=(name, None, f"{name}@example.com"))
    users["clerk"] = make_user("clerk", role="staff", desks=["registration", "data-centre", "customs", "cards"])
    users["market"] = make_user("market", role="staff", desks=["market"])
    users["anna"].contact = {"mobile": "13000000001"}
    session.execute(update(HeldCode).where(HeldCode.code == "1301000002").values(category="报关企业"))
    session.commit()
    return People(**{name: principal_of(user) for name, user in users.items()}, users=users)


@pytest.fixture
def files(app):
    return make_files()


@pytest.fixture
def office(app):
    """In a region without rules of its own."""
    return replace(app.config["OFFICE"], region=Region())


@pytest.fixture
def in_region(office):
    return lambda **fields: replace(office, region=Region(data={"fields": fields}))


@pytest.fixture
def with_kind(office):
    """The office with one kind changed."""
    return lambda kind, **changes: replace(office, kinds={**office.kinds, kind: replace(office.kinds[kind], **changes)})


@pytest.fixture
def draft(office, people):
    """`draft("link")`: started by Anna, decided by the clerk."""

    def start(kind: str, by="anna", at=office) -> Draft:
        return Draft(at, kind, by and getattr(people, by), people.clerk)

    return start

"""Agreements and entrustments of the demonstration: ①, ③ under its old code, and ④ as their customs broker."""

from datetime import date, timedelta

from blueprints.common import clock
from models.accounts import find_user
from models.agreements import ACTIVE, APPROVED, Agreement, Entrustment
from models.database import session

DISTRICT = "石家庄海关"
FOREVER = date(2099, 12, 31)


def add_agreements() -> None:
    """Both exporters signed long ago under the code in use; ③ holds another code, under which nothing is signed."""
    broker = find_user("demo04").enterprise
    for name, days in (("demo01", 200), ("demo03", 400)):
        company, signed = find_user(name).enterprise, clock.now() - timedelta(days=days)
        session.add(Agreement(enterprise_id=company.id, customs_code=company.active_code, district=DISTRICT, state=APPROVED,
                              signed_at=signed, valid_to=FOREVER))  # fmt: skip
        session.add(Entrustment(client_id=company.id, client_code=company.active_code, agent_id=broker.id,
                                agent_code=broker.active_code, state=ACTIVE, started_at=signed,
                                valid_to=clock.today() + timedelta(days=365)))  # fmt: skip
    session.flush()

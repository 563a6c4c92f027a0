"""Fixtures of the tests of export declarations; a pytest plugin, so that modules name it and import nothing of it."""

import pytest

from blueprints.common import clock
from models.database import session
from models.transmission import TransmissionId
from tests.conftest import log_in
from tests.exports_world import CODE, DXP, Trade, make_profile, make_strategy


@pytest.fixture
def granted(company):
    """The company holds a 传输ID for its code."""
    row = TransmissionId(
        value=DXP,
        enterprise_id=company.id,
        customs_code=CODE,
        node="province",
        device="ic-card",
        granted_at=clock.now(),
    )
    session.add(row)
    session.commit()
    return row


@pytest.fixture
def profile(company, granted):
    return make_profile(company)


@pytest.fixture
def strategy(profile):
    return make_strategy(profile)


@pytest.fixture
def exporter(browser, administrator, strategy):
    """A browser of the company's administrator, who may declare."""
    return log_in(browser, administrator)


@pytest.fixture
def trade(context, administrator, company, strategy):
    return Trade(context, administrator, company, strategy)

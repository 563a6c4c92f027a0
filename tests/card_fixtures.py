"""Fixtures of the tests with cards; a pytest plugin, so that modules name it and import nothing of it."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.browsing import Browser
from tests.card_bridge_double import BridgeDouble, issue
from tests.conftest import log_in
from tests.gateways.card_authority import RsaPki


@pytest.fixture(scope="session")
def issuer(settings):
    pki = RsaPki()
    (settings.card_authorities / "test.pem").write_bytes(pki.ca.public_bytes(Encoding.PEM))
    return pki


@pytest.fixture
def card(issuer):
    """The administrator's own card of the company."""
    return issue(issuer)


@pytest.fixture
def asked(app, administrator, issuer):
    """A browser at page 3004, asked to bind a card."""
    browser = log_in(Browser(app), administrator).open("/account/cards")
    return browser.submit("绑定一张卡")


@pytest.fixture
def bridge(asked):
    return BridgeDouble.of(asked)

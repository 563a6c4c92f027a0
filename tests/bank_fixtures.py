"""The sandbox's banks on a port of their own, connected to the house under test, and whom they know."""

import threading
from dataclasses import replace

import pytest
from werkzeug.serving import make_server

from gateways.banks import connect_bank
from sandbox.app import create_app
from sandbox.moods import set_mood
from sandbox.settings import Settings as WorldSettings
from sandbox.world import World
from tests.bank_traveller import NAME, SHORT, SONG, USCC, Traveller
from tests.browsing import ORIGIN
from tests.conftest import log_in, make_enterprise, make_user


@pytest.fixture(scope="session")
def bank_world(tmp_path_factory):
    """The sandbox with its banks, answering on a port of its own."""
    folder = tmp_path_factory.mktemp("bank-world")
    world = World(WorldSettings(folder / "sandbox", folder / "customs", smtp_port=0, portal=ORIGIN))
    server = make_server("127.0.0.1", 0, create_app(world), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    world.address = f"http://127.0.0.1:{server.port}"
    yield world
    server.shutdown()
    thread.join()
    server.server_close()
    world.close()


@pytest.fixture
def banks(app, bank_world, monkeypatch):
    """All three connected; their moods and UKEYs as on the first day."""
    for slug in SHORT:
        set_mood(bank_world.store, f"bank-{slug}", "yes")
    bank_world.ukeys.seed()
    urls = {slug: f"{bank_world.address}/bank-{slug}" for slug in SHORT}
    monkeypatch.setitem(app.config, "SETTINGS", replace(
        app.config["SETTINGS"], banks=",".join(f"{slug}={url}" for slug, url in urls.items())
    ))  # fmt: skip
    made = {slug: connect_bank(slug, url, bank_world.bank_keys.folder, timeout=0.5) for slug, url in urls.items()}
    monkeypatch.setitem(app.config, "GATEWAYS", replace(app.config["GATEWAYS"], banks=made))
    return made


@pytest.fixture
def mood(bank_world):
    return lambda slug, name: set_mood(bank_world.store, f"bank-{slug}", name, 0)


@pytest.fixture
def owner(app):
    """The administrator of ②, whom the seeded UKEYs belong to."""
    return make_user("demo02", enterprise=make_enterprise(NAME, USCC, origin="migrated"), person=SONG)


@pytest.fixture
def traveller(browser, owner):
    return Traveller(log_in(browser, owner))

"""The fixture `outside`; a pytest plugin, so that modules name it and import nothing of it."""

import shutil
import threading
from dataclasses import replace

import pytest
from werkzeug.serving import make_server

from sandbox.app import create_app
from sandbox.moods import PARTIES
from sandbox.settings import Settings
from sandbox.world import World
from tests.outside import Handler, Outside, offer


@pytest.fixture(scope="session")
def one_outside(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outside")
    world = World(Settings(folder / "sandbox", folder / "customs", smtp_port=0))
    server = make_server("127.0.0.1", 0, create_app(world), threaded=True, request_handler=Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield Outside(world, f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()
    world.cards.eject()
    world.close()


@pytest.fixture
def outside(one_outside, app, monkeypatch):
    """In its best mood, with nothing declared yet; the portal trusts its card authorities and offers its hosts."""
    one_outside.world.ledger.clear()
    one_outside.world.store._run("DELETE FROM arrivals")
    for party in PARTIES:
        one_outside.mood(party, "yes")
    shutil.rmtree(one_outside.world.settings.customs_folder, ignore_errors=True)
    offer(
        app,
        monkeypatch,
        "channels",
        code="http",
        name="HTTP通道",
        kind="http",
        address=one_outside.address + "/customs-line",
    )
    offer(
        app,
        monkeypatch,
        "signers",
        code="service",
        name="加签服务",
        kind="service",
        address=one_outside.address + "/signing",
    )
    trusted = replace(app.config["SETTINGS"], card_authorities=one_outside.world.authority.folder)
    monkeypatch.setitem(app.config, "SETTINGS", trusted)
    return one_outside

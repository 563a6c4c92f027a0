"""The outside world of one test: a copy of a seeded one, nothing started; `office.look()` is one round of customs."""

import shutil
import sys
from pathlib import Path

import pytest

from sandbox.app import create_app
from sandbox.settings import Settings
from sandbox.world import World

sys.path.insert(0, str(Path(__file__).parent))

import traders


@pytest.fixture
def world(first_day, tmp_path):
    shutil.copytree(first_day, tmp_path / "sandbox")
    world = World(Settings(tmp_path / "sandbox", tmp_path / "customs", smtp_port=0))
    yield world
    world.cards.eject()
    world.close()


@pytest.fixture
def client(world):
    """Asks like a browser on this machine."""
    return create_app(world).test_client()


@pytest.fixture
def office(world):
    return world.office


@pytest.fixture
def enterprise(world):
    """The folder of company ①."""
    folder = world.settings.customs_folder / "0123456789abcdef0123456789abcdef"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def rsa_card(world):
    return world.cards.folder / "8600000000101.json"


@pytest.fixture
def sm2_card(world):
    return world.cards.folder / "8600000000102.json"


@pytest.fixture
def declare(enterprise, office, rsa_card):
    """Signs the orders into one message, lets customs look once, gives back the file's bytes."""

    def send(*orders: str, card: Path = rsa_card, folder: Path = enterprise, **frame: str) -> bytes:
        content = traders.envelope(traders.signed(traders.message(*orders, **frame), card))
        traders.put(folder, content)
        office.look()
        return content

    return send


@pytest.fixture
def mood(client):
    def choose(party: str, name: str, **fields: object) -> None:
        answer = client.post(f"/moods/{party}", json={"mood": name} | fields)
        assert answer.status_code == 200, answer.json

    return choose


@pytest.fixture(scope="session")
def first_day(tmp_path_factory):
    folder = tmp_path_factory.mktemp("first-day") / "sandbox"
    World(Settings(folder, folder.parent / "customs", smtp_port=0)).close()
    return folder

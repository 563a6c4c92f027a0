"""Fixtures of the bridge's tests: a stage with portal, bridge and card, and two people with a browser each."""

import sys
from pathlib import Path

import pytest

BRIDGE = Path(__file__).parent.parent
for folder in (BRIDGE.parent, BRIDGE / "src"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Card authorities, one card of each algorithm, and the portal's TLS certificate; made once."""
    from card_authority import Authority

    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def new_stage(authority, tmp_path):
    from bridge_stage import Stage

    stages = []

    def start(*args, **kwargs):
        stages.append(Stage(authority, tmp_path / str(len(stages)), *args, **kwargs))
        return stages[-1]

    yield start
    for stage in stages:
        stage.close()


@pytest.fixture
def stage(new_stage):
    return new_stage()


@pytest.fixture
def anna(stage):
    from bridge_stage import Browser

    return Browser(stage)


@pytest.fixture
def bert(stage):
    from bridge_stage import Browser

    return Browser(stage)

"""What docs/operating.md and ops/ promise an administrator holds for this release."""

import os
import re
from dataclasses import fields
from itertools import pairwise

from settings import ROOT, Settings

OPS = ROOT / "ops"
EXAMPLE = (OPS / "portal.env.example").read_text("utf-8")
DEMONSTRATION_ONLY = {"EPORT_SANDBOX_ORIGIN", "EPORT_DEMO_CAPTCHA"}


def example() -> dict[str, str]:
    return dict(line.split("=", 1) for line in EXAMPLE.splitlines() if line and not line.startswith("#"))


def pins(name: str) -> dict[str, str]:
    """{package==version with its marker: hashes}; a marker may tell apart two versions of one package."""
    text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
    rows = re.findall(r"^([a-z0-9-]+==\S+(?: ; [^\n]*?)?)\s+(--hash[^\n]*)$", text, re.M)
    return {pin.strip(): hashes.strip() for pin, hashes in rows}


def test_the_example_holds_every_setting_that_production_takes():
    wanted = {each.metadata["variable"] for each in fields(Settings)} - DEMONSTRATION_ONLY
    assert not wanted - example().keys()
    assert not DEMONSTRATION_ONLY & example().keys()


def test_each_setting_of_the_example_is_explained_by_a_line_above():
    lines = EXAMPLE.splitlines()
    bare = [line for before, line in pairwise(lines) if re.match("[A-Z]", line) and not before.startswith("#")]
    assert not bare


def test_the_example_with_keys_of_its_own_is_accepted_by_production():
    keys = {"EPORT_SECRET_KEY": "0" * 64, "EPORT_DATA_KEYS": "k1:" + "A" * 43 + "="}
    assert Settings.from_environment({**example(), **keys}).is_production


def test_production_installs_the_very_versions_that_were_tested():
    production, everything = pins("ops/requirements.lock"), pins("requirements.lock")
    assert len(production) > 40
    assert production.items() <= everything.items()


def test_production_installs_everything_that_the_portal_imports_and_no_test_tool():
    names = {pin.partition("==")[0] for pin in pins("ops/requirements.lock")}
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    wanted = re.findall(r'^    "([a-z0-9-]+)', text.partition("[project.optional-dependencies]")[0], re.M)
    assert not set(wanted) - names
    assert not names & {"pytest", "playwright", "pyscard", "aiosmtpd", "ruff"}


def test_every_file_of_ops_that_the_guide_names_exists_and_programs_may_be_run():
    guide = (ROOT / "docs/operating.md").read_text("utf-8")
    for name in re.findall(r"ops/([a-z.*-]*[a-z])", guide):
        assert list(OPS.glob(name)), name
    assert all(os.access(OPS / name, os.X_OK) for name in ("run", "backup"))

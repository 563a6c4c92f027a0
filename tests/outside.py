"""The sandbox as the portal's outside world, over a real port, and what a company chooses of it."""

import base64
import json
from dataclasses import replace

from flask import current_app
from werkzeug.serving import WSGIRequestHandler

from blueprints.common import clock
from blueprints.common.regions import Region, merge
from blueprints.exports import channels
from models.database import session
from sandbox.moods import set_mood
from sandbox.world import World
from tests.exports_world import CODE, DXP
from tests.gateways.card_authority import Card

HTTP = {"send_host": "http", "send_user": DXP, "send_password": "sandbox", "receive_host": "http", "receive_user": DXP,
        "receive_password": "sandbox"}  # fmt: skip
SERVICE = {"signer": "service", "sign_user": CODE, "sign_password": "sandbox"}


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, code="-", size="-"):
        return


class Outside:
    """`mood(party, name)`; `look()` is one round of customs; `statistics` what customs counted."""

    def __init__(self, world: World, address: str) -> None:
        self.world, self.address = world, address
        kept = json.loads((world.cards.folder / "8600000000101.json").read_text())
        self.card = Card("rsa", "rsa-sha1", base64.b64decode(kept["certificate"]), kept["key"].encode())

    def mood(self, party: str, name: str, **options) -> None:
        set_mood(self.world.store, party, name, **options)

    def look(self) -> None:
        while self.world.office.look():
            pass

    @property
    def statistics(self) -> dict:
        return self.world.ledger.statistics()

    def line(self, box: str, user: str = DXP) -> dict[str, bytes]:
        """{name: content} of the HTTP channel's folder of a company."""
        folder = self.world.settings.customs_folder / f"line-{user}" / box
        return {path.name: path.read_bytes() for path in sorted(folder.glob("*.xml"))}

    def signatures(self) -> int:
        return len(self.world.store.arrivals("signature"))


def offer(app, monkeypatch, table: str, **host) -> None:
    """Puts one more host on the operator's list."""
    region = app.config["REGION"]
    hosts = [row for row in region["exports"][table]["hosts"] if row["code"] != host["code"]]
    changed = merge(region.data, {"exports": {table: {"hosts": [*hosts, host]}}})
    monkeypatch.setitem(app.config, "REGION", Region(region.slug, changed))


def choose(profile, **values) -> None:
    """As the form of 企业资料 does."""
    channels.save_settings(profile.id, values)
    session.commit()


def switch_on(profile) -> None:
    """As page 8031 does."""
    row = channels.channels.find_settings(profile.id)
    row.unattended_at, row.unattended_by = clock.now(), "李明 8600000000101"
    session.commit()


def is_production(monkeypatch) -> None:
    monkeypatch.setitem(current_app.config, "SETTINGS", replace(current_app.config["SETTINGS"], mode="production"))

"""The sandbox's web pages: one Flask app with all outside parties."""

import datetime
import secrets

from flask import Flask, render_template
from markupsafe import Markup, escape

from sandbox import declarations, downloads, identity, mail, moods, register, seed, signing, sms, web
from sandbox.banks import pages as banks
from sandbox.customs import http as customs_line
from sandbox.customs import pages as customs
from sandbox.customs.envelope import SHANGHAI
from sandbox.panel import pages as panel
from sandbox.world import World


def create_app(world: World) -> Flask:
    app = Flask(__name__)
    app.secret_key = secrets.token_bytes()
    app.config.update(
        SESSION_COOKIE_NAME="sandbox", SESSION_COOKIE_SAMESITE="Strict", SESSION_COOKIE_HTTPONLY=True,
        MAX_CONTENT_LENGTH=1 << 20,
    )  # fmt: skip
    app.json.ensure_ascii = False
    app.extensions["world"] = world
    app.before_request(web.check_request)
    app.after_request(web.protect)
    parties = (
        web, mail, sms, register, identity, banks, customs, customs_line, declarations, signing, panel, downloads,
    )  # fmt: skip
    for party in parties:
        app.register_blueprint(party.bp)
    app.add_template_filter(show_time, "time")
    app.add_template_filter(show_links, "links")
    app.context_processor(lambda: {"parties": moods.PARTIES, "mood_names": moods.NAMES, "mood_of": mood_of(world)})

    @app.get("/")
    def home():
        return render_template(
            "home.html", portal=world.settings.portal, files=downloads.FILES, companies=seed.read()["companies"],
            inserted=world.cards.inserted,
        )  # fmt: skip

    return app


def mood_of(world: World):
    """For the mood form: a party's mood now, what each mood means for it, and which make no sense."""

    def find(party: str) -> dict:
        now = moods.get_mood(world.store, party)
        return {"now": now, "meanings": moods.MEANINGS[party], "without_sense": moods.WITHOUT_SENSE[party]}

    return find


def show_time(moment: float) -> str:
    return f"{datetime.datetime.fromtimestamp(moment, SHANGHAI):%Y-%m-%d %H:%M:%S}"


def show_links(text: str) -> Markup:
    """The text with its http(s) addresses as links."""
    result, end = Markup(), 0
    for found in mail.LINK.finditer(text):
        address = found.group()
        result += escape(text[end : found.start()]) + Markup('<a href="{0}">{0}</a>').format(address)
        end = found.end()
    return result + escape(text[end:])

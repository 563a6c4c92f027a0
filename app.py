"""The portal: `create_app()` puts the areas together. Run it by `make run`, or `granian --interface wsgi app:app`."""

import click
from flask import Flask, has_request_context
from flask import session as cookie_session
from flask_babel import Babel
from flask_login import LoginManager
from flask_wtf.csrf import CSRFProtect
from govuk_frontend_wtf.main import WTFormsHelpers
from htmx_flask import Htmx
from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader, PrefixLoader
from werkzeug.middleware.proxy_fix import ProxyFix

from blueprints import access as access_area
from blueprints import (
    account,
    agreements,
    auth,
    declarations,
    exports,
    portal,
    programs,
    realname,
    registration,
    reviews,
    trade_queries,
)
from blueprints.common import access
from blueprints.common.documents import Office
from blueprints.common.gateways import connect_gateways
from blueprints.common.pages import init_pages
from blueprints.common.regions import load_region
from models.accounts import holds_demonstration
from models.database import connect
from models.types import use_keyring
from settings import ROOT, Settings, SettingsError

AREAS = (
    portal.AREA, registration.AREA, auth.AREA, account.AREA, realname.AREA, agreements.AREA, access_area.AREA,
    exports.AREA, trade_queries.AREA, declarations.AREA, programs.AREA, reviews.AREA,
)  # fmt: skip

csrf = CSRFProtect()


def create_app(settings: Settings | None = None, areas=AREAS) -> Flask:
    """Raises `SettingsError` when the settings may not run together."""
    settings = settings or Settings.from_environment()
    try:
        use_keyring(settings.data_keys)
        region = load_region(settings.region)
    except (ValueError, OSError) as error:
        raise SettingsError(f"EPORT_DATA_KEYS or EPORT_REGION: {error}") from error
    app = Flask(__name__, instance_path=str(ROOT / "instance"))
    app.config.update(
        SETTINGS=settings, AREAS=areas, REGION=region, SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="__Host-eport" if settings.is_https else "eport",
        SESSION_COOKIE_SECURE=settings.is_https, SESSION_COOKIE_SAMESITE="Lax", SESSION_COOKIE_HTTPONLY=True,
        WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False, MAX_CONTENT_LENGTH=64 << 20, MAX_FORM_MEMORY_SIZE=2 << 20,
        BABEL_DEFAULT_LOCALE="zh", BABEL_TRANSLATION_DIRECTORIES=str(ROOT / "translations"),
    )  # fmt: skip
    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)
    connect(settings.database_url)
    if settings.is_production and holds_demonstration():
        raise SettingsError("production: the database holds the accounts of the demonstration")
    app.config["GATEWAYS"] = connect_gateways(settings)
    kinds = {kind.slug: kind for area in areas for kind in area.kinds}
    app.config["OFFICE"] = Office(kinds, app.config["REGION"])
    _init_templates(app)
    init_pages(app)
    csrf.init_app(app)
    Htmx(app)
    Babel(app, locale_selector=lambda: cookie_session.get("language", "zh") if has_request_context() else "zh")
    LoginManager(app).request_loader(lambda request: access.current())
    for area in areas:
        app.register_blueprint(area.bp)
    for other_view in (*auth.BRIDGE_VIEWS, *account.CLIENT_VIEWS):  # programs, with keys of their own
        csrf.exempt(other_view)
    csrf.exempt(programs.AREA.bp)  # it knows tokens only, no cookie
    _refuse_undeclared_views(app)
    _add_commands(app)
    return app


def _init_templates(app: Flask) -> None:
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    packages = ("govuk_frontend_jinja", "govuk_frontend_wtf")
    app.jinja_loader = ChoiceLoader([
        FileSystemLoader(app.root_path + "/templates"),
        PrefixLoader({name: PackageLoader(name) for name in packages}),
    ])  # fmt: skip
    WTFormsHelpers(app)


def _refuse_undeclared_views(app: Flask) -> None:
    """Least right by default: a view that does not say what it needs must not start."""
    bare = [name for name, view in app.view_functions.items() if name != "static" and not hasattr(view, "page")]
    if bare:
        raise RuntimeError(f"views without @page: {', '.join(sorted(bare))}")


def _add_commands(app: Flask) -> None:
    for area in app.config["AREAS"]:
        for command in area.commands:
            app.cli.add_command(command)

    @app.cli.command("numbers")
    def print_numbers():
        """Prints every spoken number of pages and fields with its meaning."""
        from blueprints.common.census import spoken_numbers

        for number, meaning in sorted(spoken_numbers(app).items()):
            click.echo(f"{number} = {meaning}")

"""The house under test: one private PostgreSQL a session, a database per worker, a rolled-back transaction per test."""

import base64
import os
import re
import tempfile
import zlib
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from argon2 import PasswordHasher
from sqlalchemy import inspect, text

from app import create_app
from blueprints.common import clock
from models.accounts import Enterprise, User
from models.codes import HeldCode
from models.database import session
from settings import Settings
from stack import postgres
from tests.browsing import ORIGIN, Browser

USCC = "91130100PDY00001XG"
ID_NUMBER = "130100189901010019"
SHARED = Path(__file__).parents[2] / "shared"


def pytest_configure(config):
    """The controller starts the cluster and makes the template; xdist workers find it in the environment."""
    if "EPORT_TEST_CLUSTER" in os.environ or hasattr(config, "workerinput"):
        return
    folder = Path(tempfile.mkdtemp(prefix="eport-test-"))
    cluster = postgres.start(folder / "pg", fast=True)
    os.environ["EPORT_TEST_CLUSTER"] = f"{cluster.binaries}|{folder / 'pg'}|{cluster.port}"
    config.stash[CLUSTER] = cluster
    make_template(cluster)


CLUSTER = pytest.StashKey()


def pytest_unconfigure(config):
    if cluster := config.stash.get(CLUSTER, None):
        cluster.stop()


def make_template(cluster) -> None:
    """By the migrations themselves, so that every test run proves them."""
    from stack.database import migrate

    migrate(cluster.create("template_eport"))


def the_cluster() -> postgres.Cluster:
    binaries, folder, port = os.environ["EPORT_TEST_CLUSTER"].split("|")
    return postgres.Cluster(Path(binaries), Path(folder), int(port))


@pytest.fixture(scope="session")
def database_url(worker_id):
    cluster = the_cluster()
    cluster.drop(f"test_{worker_id}")
    return cluster.create(f"test_{worker_id}", "template_eport")


@pytest.fixture(scope="session")
def worker_id(request):
    return getattr(request.config, "workerinput", {}).get("workerid", "master")


@pytest.fixture(scope="session")
def settings(database_url, tmp_path_factory):
    folder = tmp_path_factory.mktemp("house")
    (folder / "ca").mkdir()
    return Settings(
        mode="test", public_origin=ORIGIN, database_url=database_url, secret_key="test" * 10,
        data_keys="test:" + base64.b64encode(b"t" * 32).decode(), file_store=folder / "files",
        card_authorities=folder / "ca", customs_folder=folder / "customs", demo_captcha="XXXXX", argon2_memory=8,
    )  # fmt: skip


@pytest.fixture(scope="session")
def house(settings):
    with build_house(settings) as app:
        yield app


@contextmanager
def build_house(settings, **options):
    """A folder of tests may have a house of its own; the process has one engine, so the one before is closed."""
    close_engine()
    app = create_app(settings, **options)
    app.config["TESTING"] = True
    yield app
    close_engine()


def close_engine() -> None:
    session.remove()
    if before := session.session_factory.kw.get("bind"):
        before.dispose()


@pytest.fixture
def app(house):
    """The app on a connection whose transaction is rolled back afterwards; commits are savepoints."""
    engine = session.session_factory.kw["bind"]
    engine = getattr(engine, "engine", engine)
    with engine.connect() as connection:
        transaction = connection.begin()
        session.remove()
        session.configure(bind=connection, join_transaction_mode="create_savepoint")
        try:
            yield house
        finally:
            session.remove()
            session.configure(bind=engine, join_transaction_mode="conditional_savepoint")
            transaction.rollback()


@pytest.fixture
def context(app):
    """An app context for tests of services without HTTP. Not beside a browser: requests would share its `g`."""
    with app.app_context():
        yield app


def pytest_generate_tests(metafunc):
    """A journey is walked twice, by links and forms alone and with htmx. Any other test takes the one of the two ways that
    its name falls to, so that a run stays under ten minutes; EPORT_BOTH_WAYS=1 takes both."""
    if "browser" in metafunc.fixturenames:
        ways = ["page", "htmx"]
        if "journey" not in metafunc.module.__name__ and not os.environ.get("EPORT_BOTH_WAYS"):
            ways = [ways[zlib.crc32(metafunc.function.__name__.encode()) % 2]]
        metafunc.parametrize("browser", ways, indirect=True)


@pytest.fixture
def browser(app, request):
    return Browser(app, request.param)


@pytest.fixture
def other_browser(app):
    """A second browser, on somebody else's PC."""
    return Browser(app)


@pytest.fixture
def clock_at():
    """`with clock_at(2026, 11, 20, 10, 32):` local time in China."""

    @contextmanager
    def at(*moment):
        with clock.stopped_at(datetime(*moment, tzinfo=clock.SHANGHAI)):
            yield

    return at


@pytest.fixture
def run_jobs(app):
    """Runs what was deferred, oldest first, as the worker would; gives the names."""

    def run() -> list[str]:
        jobs = {job.__name__: job for area in app.config["AREAS"] for job in area.jobs}
        done = []
        while row := _next_job():
            with app.app_context():
                jobs[row.task_name](**row.args)
            done.append(row.task_name)
        return done

    return run


def _next_job():
    query = text(
        "UPDATE procrastinate_jobs SET status = 'succeeded' WHERE id = (SELECT id FROM procrastinate_jobs"
        " WHERE status = 'todo' ORDER BY priority DESC, id LIMIT 1) RETURNING task_name, args"
    )
    row = session.execute(query).first()
    session.commit()
    return row


class Outbox:
    """Stands where the mail server would: what the portal sent."""

    def __init__(self):
        self.mails = []

    def send(self, mail) -> None:
        self.mails.append(mail)

    @property
    def proof(self) -> str:
        """The six digits of the newest mail that holds some."""
        return next(found for mail in reversed(self.mails) for found in re.findall(r"\b\d{6}\b", mail.text))


@pytest.fixture
def outbox(app, monkeypatch):
    box = Outbox()
    monkeypatch.setitem(app.config, "GATEWAYS", replace(app.config["GATEWAYS"], mail=box))
    return box


class Phone:
    """Stands where the provider of short messages would: what the portal sent."""

    is_on = True

    def __init__(self):
        self.messages = []

    def send(self, message) -> None:
        self.messages.append(message)

    @property
    def proof(self) -> str:
        """The six digits of the newest message that holds some."""
        return next(found for each in reversed(self.messages) for found in re.findall(r"(?<!\d)\d{6}(?!\d)", each.text))


@pytest.fixture
def phone(app, monkeypatch):
    box = Phone()
    monkeypatch.setitem(app.config, "GATEWAYS", replace(app.config["GATEWAYS"], sms=box))
    return box


def make_user(name="demo01", *, role="administrator", enterprise=None, password="correct horse", desks=(), person=None,
              rights=None):  # fmt: skip
    """An operator may do everything unless `rights` are given."""
    rights = {"exports": 3, "trade": 3, "access": 3, "agreements": 3} if rights is None else rights
    password_hash = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)
    user = User(
        name=name, shown_name=name, password_hash=password_hash, role=role, desks=list(desks),
        rights=rights if role == "operator" else {},
        enterprise_id=enterprise and enterprise.id, created_at=clock.now(),
    )  # fmt: skip
    user.keep_person(*(person or ("李明", ID_NUMBER, f"{name}@example.com")))
    session.add(user)
    session.commit()
    return user


def make_enterprise(name="示例外贸（石家庄）有限公司", uscc=USCC, *, code="1301960001", origin="registered", level=0):
    company = Enterprise(
        name=name, uscc=uscc, org_code=uscc[8:17], address="石家庄市长安区中山东路1号", origin=origin, level=level,
        active_code=code, details={}, created_at=clock.now(),
    )  # fmt: skip
    company.representative = {"name": "王芳", "id_type": "id-card", "id_number": "130100189902020024"}
    session.add(company)
    session.flush()
    if code:
        session.add(
            HeldCode(
                enterprise_id=company.id,
                code=code,
                category="进出口货物收发货人",
                valid_from=clock.today(),
                valid_to=datetime(2099, 12, 31).date(),
                ecommerce_types=["电子商务企业", "电子商务交易平台"],
                revision="1",
                seen_at=clock.now(),
            )
        )
    session.commit()
    return company


@pytest.fixture
def company(app):
    return make_enterprise()


@pytest.fixture
def administrator(company):
    return make_user(enterprise=company)


@pytest.fixture
def reviewer(app):
    return make_user("reviewer1", role="staff", desks=["registration"])


@pytest.fixture
def data_centre(app):
    return make_user("centre1", role="staff", desks=["data-centre"])


def log_in(browser: Browser, user: User, medium="password", **card) -> Browser:
    """Puts the browser in the state after a login (the login page has tests of its own)."""
    from blueprints.common import logins

    app = browser.client.application
    with app.test_request_context(base_url=ORIGIN):
        token = logins.log_in(session.get(User, inspect(user).identity[0]), medium, **card)
        session.commit()
        name = logins.login_cookie_name()
    browser.client.set_cookie(name, token, domain=urlsplit(ORIGIN).hostname)
    return browser


@pytest.fixture
def shared():
    """The folder of facts beside the checkout; tests that read it skip where it is absent."""
    if not SHARED.exists():
        pytest.skip("../shared is absent: schemas and samples of others are not part of the project")
    return SHARED

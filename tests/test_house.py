"""Rules of the house that no single page can keep by itself: rights, numbers, templates, settings, migrations."""

import base64
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import request
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

import models
from app import create_app
from blueprints.common.access import PUBLIC
from blueprints.common.census import spoken_numbers
from blueprints.common.history import broken_events, record, seal_events
from blueprints.common.notices import notify
from blueprints.portal.jobs import send_waiting_notices
from migrations.compare import is_ours
from models.database import Base, session
from models.documents import HistoryEvent
from settings import Settings, SettingsError
from stack.database import migrate
from tests.browsing import ORIGIN, Browser
from tests.conftest import log_in, the_cluster

ROOT = Path(__file__).parents[1]
assert models

PUBLIC_AREAS = ("auth.", "registration.", "programs.")  # the last asks for a token: test_programs.py
PUBLIC_PAGES = {
    "portal.show_home", "portal.show_regions", "portal.show_preparation", "portal.list_announcements",
    "portal.show_announcement", "portal.list_guides", "portal.show_guide", "portal.show_faq", "portal.show_terms",
    "portal.show_help", "portal.show_about", "portal.show_promotions", "portal.show_downloads", "portal.show_why",
    "portal.switch_frame", "portal.show_file", "portal.show_health", "account.greet_client",
    "realname.ask_code", "realname.use_code", "realname.follow_link", "realname.show_phone_done",
    "realname.show_phone_id_card", "realname.save_phone_id_card", "realname.show_phone_bank_card",
    "realname.save_phone_bank_card", "realname.come_back_from_bank",
    "portal.show_device_check", "portal.show_device_result", "portal.send_device_report", "portal.show_device_report",
    "portal.show_card_words",
}  # fmt: skip


def test_every_page_that_is_not_listed_asks_for_a_login(house):
    open_ones = {name for name, view in house.view_functions.items() if name != "static" and view.page.needs == PUBLIC}
    assert {name for name in open_ones if not name.startswith(PUBLIC_AREAS)} == PUBLIC_PAGES


def test_a_stranger_gets_no_page_that_needs_a_login(app):
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if rule.endpoint == "static" or not view.page.needs.login or "GET" not in rule.methods:
            continue
        url = re.sub(r"<uuid:\w+>", "00000000-0000-4000-8000-000000000000", rule.rule)
        url = re.sub(r"<int:\w+>", "1", re.sub(r"<[\w:]+>", "x", url))
        response = client.get(url, base_url=ORIGIN)
        assert response.status_code == 303, rule.rule
        assert response.headers["Location"].startswith("/login"), rule.rule


def test_every_post_without_its_token_is_refused(app, administrator):
    browser = log_in(Browser(app, check=False), administrator)
    exempt = {name for name in app.view_functions if name.startswith(("auth.answer_bridge_", "programs."))}
    exempt |= {"account.greet_client"}
    for rule in app.url_map.iter_rules():
        if "POST" not in rule.methods or rule.endpoint in exempt or rule.rule.startswith("/card/requests/"):
            continue
        url = re.sub(r"<uuid:\w+>", "00000000-0000-4000-8000-000000000000", rule.rule)
        url = re.sub(r"<int:\w+>", "1", re.sub(r"<[\w:]+>", "x", url))
        response = browser.client.post(
            url, base_url=ORIGIN, data={"a": "1"}, headers={"Origin": "https://evil.example"}
        )
        assert response.status_code in (400, 403, 404), f"{rule.rule}: {response.status_code}"


def test_an_unknown_host_name_is_refused(app):
    assert app.test_client().get("/", base_url="http://evil.example").status_code == 400


def test_a_spoken_number_never_changes_its_meaning(house):
    with house.test_request_context(base_url=ORIGIN):
        now = spoken_numbers(house)
    lines = (ROOT / "docs" / "numbers.txt").read_text("utf-8").splitlines()
    then = dict(line.split(" = ", 1) for line in lines)
    changed = {
        number: (meaning, now[number]) for number, meaning in then.items() if number in now and now[number] != meaning
    }
    assert not changed
    assert not now.keys() - then.keys(), "new numbers: `flask numbers > docs/numbers.txt`"


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_a_template_keeps_htmx_in_macros_and_scripts_and_styles_outside(path):
    text = path.read_text("utf-8")
    if "macros" not in path.parts:
        assert "data-hx-" not in text
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert "<script>" not in text
    for names in re.findall(r"import ([\w, ]+?)(?: with context)? -?%}", text):
        for name in names.split(", "):
            assert len(re.findall(rf"\b{name}\b", text)) > 1, f"{name} is imported for nothing"


def test_old_explorers_are_told_about_the_fast_mode(app):
    page = app.test_client().get(
        "/", base_url=ORIGIN, headers={"User-Agent": "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0)"}
    )
    assert "请点地址栏右侧的闪电图标，切换到极速模式" in page.text
    assert "极速模式" not in app.test_client().get("/", base_url=ORIGIN).text


def test_pages_carry_a_strict_policy_and_are_not_kept_by_caches(app):
    response = app.test_client().get("/", base_url=ORIGIN)
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe-inline" not in policy
    assert response.headers["Cache-Control"] == "no-store"
    assert "HX-Request" in response.headers["Vary"]


def test_the_language_switch_keeps_to_this_house(app):
    browser = Browser(app).open("/")
    browser.follow("English")
    assert browser.soup.html["lang"] == "en"
    response = browser.client.get("/frame/language/zh?next=//evil.example/", base_url=ORIGIN)
    assert response.headers["Location"] == "/"


GOOD = {
    "mode": "production", "public_origin": "https://eport.example", "database_url": "postgresql+psycopg://x",
    "secret_key": "s" * 40, "data_keys": "k1:" + base64.b64encode(b"k" * 32).decode(),
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"public_origin": "http://eport.example"}, "https"),
        ({"demo_captcha": "XXXXX"}, "EPORT_DEMO_CAPTCHA"),
        ({"sandbox_origin": "http://127.0.0.1:8090"}, "EPORT_SANDBOX_ORIGIN"),
        ({"secret_key": "short"}, "EPORT_SECRET_KEY"),
        ({"data_keys": "demo:x"}, "demonstration"),
        ({"data_keys": ""}, "EPORT_DATA_KEYS"),
        ({"company_register_url": "http://register.example"}, "EPORT_COMPANY_REGISTER_URL"),
    ],
)
def test_production_refuses_what_belongs_to_the_demonstration(tmp_path, change, words):
    Settings(**GOOD, card_authorities=tmp_path).check()
    with pytest.raises(SettingsError, match=words):
        Settings(**{**GOOD, **change}, card_authorities=tmp_path).check()


def test_production_refuses_a_card_authority_of_the_sandbox(tmp_path):
    """By the name inside the certificate, whatever the file looks like."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "SANDBOX RSA CA")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(1)).sign(key, hashes.SHA256())
    (tmp_path / "rsa.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    with pytest.raises(SettingsError, match="CA of the sandbox"):
        Settings(**GOOD, card_authorities=tmp_path).check()


@pytest.fixture
def no_database(monkeypatch):
    """From the next request on the database is away."""

    def is_away():
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    return lambda: monkeypatch.setattr("blueprints.common.pages.load_principal", is_away)


@pytest.mark.parametrize("kind", ["page", "htmx"])
def test_without_the_database_pages_say_so_with_a_number_and_what_is_kept(app, no_database, kind):
    browser = Browser(app, kind, check=False)
    no_database()
    browser.open("/")
    assert browser.status == 503 and "90924" in browser.main and "没有丢" in browser.main
    assert browser.response.headers["Retry-After"] == "30"


def test_what_was_typed_while_the_database_was_away_is_on_the_answer_and_goes_with_one_click(app, no_database):
    browser = Browser(app, check=False)
    browser.open("/login")
    no_database()
    browser.submit("登 录", user="shouming", password="GeHeim-2026!", captcha="XXXXX")
    assert browser.status == 503 and "shouming" in browser.main and "90924" in browser.main
    assert "GeHeim" not in browser.response.text and "再提交一次" in browser.main


def test_programs_are_told_in_their_own_way_that_the_database_is_away(app, no_database):
    no_database()
    answer = app.test_client().get("/api/v1/orders", base_url=ORIGIN, headers={"Authorization": "Bearer x"})
    assert answer.status_code == 503 and answer.is_json and answer.headers["Retry-After"] == "30"


def test_the_migrations_make_the_tables_that_the_models_describe(app):
    engine = create_engine(session.get_bind().engine.url)  # reflection reads PostgreSQL's catalogue as texts
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": is_ours, "compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_the_migrations_can_be_taken_back(worker_id):
    cluster = the_cluster()
    name = f"down_{worker_id}"
    cluster.drop(name)
    url = cluster.create(name)
    migrate(url)
    migrate(url, "base")
    left = cluster.psql(
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'", name
    )
    assert left == "0"
    migrate(url)
    cluster.drop(name)


def test_behind_a_proxy_the_client_is_who_the_proxy_says(settings, monkeypatch):
    monkeypatch.setattr("app.connect", lambda url: None)  # this test's app asks no database
    app, seen = create_app(replace(settings, proxies=1)), []
    app.before_request_funcs[None].insert(0, lambda: seen.append(request.remote_addr) or ("seen", 200))
    app.test_client().get("/", base_url=ORIGIN, headers={"X-Forwarded-For": "198.51.100.9, 203.0.113.7"})
    assert seen == ["203.0.113.7"]


def test_a_notice_whose_server_was_away_leaves_when_it_is_back(context, outbox, clock_at):
    with clock_at(2026, 11, 20, 9):
        notify("liming@example.com", "主题", "正文")
        session.commit()
    with clock_at(2026, 11, 20, 18):
        send_waiting_notices()
        send_waiting_notices()
    assert [mail.subject for mail in outbox.mails] == ["主题"]


def test_the_audit_chain_notices_an_altered_event(context):
    record("登录", "user:x", by="x")
    record("退出", "user:x", by="x")
    seal_events()
    assert broken_events() == []
    event = session.query(HistoryEvent).order_by(HistoryEvent.id).first()
    event.act = "删除"
    session.flush()
    assert broken_events() == [event.id]

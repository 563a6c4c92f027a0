"""通知地址: typed by the company, told of changes, again and again until it takes them; a test button; what goes wrong."""

import hashlib
import hmac
import json
import re
import threading
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from blueprints.common import clock
from blueprints.common.tokens import READ, WRITE
from blueprints.programs import notices
from gateways.webhooks import BadAddress, Unavailable, Unresolved
from models.accounts import find_user
from models.clients import ImportClient
from models.codes import HeldCode
from models.database import session
from models.documents import HistoryEvent
from models.exports import Strategy
from models.webhooks import Delivery, Webhook
from tests.browsing import Browser
from tests.card_bridge_double import errors_of
from tests.conftest import log_in, make_enterprise, make_user
from tests.exports_world import Trade, workbook
from tests.programs_world import Program, make_token

pytest_plugins = ["tests.exports_fixtures", "tests.card_fixtures"]


@pytest.fixture
def receiver(app, monkeypatch):
    """The company's program, at the place that stands for the outside world. `statuses`: its next answers."""
    requests, statuses = [], []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append((self.path, dict(self.headers), body))
            self.send_response(statuses.pop(0) if statuses else 204)
            self.end_headers()

        def log_message(self, *args):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    server.origin, server.requests, server.statuses = f"http://127.0.0.1:{server.server_port}", requests, statuses
    settings = replace(app.config["SETTINGS"], sandbox_origin=server.origin)
    monkeypatch.setitem(app.config, "SETTINGS", settings)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def client_id(app, administrator, strategy):
    make_token(administrator, name="接口")
    return session.query(ImportClient).one().id


def save_address(browser, client_id, url: str):
    browser.open(f"/account/clients/{client_id}/webhook")
    return browser.submit("保存", url=url)


@pytest.fixture
def hooked(receiver, client_id, administrator, app):
    """An address is set; gives its secret."""
    browser = save_address(log_in(Browser(app), administrator), client_id, f"{receiver.origin}/hook")
    return browser.soup.find(id="secret")["value"]


def tell(app, run_jobs):
    """One round of the loops, and their jobs."""
    with app.app_context():
        notices.look_for_changes()
        notices.send_due()
    return run_jobs()


def later(**time):
    return clock.stopped_at(clock.now() + timedelta(**time))


@pytest.mark.item("M90")
def test_an_address_is_set_tried_seen_and_removed(browser, administrator, client_id, receiver, app, run_jobs):
    log_in(browser, administrator).open("/account/clients")
    browser.follow("通知地址")
    assert browser.number == "4074"
    browser.submit("保存", url=f"{receiver.origin}/hook")
    assert browser.number == "4076" and "密钥只显示这一次" in browser.main
    secret = browser.soup.find(id="secret")["value"]
    assert re.fullmatch(r"whsec_[A-Za-z0-9_-]{43}", secret)
    browser.follow("已经复制好")
    assert browser.number == "4075" and "还没有发过通知" in browser.main
    browser.submit("试发一条")
    tell(app, run_jobs)
    browser.open(f"/account/clients/{client_id}/deliveries")
    assert "试发" in browser.main and "收到了（HTTP 204）" in browser.main and secret not in str(browser.soup)
    path, headers, body = receiver.requests[0]
    assert path == "/hook" and headers["Eport-Event"] == "test" and json.loads(body)["event"] == "test"
    assert headers["Eport-Delivery"] == json.loads(body)["id"] and is_signed(headers, body, secret)
    browser.open(f"/account/clients/{client_id}/webhook").submit("删除通知地址")
    assert browser.number == "4006" and not session.query(Webhook).count() and not session.query(Delivery).count()
    acts = [event.act for event in session.query(HistoryEvent).filter(HistoryEvent.subject.like("client:%"))]
    assert acts == ["保存通知地址", "删除通知地址"]


def is_signed(headers: dict, body: bytes, secret: str) -> bool:
    """As a receiver checks it, by the document."""
    moment, value = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", headers["Eport-Signature"]).groups()
    wanted = hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, value) and abs(int(moment) - clock.now().timestamp()) < 60


def test_the_secret_is_kept_sealed_and_another_one_comes_with_each_saving(
    app, administrator, client_id, receiver, hooked
):
    row = session.query(Webhook).one()
    assert row.secret == hooked and hooked.encode() not in row._secret and hooked not in str(vars(row))
    browser = save_address(log_in(Browser(app), administrator), client_id, f"{receiver.origin}/new")
    other = browser.soup.find(id="secret")["value"]
    row = session.query(Webhook).one()
    assert other != hooked and row.secret == other and row.url.endswith("/new")


@pytest.mark.parametrize(("url", "number"), [
    ("", "90001"), ("http://8.8.8.8/x", "90869"), ("https://127.0.0.1/x", "90870"), ("https://10.0.0.5/x", "90870"),
    ("https://169.254.169.254/latest/meta-data/", "90870"), ("https://[::1]/x", "90870"), ("https://localhost/x", "90870"),
    ("https://u:p@8.8.8.8/x", "90869"), ("https://8.8.8.8:22/x", "90869"), ("ftp://8.8.8.8/x", "90869"), ("not an address", "90869"),
    ("https://no-such-host.invalid/x", "90871"), ("http://127.0.0.1:8080/x", "90869"), ("https://8.8.8.8/" + "x" * 600, "90011"),
])  # fmt: skip
def test_an_address_that_leads_nowhere_good_is_not_kept(browser, administrator, client_id, url, number):
    save_address(log_in(browser, administrator), client_id, url)
    assert errors_of(browser)[0].startswith(number) and browser.number == "4074" and not session.query(Webhook).count()


@pytest.mark.item("M90")
def test_what_changes_is_told_to_the_program_with_the_way_to_read_it(app, administrator, company, strategy, hooked, receiver,
                                                                    run_jobs, client_id):  # fmt: skip
    program = Program(app, make_token(administrator))
    with app.app_context():
        trade = Trade(app, administrator, company, strategy)
        trade.read(workbook())
        number = trade.task.number
    with later(seconds=5):
        assert "deliver_notice" in tell(app, run_jobs)
    said = json.loads(receiver.requests[0][2])
    assert said["event"] == "changed" and said["customs_code"] == "1301960001" and said["more"] is False
    assert {row["order_no"]: row["state"] for row in said["orders"]} == dict.fromkeys(
        ("TYDH005", "TYDH006", "TYDH007"), "imported"
    )
    assert [row["number"] for row in said["tasks"]] == [number] and said["imports"][0]["state"] == "done"
    assert "李明" not in str(said) and is_signed(*receiver.requests[0][1:], hooked)
    read = program.call("GET", said["url"].removeprefix("http://127.0.0.1:8080")).said
    assert [row["order_no"] for row in read["orders"]] == ["TYDH005", "TYDH006", "TYDH007"]
    with later(seconds=10):
        tell(app, run_jobs)
    assert len(receiver.requests) == 1  # nothing is told twice


def make_change(app):
    """A task that changed."""
    with app.app_context():
        user = find_user("demo01")
        Trade(app, user, user.enterprise, session.query(Strategy).one()).read(workbook())


def test_a_receiver_that_fails_is_asked_again_later_with_the_same_bytes(
    app, hooked, receiver, run_jobs, browser, administrator, client_id
):
    make_change(app)
    receiver.statuses += [500, 302, 200]
    start = clock.now()
    waits = []
    with later(seconds=5):
        tell(app, run_jobs)
    for _ in range(2):
        row = session.query(Delivery).one()
        waits.append((row.next_at - row.tried_at).total_seconds())
        session.remove()
        with clock.stopped_at(row.next_at - timedelta(seconds=1)):
            tell(app, run_jobs)
        with clock.stopped_at(row.next_at):
            tell(app, run_jobs)
    assert waits == [10, 30] and len(receiver.requests) == 3
    assert len({body for _, _, body in receiver.requests}) == 1
    row = session.query(Delivery).one()
    assert (row.tries, row.status, row.problem, row.next_at) == (3, 200, None, None) and row.delivered_at > start


def test_an_address_that_never_takes_anything_is_given_up_said_and_opened_again(
    app, hooked, receiver, run_jobs, browser, administrator, client_id
):
    make_change(app)
    receiver.statuses += [500] * 20
    moment = clock.now() + timedelta(seconds=5)
    for _ in range(len(notices.PAUSES) + 1):
        with clock.stopped_at(moment):
            tell(app, run_jobs)
        moment = session.query(Delivery).one().next_at or moment
        session.remove()
    assert len(receiver.requests) == len(notices.PAUSES) + 1 and session.query(Webhook).one().stopped_at
    receiver.statuses.clear()
    log_in(browser, administrator).open(f"/account/clients/{client_id}/deliveries")
    assert "已经停下" in browser.main and "90873" in browser.main and "HTTP 500" in browser.main
    browser.submit("重新打开")
    assert "补发" in browser.main
    with clock.stopped_at(moment + timedelta(seconds=5)):
        tell(app, run_jobs)
    assert "TYDH005" in receiver.requests[-1][2].decode() and session.query(Webhook).one().stopped_at is None


def test_who_says_gone_is_asked_no_more(app, hooked, receiver, run_jobs):
    make_change(app)
    receiver.statuses += [410]
    with later(seconds=5):
        tell(app, run_jobs)
    assert session.query(Webhook).one().stopped_at and session.query(Delivery).one().next_at is None


@pytest.mark.parametrize(("error", "number"), [
    (BadAddress("private"), "90870"), (Unresolved("x"), "90871"), (Unavailable("x"), "90872"),
])  # fmt: skip
def test_a_name_that_leads_inside_later_is_not_followed_and_said(
    app, hooked, receiver, run_jobs, monkeypatch, browser, administrator, client_id, error, number
):
    def refuse(*args):
        raise error

    monkeypatch.setattr(notices, "post", refuse)
    log_in(browser, administrator).open(f"/account/clients/{client_id}/deliveries").submit("试发一条")
    tell(app, run_jobs)
    assert number in browser.open(f"/account/clients/{client_id}/deliveries").main and not receiver.requests
    assert session.query(Delivery).one().next_at is None and session.query(Webhook).one().stopped_at is None


@pytest.mark.parametrize("end", ["revoked", "expired", "stopped owner", "no scope", "no right", "no code"])
def test_a_program_that_ended_is_told_nothing(app, hooked, receiver, run_jobs, end):
    make_change(app)
    client = session.query(ImportClient).one()
    if end == "revoked":
        client.revoked_at = clock.now()
    elif end == "expired":
        client.expires_at = clock.now()
    elif end == "stopped owner":
        find_user("demo01").is_active = False
    elif end == "no right":
        user = find_user("demo01")
        user.role, user.rights = "operator", {"exports": 0}
    elif end == "no code":
        session.query(HeldCode).one().valid_to = clock.today() - timedelta(days=1)
    else:
        client.scopes = [WRITE]
    session.commit()
    with later(seconds=5):
        tell(app, run_jobs)
    assert not receiver.requests and not session.query(Delivery).count()


def test_another_companys_changes_are_not_told(app, hooked, receiver, run_jobs):
    make_change(app)
    session.query(Webhook).one().seen_to = clock.now() + timedelta(seconds=3)
    session.commit()
    session.remove()
    other = make_enterprise("别家", "91130100PDY000028G", code="1301960002")
    make_token(make_user("other01", enterprise=other), code="1301960002", scopes=[READ])
    client = session.query(ImportClient).filter_by(customs_code="1301960002").one()
    now = clock.now()
    row = Webhook(
        client_id=client.id,
        url=f"{receiver.origin}/other",
        seen_to=now - timedelta(days=1),
        changed_at=now,
        changed_by="x",
    )
    row.secret = "s"
    session.add(row)
    session.commit()
    with later(seconds=8):
        tell(app, run_jobs)
    assert not receiver.requests


def test_an_address_of_another_company_is_not_found(browser, app, hooked, client_id):
    stranger = make_user("other01", enterprise=make_enterprise("别家", "91130100PDY000028G", code="1301960002"))
    log_in(browser, stranger)
    for path in ("webhook", "deliveries"):
        assert browser.open(f"/account/clients/{client_id}/{path}").status == 404
    token = browser.open("/account/cards").value("csrf_token")
    for path in ("webhook", "webhook/test", "webhook/again", "webhook/remove"):
        browser._request(
            "POST", f"/account/clients/{client_id}/{path}", data={"csrf_token": token, "url": "https://8.8.8.8/"}
        )
        assert browser.status == 404, path
    assert session.query(Webhook).count() == 1


def test_an_operator_looks_and_sets_no_address_and_nobody_does_soon_after_a_recovery(
    browser, app, company, hooked, client_id
):
    clerk = make_user("demo01a", role="operator", enterprise=company, person=("王强", None, "a@b.cn"))
    log_in(browser, clerk).open(f"/account/clients/{client_id}/deliveries")
    assert browser.status == 200 and not browser.can_press("试发一条")
    assert browser.open(f"/account/clients/{client_id}/webhook").status == 403
    find_user("demo01").guarded_until = clock.now() + timedelta(hours=20)
    session.commit()
    log_in(browser, find_user("demo01")).open(f"/account/clients/{client_id}/webhook")
    assert browser.status == 403 and "账号刚找回过" in browser.main


def test_a_program_that_may_not_read_has_no_address(browser, app, administrator, strategy):
    make_token(administrator, scopes=[WRITE])
    client = session.query(ImportClient).one()
    log_in(browser, administrator).open("/account/clients")
    assert not any("通知地址" in a.get_text() for a in browser.soup.select("#main a"))
    assert browser.open(f"/account/clients/{client.id}/webhook").status == 404


def test_tests_have_a_limit(browser, administrator, client_id, hooked):
    log_in(browser, administrator).open(f"/account/clients/{client_id}/deliveries")
    for _ in range(11):
        browser.submit("试发一条")
    assert "90879" in browser.main or "试得太勤" in browser.main
    assert session.query(Delivery).count() == 10


def test_old_notices_are_forgotten(app, hooked, receiver, run_jobs):
    make_change(app)
    with later(seconds=5):
        tell(app, run_jobs)
    with later(days=31), app.app_context():
        notices.forget_old()
    assert not session.query(Delivery).count() and session.query(Webhook).count() == 1

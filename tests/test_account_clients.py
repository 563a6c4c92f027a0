"""自动导入客户端管理: a program of the company is registered, greets by its token, and is revoked."""

import re
from datetime import timedelta

import pytest

from blueprints.account.clients import is_folder
from blueprints.common import clock
from blueprints.common.tokens import hash_of
from models.accounts import find_user
from models.clients import ImportClient, clients_of
from models.codes import codes_of
from models.database import session
from models.documents import HistoryEvent
from tests.browsing import ORIGIN, Browser
from tests.card_bridge_double import errors_of
from tests.conftest import log_in, make_enterprise, make_user

TOKEN = re.compile(r"eport_[A-Za-z0-9_-]{43}")
TYPED = {"name": "仓库电脑", "customs_code": "1301960001"}


def register(browser, user, **typed):
    log_in(browser, user).open("/account/clients/new")
    return browser.submit("登记", **TYPED | typed)


def hello(app, token, body=None, **options):
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    options = options or {"json": {"version": "1.0"} if body is None else body}
    return app.test_client().post("/client/hello", base_url=ORIGIN, headers=headers, **options)


@pytest.fixture
def token(app, administrator) -> str:
    return new_token(app, administrator)


def new_token(app, user, **typed) -> str:
    browser = register(Browser(app), user, **typed)
    return browser.soup.find(id="token")["value"]


@pytest.mark.item("M90")
def test_a_client_is_registered_greets_and_is_seen_in_the_list(browser, app, administrator):
    log_in(browser, administrator).open("/account/company")
    browser.follow("自动导入客户端管理")
    assert browser.number == "4006" and "还没有登记客户端" in browser.main
    browser.follow("登记客户端")
    assert browser.number == "4071"
    assert (
        browser.value("send_folder") == r"C:\ImpPath\OutBox" and browser.value("receive_folder") == r"C:\ImpPath\InBox"
    )
    browser.submit("登记", **TYPED)
    assert browser.number == "4072" and "令牌只显示这一次" in browser.main
    token = browser.soup.find(id="token")["value"]
    assert TOKEN.fullmatch(token)
    answer = hello(app, token)
    assert answer.status_code == 200
    told = answer.get_json()
    assert clock.now().isoformat()[:4] == told.pop("server_time")[:4]
    assert told.pop("expires_at")[:10] == f"{clock.today() + timedelta(days=365)}"
    assert told == {
        "company": "示例外贸（石家庄）有限公司", "uscc": administrator.enterprise.uscc, "customs_code": "1301960001",
        "send_folder": r"C:\ImpPath\OutBox", "receive_folder": r"C:\ImpPath\InBox",
    }  # fmt: skip
    browser.follow("已经复制好")
    for words in ("仓库电脑", "1301960001", r"C:\ImpPath\OutBox", "demo01", "版本：1.0", "可以用", "总共 1 条记录"):
        assert words in browser.main


def test_the_token_is_shown_once_and_kept_nowhere(browser, app, administrator):
    register(browser, administrator)
    token = browser.soup.find(id="token")["value"]
    client = clients_of(administrator.enterprise_id)[0]
    assert client.token_hash == hash_of(token) and len(client.token_hash) == 32
    kept = [str(vars(row)) for table in (ImportClient, HistoryEvent) for row in session.query(table)]
    assert kept and token not in "".join(kept)
    for path in (
        "/account/clients",
        "/account/activity",
        f"/account/clients/{client.id}/revoke",
        "/account/clients/new",
    ):
        assert token not in str(browser.open(path).soup)


def test_the_same_form_sent_again_makes_no_second_client_and_shows_no_token(browser, administrator):
    register(browser, administrator)
    browser.open("/account/clients/new").submit("登记", **TYPED)
    assert errors_of(browser)[0].startswith("90722") and browser.number == "4071"
    assert not browser.soup.find(id="token") and len(clients_of(administrator.enterprise_id)) == 1


@pytest.mark.item("M90")
def test_a_revoked_client_is_refused_at_once_and_its_name_is_free_again(browser, app, administrator, token):
    log_in(browser, administrator).open("/account/clients")
    browser.follow("作废")
    assert browser.number == "4073" and "不能恢复" in browser.main
    browser.submit("作废")
    assert browser.number == "4006" and "已作废" in browser.main and "作废仓库电脑" not in browser.main
    answer = hello(app, token)
    assert answer.status_code == 401 and answer.get_json()["error"]["number"] == "90730"
    assert hello(app, new_token(app, administrator)).status_code == 200
    assert [event.act for event in session.query(HistoryEvent).filter(HistoryEvent.subject.like("client:%"))] == [
        "登记客户端", "作废客户端", "登记客户端",
    ]  # fmt: skip


def test_revoking_twice_keeps_the_first_moment(browser, administrator, token):
    client = clients_of(administrator.enterprise_id)[0]
    log_in(browser, administrator).open(f"/account/clients/{client.id}/revoke").submit("作废")
    first = clients_of(administrator.enterprise_id)[0].revoked_at
    browser.open(f"/account/clients/{client.id}/revoke").submit("作废")
    assert first and clients_of(administrator.enterprise_id)[0].revoked_at == first


@pytest.mark.parametrize("given", [None, "", "eport_" + "A" * 43, "x" * 5000, "demo01", "令牌"])
def test_what_is_no_token_opens_nothing(app, administrator, given):
    headers = {} if given is None else {"Authorization": f"Bearer {given}".encode().decode("latin-1")}
    answer = app.test_client().post("/client/hello", base_url=ORIGIN, headers=headers, json={"version": "1.0"})
    assert answer.status_code == 401 and answer.get_json()["error"]["number"] == "90730"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_login_is_no_token_and_a_token_is_no_login(app, browser, administrator, token):
    log_in(browser, administrator)
    answer = browser.client.post("/client/hello", base_url=ORIGIN, json={"version": "1.0"})
    assert answer.status_code == 401
    answer = app.test_client().get("/account/clients", base_url=ORIGIN, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 303


def test_the_owner_who_is_stopped_takes_the_token_with_him(app, administrator, token):
    find_user("demo01").is_active = False
    session.commit()
    assert hello(app, token).status_code == 401


def test_a_closed_company_has_no_clients(app, administrator, token):
    find_user("demo01").enterprise.closed_at = clock.now()
    session.commit()
    assert hello(app, token).status_code == 401


def test_a_code_that_ran_out_stops_its_client(app, administrator, token):
    codes_of(administrator.enterprise_id)[0].valid_to = clock.today() - timedelta(days=1)
    session.commit()
    answer = hello(app, token)
    assert answer.status_code == 403 and answer.get_json()["error"]["number"] == "90732"
    assert "1301960001" in answer.get_json()["error"]["sentence"]


@pytest.mark.parametrize("options", [
    {"json": {}}, {"json": []}, {"json": {"version": 1}}, {"json": {"version": ""}}, {"json": {"version": "x" * 21}},
    {"json": {"version": "1\x00"}}, {"data": b"{"}, {"data": b""}, {"data": b'{"version": "1.0"' + b" " * 9000 + b"}"},
])  # fmt: skip
def test_what_is_no_greeting_is_said_to_be_none(app, token, options):
    answer = hello(app, token, **options)
    assert answer.status_code == 400 and answer.get_json()["error"]["number"] == "90733"
    assert session.query(ImportClient).one().seen_at is None


def test_a_client_that_asks_without_pause_waits(app, token):
    assert [hello(app, token).status_code for _ in range(31)] == [200] * 30 + [429]
    answer = hello(app, token)
    assert answer.get_json()["error"]["number"] == "90731" and int(answer.headers["Retry-After"]) >= 60


def test_an_address_that_tries_tokens_waits(app, token):
    assert {hello(app, f"eport_{number}").status_code for number in range(60)} == {401}
    assert hello(app, token).status_code == 429


@pytest.mark.parametrize(("typed", "number"), [
    ({"name": ""}, "90001"), ({"name": "长" * 300}, "90011"), ({"name": "a\0b"}, "90014"), ({"customs_code": ""}, "90001"),
    ({"customs_code": "1301960099"}, "90002"), ({"send_folder": ""}, "90001"), ({"send_folder": "OutBox"}, "90720"),
    ({"send_folder": r"C:\a\..\b"}, "90720"), ({"receive_folder": "file:///etc"}, "90720"),
    ({"receive_folder": r"c:\imppath\OUTBOX\\"[:-1]}, "90721"), ({"send_folder": "/" + "a" * 250}, "90011"),
])  # fmt: skip
def test_each_wrong_value_has_its_number_and_registers_nothing(browser, administrator, typed, number):
    register(browser, administrator, **typed)
    assert errors_of(browser)[0].startswith(number) and browser.number == "4071"
    assert not clients_of(administrator.enterprise_id)


@pytest.mark.parametrize("path", [
    r"C:\ImpPath", r"d:\数据\出口 单\\"[:-1], r"\\server\share", r"\\192.168.1.5\共享\out", "/srv/imp", "/home/imp/出口/",
])  # fmt: skip
def test_paths_of_windows_networks_and_unix_are_folders(path):
    assert is_folder(path)


@pytest.mark.parametrize("path", [
    "C:", "C:\\", "C:/a", "CC:\\a", r"\\server", "\\\\", "/", "//", "/a//b", "/../etc", r"C:\a.", r"C:\a ", "http://x/y", r"C:\a|b",
    "C:\\a\nb", r"C:\a\..", "~/imp", r"%TEMP%\x", r"C:\<a>",
])  # fmt: skip
def test_other_paths_are_none(path):
    assert not is_folder(path)


def test_a_code_of_another_company_is_not_offered_and_not_taken(browser, administrator):
    make_enterprise("别家", "91130100PDY000028G", code="1301960002")
    register(browser, administrator, customs_code="1301960002")
    assert errors_of(browser)[0].startswith("90002") and not clients_of(administrator.enterprise_id)


def test_another_companys_client_is_not_found_and_its_token_names_its_own(browser, app, administrator, token):
    stranger = make_user("other01", enterprise=make_enterprise("别家", "91130100PDY000028G", code="1301960002"))
    client = clients_of(administrator.enterprise_id)[0]
    log_in(browser, stranger).open("/account/clients")
    assert "仓库电脑" not in browser.main
    data = {"csrf_token": csrf_token(browser)}
    assert browser.client.post(f"/account/clients/{client.id}/revoke", base_url=ORIGIN, data=data).status_code == 404
    assert browser.open(f"/account/clients/{client.id}/revoke").status == 404
    theirs = new_token(app, stranger, customs_code="1301960002")
    assert hello(app, theirs).get_json()["company"] == "别家"
    assert hello(app, token).get_json()["customs_code"] == "1301960001"


def test_an_operator_looks_and_does_not_change(browser, app, company, administrator, token):
    log_in(browser, make_user("demo01a", role="operator", enterprise=company, person=("王强", None, "a@b.cn"))).open(
        "/account/clients"
    )
    assert "仓库电脑" in browser.main and "作废仓库电脑" not in browser.main
    assert not any("登记客户端" in a.get_text() for a in browser.soup.select("#main a"))
    client, data = clients_of(company.id)[0], {"csrf_token": csrf_token(browser)} | TYPED
    for path in ("/account/clients/new", f"/account/clients/{client.id}/revoke"):
        assert browser.client.post(path, base_url=ORIGIN, data=data).status_code == 403
        assert browser.open(path).status == 403
    assert [client.revoked_at for client in clients_of(company.id)] == [None]


def csrf_token(browser) -> str:
    """A CSRF token of this browser, from a page that has a form."""
    return browser.open("/account/cards").value("csrf_token")


def test_after_a_recovery_no_client_is_registered_but_one_may_be_revoked(browser, app, administrator, token):
    find_user("demo01").guarded_until = clock.now() + timedelta(hours=20)
    session.commit()
    log_in(browser, administrator).open("/account/clients/new")
    assert browser.status == 403 and "账号刚找回过" in browser.main
    client = clients_of(administrator.enterprise_id)[0]
    browser.open(f"/account/clients/{client.id}/revoke").submit("作废")
    assert hello(app, token).status_code == 401


def test_at_most_twenty_clients_work_at_once(browser, administrator):
    for number in range(20):
        session.add(
            ImportClient(
                enterprise_id=administrator.enterprise_id, user_id=administrator.id, customs_code="1301960001",
                name=f"客户端{number}", send_folder="/a/b", receive_folder="/a/c", token_hash=bytes([number]) * 32,
                created_at=clock.now(), expires_at=clock.now() + timedelta(days=30),
            )
        )  # fmt: skip
    session.commit()
    register(browser, administrator)
    assert errors_of(browser)[0].startswith("90723")

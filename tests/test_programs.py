"""Programs by token: who is let in, what a token may do and what it never does."""

import re
from datetime import timedelta

import pytest

from blueprints.common import clock
from blueprints.common.access import CARDS, Needs
from blueprints.common.tokens import MEDIUM, PUSH, READ, SCOPES, WRITE, is_within, principal_of, read_networks
from blueprints.programs import base
from blueprints.programs.openapi import document, operations
from models.accounts import find_user
from models.clients import ImportClient, clients_of
from models.codes import codes_of
from models.database import session
from models.sessions import Login
from tests.browsing import ORIGIN, Browser
from tests.card_bridge_double import errors_of
from tests.conftest import USCC, log_in, make_enterprise, make_user
from tests.programs_world import Program, make_token

pytest_plugins = ["tests.exports_fixtures"]
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def program(app, administrator, strategy):
    return Program(app, make_token(administrator))


def calls(app) -> list[tuple[str, str, str]]:
    """(method, address, scope) of every call of the API."""
    return [
        (each.method, path.replace("{id}", NOBODY).replace("{number}", "x1"), each.scope)
        for path, each in operations(app)
    ]


@pytest.mark.item("M90")
def test_a_token_says_for_whom_it_is_good(program, administrator):
    said = program.get("/me").said
    assert said["company"] == "示例外贸（石家庄）有限公司" and said["uscc"] == USCC
    assert said["customs_code"] == "1301960001" and said["scopes"] == [READ, WRITE, PUSH]
    assert said["limits"] == {"requests_a_minute": 120, "orders_a_day": 200_000}


@pytest.mark.item("M90")
def test_a_registered_client_uses_the_api_at_once_with_what_was_ticked(browser, app, administrator):
    log_in(browser, administrator).open("/account/clients/new")
    browser.submit(
        "登记", name="接口", customs_code="1301960001", scopes=[READ], days="30", addresses="127.0.0.1, 10.0.0.0/8"
    )
    assert "查订单、状态和回执" in browser.main and "127.0.0.1/32、10.0.0.0/8" in browser.main
    program = Program(app, browser.soup.find(id="token")["value"])
    said = program.get("/me").said
    assert said["scopes"] == [READ] and said["addresses"] == ["127.0.0.1/32", "10.0.0.0/8"]
    assert said["expires_at"][:10] == f"{clock.today() + timedelta(days=30)}"
    browser.follow("已经复制好")
    assert "查订单、状态和回执" in browser.main and "127.0.0.1/32" in browser.main
    browser.follow("看接口说明")
    assert browser.number == "8301" and "/api/v1/tasks/{number}/orders" in browser.main
    assert program.call("POST", "/tasks/x/generate").number == "90852"


@pytest.mark.parametrize(("typed", "number"), [
    ({"addresses": "10.0.0.300"}, "90875"), ({"addresses": "example.com"}, "90875"), ({"addresses": "10.0.0.0/40"}, "90875"),
    ({"addresses": " ".join(f"10.0.0.{n}" for n in range(21))}, "90875"), ({"scopes": ["admin"]}, "90002"),
    ({"days": "3650"}, "90002"), ({"days": ""}, "90001"),
])  # fmt: skip
def test_a_wrong_scope_end_or_address_registers_nothing(browser, administrator, typed, number):
    log_in(browser, administrator).open("/account/clients/new")
    browser.submit("登记", **{"name": "接口", "customs_code": "1301960001"} | typed)
    assert errors_of(browser)[0].startswith(number) and not clients_of(administrator.enterprise_id)


@pytest.mark.parametrize("token", ["", "eport_" + "A" * 43, "x" * 5000, "令牌".encode().decode("latin-1")])
def test_without_a_token_no_call_answers(app, administrator, token):
    for method, path, _ in calls(app):
        program = Program(app, token).call(method, path)
        assert program.status == 401 and program.number == "90730", path
        assert program.answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_login_opens_no_call(app, administrator, strategy):
    browser = log_in(Browser(app), administrator)
    for method, path, _ in calls(app):
        assert browser.client.open(path, method=method, base_url=ORIGIN).status_code == 401


@pytest.mark.item("M211")
def test_a_token_opens_no_page(app, administrator, program):
    """Over all routes: with a token in the header, in the login's cookie, everywhere, they answer as to a stranger."""
    client = app.test_client()
    client.set_cookie("eport-login", program.token, domain="127.0.0.1")
    headers = {"Authorization": f"Bearer {program.token}"}
    seen = 0
    for rule in app.url_map.iter_rules():
        info = getattr(app.view_functions[rule.endpoint], "page", None)
        if info is None or not info.needs.login or "GET" not in rule.methods:
            continue
        path = re.sub(r"<int:\w+>", "1", re.sub(r"<uuid:\w+>", NOBODY, rule.rule))
        answer = client.get(re.sub(r"<[\w:]+>", "x", path), base_url=ORIGIN, headers=headers)
        assert answer.status_code == 303 and answer.headers["Location"].startswith("/login"), rule.rule
        seen += 1
    assert seen > 100 and not session.query(Login).count()


def test_a_token_satisfies_no_need_of_a_card(app, administrator, program):
    client = session.query(ImportClient).one()
    who = principal_of(client)
    assert who.medium == MEDIUM not in CARDS
    assert [reason.number for reason in Needs(medium=CARDS).unmet(who)] == ["90105"]
    with app.test_request_context():
        asking = [
            view.page.needs
            for view in app.view_functions.values()
            if getattr(view, "page", None) and view.page.needs.medium
        ]
        assert asking and all("90105" in [reason.number for reason in needs.unmet(who)] for needs in asking)


@pytest.mark.parametrize("scopes", [[], [READ], [WRITE], [PUSH]])
def test_a_token_does_only_what_its_scopes_say(app, administrator, strategy, scopes):
    program = Program(app, make_token(administrator, scopes=scopes))
    for method, path, scope in calls(app):
        program.call(method, path)
        is_closed = bool(scope) and scope not in scopes
        assert (program.status == 403 and program.number == "90852") is is_closed, path


def test_a_token_may_no_more_than_its_account_today(app, administrator, company, strategy):
    program = Program(app, make_token(administrator))
    user = find_user("demo01")
    user.role, user.rights = "operator", {"exports": 1}
    session.commit()
    assert program.get("/orders").status == 200
    assert program.post("/tasks", {}).number == "90109" and program.status == 403
    find_user("demo01").rights = {"exports": 2}
    session.commit()
    assert program.post("/tasks", {}).number == "90856"
    assert program.post("/tasks/x/push").number == "90109"


def test_a_token_that_is_expired_or_revoked_is_refused(app, administrator, program):
    client = session.query(ImportClient).one()
    client.expires_at = clock.now() - timedelta(seconds=1)
    session.commit()
    assert program.get("/me").number == "90850" and program.status == 401
    answer = app.test_client().post(
        "/client/hello", base_url=ORIGIN, headers={"Authorization": f"Bearer {program.token}"}, json={"version": "1"}
    )
    assert answer.status_code == 401 and answer.get_json()["error"]["number"] == "90850"
    session.query(ImportClient).one().revoked_at = clock.now()
    session.commit()
    assert program.get("/me").number == "90730"


def test_the_list_says_which_client_has_ended_and_its_name_is_free(browser, administrator, program):
    client = session.query(ImportClient).one()
    client.expires_at, client.name = clock.now() - timedelta(seconds=1), "接口"
    session.commit()
    log_in(browser, administrator).open("/account/clients")
    assert "已到期" in browser.main
    browser.open("/account/clients/new").submit("登记", name="接口", customs_code="1301960001")
    assert browser.number == "4072"


@pytest.mark.parametrize(("networks", "address", "is_in"), [
    (["203.0.113.0/24"], "203.0.113.9", True), (["203.0.113.0/24"], "203.0.114.9", False),
    (["203.0.113.9/32"], "::ffff:203.0.113.9", True), (["2001:db8::/32"], "2001:db8:1::5", True),
    (["2001:db8::/32"], "203.0.113.9", False), (["10.0.0.0/8", "203.0.113.9/32"], "203.0.113.9", True),
    (["10.0.0.0/8"], "", False), (["10.0.0.0/8"], "nonsense", False),
])  # fmt: skip
def test_a_token_works_from_its_addresses_only(app, administrator, strategy, networks, address, is_in):
    assert is_within(address, networks) is is_in
    program = Program(app, make_token(administrator, addresses=networks), address)
    assert (program.get("/me").status == 200) is is_in
    assert is_in or program.number == "90851"


def test_networks_are_read_as_people_write_them():
    assert read_networks("10.0.0.1，10.1.2.3/8\n2001:DB8::1、10.0.0.1") == [
        "10.0.0.1/32",
        "10.0.0.0/8",
        "2001:db8::1/128",
    ]


def test_a_code_that_ran_out_and_a_closed_company_end_the_token(app, administrator, program):
    code = codes_of(administrator.enterprise_id)[0]
    code.valid_to = clock.today() - timedelta(days=1)
    session.commit()
    assert program.get("/orders").number == "90732" and program.status == 403
    find_user("demo01").enterprise.closed_at = clock.now()
    session.commit()
    assert program.get("/orders").number == "90730"


def test_a_migrated_company_must_verify_itself_first(app):
    company = make_enterprise("迁移贸易", "91130100PDY000028G", code="1301960002", origin="migrated")
    program = Program(app, make_token(make_user("moved", enterprise=company), code="1301960002"))
    assert program.get("/orders").number == "90106" and program.status == 403


def test_a_program_that_asks_without_pause_waits(program, monkeypatch):
    monkeypatch.setattr(base, "REQUESTS", base.Limit("program-requests", 5, 1))
    assert [program.get("/me").status for _ in range(6)] == [200] * 5 + [429]
    assert program.number == "90853" and program.answer.headers["Retry-After"] == "60"


def test_an_address_that_guesses_tokens_waits(app, program):
    for number in range(60):
        assert Program(app, f"eport_{number}").get("/me").status == 401
    assert program.get("/me").number == "90731"


@pytest.mark.parametrize(("method", "path"), [
    ("GET", "/nothing"), ("PUT", "/tasks"), ("DELETE", "/tasks/x"), ("POST", "/me"), ("GET", "/tasks/x/push"),
    ("GET", "/orders/nonsense"), ("PATCH", "/"),
])  # fmt: skip
def test_what_is_no_call_is_said_in_json(program, method, path):
    program.call(method, path)
    assert program.status == 404 and program.number == "90860"


@pytest.mark.item("M90")
def test_the_openapi_document_and_the_routes_agree(app, program):
    said = program.get("/openapi.json").said
    assert said["openapi"] == "3.1.0" and said == document(app)
    told = {(path, method.upper()) for path, methods in said["paths"].items() for method in methods}
    there = set()
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("programs.") and rule.endpoint not in OPEN:
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            there |= {(path, method) for method in rule.methods & {"GET", "POST", "PUT", "PATCH", "DELETE"}}
    assert told == there and len(there) > 12


OPEN = {"programs.show_guide", "programs.show_document", "programs.answer_unknown"}  # that ask for no token


def test_the_openapi_document_names_no_schema_that_it_does_not_have(app):
    said = document(app)
    names = re.findall(r"#/components/schemas/(\w+)", str(said))
    assert set(names) <= set(said["components"]["schemas"])
    assert set(said["components"]["schemas"]) <= {*names, "Notice"}
    for path, methods in said["paths"].items():
        for each in methods.values():
            places = [one["name"] for one in each["parameters"] if one["in"] == "path"]
            assert places == re.findall(r"{(\w+)}", path)
            assert {"401", "403", "429"} <= set(each["responses"])


def test_each_scope_is_used_and_each_call_has_one_but_that_which_tells_them(app):
    scopes = [scope for _, _, scope in calls(app)]
    assert set(scopes) == {"", *SCOPES} and scopes.count("") == 1


def test_an_error_of_ours_is_said_with_its_number_and_nothing_of_its_inside(app, program, monkeypatch):
    def fail(caller):
        raise RuntimeError("secret")

    monkeypatch.setattr("blueprints.programs.standing.moment", fail)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    program.get("/me")
    assert program.status == 500 and program.number == "90877" and "secret" not in program.answer.get_data(as_text=True)

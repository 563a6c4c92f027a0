"""Orders in by programs: JSON and workbooks, trials, Idempotency-Keys, and what hostile bodies meet."""

import json
from datetime import timedelta

import pytest

from blueprints.common import clock, programs
from blueprints.programs import base, bodies
from blueprints.programs.notices import forget_old
from models.accounts import find_user
from models.clients import ImportClient
from models.codes import HeldCode
from models.database import session
from models.documents import HistoryEvent
from models.exports import Import, Strategy, Task
from models.orders import Message, Order
from models.programs import ProgramRequest
from models.transmission import TransmissionId
from tests.conftest import make_enterprise, make_user
from tests.exports_world import many, workbook
from tests.programs_world import LINE, Program, make_token, new_task, order

pytest_plugins = ["tests.exports_fixtures"]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def program(app, administrator, strategy):
    return Program(app, make_token(administrator))


def kept() -> dict[str, list]:
    return {row.order_no: row.lines for row in session.query(Order).order_by(Order.place)}


@pytest.mark.item("M90")
def test_orders_as_json_become_a_task_and_are_declared_like_those_of_a_workbook(program, run_jobs):
    body = new_task(order("A1"), {"order_no": "A2", "lines": [LINE, LINE | {"item": "B", "price": None}]})
    said = program.post("/tasks", body).said
    assert program.status == 202 and said["import"]["state"] == "waiting" and said["task"]["number"].startswith("api")
    assert "read_import" in run_jobs()
    found = program.call("GET", said["import"]["url"].removeprefix("http://127.0.0.1:8080")).said
    assert (found["state"], found["orders_stored"], found["rows_wrong"], found["problems"]) == ("done", 2, 0, [])
    goods = ["8711100010", "微马力摩托车", "10", "25", "2.5", "011"]
    assert kept() == {"A1": [goods], "A2": [goods, ["B", *goods[1:]]]}
    number = said["task"]["number"]
    assert program.post(f"/tasks/{number}/generate").status == 202
    run_jobs()
    task = program.get(f"/tasks/{number}").said
    assert (task["state"], task["generated"], task["orders"]) == ("generated", 2, 2)
    acts = [(event.user_name, event.act) for event in session.query(HistoryEvent).order_by(HistoryEvent.id)]
    client = session.query(ImportClient).one()
    assert (f"客户端“{client.name}”", "导入订单") in acts and "API" not in str(acts)


def test_more_orders_go_into_a_task_and_known_ones_are_passed_over(program, run_jobs):
    number = program.post("/tasks", new_task(order("A1"))).said["task"]["number"]
    run_jobs()
    said = program.post(f"/tasks/{number}/orders", {"orders": [order("A1"), order("A2")]}).said
    run_jobs()
    found = program.get(f"/imports/{said['import']['id']}").said
    assert (found["orders_stored"], found["orders_known"]) == (1, 1) and list(kept()) == ["A1", "A2"]
    assert session.query(Task).count() == 1


@pytest.mark.parametrize("media", [XLSX, "text/csv"])
def test_the_workbook_itself_is_taken_too(program, run_jobs, media):
    data = workbook()
    if media == "text/csv":
        data = "订单号,商品货号,商品名称,数量,总额,单价,计量单位\r\nTYDH005,8711,车,10,25,2.5,011\r\n".encode("gb18030")
    said = program.send("/tasks", data, media, strategy="9710", client_number="api").said
    assert program.status == 202
    run_jobs()
    assert program.get(f"/imports/{said['import']['id']}").said["state"] == "done" and "TYDH005" in kept()
    number = said["task"]["number"]
    more = workbook([("TYDH009", "1", "x", "1", "1", "1", "011")])
    program.send(f"/tasks/{number}/orders", more, XLSX)
    run_jobs()
    assert "TYDH009" in kept()


def test_of_a_workbook_wrong_rows_are_told_by_row_and_column(program, run_jobs):
    data = workbook([("A1", "1", "x", "1", "1", "1", "011"), ("A2", "1", "x", "0", "1", "1", "999")])
    for wrong, stored, state in ((None, 0, "refused"), ("skip", 1, "done")):
        query = {"strategy": "9710", "client_number": "api"} | ({"wrong": wrong} if wrong else {})
        said = program.send("/tasks", data, XLSX, **query).said
        run_jobs()
        found = program.get(f"/imports/{said['import']['id']}").said
        assert (found["state"], found["orders_stored"], found["problem_count"]) == (state, stored, 2)
        assert [(p["row"], p["column"], p["number"]) for p in found["problems"]] == [(3, 4, "90618"), (3, 7, "90622")]
        assert all(p["cause"] and p["fix"] for p in found["problems"])


def test_of_json_each_problem_has_its_place_and_nothing_is_kept(program):
    body = new_task(
        order("A1"), order("A2", quantity="1e5", price=""), order("坏"), order("A4", unit="999", name="a\u2028b")
    )
    assert program.post("/tasks", body).number == "90868" and program.status == 422
    assert {(p["pointer"], p["number"]) for p in program.said["problems"]} == {
        ("/orders/1/lines/0/quantity", "90614"), ("/orders/2/order_no", "90615"), ("/orders/3/lines/0/unit", "90622"),
        ("/orders/3/lines/0/name", "90617"),
    }  # fmt: skip
    assert program.said["problem_count"] == 4 and all(p["cause"] and p["fix"] for p in program.said["problems"])
    assert not session.query(Task).count() and not session.query(ProgramRequest).count()


def test_wrong_ones_may_be_skipped_and_are_told(program, run_jobs):
    body = new_task(order("A1"), order("A2", unit="999"))
    said = program.call("POST", "/tasks?wrong=skip", json=body, headers={"Idempotency-Key": "k"}).said
    assert program.status == 202 and [p["pointer"] for p in said["problems"]] == ["/orders/1/lines/0/unit"]
    run_jobs()
    assert list(kept()) == ["A1"]
    only = new_task(order("A2", unit="999"))
    assert program.call("POST", "/tasks?wrong=skip", json=only, headers={"Idempotency-Key": "k2"}).number == "90868"


def test_a_number_that_is_taken_is_said_at_once(program, run_jobs):
    program.post("/tasks", new_task(order("A1")))
    run_jobs()
    program.post("/tasks", new_task(order("A1"), order("A2")))
    assert program.number == "90868"
    assert [(p["pointer"], p["number"]) for p in program.said["problems"]] == [("/orders/0/order_no", "90625")]


def test_columns_may_stand_beside_the_lines(program, run_jobs):
    program.post(
        "/tasks", new_task({"order_no": "A1", "unit": "件", "lines": [{**LINE, "unit": "千克"}, _without_unit()]})
    )
    assert program.status == 202
    run_jobs()
    assert [line[5] for line in kept()["A1"]] == ["035", "011"]
    program.post("/tasks", new_task({"order_no": "A2", "unit": "没有", "lines": [_without_unit()]}))
    assert [p["pointer"] for p in program.said["problems"]] == ["/orders/0/unit"]


def _without_unit() -> dict:
    return {key: value for key, value in LINE.items() if key != "unit"} | {"item": "B"}


def test_numbers_are_taken_digit_by_digit(program, run_jobs):
    text = (
        json.dumps(new_task(order("A1")))
        .replace('"25"', "25.00")
        .replace('"10"', "10.00000")
        .replace('"2.5"', "2.50000")
    )
    program.send("/tasks", text.encode())
    assert program.status == 202
    run_jobs()
    assert kept()["A1"][0][2:5] == ["10.00000", "25.00", "2.50000"]


# -- trials


@pytest.mark.item("M180")
def test_a_trial_checks_everything_and_keeps_nothing(program, strategy):
    body = new_task(order("A1"), order("A2", unit="999"))
    said = program.call("POST", "/tasks?trial=1", json=body).said
    assert program.status == 200 and (said["orders"], said["problem_count"], said["is_good"]) == (1, 1, False)
    said = program.call("POST", "/tasks?trial=1", json=new_task(order("A1"))).said
    assert said == {"orders": 1, "blocked": [], "problems": [], "problem_count": 0, "is_good": True}
    said = program.send("/tasks", workbook(many(3)), XLSX, None, trial="1", strategy="9710", client_number="api").said
    assert said["orders"] == 3 and said["is_good"]
    for table in (Task, Import, Order, Message, ProgramRequest):
        assert not session.query(table).count()


def test_a_trial_says_why_nothing_could_be_declared(program):
    session.query(TransmissionId).delete()
    session.commit()
    said = program.call("POST", "/tasks?trial=1", json=new_task(order("A1"))).said
    assert not said["is_good"] and said["problem_count"] == 0 and "传输ID" in said["blocked"][0]


def test_trials_have_a_limit_of_their_own(program, monkeypatch):
    monkeypatch.setattr("blueprints.programs.orders_in.TRIALS", base.Limit("program-trials", 2, 10))
    body = new_task(order("A1"))
    assert [program.call("POST", "/tasks?trial=1", json=body).status for _ in range(3)] == [200, 200, 429]
    assert program.number == "90853" and int(program.answer.headers["Retry-After"]) > 0


def test_large_bodies_have_a_limit_of_their_own(program, monkeypatch):
    monkeypatch.setattr("blueprints.programs.orders_in.LARGE", 100)
    monkeypatch.setattr("blueprints.programs.orders_in.LARGE_ONES", base.Limit("program-large", 1, 10))
    assert program.post("/tasks", new_task(order("A1"))).status == 202
    assert program.post("/tasks", new_task(order("A2"))).number == "90874" and program.status == 429
    assert int(program.answer.headers["Retry-After"]) > 0 and program.send("/tasks", b"{}").status == 400


# -- Idempotency-Key


def test_the_same_submission_again_is_answered_as_before(program, run_jobs):
    first = program.post("/tasks", new_task(order("A1")), key="k1").said
    run_jobs()
    again = program.post("/tasks", new_task(order("A1")), key="k1")
    assert again.status == 202 and again.said == first and again.answer.headers["Idempotent-Replay"] == "true"
    assert session.query(Task).count() == 1 and session.query(Import).count() == 1


def test_a_key_with_another_content_or_at_another_address_is_refused(program, run_jobs):
    number = program.post("/tasks", new_task(order("A1")), key="k1").said["task"]["number"]
    run_jobs()
    assert program.post("/tasks", new_task(order("A2")), key="k1").number == "90858" and program.status == 409
    assert program.post(f"/tasks/{number}/orders", {"orders": [order("A1")]}, key="k1").number == "90858"
    assert session.query(Task).count() == 1


def test_a_key_is_of_one_token_and_free_again_after_a_refusal(app, program):
    program.post("/tasks", new_task(order("A1", unit="999")), key="k1")
    assert program.status == 422 and program.post("/tasks", new_task(order("A1")), key="k1").status == 202
    other = Program(app, make_token(find_user("demo01")))
    assert other.post("/tasks", new_task(order("A9")), key="k1").status == 202


@pytest.mark.parametrize("key", [None, "x" * 201, "a b", "钥匙".encode().decode("latin-1"), '"'])
def test_a_submission_without_a_proper_key_is_refused(program, key):
    assert program.post("/tasks", new_task(order("A1")), key=key).number == "90857" and program.status == 400


def test_keys_are_forgotten_after_a_week(context, app, administrator, strategy):
    program = Program(app, make_token(administrator))
    program.post("/tasks", new_task(order("A1")), key="k1")
    row = session.query(ProgramRequest).one()
    row.at = clock.now() - timedelta(days=6)
    session.commit()
    forget_old()
    assert session.query(ProgramRequest).count() == 1
    session.query(ProgramRequest).one().at = clock.now() - timedelta(days=8)
    session.commit()
    forget_old()
    assert not session.query(ProgramRequest).count()


# -- others, limits, hostile bodies


def test_another_companys_and_another_codes_tasks_are_not_found(app, administrator, company, program, run_jobs):
    said = program.post("/tasks", new_task(order("A1"))).said
    run_jobs()
    number, started = said["task"]["number"], said["import"]["id"]
    stranger = make_user("other01", enterprise=make_enterprise("别家", "91130100PDY000028G", code="1301960002"))
    company_id = administrator.enterprise_id
    session.add(
        HeldCode(enterprise_id=company_id, code="1301960009", category="x", valid_from=clock.today(), revision="1",
                 valid_to=clock.today() + timedelta(days=9), ecommerce_types=[], seen_at=clock.now())
    )  # fmt: skip
    session.commit()
    for token in (make_token(stranger, code="1301960002"), make_token(administrator, code="1301960009")):
        other = Program(app, token)
        for method, path in (("GET", f"/tasks/{number}"), ("POST", f"/tasks/{number}/generate"), ("POST", f"/tasks/{number}/push"),
                             ("POST", f"/tasks/{number}/orders"), ("GET", f"/imports/{started}")):  # fmt: skip
            other.call(method, path, json={"orders": [order("X")]} if method == "POST" else None)
            assert other.status == 404 and other.number == "90859", path
        assert other.get("/tasks").said["tasks"] == [] and other.get("/strategies").said["strategies"] == []
        assert other.post("/tasks", new_task(order("X"))).number == "90865"


def test_a_client_number_and_a_strategy_must_be_good(program):
    for more, number in (
        ({"client_number": "有 空格"}, "90665"),
        ({"client_number": "x" * 21}, "90665"),
        ({"strategy": "没有"}, "90865"),
    ):
        assert program.post("/tasks", new_task(order("A1"), **more)).number == number and program.status == 422
    session.query(Strategy).one().is_enabled = False
    session.commit()
    assert program.post("/tasks", new_task(order("A1"))).number == "90865"


def test_a_task_that_reads_another_file_takes_none(program):
    number = program.post("/tasks", new_task(order("A1"))).said["task"]["number"]
    assert (
        program.post(f"/tasks/{number}/orders", {"orders": [order("A2")]}).number == "90672" and program.status == 409
    )
    assert program.post(f"/tasks/{number}/generate").number == "90876" and program.status == 409


def test_orders_of_a_day_are_counted_for_json_and_workbooks(program, run_jobs, monkeypatch):
    monkeypatch.setattr(base, "ORDERS_A_DAY", 5)
    assert program.post("/tasks", new_task(order("A1"), order("A2"))).status == 202
    run_jobs()
    assert program.send("/tasks", workbook(many(3)), XLSX, strategy="9710", client_number="api").status == 202
    run_jobs()
    assert program.post("/tasks", new_task(order("A3"))).number == "90854" and program.status == 429
    assert 0 < int(program.answer.headers["Retry-After"]) <= 86_400 and session.query(Order).count() == 5
    for row in session.query(ProgramRequest):
        row.at -= timedelta(days=1)
    session.commit()
    assert program.post("/tasks", new_task(order("A3"))).status == 202


@pytest.mark.parametrize("text", [
    b"", b"{", b"null", b"[]", b'"x"', b"\xff\xfe", b"{" * 100_000, b"[" * 100_000, b'{"orders":' * 50_000, b"{}{}",
    b'{"strategy": NaN}', b'{"strategy": -Infinity}', b'{"strategy":"9710","strategy":"9810"}',
    b'{"strategy":"9710","client_number":"a","orders":[{"order_no":"A","order_no":"B","lines":[]}]}',
])  # fmt: skip
def test_a_body_that_is_no_proper_json_is_refused(program, text):
    program.send("/tasks", text)
    assert program.status == 400 and program.number in ("90855", "90856") and not session.query(Task).count()


@pytest.mark.parametrize(("body", "pointers"), [
    ({}, ["/strategy"]), (new_task() | {"orders": 5}, ["/orders"]), (new_task() | {"strategy": []}, ["/strategy"]),
    (new_task() | {"strategy": None}, ["/strategy"]), (new_task() | {"orders": {}}, ["/orders"]), (new_task(), ["/orders"]),
    (new_task("A1"), ["/orders/0"]), (new_task({"order_no": "A1"}), ["/orders/0/lines"]),
    (new_task({"order_no": "A1", "lines": []}), ["/orders/0/lines"]), (new_task({"order_no": "A1", "lines": ["x"]}), ["/orders/0/lines/0"]),
    (new_task({"order_no": ["A1"], "lines": [LINE]}), ["/orders/0/order_no"]), (new_task(order("A1", quantity=True)), ["/orders/0/lines/0/quantity"]),
    (new_task(order("A1", order_no="B")), ["/orders/0/lines/0/order_no"]), (new_task(order("A1", **{"a/b~c": 1})), ["/orders/0/lines/0/a~1b~0c"]),
    (new_task(order("A1")) | {"enterprise_id": "x"}, ["/enterprise_id"]),
    (new_task(order("A1", quantity={"$gt": ""})), ["/orders/0/lines/0/quantity"]),
])  # fmt: skip
def test_what_is_not_of_the_right_shape_is_told_by_its_place(program, body, pointers):
    assert program.post("/tasks", body).number == "90856" and program.status == 400
    assert [p["pointer"] for p in program.said["problems"]] == pointers and not session.query(Task).count()


def test_an_order_of_ten_thousand_lines_is_refused_with_words(program):
    lines = [LINE | {"item": str(number)} for number in range(10_000)]
    program.post("/tasks", new_task({"order_no": "A1", "lines": lines}))
    assert program.status == 422 and program.said["problem_count"] == 9900
    assert len(program.said["problems"]) == programs.MOST_TROUBLES and program.said["problems"][0]["number"] == "90624"


def test_cells_that_no_database_holds_are_refused_as_cells(program):
    for value in ("\ud800", "a\u0000b", "a\x1fb", "=1\n+1", "x" * 100_000):
        program.post("/tasks", new_task(order("A1", name=value)))
        assert program.status == 422 and program.said["problems"][0]["number"] == "90617"


def test_a_body_beyond_the_limit_is_refused(program, monkeypatch):
    monkeypatch.setattr(bodies, "BODY_LIMIT", 1000)
    assert program.send("/tasks", b"{" + b" " * 2000 + b"}").number == "90863" and program.status == 413


def test_a_body_of_too_many_parts_is_refused_before_it_is_read(program, monkeypatch):
    for text in (b'{"orders":[' + b"[]," * 600_000 + b"[]]}", b'{"orders":[' + b"1," * 1_100_000 + b"1]}"):
        assert program.send("/tasks", text).number == "90863" and program.status == 413


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "text/html"]
)
def test_a_body_of_another_type_is_refused(program, media):
    assert program.send("/tasks", b"{}", media).number == "90864" and program.status == 415


@pytest.mark.parametrize(("data", "media", "number"), [
    (b"", XLSX, "90021"), (b"PK\x03\x04 no zip", XLSX, "90003"), (b"MZ\x90\x00", XLSX, "90003"), (b"\0\0\0", "text/csv", "90003"),
])  # fmt: skip
def test_a_file_that_is_no_workbook_is_refused_with_nothing_kept(program, data, media, number):
    program.send("/tasks", data, media, strategy="9710", client_number="api")
    assert program.status == 422 and program.number == number and not session.query(Task).count()


def test_a_trial_of_what_is_no_workbook_says_so(program):
    program.send("/tasks", b"PK\x03\x04 no zip", XLSX, None, trial="1", strategy="9710", client_number="api")
    assert program.status == 422 and program.number == "90601"
    program.send("/tasks", b"", XLSX, None, trial="1", strategy="9710", client_number="api")
    assert program.status == 422


@pytest.mark.parametrize("query", ["trial=2", "trial=", "wrong=all"])
def test_a_query_that_says_something_else_is_refused(program, query):
    program.call("POST", f"/tasks?{query}", json=new_task(order("A1")), headers={"Idempotency-Key": "k"})
    assert program.status == 400 and program.number == "90867"

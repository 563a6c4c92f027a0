"""推送 by programs: a token never signs; orders of the other modes."""

import pytest

from blueprints.common import clock
from models.channels import ProfileChannel, SigningOrder
from models.database import session
from models.exports import CompanyProfile
from models.orders import Message, Order, Push
from tests.conftest import log_in
from tests.exports_world import make_strategy
from tests.programs_world import LINE, Program, make_token, new_task, order

pytest_plugins = ["tests.exports_fixtures"]


@pytest.fixture
def program(app, administrator, strategy):
    return Program(app, make_token(administrator))


@pytest.fixture
def generated(program, run_jobs) -> str:
    number = program.post("/tasks", new_task(order("A1"), order("A2"))).said["task"]["number"]
    run_jobs()
    program.post(f"/tasks/{number}/generate")
    run_jobs()
    return number


@pytest.mark.item("M90")
def test_a_token_never_signs_it_says_where_a_card_must(program, generated, browser, administrator):
    said = program.post(f"/tasks/{generated}/push").said
    assert program.status == 202 and said["signing"] == "card" and said["number"] == "90861"
    assert said["orders_by_message"] == {"unsigned": 2}
    log_in(browser, administrator).open(said["page"])
    assert browser.number == "8024" and browser.can_press("接着用卡签名")
    assert {message.state for message in session.query(Message)} == {"unsigned"}


def test_asking_again_while_the_card_is_awaited_makes_no_second_push(program, generated):
    first = program.post(f"/tasks/{generated}/push").said
    assert program.post(f"/tasks/{generated}/push").said == first and session.query(Push).count() == 1
    assert program.get(f"/pushes/{first['id']}").said["signing"] == "card"


def test_there_is_nothing_to_push_before_the_data_is_made(program, run_jobs):
    number = program.post("/tasks", new_task(order("A1"))).said["task"]["number"]
    run_jobs()
    assert program.post(f"/tasks/{number}/push").number == "90641" and program.status == 409
    assert program.call("POST", f"/tasks/{number}/push?kind=999").number == "90867"
    assert program.call("POST", f"/tasks/{number}/push?kind=603").status == 409


@pytest.mark.parametrize("is_on", [True, False])
def test_only_where_a_card_switched_it_on_a_push_is_signed_by_itself(program, generated, is_on):
    profile = session.query(CompanyProfile).one()
    session.add(
        ProfileChannel(profile_id=profile.id, enterprise_id=profile.enterprise_id, signer="centre", changed_at=clock.now(),
                       unattended_at=clock.now() if is_on else None)
    )  # fmt: skip
    session.commit()
    said = program.post(f"/tasks/{generated}/push").said
    assert (said["signing"], "page" in said) == (("itself", False) if is_on else ("card", True))
    assert session.query(SigningOrder).count() == is_on


# -- other modes: the columns are those of the strategy's template


HEAD = {"logistics_no": "YD1", "gross": "12.5", "net": "11.8", "packs": "1", "freight": "0", "insured": "0"}
LIST_LINE = LINE | {"gcode": "8711100010", "gmodel": "无", "qty1": "10", "unit1": "011", "country": "美国"}


def test_orders_of_list_modes_bring_what_their_lists_need(program, profile, run_jobs):
    make_strategy(profile, "L", "9710-list")
    row = next(each for each in program.get("/strategies").said["strategies"] if each["number"] == "L")
    assert {*HEAD, *LIST_LINE, "order_no"} <= set(row["columns"])
    body = new_task({"order_no": "A1", **HEAD, "lines": [LIST_LINE, LIST_LINE | {"item": "B"}]}, strategy="L")
    assert program.post("/tasks", body).status == 202, program.said
    run_jobs()
    found = session.query(Order).one()
    assert found.data == HEAD and len(found.lines) == 2 and found.lines[0][-1] == "502"
    body = new_task({"order_no": "A2", **HEAD, "net": "13", "lines": [LIST_LINE]}, strategy="L")
    program.post("/tasks", body)
    assert [(p["pointer"], p["number"]) for p in program.said["problems"]] == [("/orders/0/net", "90837")]


def test_waybills_have_no_lines(program, profile, run_jobs):
    make_strategy(profile, "W", "waybill")
    waybill = {
        "number": "YD1",
        "order_no": "A1",
        "freight": "0",
        "insured": "0",
        "gross": "1",
        "packs": "1",
        "goods": "车",
    }
    assert program.call("POST", "/tasks?trial=1", json=new_task(waybill, strategy="W")).said["is_good"], program.said
    program.post("/tasks", new_task(waybill, waybill | {"number": "YD2", "packs": "0"}, strategy="W"))
    assert [(p["pointer"], p["number"]) for p in program.said["problems"]] == [("/orders/1/packs", "90832")]
    assert program.post("/tasks", new_task(waybill, strategy="W")).status == 202
    run_jobs()
    assert session.query(Order).one().kind == "505"
    assert [row["order_no"] for row in program.get("/orders", kind="505").said["orders"]] == ["YD1"]

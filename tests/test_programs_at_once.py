"""Programs that ask at the same moment, on connections of their own."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from blueprints.common import clock
from blueprints.programs import notices
from models.clients import ImportClient
from models.database import Base, session
from models.exports import Import, Task
from models.orders import Order, Push
from models.programs import ProgramRequest
from models.webhooks import Delivery, Webhook
from tests.programs_world import Program, make_token, order
from tests.test_cards_at_once import at_once

pytest_plugins = ["tests.exports_fixtures"]


@pytest.fixture
def app(house):
    """The app on its real connections; everything is emptied afterwards."""
    yield house
    session.remove()
    names = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
    session.execute(text(f"TRUNCATE {names} CASCADE"))
    session.execute(text("DELETE FROM procrastinate_jobs"))
    session.commit()
    session.remove()


@pytest.fixture
def token(app, administrator, strategy) -> str:
    return make_token(administrator)


def body(number: str) -> dict:
    return {"strategy": "9710", "client_number": "api", "orders": [order(number)]}


@pytest.mark.item("M90")
def test_one_submission_sent_eight_times_at_once_is_taken_once(app, token):
    programs = [Program(app, token) for _ in range(8)]
    at_once(*[lambda each=each: each.post("/tasks", body("A1"), key="k1").status for each in programs])
    assert [each.status for each in programs] == [202] * 8 and len(
        {each.said["import"]["id"] for each in programs}
    ) == 1
    assert session.query(Task).count() == session.query(Import).count() == session.query(ProgramRequest).count() == 1
    assert sum("Idempotent-Replay" in each.answer.headers for each in programs) == 7


def test_one_order_in_eight_submissions_at_once_is_stored_once(app, token, run_jobs):
    programs = [Program(app, token) for _ in range(8)]
    at_once(*[lambda each=each: each.post("/tasks", body("A1")).status for each in programs])
    session.remove()
    run_jobs()
    assert session.query(Order).count() == 1
    found = [programs[0].get(f"/imports/{each.said['import']['id']}").said for each in programs]
    assert sorted((each["orders_stored"], each["problem_count"]) for each in found) == [(0, 1)] * 7 + [(1, 0)]


def test_a_push_that_is_asked_for_at_once_is_signed_as_one(app, token, run_jobs):
    first = Program(app, token)
    number = first.post("/tasks", body("A1")).said["task"]["number"]
    run_jobs()
    first.post(f"/tasks/{number}/generate")
    run_jobs()
    programs = [Program(app, token) for _ in range(4)]
    at_once(*[lambda each=each: each.post(f"/tasks/{number}/push").status for each in programs])
    session.remove()
    assert {each.status for each in programs} <= {202, 409}
    waiting = session.execute(text("SELECT DISTINCT push_id FROM customs_messages")).scalars().all()
    assert len(waiting) == 1 and session.get(Push, waiting[0])


def test_workers_that_look_at_once_make_one_notice(app, token):
    client = session.query(ImportClient).one()
    Program(app, token).post("/tasks", body("A1"))
    now = clock.now()
    row = Webhook(
        client_id=client.id, url="https://8.8.8.8/", seen_to=now - timedelta(hours=1), changed_at=now, changed_by="x"
    )
    row.secret = "s"
    session.add(row)
    session.commit()
    session.remove()

    def look():
        with app.app_context():
            notices.look_for_changes()

    with clock.stopped_at(now + timedelta(seconds=5)):
        at_once(*[look] * 6)
    assert session.query(Delivery).count() == 1

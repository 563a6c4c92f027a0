"""Several people of one company at the same moment, on connections of their own: numbers without gaps, no order twice."""

import io
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text
from werkzeug.datastructures import FileStorage

from blueprints.exports import importing, tasks
from models.database import Base, session
from models.exports import Import, Task, problems_of
from models.orders import Order
from tests.conftest import make_enterprise, make_user
from tests.exports_world import make_profile, make_strategy, many, principal_of, workbook


@pytest.fixture
def app(house):
    """The app on its real connections; everything is emptied afterwards."""
    yield house
    session.remove()
    names = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
    session.execute(text(f"TRUNCATE {names} CASCADE"))
    session.commit()
    session.remove()


@pytest.fixture
def exporter(app):
    """(principal, id of a strategy) of a company."""
    with app.app_context():
        company = make_enterprise()
        user = make_user(enterprise=company)
        strategy = make_strategy(make_profile(company))
        return principal_of(user, company), str(strategy.id)


def at_once(app, work, count: int) -> list:
    """`work(number)` in so many threads that start together; gives what each gave."""
    gate = Barrier(count)

    def run(number):
        gate.wait()
        try:
            with app.app_context():
                return work(number)
        finally:
            session.remove()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.mark.item("M192", "M196")
def test_task_numbers_are_gapless_when_many_are_made_at_once(app, exporter):
    who, strategy = exporter

    def make_tasks(number: int) -> list[str]:
        made = []
        for turn in range(5):
            task = tasks.create_task("par", strategy, who)
            if turn == number:  # one of them is given up: its number is not lost
                session.rollback()
                continue
            session.commit()
            made.append(task.number)
        return made

    numbers = [number for made in at_once(app, make_tasks, 6) for number in made]
    assert sorted(int(number[-3:]) for number in numbers) == list(range(1, len(numbers) + 1))
    assert len(numbers) == 6 * 5 - 5


def test_one_order_in_two_workbooks_at_once_is_stored_once(app, exporter):
    who, strategy = exporter
    with app.app_context():
        started = []
        for total in ("25", "30"):
            task = tasks.create_task("par", strategy, who)
            rows = [(*row[:4], total, "", "011") for row in many(300)]
            upload = FileStorage(io.BytesIO(workbook(rows)), "orders.xlsx")
            started.append(str(importing.start_import(task, upload, who).id))
            session.commit()
    at_once(app, lambda number: importing.read_import(started[number]), 2)
    with app.app_context():
        assert session.query(Order).count() == 300
        assert sum(task.order_count for task in session.query(Task)) == 300
        told = [len(problems_of(found.id)) for found in session.query(Import)]
        assert {found.state for found in session.query(Import)} == {"done"} and sorted(told) == [0, 300]

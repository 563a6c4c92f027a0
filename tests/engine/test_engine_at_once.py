"""Two people at once, each with a connection of their own; the data is committed and cleaned up afterwards."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import select, text

from blueprints.common import clock
from blueprints.common.documents import NotNow, NotReady, Office
from blueprints.common.regions import Region
from models.database import Base, session
from models.documents import Document, next_serial
from tests.conftest import make_enterprise, make_user
from tests.engine import filling
from tests.engine.filling import Draft, principal_of


@pytest.fixture
def anna(house):
    """Committed for all connections to see."""
    session.remove()
    user = make_user("anna", enterprise=make_enterprise())
    yield principal_of(user)
    session.remove()
    tables = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
    session.execute(text(f"TRUNCATE {tables}, procrastinate_jobs CASCADE"))
    session.commit()
    session.remove()


@pytest.fixture
def office(house):
    return replace(house.config["OFFICE"], region=Region())


def filled(office: Office, anna, slot="26am"):
    """A draft that is ready, committed; gives its id."""
    draft = Draft(office, "booking", anna).fill(filling.BOOKING | {"slot": {"slot": slot}})
    session.commit()
    return draft.document.id


def run(*acts) -> list:
    """Each act on a thread of its own, in a session of its own, from the same moment; gives results or exceptions."""
    results, barrier = [None] * len(acts), threading.Barrier(len(acts))

    def carry_out(number, act):
        barrier.wait(10)
        try:
            results[number] = act()
            session.commit()
        except (NotNow, NotReady) as error:
            session.rollback()
            results[number] = error
        finally:
            session.remove()

    threads = [threading.Thread(target=carry_out, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive(), "two acts wait for each other"
    return results


def kinds_of(results) -> list[str]:
    return sorted(type(result).__name__ for result in results)


def submits(office, document_id):
    return lambda: office.submit(session.get(Document, document_id), "anna")


def read(document_id) -> Document:
    session.remove()
    return session.get(Document, document_id)


def test_one_document_is_submitted_once_by_two_clicks_at_once(office, anna):
    document_id = filled(office, anna)
    results = run(*[submits(office, document_id)] * 4)
    assert kinds_of(results) == ["NotNow", "NotNow", "NotNow", "Submission"]
    assert [submission.number for submission in read(document_id).submissions] == [1]


def test_the_last_seat_goes_to_one_of_two(office, anna):
    documents = [filled(office, anna, "25am") for _ in range(3)]
    results = run(*[submits(office, document_id) for document_id in documents])
    assert kinds_of(results) == ["NotReady", "NotReady", "Submission"]
    refused = next(result for result in results if isinstance(result, NotReady))
    assert [(problem.path, problem.number) for problem in refused.problems] == [("slot/slot", "90010")]


def test_a_seat_whose_taker_failed_goes_to_the_one_who_waited(office, anna):
    first, second = (filled(office, anna, "25am") for _ in range(2))
    office.submit(session.get(Document, first), "anna")
    waiting, result = threading.Event(), []

    def submit_second():
        waiting.set()
        result.append(run_alone(submits(office, second)))

    thread = threading.Thread(target=submit_second)
    thread.start()
    waiting.wait(10)
    thread.join(0.3)
    assert thread.is_alive(), "it waits for the outcome of the first"
    session.rollback()
    thread.join(10)
    assert kinds_of(result) == ["Submission"]


def run_alone(act):
    try:
        result = act()
        session.commit()
        return result
    finally:
        session.remove()


def test_no_save_slips_in_between_the_snapshot_and_its_commit(office, anna):
    document_id = filled(office, anna)
    office.submit(session.get(Document, document_id), "anna")  # not committed yet
    results = []

    def save_late():
        document = session.get(Document, document_id)
        form = office.form(document, "card", {"operation": "renew"})
        results.extend(run_in_place(lambda: office.save(document, form, "ben", 1)))

    thread = threading.Thread(target=save_late)
    thread.start()
    thread.join(0.3)
    assert thread.is_alive(), "the save waits for the submission"
    session.commit()
    thread.join(10)
    assert kinds_of(results) == ["NotNow"]
    assert read(document_id).answers["card"].typed == {"operation": ["new"]}


def run_in_place(act) -> list:
    try:
        act()
        session.commit()
        return ["saved"]
    except NotNow as error:
        return [error]
    finally:
        session.remove()


def test_two_saves_of_one_page_at_once_do_not_overwrite_each_other(office, anna):
    from blueprints.common.documents import Conflict

    document_id, outcomes = filled(office, anna), []

    def save(operation):
        def act():
            document = session.get(Document, document_id)
            form = office.form(document, "card", {"operation": operation})
            try:
                office.save(document, form, operation, 1)
                session.commit()
                outcomes.append("saved")
            except Conflict:
                session.rollback()
                outcomes.append("conflict")

        return act

    run(save("renew"), save("new"))
    assert sorted(outcomes) == ["conflict", "saved"]
    assert read(document_id).answers["card"].revision == 2


def test_two_decisions_at_once_are_one(office, anna):
    clerk = principal_of(make_user("clerk", role="staff", desks=["customs"]))
    document_id = filled(office, anna)
    office.submit(session.get(Document, document_id), "anna")
    session.commit()

    def decide(act, *more):
        return lambda: act(session.get(Document, document_id), "customs", clerk, 1, *more)

    results = run(decide(office.approve), decide(office.refuse, "资料不实"))
    assert kinds_of(results) == ["NoneType", "NotNow"]
    assert len(read(document_id).decisions) == 1


def test_two_desks_that_approve_at_once_open_the_third_stage(office, anna):
    people = [principal_of(make_user(desk, role="staff", desks=[desk])) for desk in ("customs", "market")]
    document_id = filled(office, anna)
    office.submit(session.get(Document, document_id), "anna")
    session.commit()

    def approve(who):
        return lambda: office.approve(session.get(Document, document_id), who.name, who, 1)

    assert kinds_of(run(*[approve(who) for who in people])) == ["NoneType", "NoneType"]
    assert [stage.slug for stage in office.open_stages(read(document_id))] == ["issue"]


def test_serial_numbers_have_no_gaps_and_no_doubles(anna):
    def take():
        return next_serial("test")

    numbers = run(*[take] * 4) + run(*[take] * 4)
    assert sorted(numbers) == list(range(1, 9))


def test_a_number_whose_taker_failed_is_given_again(anna):
    assert next_serial("test") == 1
    session.commit()
    assert next_serial("test") == 2
    session.rollback()
    assert next_serial("test") == 2


def test_documents_submitted_at_once_get_numbers_that_follow_one_another(office, anna):
    documents = [filled(office, anna, "far") for _ in range(4)]
    run(*[submits(office, document_id) for document_id in documents])
    session.remove()
    numbers = sorted(session.scalars(select(Document.number)))
    assert numbers == [f"{clock.today():%Y%m%d}{number:08d}" for number in (1, 2, 3, 4)]

"""States and receipts out: what a program reads, page by page, and what it never sees."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from blueprints.common import clock
from models import programs
from models.database import session
from models.orders import Message, Order
from models.receipts import InboxFile
from tests.conftest import make_enterprise, make_user
from tests.exports_world import answer, many, workbook
from tests.programs_world import Program, make_token

pytest_plugins = ["tests.card_fixtures", "tests.exports_fixtures"]
T1, T2 = "20261121100000000", "20261121100500000"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def program(trade, administrator):
    return Program(trade.app, make_token(administrator))


@pytest.fixture
def sent(trade, card):
    trade.read(workbook())
    trade.generate()
    return trade.send(trade.push(card))


@pytest.fixture
def stranger(app):
    company = make_enterprise("别家", "91130100PDY000028G", code="1301960002")
    return Program(app, make_token(make_user("other01", enterprise=company), code="1301960002"))


def states(program, **query) -> dict[str, str]:
    program.get("/orders", **query)
    assert program.status == 200, program.said
    return {row["order_no"]: row["state"] for row in program.said["orders"]}


def read(program, url: str):
    return program.call("GET", url.removeprefix("http://127.0.0.1:8080"))


@pytest.mark.item("M90")
def test_a_program_follows_an_order_from_the_import_to_the_answer_of_customs(program, trade, card):
    trade.read(workbook())
    assert set(states(program).values()) == {"imported"}
    trade.generate()
    assert set(states(program).values()) == {"waiting"}
    trade.send(trade.push(card))
    assert states(program) == dict.fromkeys(("TYDH005", "TYDH006", "TYDH007"), "declaring")
    rows = trade.rows()
    trade.hear(
        (rows["TYDH005"].Order, 120, T1), (rows["TYDH006"].Order, 100, T1, "退单原因"), (rows["TYDH007"].Order, 3, T1)
    )
    assert states(program) == {"TYDH005": "success", "TYDH006": "failed", "TYDH007": "declaring"}
    assert states(program, state="failed") == {"TYDH006": "failed"} and states(program, state="imported") == {}
    row = program.get("/orders", order_no="TYDH006").said["orders"][0]
    assert (row["return_status"], row["return_info"], row["state_title"], row["task"]) == (
        100,
        "退单原因",
        "失败",
        trade.task.number,
    )
    found = read(program, row["url"]).said
    assert (
        found["lines"] == [["8135000000", "本章的什锦坚果或干果", "10", "25", "2.5", "011"]]
        and found["total"] == "25.00"
    )
    assert [(each["status"], each["time"]) for each in found["receipts"]] == [(100, T1)]


def test_raw_messages_and_receipts_come_byte_for_byte(program, sent):
    row = sent.rows()["TYDH005"]
    raw = answer([(row.Order, 120, T1)])
    sent.hear(raw=raw)
    found = program.get(f"/orders/{row.Order.id}").said
    assert read(program, found["receipts"][0]["file"]).answer.data == raw
    assert (
        program.answer.mimetype == "application/xml" and "attachment" in program.answer.headers["Content-Disposition"]
    )
    message = session.get(Message, row.Message.id)
    assert program.get(f"/messages/{found['message']}").answer.data == message.signed
    assert found["signed_at"] and found["sent_at"]


def test_a_message_that_waits_for_its_card_comes_as_it_will_be_signed(program, trade):
    trade.read(workbook())
    trade.generate()
    row = trade.rows()["TYDH005"]
    assert program.get(f"/messages/{row.Message.id}").answer.data == row.Message.canonical


def test_no_person_is_named_in_what_a_program_reads(program, sent):
    sent.hear((sent.rows()["TYDH005"].Order, 120, T1))
    order = sent.rows()["TYDH005"].Order
    for path in ("/orders", f"/orders/{order.id}", f"/tasks/{sent.task.number}", "/tasks", "/strategies", "/me"):
        said = program.get(path).answer.get_data(as_text=True).encode().decode("unicode_escape", "replace")
        for name in ("李明", "8600000000101", "demo01", "王芳"):
            assert name not in said, path


def test_lists_go_on_where_the_page_before_ended(program, trade):
    trade.read(workbook(many(25)))
    wanted = [f"NO{n:06}" for n in range(25)]
    for query in ({}, {"changed_since": "2026-01-01T00:00:00+08:00"}):
        found, after = [], {}
        while True:
            said = program.get("/orders", limit="10", **query, **after).said
            found += [row["order_no"] for row in said["orders"]]
            if said["next"] is None:
                break
            after = {"after": said["next"]}
        assert found == wanted
    assert list(states(program, order_no="NO00000")) == wanted[:10]


def test_changes_since_a_moment_are_told_until_there_are_none(program, sent):
    rows = sent.rows()
    before = clock.local(clock.now()).isoformat()
    assert states(program, changed_since=before) == {}
    sent.hear((rows["TYDH006"].Order, 120, T1))
    assert states(program, changed_since=before) == {"TYDH006": "success"}
    since = program.said["changed_since"]
    with clock.stopped_at(clock.now() + timedelta(minutes=1)):
        assert states(program, changed_since=since, kind="all")["TYDH006"] == "success"  # too fresh to be passed over
        assert states(program, changed_since=program.said["changed_since"]) == {}


def test_what_another_transaction_still_writes_is_not_passed_over(context, settings):
    """While it is open nothing after its beginning counts as settled."""
    import psycopg

    with psycopg.connect(settings.database_url.replace("+psycopg", "")) as other:
        other.execute("CREATE TEMP TABLE t (a int)")
        began = session.scalar(text("SELECT clock_timestamp()"))
        later = clock.now() + timedelta(minutes=5)
        assert programs.settled_until(later) < began
        other.rollback()
    session.execute(text("SELECT pg_stat_clear_snapshot()"))
    assert programs.settled_until(later) == later - programs.SETTLING


def test_tasks_are_listed_page_by_page(program, trade):
    trade.read(workbook())
    said = program.get("/tasks").said
    assert [row["number"] for row in said["tasks"]] == [trade.task.number] and said["next"] is None
    assert said["tasks"][0]["state_title"] == "暂存" and said["tasks"][0]["strategy"] == "9710"
    assert states(program, task=trade.task.number).keys() == {"TYDH005", "TYDH006", "TYDH007"}


def test_strategies_say_which_columns_an_order_has(program):
    said = program.get("/strategies").said["strategies"]
    assert [(row["number"], row["columns"][0], "unit" in row["columns"]) for row in said] == [
        ("9710", "order_no", True)
    ]


def test_a_push_says_how_far_it_is(program, sent):
    push = sent.rows()["TYDH005"].Message.push_id
    assert program.get(f"/pushes/{push}").said["orders_by_message"] == {"sent": 3}
    sent.hear((sent.rows()["TYDH005"].Order, 120, T1))
    assert program.get(f"/pushes/{push}").said["orders_by_answer"] == {"success": 1}


@pytest.mark.item("M90")
def test_another_company_sees_nothing_of_it(program, stranger, sent):
    row = sent.rows()["TYDH005"]
    sent.hear((row.Order, 120, T1))
    file = session.query(InboxFile).one()
    assert states(stranger) == {} and states(stranger, kind="all", changed_since="2026-01-01T00:00:00Z") == {}
    for path in (
        f"/orders/{row.Order.id}",
        f"/messages/{row.Message.id}",
        f"/pushes/{row.Message.push_id}",
        f"/receipt-files/{file.id}",
    ):
        assert program.get(path).status == 200
        assert stranger.get(path).status == 404 and stranger.number == "90859", path
        assert program.get(path.rpartition("/")[0] + f"/{NOBODY}").status == 404
    assert stranger.get("/orders", task=sent.task.number).number == "90859"


def test_a_file_that_speaks_of_another_code_too_is_not_given_raw(program, sent):
    rows = sent.rows()
    sent.hear((rows["TYDH005"].Order, 120, T1), (rows["TYDH006"].Order, 120, T1))
    file = session.query(InboxFile).one().id
    assert program.get(f"/receipt-files/{file}").status == 200
    session.execute(text("UPDATE export_orders SET customs_code = '1301960009' WHERE order_no = 'TYDH006'"))
    session.commit()
    assert program.get(f"/receipt-files/{file}").number == "90866" and program.status == 409
    assert states(program).keys() == {"TYDH005", "TYDH007"}
    assert program.get(f"/orders/{rows['TYDH006'].Order.id}").status == 404


def test_what_is_no_receipt_is_not_given_raw(program, sent):
    sent.hear(raw=b"<garbled")
    file = session.query(InboxFile).one()
    assert program.get(f"/receipt-files/{file.id}").number == "90866"


@pytest.mark.parametrize("query", [
    "limit=0", "limit=1001", "limit=-1", "limit=x", "limit=%EF%BC%91", "state=nonsense", "kind=999", "kind=all", "after=x",
    "after=-1", "after=99999999999999999999", "changed_since=yesterday", "changed_since=2026-01-01T00:00:00",
    "changed_since=0001-01-01T00:00:00%2B14:00", "changed_since=2026-01-01T00:00:00Z&after=5", "order_no=%00",
    "changed_since=2026-01-01T00:00:00Z&after=1-ffffffffffffffffffff",
    "order_no=" + "x" * 61,
])  # fmt: skip
def test_a_query_that_cannot_be_read_is_refused(program, query):
    program.call("GET", f"/orders?{query}")
    assert program.status == 400 and program.number == "90867"


@pytest.mark.parametrize("order_no", ["%", "_", "' OR 1=1 --", "\\", "TYDH00%"])
def test_a_number_is_searched_as_it_is_written(program, trade, order_no):
    trade.read(workbook())
    assert states(program, order_no=order_no) == {}


def test_answers_are_kept_by_no_cache_and_carry_no_cookie(program):
    for path in ("/me", "/orders", "/nothing"):
        answer = program.get(path).answer
        assert answer.headers["Cache-Control"] == "no-store" and "Set-Cookie" not in answer.headers


def test_documents_that_changed_are_found_by_the_index_of_time(context):
    """So that asking every few seconds costs little, however many orders there are."""
    found = session.execute(
        text("SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_export_orders_changed'")
    ).scalar()
    assert "USING brin (changed_at)" in found and Order.__tablename__ in found

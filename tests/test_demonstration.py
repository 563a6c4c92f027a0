"""What a newcomer sees at once after `make run`: the states that the demonstration seeds."""

import re

import pytest
from sqlalchemy import func, select

from blueprints.exports import channels, receiving, sending
from gateways.customs_dxp import envelope
from models.accounts import find_user
from models.database import session
from models.orders import Message
from models.receipts import InboxFile, Receipt
from stack.seed import PASSWORD, seed_demonstration
from tests.browsing import Browser
from tests.conftest import log_in

SHOWN = {
    "待推送": {"DEMO005", "DEMO006", "DEMO007"},
    "申报中": {"DEMO101", "DEMO102"},
    "成功": {"DEMO103", "DEMO104", "DEMO107"},
    "失败": {"DEMO105", "DEMO106"},
}


@pytest.fixture
def seeded(app, settings):
    with app.app_context():
        seed_demonstration(settings)
    return app


@pytest.fixture
def exporter(seeded):
    return enter(seeded, "demo01")


def enter(app, name: str) -> Browser:
    return log_in(Browser(app), find_user(name))


def orders_listed(browser: Browser) -> dict[str, str]:
    """{order number: state} of the rows shown."""
    rows = [[cell.get_text(strip=True) for cell in row.find_all("td")] for row in browser.soup.select("tbody tr")]
    return {row[3]: row[9] for row in rows}


def time_line(exporter: Browser, number: str) -> str:
    exporter.open("/exports/orders")
    return exporter.follow(number).main


def test_the_ready_exporter_has_orders_in_every_state(exporter):
    exporter.open("/exports/orders")
    listed = orders_listed(exporter)
    assert {state: {no for no in listed if listed[no] == state} for state in SHOWN} == SHOWN
    assert "看推送进度" not in exporter.main, "the newest push is over"


@pytest.mark.parametrize(
    ("number", "said", "unsaid"),
    [
        ("DEMO005", ["轮到您了"], ["海关回执："]),
        ("DEMO101", ["申报中", "8600000000101", "还没有收到"], ["海关回执："]),
        ("DEMO102", ["申报中", "（3）"], ["（120）"]),
        ("DEMO103", ["成功", "（3）", "海关入库（120）"], ["（399）"]),
        ("DEMO104", ["成功", "（120）", "海关审结（399）"], []),
        ("DEMO105", ["失败", "（100）", "商品名称与商品货号不符"], ["（120）"]),
        ("DEMO106", ["失败", "（-301010）", "已存在相同编号的订单"], ["（3）"]),
    ],
)
def test_the_time_line_of_an_order_says_what_customs_answered(exporter, number, said, unsaid):
    shown = time_line(exporter, number)
    assert [words for words in said if words not in shown] == []
    assert [words for words in unsaid if words in shown] == []


def test_a_receipt_that_came_twice_is_kept_twice_and_counted_once(exporter):
    assert time_line(exporter, "DEMO107").count("海关入库（120）") == 1
    guid = exporter.url.rpartition("/")[2]
    counted = session.scalar(select(func.count()).where(Receipt.guid == guid, Receipt.status == 120))
    files = session.scalars(select(InboxFile)).all()
    told = [file for file in files if guid.upper() in inner(file.content) and "Status>120<" in inner(file.content)]
    assert (counted, len(told)) == (1, 2)


def inner(content: bytes) -> str:
    return envelope.parse(content).data.decode()


def test_concluded_orders_stand_apart_from_those_that_customs_has_taken(exporter):
    exporter.open("/trade_queries/orders/concluded")
    assert "DEMO104" in exporter.main and "DEMO103" not in exporter.main
    exporter.open("/trade_queries/orders/open")
    assert "DEMO103" in exporter.main and "DEMO104" not in exporter.main


def test_the_worker_sends_nothing_of_what_was_seeded(seeded, run_jobs, outbox):
    run_jobs()
    with seeded.app_context():
        before = set(channels.customs_folder().glob("*/OutBox/*"))  # of tests before, in the house they share
        receiving.poll_channels()
        assert set(channels.customs_folder().glob("*/OutBox/*")) == before
        sent = session.scalars(select(Message).where(Message.state != "unsigned")).all()
        assert [message.state for message in sent] == ["sent", "sent"]
        assert not any(sending.resend(message) for message in sent)


def test_jobs_left_by_seeding_change_no_order(exporter, run_jobs, outbox):
    before = orders_listed(exporter.open("/exports/orders"))
    run_jobs()
    assert orders_listed(exporter.open("/exports/orders")) == before


def test_the_company_with_two_codes_has_two_open_tasks_under_the_old_one(seeded):
    browser = enter(seeded, "demo03").open("/exports/tasks")
    tasks = [row.get_text(" ", strip=True) for row in browser.soup.select("tbody tr")]
    assert len(tasks) == 2 and any("申报数据生成失败" in row for row in tasks)
    browser.open("/member")
    assert "海关编码：1301960003" in browser.main.replace(" ", "")
    assert "行要改" in browser.main and "申报数据生成失败，请看原因" in browser.main
    assert "1301960013" in browser.open("/account/qualifications").main


def test_the_locked_account_is_told_how_long_to_wait(seeded):
    browser = Browser(seeded).open("/login")
    browser.submit("登 录", user="demo10", password=PASSWORD, captcha="XXXXX")
    assert re.search(r"试的次数太多，请过1[45]分钟再试", browser.errors[0])


def test_seeding_again_changes_nothing(exporter, seeded, settings):
    before = orders_listed(exporter.open("/exports/orders"))
    with seeded.app_context():
        assert seed_demonstration(settings) is None
    assert orders_listed(exporter.open("/exports/orders")) == before

"""Documents that cannot be declared are told with their row in the company's own workbook."""

import pytest

from blueprints.exports.refusals import MOST, causes_of
from models import orders
from models.database import session
from tests.exports_world import many, workbook

pytest_plugins = ["tests.exports_fixtures"]


def spoil(order, place: int, value: str) -> None:
    """As if checks of an older day had let it in."""
    order.lines = [[*order.lines[0][:place], value, *order.lines[0][place + 1 :]]]
    session.commit()


@pytest.mark.item("M202")
def test_each_document_that_customs_would_not_take_is_named_with_its_cause_and_row(trade):
    trade.read(workbook(many(150)), "十一月.xlsx")
    imported = orders.orders_of(trade.task.id, limit=200)
    spoil(imported[3], 1, "名" * 251)
    spoil(imported[120], 5, "0110")
    assert causes_of(trade.task) == [
        "NO000003（十一月.xlsx第5行）的企业商品名称海关不收，请删掉它，改好再补充导入",
        "NO000120（十一月.xlsx第122行）的计量单位海关不收，请删掉它，改好再补充导入",
    ]


def test_what_can_be_declared_has_no_cause(trade):
    trade.read(workbook())
    assert causes_of(trade.task) == []


def test_no_more_are_told_than_anybody_reads(trade):
    trade.read(workbook(many(60)))
    for order in orders.orders_of(trade.task.id, limit=100):
        spoil(order, 0, "9" * 31)
    assert len(causes_of(trade.task)) == MOST

"""Promise dates and the one sentence that says where a document is."""

from datetime import date

import pytest

from blueprints.common import clock
from tests.engine import filling

FRIDAY = 2026, 11, 20


@pytest.fixture
def booked_on(draft, clock_at):
    """Submits a booking at a local moment, and gives it."""

    def book(*moment, slot="far"):
        with clock_at(*moment):
            booking = draft("booking").fill(filling.BOOKING | {"slot": {"slot": slot}})
            booking.submit()
        return booking

    return book


@pytest.mark.parametrize(
    "submitted, customs, market",
    [
        ((2026, 11, 20, 10, 0), "2026-11-25", "2026-11-27"),  # a Friday: the weekend does not count
        ((2026, 11, 20, 23, 59), "2026-11-25", "2026-11-27"),  # day 0 is the local date, however late
        ((2026, 11, 21, 0, 1), "2026-11-25", "2026-11-27"),  # a Saturday begins: Monday is day 1
        ((2026, 11, 23, 0, 30), "2026-11-26", "2026-11-30"),  # half an hour into Monday, Sunday in UTC
        ((2026, 9, 30, 10, 0), "2026-10-10", "2026-10-13"),  # before 国庆; Saturday 10 October is worked (调休)
        ((2026, 10, 10, 10, 0), "2026-10-14", "2026-10-16"),  # on that Saturday itself: it is day 0
        ((2026, 2, 13, 10, 0), "2026-02-25", "2026-02-27"),  # before 春节: Saturday 14 February is worked
        ((2026, 12, 28, 10, 0), "2026-12-31", "2027-01-04"),  # the second one runs over the end of the calendar
    ],
)
def test_the_promise_counts_working_days_with_holidays_and_worked_saturdays(
    booked_on, office, submitted, customs, market
):
    booking = booked_on(*submitted)
    dues = [office.due(booking.document, stage) for stage in office.open_stages(booking.document)]
    assert [due.isoformat() for due, _ in dues] == [customs, market]
    assert [provisional for _, provisional in dues] == [False, market.startswith("2027")]


def test_the_promise_of_a_second_stage_starts_on_the_day_it_opens(draft, office, clock_at):
    link = draft("link").fill(filling.LINK)
    link.submit()
    acceptance, issue = office.kinds["link"].stages
    assert office.due(link.document, acceptance) is None
    with clock_at(2026, 11, 23, 16, 0):
        link.approve("acceptance")
    assert office.due(link.document, issue) == (date(2026, 12, 2), False)


def test_a_resubmission_starts_the_promise_anew(booked_on, clock_at):
    booking = booked_on(*FRIDAY, 10, 0)
    booking.send_back("customs", ("card", "x"))
    with clock_at(2026, 11, 24, 9, 0):
        booking.save("card", operation="renew")
        booking.submit()
    assert booking.status.startswith("等待「海关审核」，2026-11-27下班前办结")


def test_the_stage_that_waits_for_two_counts_from_the_later(booked_on, clock_at, people, office):
    booking = booked_on(*FRIDAY, 10, 0)
    with clock_at(2026, 11, 23, 9, 0):
        booking.approve("market", people.market)
    with clock_at(2026, 11, 25, 9, 0):
        booking.approve("customs")
    assert office.due(booking.document, office.kinds["booking"].stages[2]) == (date(2026, 11, 26), False)


def test_a_promise_beyond_the_known_calendar_is_called_provisional(booked_on):
    booking = booked_on(2026, 12, 31, 10, 0)
    assert booking.status.startswith("等待「海关审核」，预计2027-01-05前办结")


def test_the_status_says_where_who_and_until_when(draft, booked_on, office, clock_at):
    assert draft("booking").status == "草稿，尚未提交：请看页面972110「办理业务」。"
    assert draft("booking").fill(filling.BOOKING).status == "草稿，尚未提交：请核对后提交。"
    booking = booked_on(*FRIDAY, 10, 0)
    assert booking.status == "等待「海关审核」，2026-11-25下班前办结；等待「市场监管审核」，2026-11-27下班前办结。"
    with clock_at(2026, 11, 25, 23, 0):
        assert booking.status.startswith("等待「海关审核」，2026-11-25"), "the promised day itself is in time"
    with clock_at(2026, 11, 26, 9, 0):
        assert booking.status.startswith("等待「海关审核」，已超过承诺日2026-11-25；")
        office.withdraw(booking.document, "anna")
    assert booking.status == "2026-11-26已撤回。"


def test_the_status_speaks_the_words_of_the_kind(draft):
    link = draft("link").fill(filling.LINK)
    link.submit()
    assert link.status == "等待「接单审核」。"
    link.send_back("acceptance", ("node/node", "x"))
    assert link.status == "第1次提交被退单，轮到您了：请看页面970520「数据交换」。"


def test_day_and_time_are_those_of_china_whatever_the_server_has(clock_at):
    with clock_at(2026, 11, 21, 0, 30):
        assert clock.now().astimezone().utcoffset() is not None
        assert clock.today() == date(2026, 11, 21), "in UTC it is still the 20th"

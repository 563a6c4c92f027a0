"""Page 9003: what came in and what was decided on each of the last 30 days, as a table and as bars."""

from blueprints.common import access, clock
from blueprints.common.access import page
from models.desks import open_and_overdue

from .base import DESKS, NEEDS, bp, show_here
from .days import BEGINS, ENDS, OUTCOMES, last_days, median_hours, plot, stages_of, totals_of


@bp.get("/days")
@page("9003", "每日数字", NEEDS)
def show_days():
    principal = access.current()
    stages = stages_of(principal.desks)
    days = last_days(stages)
    waiting, overdue = open_and_overdue(principal.desks, clock.today())
    return show_here(
        "days.html", days=days, totals=totals_of(days), plot=plot(days), waiting=waiting, overdue=overdue,
        hours=median_hours(stages), outcomes=OUTCOMES, working=(f"{BEGINS:%H:%M}", f"{ENDS:%H:%M}"),
        desks=[title for slug, title in DESKS.items() if slug in principal.desks],
    )  # fmt: skip

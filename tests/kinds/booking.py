"""Two desks side by side, then one that issues a number; a slot with so many seats (制卡预约)."""

from datetime import date

from blueprints.common.fields import Choice, DocumentForm, Slot, Text
from blueprints.common.kinds import Desk, Kind, Stage, Step
from models.accounts import Enterprise
from models.database import session

SLOTS = [(date(2026, 11, 25), "25am", "11月25日上午", 1), (date(2026, 11, 26), "26am", "11月26日上午", 2),
         (date(2027, 2, 1), "far", "2月1日上午", 9)]  # fmt: skip


class CardForm(DocumentForm):
    operation = Choice("办理业务", number="972101", options=[("new", "新办"), ("renew", "延期"), ("lost", "补办")])
    report = Text("挂失编号", number="972102", when=lambda case: case.here["operation"] == "lost")


class SlotForm(DocumentForm):
    slot = Slot(
        "预约时间",
        number="972201",
        scope="cards",
        options=lambda case: [row for day, *row in SLOTS if day > case.today],
    )


class VoucherForm(DocumentForm):
    voucher = Text("预约凭证号", number="972301")


def book(document, case):
    session.get(Enterprise, case.applicant.enterprise_id).details = {case["issue/voucher"]: case["slot/slot"]}


BOOKING = Kind(
    "9721", "booking", "制卡预约", effect=book,
    steps=(Step("972110", "card", "办理业务", CardForm), Step("972120", "slot", "预约时间", SlotForm)),
    stages=(Stage("972130", "customs", "海关审核", Desk("customs"), promise=3),
            Stage("972140", "market", "市场监管审核", Desk("market"), promise=5),
            Stage("972150", "issue", "制卡点受理", Desk("cards"), after=("customs", "market"), form=VoucherForm, promise=1)),
)  # fmt: skip

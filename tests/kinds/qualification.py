"""Lists with an attachment for each item (企业资质): the contributions add up to the capital; one list by a `when`."""

from decimal import Decimal

from blueprints.common.fields import Choice, DocumentForm, Problem, Rule, Text, Upload
from blueprints.common.kinds import Desk, Kind, ListStep, Stage, Step
from blueprints.common.numbers import Sentence

is_amount = Rule("97931", "应为数字", lambda text: text.replace(".", "", 1).isdecimal())


class CapitalForm(DocumentForm):
    capital = Text("注册资本(万)", is_amount, number="974101")
    broker = Choice("是否报关企业", number="974102", options=[("yes", "是"), ("no", "否")])


class InvestorForm(DocumentForm):
    name = Text("出资人", number="974201")
    amount = Text("出资金额(万)", is_amount, number="974202")
    proof = Upload("出资证明", number="974203", types=("jpg", "png"), limit=2**20)


class StaffForm(DocumentForm):
    name = Text("姓名", number="974301")
    id = Text("证件号码", number="974302", personal=True)
    photo = Upload("证件扫描件", number="974303", types=("jpg", "png"), limit=2**20)


def contributions_add_up(case):
    total = sum(Decimal(item["amount"]) for item in case["investors"].values())
    wrong = Sentence("97932", "出资合计{total}万，与注册资本不一致", total=total)
    return [] if total == Decimal(case["capital/capital"]) else [Problem("investors", "97932", wrong)]


QUALIFICATION = Kind(
    "9741", "qualification", "企业资质备案", checks=contributions_add_up,
    steps=(Step("974110", "capital", "注册资本", CapitalForm),
           ListStep("974120", "investors", "出资信息", InvestorForm, unique=("name",), at_most=3),
           ListStep("974130", "staff", "报关人员", StaffForm, unique=("id",), when=lambda case: case["capital/broker"] == "yes")),
    stages=(Stage("974140", "customs", "海关审核", Desk("customs"), promise=3),),
)  # fmt: skip

"""Two companies (委托): either side starts, the other confirms; a client may have its side confirmed automatically."""

from uuid import UUID

from sqlalchemy import select

from blueprints.common.access import Needs
from blueprints.common.fields import Choice, DocumentForm, Locked, Rule, Text
from blueprints.common.kinds import CannotTakeEffect, Claim, Fact, Kind, Participant, Party, Stage, Step
from models.accounts import Enterprise
from models.codes import HeldCode
from models.database import session


def other(case):
    held = session.scalar(select(HeldCode).where(HeldCode.code == (case["pair/code"] or "")))
    row = held and session.get(Enterprise, held.enterprise_id)
    parts = row and {"name": row.name, "id": str(row.id), "category": held.category, "auto": row.details.get("auto")}
    return row and Fact(parts, "海关资质", held.category)


class PairForm(DocumentForm):
    side = Choice("本企业是", number="971101", options=[("client", "委托方"), ("agent", "被委托方")])
    code = Text("对方海关编码", Rule("97911", "应为10位", lambda text: len(text) == 10), number="971102")


class TermsForm(DocumentForm):
    name = Locked("对方企业名称", number="971201", fact="other/name")
    until = Text("有效期至", number="971202")


def participants(case):
    me, both = case.applicant, frozenset({"see", "edit"})
    return [Participant("applicant", me.enterprise_id, me.code, both),
            Participant("invited", UUID(case.known("other/id")), case["pair/code"])]  # fmt: skip


def codes(case) -> str:
    pair = case.applicant.code, case["pair/code"]
    return "-".join(pair if case["pair/side"] == "client" else pair[::-1])


def entrust(document, case):
    if case["pair/side"] == "client" and case.known("other/category") != "报关企业":
        raise CannotTakeEffect("pair/code", "97912", "对方的报关企业登记已失效")
    session.get(Enterprise, case.applicant.enterprise_id).details = {"pair": codes(case)}


ENTRUSTMENT = Kind(
    "9711", "entrustment", "委托", needs=Needs(company=True, medium=("法人卡",)), facts={"other": other},
    participants=participants, effect=entrust,
    claims=lambda case: [Claim("entrustment", codes(case), "pair/code", "与该企业的委托正在办理")],
    steps=(Step("971110", "pair", "委托双方", PairForm), Step("971120", "terms", "委托内容", TermsForm)),
    stages=(Stage("971130", "confirmation", "对方确认", Party("invited"), promise=3,
                  auto=lambda case: case["pair/side"] == "agent" and bool(case.known("other/auto"))),),
)  # fmt: skip

"""传输ID申请: the data centre accepts (接单审核), then supplies the ID; the 7 working days start at acceptance."""

from blueprints.common import clock
from blueprints.common.access import SUBMIT, needs_right
from blueprints.common.kinds import CannotTakeEffect, Claim, Desk, Fact, Kind, Stage, Step
from blueprints.common.numbers import Sentence
from models.accounts import Enterprise
from models.database import session
from models.transmission import TransmissionId, find_transmission_id

from .forms import ApplicantForm, DeviceForm, ExchangeForm, IssueForm

APPLY_NEEDS = needs_right("access", SUBMIT, verified=True, code=True)


def company(case) -> Fact | None:
    """What the form shows locked, as it stands now."""
    who = case.applicant
    row = who and session.get(Enterprise, who.enterprise_id)
    if row is None:
        return None
    parts = {"name": row.name, "uscc": row.uscc, "code": who.code}
    return Fact(parts, "单位信息", "|".join(map(str, parts.values())))


def grant_id(document, case):
    """The ID is offered in 企业资料 from now on."""
    value = case["issue/transmission_id"]
    if find_transmission_id(value):
        raise CannotTakeEffect(
            "issue/transmission_id", "90303", Sentence("90303", "这个传输ID已经发给别的企业了，请核对")
        )
    session.add(
        TransmissionId(
            value=value, enterprise_id=case.applicant.enterprise_id, customs_code=case.applicant.code,
            node=case["exchange/node"], device=case["device/device"], document_id=document.id, granted_at=clock.now(),
        )
    )  # fmt: skip


def claims(case):
    key = f"{case.applicant.enterprise_id}|{case.applicant.code}|{case['exchange/node']}"
    return [Claim("transmission-id", key, "exchange/node", "本企业这个节点的传输ID正在办理，不用再申请")]


TRANSMISSION_ID = Kind(
    "71", "transmission-id", "传输ID申请", needs=APPLY_NEEDS, facts={"company": company}, effect=grant_id, claims=claims,
    index=("applicant/name",), mail_to=lambda case: case["applicant/email"], words={"returned": "退单"},
    reasons="transmission-id", prepare=("IC卡/IKey卡号（13位）", "营业执照扫描件，单个文件大小不能超过4M", "第三方技术服务商的名称，如无则填写“无”"),
    steps=(Step("7101", "applicant", "企业信息", ApplicantForm),
           Step("7102", "exchange", "数据交换", ExchangeForm),
           Step("7103", "device", "密码设备和附件", DeviceForm)),
    stages=(Stage("7104", "acceptance", "数据分中心接单审核", Desk("data-centre")),
            Stage("7105", "issue", "数据分中心办理", Desk("data-centre"), after=("acceptance",), form=IssueForm, promise=7)),
)  # fmt: skip

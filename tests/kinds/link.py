"""A data link (专线): facts of a register, fields that depend on others, two stages one after the other, own words."""

from blueprints.common.access import MEMBER
from blueprints.common.fields import Choice, Choices, DocumentForm, Locked, Text, Upload
from blueprints.common.kinds import Desk, Fact, Kind, Stage, Step
from models.accounts import Enterprise
from models.database import session

NODES = [("2", "二级节点"), ("3", "三级节点"), ("3-ewtp", "三级节点-EWTP")]
DATA = [("order", "订单数据"), ("list", "清单数据"), ("other", "其他")]


def company(case):
    row = session.get(Enterprise, case.applicant.enterprise_id)
    return Fact({"name": row.name, "code": case.applicant.code}, "企业资质", row.name)


class CompanyForm(DocumentForm):
    name = Locked("企业名称", number="970501", fact="company/name")
    phone = Text("联系方式", number="970502", personal=True)


class NodeForm(DocumentForm):
    node = Choice("传输节点", number="970601", options=NODES)
    branch = Text("分节点名称", number="970602", when=lambda case: case.here["node"] == "3-ewtp")
    data = Choices("业务类别", number="970603", options=DATA)
    format = Text("报文格式", number="970604", required=False, when=lambda case: "other" in case.here["data"])


class DeviceForm(DocumentForm):
    device = Choice(
        "密码设备",
        number="970701",
        options=lambda case: [("machine", "加密机")] if case["node/node"] == "2" else [("ic", "IC卡")],
    )
    paper = Upload("附件", number="970702", required=False, types=("jpg", "pdf", "doc"), limit=4 * 2**20)


class IdForm(DocumentForm):
    id = Text("专线编号", number="970801")


def grant(document, case):
    session.get(Enterprise, case.applicant.enterprise_id).details = {"link": case["issue/id"]}


LINK = Kind(
    "9705", "link", "专线申请", needs=MEMBER, facts={"company": company}, effect=grant, words={"returned": "退单"},
    steps=(Step("970510", "company", "企业信息", CompanyForm), Step("970520", "node", "数据交换", NodeForm),
           Step("970530", "device", "密码设备", DeviceForm)),
    stages=(Stage("970540", "acceptance", "接单审核", Desk("data-centre")),
            Stage("970550", "issue", "办理", Desk("data-centre"), after=("acceptance",), form=IdForm, promise=7)),
)  # fmt: skip

"""Pages 7101–7103 of 传输ID申请 and what the data centre supplies (M161–M168)."""

import re

from blueprints.common.checks import email_shape, phone_shape
from blueprints.common.fields import Choice, Choices, DocumentForm, Locked, Radio, Rule, Text, Upload
from models.transmission import find_transmission_id

ATTACHMENTS = ("jpg", "jpeg", "gif", "png", "bmp", "pdf", "doc", "docx", "xls", "rar")
ATTACHMENT_HINT = "支持扩展名: jpg.jpeg.gif.png.bmp.pdf.doc.docx.xls.rar, 单个文件大小不能超过4M"

card_number_shape = Rule(
    "90301", "卡号要13位，印在卡的正面，请对照填写", lambda text: bool(re.fullmatch(r"[0-9A-Z-]{13,16}", text))
)
transmission_id_shape = Rule(
    "90302",
    "传输ID要16位，以DXP开头，后面是大写字母和数字",
    lambda text: bool(re.fullmatch(r"DXP[A-Z]{3}[A-Z0-9]{10}", text)),
)
transmission_id_free = Rule(
    "90303", "这个传输ID已经发给别的企业了，请核对", lambda text: find_transmission_id(text) is None
)


def options(*path):
    return lambda case: case.region.options("transmission", *path)


def cities(case):
    return [(city["code"], city["name"]) for city in case.region["province"]["cities"]]


class ApplicantForm(DocumentForm):
    name = Locked("企业名称", fact="company/name", number="710101", group="企业", span=True)
    uscc = Locked("统一社会信用代码", fact="company/uscc", number="710102", group="企业")
    code = Locked("海关十位编码", fact="company/code", number="710103", group="企业")
    card = Text("IC卡/IKey卡号", card_number_shape, number="710104", group="企业", hint="13位")
    contact = Text("联系人", number="710105", limit=40, group="联系人")
    phone = Text("联系方式", phone_shape, number="710106", personal=True, group="联系人")
    email = Text("联系人邮箱", email_shape, number="710107", personal=True, group="联系人")
    city = Choice("地区", number="710108", options=cities, group="联系人")
    service = Choice("申请服务类别", number="710109", options=options("service_types"), group="联系人")


class ExchangeForm(DocumentForm):
    exchange = Radio("数据交换申请类型", number="710201", options=options("exchange_types"))
    business = Choices("跨境业务类型", number="710202", options=options("business_types"),
                       when=lambda case: case.here["exchange"] == "cross-border")  # fmt: skip
    node = Radio("传输节点", number="710203", options=options("nodes"))
    branch = Text(
        "分节点名称", number="710204", limit=60, hint="请填写分节点名称", when=lambda case: case.here["node"] == "other"
    )
    data = Choices("跨境申请业务类别", number="710205", options=options("data_types"),
                   when=lambda case: case.here["exchange"] == "cross-border")  # fmt: skip
    format = Text(
        "传输报文格式",
        number="710206",
        limit=100,
        hint="请填写传输报文格式",
        when=lambda case: "other" in (case.here["data"] or []),
    )


def devices(case):
    """Node–device rule (M165): a second-level node goes with the encryption machine, a third-level one with a card."""
    nodes = {row["code"]: row for row in case.region["transmission"]["nodes"]}
    allowed = nodes.get(case["exchange/node"], {}).get("devices", ())
    return [(row["code"], row["name"]) for row in case.region["transmission"]["devices"] if row["code"] in allowed]


class DeviceForm(DocumentForm):
    device = Radio("服务类密码设备", number="710301", options=devices,
                   hint="如果勾二级节点要配合勾选加密机并要继续做“加密机申请”；如果勾三级节点勾选实际卡或Key")  # fmt: skip
    provider = Text("第三方技术服务商", number="710302", limit=100, span=True,
                    hint="请填写贵公司的第三方技术服务商或软件提供商,如无则填写“无”")  # fmt: skip
    note = Text("备注", number="710303", limit=500, required=False, long=True, span=True)
    paper = Upload("上传附件", number="710304", required=False, types=ATTACHMENTS, limit=4 << 20, hint=ATTACHMENT_HINT)
    licence = Upload("营业执照扫描件", number="710305", types=ATTACHMENTS, limit=4 << 20, hint=ATTACHMENT_HINT)


class IssueForm(DocumentForm):
    transmission_id = Text("传输ID", transmission_id_shape, transmission_id_free, number="710501", limit=16)

"""Pages 2001–2005 of the registration 三证合一 (M31, M37–M46)."""

import re

from flask import current_app

from blueprints.common.checks import (
    customs_code_shape,
    email_shape,
    id_number_shape,
    mobile_shape,
    phone_shape,
    postcode_shape,
    uscc_shape,
)
from blueprints.common.fields import Choice, Choices, DocumentForm, Radio, Rule, Secret, Text, Upload
from blueprints.common.passwords import keep_password, password_hint
from models.accounts import find_user

IMAGES = ("jpg", "gif", "bmp", "jpeg", "png")
SCAN_HINT = "原件扫描件，格式为 jpg/gif/bmp/jpeg/png，单张大小不可超过 10M"
ID_TYPES = [("id-card", "身份证"), ("passport", "护照"), ("other", "其他")]
BUILT_TYPES = ("three-in-one",)


def region():
    return current_app.config["REGION"]


def account_types(case):
    """The kinds of account that can be registered here now."""
    rows = case.region["registration"]["account_types"]
    return [(row["slug"], row["name"]) for row in rows if row["slug"] in BUILT_TYPES]


class TypeForm(DocumentForm):
    type = Radio("注册类型", number="200101", options=account_types)
    agreed = Choices("服务条款和免责声明", number="200102", options=[("agreed", "我已阅读服务条款和免责声明，同意")])


def cities(case):
    return [(city["code"], city["name"]) for city in case.region["province"]["cities"]]


def provinces(case):
    return [(case.region["province"]["code"], case.region["province"]["name"])]


def is_trading(case):
    """「注: 进出口企业才可以选择」: who holds a customs or a foreign trade code."""
    return bool(case.here["customs_code"] or case.here["trade_code"])


class CompanyForm(DocumentForm):
    province = Choice("企业所在省市区", number="200201", options=provinces, group="单位")
    city = Choice("市", number="200202", options=cities, group="单位")
    name = Text("单位名称", number="200203", limit=100, group="单位", span=True, hint="和营业执照上一字不差",
                attributes={"autocomplete": "organization"})  # fmt: skip
    english = Text("英文名称", number="200204", required=False, group="单位")
    short = Text("单位中文简称", number="200205", required=False, limit=40, group="单位")
    address = Text("单位地址", number="200206", group="单位", span=True, hint="写到门牌号")
    postcode = Text("邮政编码", postcode_shape, number="200207", required=False, group="单位")
    uscc = Text("统一社会信用代码", uscc_shape, number="200208", group="单位", hint="18位，见证照")
    bank = Text("开户银行", number="200209", required=False, group="银行和卡")
    account = Text("银行账号", number="200210", required=False, limit=40, personal=True, group="银行和卡")
    card = Text("中国电子口岸卡号", number="200211", required=False, limit=20, group="银行和卡", hint="注：法人卡卡号")
    capital = Text("注册资金", number="200212", required=False, limit=20, group="银行和卡", hint="万元，只写数字")
    customs_code = Text("海关企业代码", customs_code_shape, number="200213", required=False, group="各部门的代码",
                        hint="凡是有“海关企业代码”的企业必须填写该代码，否则会影响相关功能使用")  # fmt: skip
    trade_code = Text("外经贸企业代码", number="200214", required=False, limit=20, group="各部门的代码")
    inspection_code = Text("国检企业代码", Rule("90208", "国检企业代码要10位数字", lambda text: text.isdecimal() and len(text) == 10),
                           number="200215", required=False, group="各部门的代码",
                           hint="凡是有“国检企业代码”的企业必须填写该代码，否则会影响相关功能使用")  # fmt: skip
    border_code = Text("边检企业代码", number="200216", required=False, limit=20, group="各部门的代码")
    port_code = Text("港口局企业代码", number="200217", required=False, limit=20, group="各部门的代码")
    exchange_code = Text("外管企业代码", number="200218", required=False, limit=20, group="各部门的代码")
    enterprise_type = Choice("企业类型", number="200219", required=False, when=is_trading, group="业务",
                             options=lambda case: case.region.options("registration", "enterprise_types"),
                             hint="注: 进出口企业才可以选择")  # fmt: skip
    entity_types = Choices("实体类型", number="200220", key="registration.entity_types", group="业务", hint="实体类型可选择多个",
                           options=lambda case: case.region.options("registration", "entity_types"))  # fmt: skip
    scope = Text("经营范围", number="200221", required=False, limit=1000, long=True, span=True, group="业务")


ROWS = (("legal", "法人代表"), ("manager", "总经理"), ("finance", "财务联系人"))
COLUMNS = ("name", "id_type", "id_number", "phone", "fax", "mobile", "email")


def contact_fields() -> dict:
    """The grid of M40: three people, seven columns each, all optional."""
    fields, number = {}, 0
    for row, title in ROWS:
        for column in COLUMNS:
            number += 1
            fields[f"{row}_{column}"] = contact_field(row, column, title, f"2003{number:02d}")
    return fields


def contact_field(row: str, column: str, title: str, number: str):
    common = {"number": number, "required": False, "group": title}
    if column == "id_type":
        return Choice("证件类型", options=ID_TYPES, **common)
    label = {
        "name": "姓名",
        "id_number": "证件号码",
        "phone": "电话",
        "fax": "传真",
        "mobile": "手机",
        "email": "E-mail",
    }[column]
    rules = {"phone": [phone_shape], "fax": [phone_shape], "mobile": [mobile_shape], "email": [email_shape]}.get(
        column, []
    )
    return Text(label, *rules, personal=column in ("id_number", "mobile", "email"), limit=60, **common)


ContactsForm = type("ContactsForm", (DocumentForm,), contact_fields())

user_name_shape = Rule(
    "90209", "平台帐户名要6-12位英文字母、数字或_组成", lambda text: bool(re.fullmatch(r"\w{6,12}", text, re.ASCII))
)
user_name_free = Rule("90210", "这个平台帐户名已有人用，请换一个", lambda text: not is_taken(text))


def is_taken(name: str) -> bool:
    return find_user(name) is not None


class AdministratorForm(DocumentForm):
    user = Text("平台帐户名", user_name_shape, user_name_free, number="200401", limit=12, group="账户",
                hint="6-12位英文字母、数字或_组成, 不区分大小写!", attributes={"autocomplete": "off"})  # fmt: skip
    password = Secret("密码", number="200402", keep=keep_password, group="账户")
    password_again = Secret("确认密码", number="200403", same_as="password", group="账户")
    name = Text("真实姓名", number="200404", limit=40, group="管理员", missing="真实姓名不能为空!")
    id_number = Text("证件号码", id_number_shape,
                     number="200405", required=False, personal=True, group="管理员", hint="身份证；绑卡时要和卡上的一致")  # fmt: skip
    email = Text("E-mail", email_shape, number="200406", personal=True, span=True, group="管理员",
                 hint="注: 注册审核结果将发送到该邮箱，请务必准确填写，否则会影响您及时收到重要信息!")  # fmt: skip
    phone = Text("电话号码", phone_shape, number="200407", limit=26, group="管理员")
    mobile = Text("手机", mobile_shape, number="200408", personal=True, group="管理员")
    fax = Text("传真", phone_shape, number="200409", key="registration.fax", required=False, limit=26, group="管理员")
    position = Text("职务", number="200410", required=False, limit=40, group="管理员")
    declarant = Text("报关员号", number="200411", required=False, limit=20, group="管理员")
    inspector = Text("报检员号", number="200412", required=False, limit=20, group="管理员")

    def __init__(self, case, *arguments, **options):
        super().__init__(case, *arguments, **options)
        self.password.description = password_hint(case.region)


def scan(label: str, number: str, **rest) -> Upload:
    """原件扫描件: the attachment rule of registration, 10M each (M34)."""
    return Upload(label, number=number, types=IMAGES, limit=10 << 20, hint=SCAN_HINT, **rest)


class PapersForm(DocumentForm):
    licence = scan("统一社会信用代码证", "200501")
    customs_paper = scan("报关注册登记证书", "200502", required=False)
    inspection_paper = scan("报检注册登记证书", "200503", required=False)
    other_paper = scan("其他资料", "200504", required=False)

"""Pages that several kinds of registration share: 2001 type, 2003 contacts, 2004 administrator, and scans (M31, M40–M46)."""

import re

from flask import current_app

from blueprints.common.checks import email_shape, id_number_shape, mobile_shape, phone_shape
from blueprints.common.content import find_article
from blueprints.common.fields import (
    Choice,
    Choices,
    DocumentForm,
    Locked,
    Radio,
    Rule,
    Secret,
    Text,
    Upload,
    ValidationError,
)
from blueprints.common.numbers import Sentence
from blueprints.common.passwords import WithPassword, keep_password
from models.accounts import find_user

IMAGES = ("jpg", "gif", "bmp", "jpeg", "png")
SCAN_HINT = "原件扫描件，格式为 jpg/gif/bmp/jpeg/png，单张大小不可超过 10M"
ID_TYPES = [("id-card", "身份证"), ("passport", "护照"), ("other", "其他")]
KIND_OF_TYPE = {
    "three-in-one": "registration",
    "enterprise-unit": "registration-unit",
    "institution": "registration-institution",
    "person": "registration-person",
    "overseas": "registration-overseas",
}


def region():
    return current_app.config["REGION"]


def open_types(given_region) -> list[dict]:
    """The account types that this region registers, as the region file has them."""
    data = given_region["registration"]
    return [row for row in data["account_types"] if row["slug"] in data["open_account_types"]]


def account_types(case):
    return [(row["slug"], row["name"]) for row in open_types(case.region)]


def chosen_kind(place: str, typed: dict) -> str | None:
    """The kind that the type page chooses; what both kinds ask stays answered."""
    return KIND_OF_TYPE.get(next(iter(typed.get("type", ())), "")) if place == "type" else None


def terms_versions(case) -> str:
    """Of the three texts in their order: frozen with the submission (M217)."""
    articles = [find_article(case.region, f"terms/{name}") for name in ("service-terms", "disclaimer", "privacy")]
    return " / ".join(article.meta.get("version", article.date) for article in articles if article)


def type_stays(form, field):
    """After a submission the type is settled; before it the draft becomes of the kind that was chosen."""
    if KIND_OF_TYPE.get(field.value) != form.case.kind.slug:
        raise ValidationError(Sentence("90214", "已经提交过的申请不能换注册类型；要换，请撤回后重新注册"))


class TypeForm(DocumentForm):
    type = Radio("注册类型", type_stays, number="200101", options=account_types)
    agreed = Choices("服务条款和免责声明", number="200102", options=[("agreed", "我已阅读服务条款和免责声明，同意")])
    versions = Locked("服务条款、免责声明、隐私政策的版本", text=terms_versions, number="200103")


def cities(case):
    return [(city["code"], city["name"]) for city in case.region["province"]["cities"]]


def provinces(case):
    return [(case.region["province"]["code"], case.region["province"]["name"])]


ROWS = (("legal", "法人代表"), ("manager", "总经理"), ("finance", "财务联系人"))
COLUMNS = ("name", "id_type", "id_number", "phone", "fax", "mobile", "email")
LABELS = {
    "name": "姓名", "id_number": "证件号码", "phone": "电话", "fax": "传真", "mobile": "手机", "email": "E-mail",
}  # fmt: skip
RULES = {"phone": [phone_shape], "fax": [phone_shape], "mobile": [mobile_shape], "email": [email_shape]}


def contact_fields() -> dict:
    """The grid of M40: three people, seven columns each, all optional."""
    fields, number = {}, 0
    for row, title in ROWS:
        for column in COLUMNS:
            number += 1
            fields[f"{row}_{column}"] = contact_field(column, title, f"2003{number:02d}")
    return fields


def contact_field(column: str, title: str, number: str):
    common = {"number": number, "required": False, "group": title}
    if column == "id_type":
        return Choice("证件类型", options=ID_TYPES, **common)
    personal = column in ("id_number", "mobile", "email")
    return Text(LABELS[column], *RULES.get(column, ()), personal=personal, limit=60, **common)


ContactsForm = type("ContactsForm", (DocumentForm,), contact_fields())

user_name_shape = Rule(
    "90209", "平台帐户名要6-12位英文字母、数字或_组成", lambda text: bool(re.fullmatch(r"\w{6,12}", text, re.ASCII))
)
user_name_free = Rule("90210", "这个平台帐户名已有人用，请换一个", lambda text: not is_taken(text))


def is_taken(name: str) -> bool:
    return find_user(name) is not None


USER_HINT = "6-12位英文字母、数字或_组成, 不区分大小写!"
MAIL_HINT = "注: 注册审核结果将发送到该邮箱，请务必准确填写，否则会影响您及时收到重要信息!"


class AdministratorForm(WithPassword):
    user = Text("平台帐户名", user_name_shape, user_name_free, number="200401", limit=12, group="账户",
                hint=USER_HINT, attributes={"autocomplete": "off"})  # fmt: skip
    password = Secret("密码", number="200402", keep=keep_password, group="账户")
    password_again = Secret("确认密码", number="200403", same_as="password", group="账户")
    name = Text("真实姓名", number="200404", limit=40, group="管理员", missing="真实姓名不能为空!")
    id_number = Text("证件号码", id_number_shape, number="200405", required=False, personal=True, group="管理员",
                     code=True, hint="身份证；绑卡时要和卡上的一致")  # fmt: skip
    email = Text("E-mail", email_shape, number="200406", personal=True, span=True, group="管理员", hint=MAIL_HINT)
    phone = Text("电话号码", phone_shape, number="200407", limit=26, group="管理员")
    mobile = Text("手机", mobile_shape, number="200408", personal=True, group="管理员")
    fax = Text("传真", phone_shape, number="200409", key="registration.fax", required=False, limit=26, group="管理员")
    position = Text("职务", number="200410", required=False, limit=40, group="管理员")
    declarant = Text("报关员号", number="200411", required=False, limit=20, group="管理员")
    inspector = Text("报检员号", number="200412", required=False, limit=20, group="管理员")


def scan(label: str, number: str, **rest) -> Upload:
    """原件扫描件: the attachment rule of registration, 10M each (M34), up to 10 pages."""
    return Upload(label, number=number, types=IMAGES, limit=10 << 20, pages=10, hint=SCAN_HINT, **rest)


class PapersForm(DocumentForm):
    licence = scan("统一社会信用代码证", "200501")
    customs_paper = scan("报关注册登记证书", "200502", required=False)
    inspection_paper = scan("报检注册登记证书", "200503", required=False)
    other_paper = scan("其他资料", "200504", required=False)

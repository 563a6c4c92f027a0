"""Who registers, page by page of the five account types: 2002 三证合一, 2022 企业单位, 2032 事业单位, 2042 个人, 2052 境外企业."""

import csv
from functools import cache

from blueprints.common.checks import (
    PASSPORT_HINT,
    PERSON_PAPERS,
    customs_code_shape,
    date_shape,
    email_shape,
    mobile_shape,
    not_expired,
    org_code_of,
    org_code_shape,
    paper_fits,
    paper_is_ours,
    phone_shape,
    postcode_shape,
    until_shape,
    uscc_advice,
    uscc_holds_org_code,
    uscc_shape,
)
from blueprints.common.fields import Advice, CaseRule, Choice, Choices, DocumentForm, Rule, Secret, Text
from blueprints.common.passwords import WithPassword, keep_password
from models.accounts import find_organisation
from settings import ROOT

from .forms import (
    MAIL_HINT,
    USER_HINT,
    cities,
    provinces,
    scan,
    user_name_free,
    user_name_shape,
)

KNOWN = "该单位已注册。要加入这个单位，请点下面的“加入已注册的单位”（页面2016）"
uscc_free = Rule("90212", KNOWN, lambda text: find_organisation(org_code_of(text)) is None)
org_code_free = Rule("90212", KNOWN, lambda text: find_organisation(text) is None)
inspection_shape = Rule("90208", "国检企业代码要10位数字", lambda text: text.isdecimal() and len(text) == 10)
org_code_agrees = CaseRule("90229", "和统一社会信用代码的第9至17位不一样，请对照证照；也可以空着，系统会带出来",
                           lambda text, case: not case.here.get("uscc") or text == org_code_of(case.here["uscc"]))  # fmt: skip


def is_trading(case):
    """「注: 进出口企业才可以选择」: who holds a customs or a foreign trade code."""
    return bool(case.here["customs_code"] or case.here["trade_code"])


def scope_options(name: str):
    return lambda case: case.region.options("registration", name)


CUSTOMS_HINT = "凡是有“海关企业代码”的企业必须填写该代码，否则会影响相关功能使用"
INSPECTION_HINT = "凡是有“国检企业代码”的企业必须填写该代码，否则会影响相关功能使用"


def place_fields(page: str, name_label: str) -> dict:
    """企业所在省市区, names and address (numbers 01–07), as 三证合一 and 企业单位 ask them."""
    return {
        "province": Choice("企业所在省市区", number=f"{page}01", options=provinces, group="单位"),
        "city": Choice("市", number=f"{page}02", options=cities, group="单位"),
        "name": Text(name_label, number=f"{page}03", key="registration.name", limit=100, group="单位", span=True, hint="和营业执照上一字不差",
                     attributes={"autocomplete": "organization"}),
        "english": Text("英文名称", number=f"{page}04", required=False, group="单位"),
        "short": Text("单位中文简称", number=f"{page}05", required=False, limit=40, group="单位"),
        "address": Text("单位地址", number=f"{page}06", group="单位", span=True, hint="写到门牌号"),
        "postcode": Text("邮政编码", postcode_shape, number=f"{page}07", required=False, group="单位"),
    }  # fmt: skip


def business_fields(page: str) -> dict:
    """Bank, codes of the authorities and business (numbers 09–21)."""
    bank, codes, trade = {"group": "银行和卡"}, {"group": "各部门的代码"}, {"group": "业务"}
    return {
        "bank": Text("开户银行", number=f"{page}09", required=False, **bank),
        "account": Text("银行账号", number=f"{page}10", required=False, limit=40, personal=True, **bank),
        "card": Text("中国电子口岸卡号", number=f"{page}11", required=False, limit=20, hint="注：法人卡卡号", **bank),
        "capital": Text("注册资金", number=f"{page}12", required=False, limit=20, hint="万元，只写数字", **bank),
        "customs_code": Text("海关企业代码", customs_code_shape, number=f"{page}13", required=False, code=True,
                             hint=CUSTOMS_HINT, **codes),
        "trade_code": Text("外经贸企业代码", number=f"{page}14", required=False, limit=20, **codes),
        "inspection_code": Text("国检企业代码", inspection_shape, number=f"{page}15", required=False, code=True,
                                hint=INSPECTION_HINT, **codes),
        "border_code": Text("边检企业代码", number=f"{page}16", required=False, limit=20, **codes),
        "port_code": Text("港口局企业代码", number=f"{page}17", required=False, limit=20, **codes),
        "exchange_code": Text("外管企业代码", number=f"{page}18", required=False, limit=20, **codes),
        "enterprise_type": Choice("企业类型", number=f"{page}19", key="registration.enterprise_type", required=False, when=is_trading,
                                  options=scope_options("enterprise_types"), hint="注: 进出口企业才可以选择", **trade),
        "entity_types": Choices("实体类型", number=f"{page}20", key="registration.entity_types", hint="实体类型可选择多个",
                                options=scope_options("entity_types"), **trade),
        "scope": Text("经营范围", number=f"{page}21", required=False, limit=1000, long=True, span=True, **trade),
    }  # fmt: skip


def page_of(name: str, *parts: dict) -> type[DocumentForm]:
    return type(name, (DocumentForm,), {key: field for part in parts for key, field in part.items()})


CompanyForm = page_of(
    "CompanyForm",
    place_fields("2002", "单位名称"),
    {
        "uscc": Text("统一社会信用代码", uscc_shape, uscc_holds_org_code, uscc_free, number="200208", group="单位", code=True,
                     hint="18位，见证照", advice=uscc_advice),
        "org_code": Text("组织机构代码", org_code_shape, org_code_agrees, number="200222", required=False, code="-", group="单位",
                         hint="不用填，系统按统一社会信用代码带出"),
    },
    business_fields("2002"),
)  # fmt: skip
UnitForm = page_of(
    "UnitForm",
    place_fields("2022", "单位全称"),
    {
        "org_code": Text("组织机构代码", org_code_shape, org_code_free, number="202208", group="单位", code="-", hint="9位，见证照"),
        "licence_number": Text("工商注册登记号", number="202222", required=False, limit=20, group="单位"),
        "tax_number": Text("税务登记证", number="202223", required=False, limit=30, group="单位"),
    },
    business_fields("2022"),
)  # fmt: skip


class InstitutionForm(DocumentForm):
    """政府事业单位: from 非三证合一, with the 事业单位法人证书 (M49)."""

    province = Choice("所在省市区", number="203201", options=provinces, group="单位")
    city = Choice("市", number="203202", options=cities, group="单位")
    name = Text("单位全称", number="203203", limit=100, group="单位", span=True, hint="和事业单位法人证书上一字不差")
    uscc = Text("统一社会信用代码", uscc_shape, uscc_holds_org_code, uscc_free, number="203204", group="单位", code=True,
                hint="18位，见证书", advice=(*uscc_advice, Advice(
                    "90230", "政府机关、事业单位的代码通常以11、12、13开头，请看看注册类型有没有选错",
                    lambda text, case: text[:2] not in ("11", "12", "13"))))  # fmt: skip
    address = Text("单位地址", number="203205", group="单位", span=True, hint="写到门牌号")
    postcode = Text("邮政编码", postcode_shape, number="203206", required=False, group="单位")
    organiser = Text("举办单位", number="203207", required=False, limit=100, group="单位")
    purpose = Text("宗旨和业务范围", number="203208", required=False, limit=1000, long=True, span=True, group="单位")
    customs_code = Text("海关企业代码", customs_code_shape, number="203209", required=False, code=True, group="各部门的代码",
                        hint=CUSTOMS_HINT)  # fmt: skip
    inspection_code = Text("国检企业代码", inspection_shape, number="203210", required=False, code=True,
                           group="各部门的代码", hint=INSPECTION_HINT)  # fmt: skip


class PersonForm(DocumentForm):
    name = Text("姓名", number="204201", limit=40, group="本人", hint="和证件上一字不差")
    id_type = Choice("证件类型", number="204202", options=PERSON_PAPERS, group="本人", hint=PASSPORT_HINT, span=True)
    id_number = Text(
        "证件号码", paper_fits, paper_is_ours, number="204203", limit=30, personal=True, code=True, group="本人"
    )
    valid_from = Text(
        "证件有效起始日期", date_shape, number="204204", group="本人", code=True, hint="日期格式:YYYYMMDD"
    )
    valid_to = Text("证件有效截止日期", until_shape, not_expired, number="204205", group="本人", code=True,
                    hint="日期格式:YYYYMMDD,长期有效请输入8个0")  # fmt: skip
    city = Choice("所在市", number="204206", options=cities, group="本人")
    address = Text("通讯地址", number="204207", span=True, group="本人", hint="写到门牌号")


@cache
def countries() -> list[tuple[str, str]]:
    """(code, name) of every country and region but the mainland; data/country.csv."""
    with open(ROOT / "data/country.csv", encoding="utf-8") as file:
        return [(row["代码"], row["中文名称"]) for row in csv.DictReader(file) if row["代码"] != "CHN"]


class OverseasForm(DocumentForm):
    name = Text("企业外文名称", number="205201", limit=200, span=True, group="企业", hint="和注册证书上一字不差")
    chinese = Text("中文名称", number="205202", required=False, limit=100, group="企业")
    country = Choice("国家（地区）", number="205203", options=lambda case: countries(), group="企业")
    number = Text("注册号码", number="205204", limit=40, code=True, group="企业", hint="当地登记机关给的号码")
    address = Text("注册地址", number="205205", limit=300, span=True, group="企业")
    legal_name = Text("负责人姓名", number="205206", limit=60, group="负责人")
    legal_number = Text("负责人护照号码", number="205207", limit=30, personal=True, code=True, group="负责人")
    partner = Text(
        "境内联系企业", number="205208", required=False, limit=100, group="负责人", hint="有的话写上，便于核实"
    )


class PersonAccountForm(WithPassword):
    """What 个人 needs beside what the page before asked already."""

    user = Text("平台帐户名", user_name_shape, user_name_free, number="204401", limit=12, hint=USER_HINT,
                attributes={"autocomplete": "off"})  # fmt: skip
    password = Secret("密码", number="204402", keep=keep_password)
    password_again = Secret("确认密码", number="204403", same_as="password")
    email = Text("E-mail", email_shape, number="204404", personal=True, span=True, hint=MAIL_HINT)
    mobile = Text("手机", mobile_shape, number="204405", personal=True)


class OverseasAccountForm(WithPassword):
    """An administrator abroad: passport and telephone of his country."""

    user = Text("平台帐户名", user_name_shape, user_name_free, number="205401", limit=12, group="账户", hint=USER_HINT,
                attributes={"autocomplete": "off"})  # fmt: skip
    password = Secret("密码", number="205402", keep=keep_password, group="账户")
    password_again = Secret("确认密码", number="205403", same_as="password", group="账户")
    name = Text("真实姓名", number="205404", limit=60, group="管理员", missing="真实姓名不能为空!")
    passport = Text("护照号码", number="205405", limit=30, personal=True, code=True, group="管理员")
    email = Text("E-mail", email_shape, number="205406", personal=True, span=True, group="管理员", hint=MAIL_HINT)
    phone = Text(
        "电话号码", phone_shape, number="205407", limit=26, group="管理员", hint="写上国家代码，像+49 40 1234567这样"
    )


class UnitPapersForm(DocumentForm):
    licence = scan("营业执照", "202501")
    org_paper = scan("组织机构代码证", "202502")
    customs_paper = scan("报关注册登记证书", "202503", required=False)
    inspection_paper = scan("报检注册登记证书", "202504", required=False)
    other_paper = scan("其他资料", "202505", required=False)


class InstitutionPapersForm(DocumentForm):
    licence = scan("事业单位法人证书", "203501")
    customs_paper = scan("报关注册登记证书", "203502", required=False)
    other_paper = scan("其他资料", "203503", required=False)


class PersonPapersForm(DocumentForm):
    front = scan("证件正面（有照片的一面）", "204501")
    back = scan("证件反面", "204502", required=lambda case: case["company/id_type"] == "id-card")
    other_paper = scan("其他资料", "204503", required=False)


class OverseasPapersForm(DocumentForm):
    licence = scan("企业注册证书", "205501")
    passport = scan("负责人护照", "205502")
    translation = scan("中文译本", "205503", required=False)
    other_paper = scan("其他资料", "205504", required=False)

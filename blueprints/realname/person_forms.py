"""The forms of 法定代表人身份认证: 企业信息, and a person by ID card (M102, M106) or by bank card (M105).

The same two forms serve three pages each, which differ in their numbers and in what is known of the person already.
"""

import re

from blueprints.common.checks import (
    PASSPORT_HINT,
    PERSON_PAPERS,
    date_shape,
    mobile_shape,
    not_expired,
    paper_fits,
    paper_is_ours,
    until_shape,
)
from blueprints.common.fields import Choice, DocumentForm, Locked, Rule, Text

DATE, UNTIL = "日期格式:YYYYMMDD", "日期格式:YYYYMMDD,长期有效请输入8个0"
ONE_TIME = {"autocomplete": "one-time-code", "inputmode": "numeric"}
bank_card_shape = Rule(
    "90684", "银行卡号要12到19位数字，请对照卡面", lambda text: bool(re.fullmatch(r"\d{12,19}", text))
)


def of_company(name: str):
    return lambda case: case.choices["company"][name]


class CompanyForm(DocumentForm):
    name = Locked("企业名称", text=of_company("name"), number="501001")
    uscc = Locked("统一社会信用代码", text=of_company("uscc"), number="501002")
    org_code = Locked("组织机构代码", text=of_company("org_code"), number="501003")
    legal_name = Text("法人姓名", number="501004", limit=40)
    id_type = Choice("法人证件类型", number="501005", options=PERSON_PAPERS, hint=PASSPORT_HINT, span=True)
    id_number = Text("法人证件号码", paper_fits, paper_is_ours, number="501006", limit=30, code=True)


def known(name: str):
    return lambda case: case.choices["person"][name]


def known_paper(case) -> str:
    return dict(PERSON_PAPERS).get(case.choices["person"]["id_type"], "")


def known_fields(page: str, own: str, number_label: str) -> dict:
    return {
        "name": Locked(f"{own}姓名", text=known("name"), number=f"{page}01"),
        "id_type": Locked(f"{own}证件类型", text=known_paper, number=f"{page}02"),
        "id_number": Locked(f"{own}{number_label}", text=known("id_number"), number=f"{page}03"),
    }


def typed_fields(page: str, own: str, number_label: str) -> dict:
    return {
        "name": Text(f"{own}姓名", number=f"{page}01", limit=40),
        "id_type": Choice(f"{own}证件类型", number=f"{page}02", options=PERSON_PAPERS, hint=PASSPORT_HINT, span=True),
        "id_number": Text(
            f"{own}{number_label}", paper_fits, paper_is_ours, number=f"{page}03", limit=30, personal=True, code=True
        ),
    }


def paper_form(page: str, own: str, who=known_fields, phone: bool = False) -> type[DocumentForm]:
    """身份证认证. `who`: whether the person is known or typed; `phone`: an SMS code shows who holds the telephone."""
    fields = who(page, own, "证件号码") | {
        "valid_from": Text("身份证有效起始日期", date_shape, number=f"{page}04", code=True, hint=DATE),
        "valid_to": Text("身份证有效截止日期", until_shape, not_expired, number=f"{page}05", code=True, hint=UNTIL),
    }
    return type(DocumentForm)(
        "PaperForm", (DocumentForm,), fields | (phone_fields(page, 6, "您的手机号") if phone else {})
    )


def bank_form(page: str, own: str, who=known_fields) -> type[DocumentForm]:
    """银行卡实名认证."""
    fields = who(page, own, "证件号")  # fields stand in the order in which they are made
    fields["card_number"] = Text("银行卡号", bank_card_shape, number=f"{page}04", limit=40, code=True,
                                 hint="本人的个人银行卡")  # fmt: skip
    fields |= phone_fields(page, 5, "银行预留手机号")
    return type(DocumentForm)("BankForm", (DocumentForm,), fields)


def phone_fields(page: str, first: int, label: str) -> dict:
    """The code is asked for only once it was sent: `choices["coded"]`."""
    return {
        "phone": Text(label, mobile_shape, number=f"{page}{first:02}", limit=20, code=True,
                      attributes={"inputmode": "tel"}),
        "code": Text("手机验证码", number=f"{page}{first + 1:02}", limit=12, hint="先点“获取验证码”，再输短信里的6位数字",
                     attributes=ONE_TIME, required=lambda case: case.choices["code_needed"]),
    }  # fmt: skip

"""The five kinds of registration: made before there is an account; approval creates the company and its administrator."""

from dataclasses import replace

from blueprints.common.access import PUBLIC
from blueprints.common.checks import org_code_of
from blueprints.common.fields import Problem
from blueprints.common.kinds import Claim, Desk, Kind, Stage, Step
from blueprints.common.numbers import Sentence
from models.types import blind

from .applicants import (
    CompanyForm,
    InstitutionForm,
    InstitutionPapersForm,
    OverseasAccountForm,
    OverseasForm,
    OverseasPapersForm,
    PersonAccountForm,
    PersonForm,
    PersonPapersForm,
    UnitForm,
    UnitPapersForm,
)
from .effects import create_account
from .forms import AdministratorForm, ContactsForm, PapersForm, TypeForm, chosen_kind
from .register_check import ask_later, beside


def company_key(case) -> str:
    """What is registered once: an organisation by its 组织机构代码, a person by ID number, a foreign company by its number."""
    answers = case["company"] or {}
    if answers.get("uscc"):
        return org_code_of(answers["uscc"])
    if answers.get("org_code"):
        return answers["org_code"]
    if answers.get("country"):
        return f"{answers['country']}|{answers['number']}"
    return blind("registration.person", answers["id_number"]).hex()


def claims(case):
    user = Claim("user-name", case["administrator/user"].casefold(), "administrator/user",
                 "这个平台帐户名已有人用，请换一个", stays=True)  # fmt: skip
    names = ("uscc", "org_code", "number", "id_number")
    path = next(f"company/{name}" for name in names if (case["company"] or {}).get(name))
    company = Claim("company", company_key(case), path, "该单位已注册或正在审核，请找本单位的管理员", stays=True)
    return [user, company]


def suggestions(case) -> dict:
    """From the card that the registration was begun with (M216), and what was typed on the pages before."""
    given, company = case.given, case["company"] or {}
    person = {"name": company.get("name"), "id_number": company.get("id_number")} if "id_type" in company else {}
    if given:
        person = {"name": given["holder"], "id_number": given["holder_id"]}
        company = {"name": given["company"], "uscc": given["uscc"], "card": given["card_number"]}
    suggested = {"type": {"type": case.region["registration"]["account_types"][0]["slug"]}} if not given else {}
    return suggested | {"company": company if given else {}, "administrator": person}


def fits_card(case) -> list[Problem]:
    """What the card says of company and holder stays as the card says it: the 法人卡 holder becomes administrator."""
    given, problems = case.given, []
    if given and case["company/uscc"] != given["uscc"]:
        words = "和卡里的单位不一样；用这张卡注册，只能注册卡里的单位"
        problems.append(Problem("company/uscc", "90213", Sentence("90213", words)))
    if given and (case["administrator/id_number"] or given["holder_id"]) != given["holder_id"]:
        words = "和持卡人的证件号码不一样；用法人卡注册，管理员就是持卡人"
        problems.append(Problem("administrator/id_number", "90215", Sentence("90215", words)))
    return problems


SCANS = "统一社会信用代码证（或组织机构代码证、营业执照）原件扫描件"
OTHER_SCANS = "报检注册登记证或报关登记证原件扫描件"
MAILBOX = "能收到邮件的邮箱和管理员的手机号"
TYPE = Step("2001", "type", "服务条款与注册类型", TypeForm, template="registration/type.html")
CONTACTS = Step("2003", "contacts", "联系方式", ContactsForm, template="registration/contacts.html")
ADMINISTRATOR = Step("2004", "administrator", "管理员账户信息", AdministratorForm)
REVIEW = Stage("2006", "review", "注册审核", Desk("registration"), promise=2)


def company_step(number: str, form, template: str = "registration/company.html") -> Step:
    return Step(number, "company", "基本信息", form, template=template)


def papers_step(number: str, form, title: str = "注册资料") -> Step:
    return Step(number, "papers", title, form, template="registration/optional.html")


REGISTRATION = Kind(
    "20", "registration", "企业注册", needs=PUBLIC, claims=claims, effect=create_account, minutes=30, index=("company/name",),
    mail_to=lambda case: case["administrator/email"], reasons="registration", check_template="registration/check.html",
    initial=suggestions, checks=fits_card, becomes=chosen_kind, submitted=ask_later, beside=beside,
    prepare=(SCANS, OTHER_SCANS, MAILBOX),
    steps=(TYPE, company_step("2002", CompanyForm), CONTACTS, ADMINISTRATOR, papers_step("2005", PapersForm)),
    stages=(REVIEW,),
)  # fmt: skip
UNIT = replace(
    REGISTRATION, slug="registration-unit", title="企业单位注册", prepare=("营业执照、组织机构代码证原件扫描件", OTHER_SCANS, MAILBOX),
    steps=(TYPE, company_step("2022", UnitForm), CONTACTS, ADMINISTRATOR, papers_step("2025", UnitPapersForm)),
)  # fmt: skip
INSTITUTION = replace(
    REGISTRATION, slug="registration-institution", title="政府事业单位注册", prepare=("事业单位法人证书原件扫描件", MAILBOX),
    steps=(TYPE, company_step("2032", InstitutionForm), CONTACTS, ADMINISTRATOR,
           papers_step("2035", InstitutionPapersForm)),
)  # fmt: skip
PERSON = replace(
    REGISTRATION, slug="registration-person", title="个人用户注册", prepare=("身份证或护照的照片", "能收到邮件的邮箱和手机号"),
    steps=(TYPE, company_step("2042", PersonForm, "wizard/step.html"), Step("2044", "administrator", "账户信息", PersonAccountForm),
           papers_step("2045", PersonPapersForm, "证件照片")),
)  # fmt: skip
OVERSEAS = replace(
    REGISTRATION, slug="registration-overseas", title="境外企业注册", prepare=("企业注册证书和负责人护照的扫描件", "能收到邮件的邮箱"),
    steps=(TYPE, company_step("2052", OverseasForm, "registration/optional.html"), Step("2054", "administrator", "管理员账户信息", OverseasAccountForm),
           papers_step("2055", OverseasPapersForm)),
)  # fmt: skip
KINDS = (REGISTRATION, UNIT, INSTITUTION, PERSON, OVERSEAS)

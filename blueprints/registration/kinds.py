"""The registration 三证合一: made before there is an account; its approval creates the company and its administrator."""

from blueprints.common import clock
from blueprints.common.access import PUBLIC
from blueprints.common.checks import org_code_of
from blueprints.common.kinds import CannotTakeEffect, Claim, Desk, Kind, Stage, Step
from blueprints.common.numbers import Sentence
from blueprints.common.records import kept_secret
from models.accounts import REGISTERED, Enterprise, User, find_enterprise, find_user
from models.database import session
from models.documents import Participation
from models.queue import defer

from .forms import AdministratorForm, CompanyForm, ContactsForm, PapersForm, TypeForm


def claims(case):
    user = Claim(
        "user-name",
        case["administrator/user"].casefold(),
        "administrator/user",
        "这个平台帐户名已有人用，请换一个",
        stays=True,
    )
    company = Claim(
        "company", case["company/uscc"], "company/uscc", "该单位已注册或正在审核，请找本单位的管理员", stays=True
    )
    return [user, company]


def create_company(document, case):
    """The first user of a company is its administrator (M55)."""
    if find_enterprise(case["company/uscc"]):
        raise cannot("company/uscc", "90212", "该单位已经注册，请找本单位的管理员开账号")
    if find_user(case["administrator/user"]):
        raise cannot("administrator/user", "90210", "这个平台帐户名已有人用，请换一个")
    company = enterprise_from(case)
    session.add(company)
    session.flush()
    session.add(administrator_from(case, company, kept_secret(document, "administrator/password")))
    document.participants.append(
        Participation(document_id=document.id, role="applicant", enterprise_id=company.id, code=None, may=["see"])
    )
    defer("refresh_codes", enterprise_id=str(company.id))


def cannot(path: str, number: str, words: str) -> CannotTakeEffect:
    return CannotTakeEffect(path, number, Sentence(number, words))


def enterprise_from(case) -> Enterprise:
    optional = {
        name: value for name, value in case["company"].items() if value and name not in ("name", "uscc", "address")
    }
    optional.pop("account", None)  # a bank account number stays in the encrypted snapshot
    company = Enterprise(
        name=case["company/name"], uscc=case["company/uscc"], org_code=org_code_of(case["company/uscc"]),
        address=case["company/address"], origin=REGISTERED, details=optional, created_at=clock.now(),
    )  # fmt: skip
    people = case["contacts"]
    company.representative = {
        "name": people["legal_name"], "id_type": people["legal_id_type"], "id_number": people["legal_id_number"],
    }  # fmt: skip
    return company


def administrator_from(case, company: Enterprise, password_hash: str) -> User:
    person = case["administrator"]
    user = User(
        name=person["user"].casefold(), shown_name=person["user"], password_hash=password_hash,
        enterprise_id=company.id, role="administrator", created_at=clock.now(),
    )  # fmt: skip
    user.keep_person(person["name"], person["id_number"], person["email"])
    user.contact = {name: person[name] for name in ("phone", "mobile", "fax", "position", "declarant", "inspector")}
    return user


REGISTRATION = Kind(
    "20", "registration", "企业注册", needs=PUBLIC, claims=claims, effect=create_company, minutes=30,
    index=("company/name",), mail_to=lambda case: case["administrator/email"], reasons="registration", check_template="registration/check.html",
    prepare=("统一社会信用代码证（或组织机构代码证、营业执照）原件扫描件", "报检注册登记证或报关登记证原件扫描件",
             "能收到邮件的邮箱和管理员的手机号"),
    steps=(Step("2001", "type", "服务条款与注册类型", TypeForm, template="registration/type.html"),
           Step("2002", "company", "基本信息", CompanyForm),
           Step("2003", "contacts", "联系方式", ContactsForm, template="registration/contacts.html"),
           Step("2004", "administrator", "管理员账户信息", AdministratorForm),
           Step("2005", "papers", "注册资料", PapersForm)),
    stages=(Stage("2006", "review", "注册审核", Desk("registration"), promise=2),),
)  # fmt: skip

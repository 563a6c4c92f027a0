"""Opening an account (开户): nobody is logged in, one form differs by an answer before it, a password becomes a hash."""

from blueprints.common import clock
from blueprints.common.access import PUBLIC
from blueprints.common.fields import Choice, DocumentForm, Rule, Secret, Text, Upload
from blueprints.common.kinds import CannotTakeEffect, Claim, Desk, Kind, Stage, Step
from blueprints.common.records import kept_secret
from models.accounts import Enterprise, User, find_enterprise
from models.database import session


def long(number: str, least: int, most: int) -> Rule:
    return Rule(number, f"应为{least}至{most}位", lambda text: least <= len(text) <= most)


class TypeForm(DocumentForm):
    type = Choice("类型", number="970101", options=[("new", "三证合一"), ("old", "非三证合一")])


class CompanyForm(DocumentForm):
    name = Text("单位名称", number="970201")
    uscc = Text("统一社会信用代码", long("97901", 18, 18), number="970202")


class OldCompanyForm(DocumentForm):
    name = Text("单位全称", number="970203")
    org = Text("组织机构代码", long("97902", 9, 9), number="970204")


class UserForm(DocumentForm):
    user = Text("平台帐户名", number="970301")
    password = Secret("密码", long("97903", 8, 64), number="970302", keep="hash of {}".format)
    again = Secret("确认密码", number="970303", same_as="password")
    email = Text("E-mail", number="970304", personal=True)


class PapersForm(DocumentForm):
    paper = Upload("证照", number="970401", types=("jpg", "png"), limit=2 * 2**20)


def company_key(case) -> str:
    return case["company/uscc"] or case["company/org"]


def claims(case):
    return [Claim("user-name", case["user/user"].casefold(), "user/user", "帐户名已被使用", stays=True),
            Claim("company", company_key(case), "company/name", "该单位正在审核", stays=True)]  # fmt: skip


def open_account(document, case):
    already = find_enterprise(company_key(case))
    user = {"name": case["user/user"].casefold(), "password_hash": kept_secret(document, "user/password")}
    session.add(User(shown_name=case["user/user"], role="administrator", created_at=clock.now(), **user))
    session.flush()
    if already:
        raise CannotTakeEffect("company/name", "97904", "该单位已由其他途径建立")
    session.add(
        Enterprise(name=case["company/name"], uscc=company_key(case), origin="registered", created_at=clock.now())
    )


OPENING = Kind(
    "9701", "opening", "开户", needs=PUBLIC, claims=claims, effect=open_account, index=("company/name",),
    mail_to=lambda case: case["user/email"],
    steps=(Step("970110", "type", "类型", TypeForm),
           Step("970120", "company", "单位", lambda case: OldCompanyForm if case["type/type"] == "old" else CompanyForm),
           Step("970130", "user", "管理员", UserForm), Step("970140", "papers", "证照", PapersForm)),
    stages=(Stage("970150", "review", "开户审核", Desk("registration"), promise=2),),
)  # fmt: skip

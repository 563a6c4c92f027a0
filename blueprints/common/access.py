"""Who may do what: the principal taken at login, what a page needs, and the reason where it is missing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from flask import abort, g

from . import clock
from .numbers import Sentence

LEVELS = {0: "未认证", 1: "低", 2: "中", 3: "高"}
MODULES = {"exports": "跨境出口申报", "trade": "订单和回执查询", "access": "传输ID申请", "agreements": "签约和委托"}
SEE, EDIT, SUBMIT = 1, 2, 3
RIGHTS = {SEE: "只看", EDIT: "录入", SUBMIT: "录入并提交"}
CARDS = ("法人卡", "操作员卡")


@dataclass(frozen=True)
class Principal:
    """Who is acting. Taken at login (medium, code, level); roles and desks are looked at again at each request."""

    user_id: UUID
    name: str
    role: str  # administrator | operator | staff
    enterprise_id: UUID | None = None
    enterprise_name: str = ""
    uscc: str | None = None
    code: str | None = None  # active 海关注册编码
    desks: frozenset[str] = frozenset()
    medium: str = "password"
    card_number: str | None = None
    card_until: datetime | None = None
    level: int = 0  # real-name level
    origin: str = "registered"
    login_id: UUID | None = None
    account_type: str = "three-in-one"
    rights: Mapping[str, int] = field(default_factory=dict)  # of an operator, by module
    guarded_until: datetime | None = None  # delicate changes wait after a recovery
    is_new: bool = False  # the password is still the one that the administrator handed over

    is_authenticated = is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """For flask-login."""
        return str(self.user_id)

    @property
    def is_verified(self) -> bool:
        """Only migrated accounts need real-name verification (M91, M215)."""
        return self.origin != "migrated" or self.level > 0

    @property
    def is_staff(self) -> bool:
        return self.role == "staff"

    def right(self, module: str) -> int:
        """0 none … 3 submit; an administrator has all."""
        return SUBMIT if self.role == "administrator" else self.rights.get(module, 0)


@dataclass(frozen=True)
class Reason:
    """Why something is not open to this principal, and the way to mend it (`endpoint` may be None: no way here)."""

    number: str
    sentence: str
    mend: str = ""
    endpoint: str | None = None


@dataclass(frozen=True)
class Needs:
    """What a principal must have. `PUBLIC` needs nothing."""

    login: bool = True
    company: bool = False
    role: tuple[str, ...] = ()
    medium: tuple[str, ...] = ()
    verified: bool = False
    code: bool = False
    desks: tuple[str, ...] = ()  # any of them
    right: tuple[str, int] | None = None  # (module, least right) of an operator
    unguarded: bool = False  # not in the 72 hours after a recovery
    also: tuple[Callable[[Principal], Reason | None], ...] = ()

    def unmet(self, principal: Principal | None) -> list[Reason]:
        """One reason for each thing that is missing, in the order in which they are mended."""
        if principal is None:
            return [Reason("90101", Sentence("90101", "请先登录"), "去登录", "auth.show_login")] if self.login else []
        reasons = [found for found in self._reasons(principal) if found]
        return reasons + [found for ask in self.also if (found := ask(principal))]

    def _reasons(self, who: Principal):
        if self.desks and not who.desks & set(self.desks):
            yield Reason("90102", "这一页由审核人员使用，您的账号没有这个岗位")
        if self.company and not who.enterprise_id:
            yield Reason("90103", "这一页是给企业用的，请用企业账号登录", "换账号登录", "auth.show_login")
            return
        if self.role and who.role not in self.role:
            yield Reason("90104", "要由本单位的管理员账号来办，请找管理员")
        if self.right and who.right(self.right[0]) < self.right[1]:
            module, least = MODULES[self.right[0]], RIGHTS[self.right[1]]
            yield Reason("90109", Sentence("90109", "您的账号没有「{module}」的“{least}”权限，请本单位的管理员在“我的操作员”里给您开通",
                                           module=module, least=least))  # fmt: skip
        if self.medium and who.medium not in self.medium:
            words = "或".join(self.medium)
            yield Reason(
                "90105", Sentence("90105", "请改用{medium}登录", medium=words), "用卡登录", "auth.show_card_login"
            )
        if self.verified and not who.is_verified:
            yield Reason("90106", "请先完成单位实名认证", "去认证", "realname.show_methods")
        if self.code and not who.code:
            yield Reason(
                "90107", "本单位还没有海关编码，请先在“我的资质”里选用", "去我的资质", "account.show_qualifications"
            )
        if self.unguarded and who.medium == "sms":
            yield Reason("90282", Sentence("90282", "用手机号登录的，不能改手机、邮箱、卡、操作员、管理员和导入通道；请改用密码或卡登录"),
                         "换账号密码登录", "auth.show_login")  # fmt: skip
        if self.unguarded and who.guarded_until and who.guarded_until > clock.now():
            until = f"{clock.local(who.guarded_until):%m月%d日%H:%M}"
            yield Reason("90110", Sentence("90110", "账号刚找回过，{until}以前不能改手机、邮箱、卡、操作员、管理员和导入通道；"
                                           "用本单位的卡登录一次就能办", until=until), "用卡登录", "auth.show_card_login")  # fmt: skip


PUBLIC = Needs(login=False)
MEMBER = Needs(company=True)
ADMINISTRATOR = Needs(company=True, role=("administrator",))
DELICATE = Needs(company=True, unguarded=True)  # of one's own account
DELICATE_ADMINISTRATOR = Needs(company=True, role=("administrator",), unguarded=True)


def needs_right(module: str, least: int, **more) -> Needs:
    """What a page of a module needs of a company's account."""
    return Needs(company=True, right=(module, least), **more)


@dataclass(frozen=True)
class MenuEntry:
    """A menu line: shown to all, greyed with its reasons where `needs` are unmet."""

    number: str
    title: str
    endpoint: str
    needs: Needs
    values: dict = field(default_factory=dict)


def current() -> Principal | None:
    """The principal of this request; None before login."""
    return getattr(g, "principal", None)


def get_or_404(found):
    """Another company's data answers 404, as does what does not exist."""
    return abort(404) if found is None else found


@dataclass(frozen=True)
class PageInfo:
    """What is declared of a view: page number, title, needs. `number` None: an action, a file, a fragment.

    `tab`: (number, title) of the tab that the pages of one wizard share.
    """

    number: str | None
    title: str
    needs: Needs
    tab: tuple[str, str] | None = None


def page(number: str | None, title: str, needs: Needs, tab: tuple[str, str] | None = None):
    """Declares a view: number (area + 2 digits), title, needs. Views without it are refused at start."""

    def declare(view):
        view.page = PageInfo(number, title, needs, tab)
        return view

    return declare


def bind(view, *values):
    """The view for these first values: where several pages share one. A function, since Flask-WTF asks for its name."""
    return lambda **more: view(*values, **more)

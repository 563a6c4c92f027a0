"""Page 4001, 单位管理员信息 (M73–M77): the company, its representative, the own account; each row leads to where it is mended."""

from flask import current_app, url_for

from blueprints.common import clock
from blueprints.common.access import MEMBER, current, page
from blueprints.common.checks import PERSON_PAPERS, org_code_of
from blueprints.common.numbers import Sentence, masked
from blueprints.common.wizard import add_wizard
from models.accounts import Enterprise, User, cards_of, open_join_requests
from models.database import session

from .base import bp, show_here
from .cards import SOON
from .company_kinds import COMPANY_CHANGE, KINDS, REGION_CHANGE, REPRESENTATIVE_CHANGE

for number, kind in zip(("401", "402", "404"), KINDS, strict=True):
    add_wizard(bp, kind, start_number=f"{number}3", check_number=f"{number}4", status_number=f"{number}5")


@bp.get("/company")
@page("4001", "单位管理员信息", MEMBER)
def show_company():
    principal = current()
    company, user = session.get(Enterprise, principal.enterprise_id), session.get(User, principal.user_id)
    return show_here("company.html", blocks=blocks(company), account=account_rows(user, company), user=user,
                     may_change=principal.role == "administrator")  # fmt: skip


def start_url(kind) -> str:
    return url_for(f"account.{kind.slug.replace('-', '_')}_start")


def blocks(company: Enterprise) -> list[tuple[str, list[tuple[str, str]], str, str]]:
    """单位信息 (M73) and 法定代表人 (M74, M76): (heading, [(label, value)], what the link says, url)."""
    person, words = company.representative or {}, dict(PERSON_PAPERS)
    codes = [
        ("统一社会信用代码", company.uscc or "—"),
        ("组织机构代码(主体标识码)", company.org_code or (org_code_of(company.uscc) if company.uscc else "—")),
    ]
    return [
        ("单位信息", [("单位中文名称", company.name), *codes, ("单位地址", company.address or "—"),
                    ("海关编码", company.active_code or "—")], "修改单位信息",
         start_url(COMPANY_CHANGE)),
        ("法定代表人", [
            ("法定代表人姓名", person.get("name") or "—"),
            ("法定代表人证件类型", words.get(person.get("id_type"), person.get("id_type") or "—")),
            ("法定代表人证件号码", masked(person.get("id_number") or "") or "—"),
        ], "修改法定代表人信息", start_url(REPRESENTATIVE_CHANGE)),
    ]  # fmt: skip


def account_rows(user: User, company: Enterprise) -> list[tuple[str, str, str, str, str]]:
    """账号信息 (M77): (label, value, explanation, what the link says, url)."""
    words, papers = dict(PERSON_PAPERS), user.papers or {}
    owner = "单位管理员" if user.role == "administrator" else "操作员"
    paper = words.get(papers.get("id_type", "id-card"), "")
    number = Sentence("", "{paper} {number}", paper=paper, number=masked(user.id_number)) if user.id_number else ""
    return [
        (owner, user.real_name or "—", number, "修改", url_for("account.edit_owner")),
        ("登录密码", "********", "安全性高的密码可以使账号更安全, 建议定期更换密码", "修改", url_for("account.edit_password")),
        ("IC卡密码", "********", "修改卡介质密码。", "修改", url_for("account.show_card_password")),
        ("绑定手机", masked(user.mobile) or "—", "绑定手机可用于安全验证，找回密码等重要操作", "修改", url_for("account.edit_mobile")),
        ("接入地区", region_name(company), "换地区要审核", "修改", start_url(REGION_CHANGE)),
        ("邮箱", masked(user.email or "") or "—", "收通知、找回密码都用它", "修改", url_for("account.edit_mail")),
        ("账户设置", "", "账户设置提醒", "修改", url_for("account.edit_reminders")),
        ("我的登录", "", "在哪些电脑上登录着，可以退出", "查看", url_for("auth.list_logins")),
        ("活动记录", "", "本单位的人办过什么", "查看", url_for("account.list_activity")),
        ("账号注销", closing_words(user), "", "撤回" if user.closing_at else "办理", url_for("account.ask_closing")),
    ]  # fmt: skip


def region_name(company: Enterprise) -> str:
    region = current_app.config["REGION"]
    return next((row["short"] for row in region["regions"] if row["slug"] == company.access_region), region["short"])


def closing_words(user: User) -> str:
    return Sentence("", "{day}注销", day=f"{clock.local(user.closing_at):%Y-%m-%d}") if user.closing_at else ""


def open_items(principal) -> list[tuple[str, str, str, str]]:
    """What waits for this person here: (title, why, until, url)."""
    if not principal.enterprise_id:
        return []
    ending = [card for card in cards_of(principal.user_id) if card.not_after - clock.now() < SOON]
    items = [(f"卡{card.card_number}快到期或已到期", "请到制卡中心更新证书", f"{clock.local(card.not_after):%Y-%m-%d}",
              url_for("account.list_cards")) for card in ending]  # fmt: skip
    if principal.account_type in ("three-in-one", "enterprise-unit", "institution") and not _has_code(principal):
        items.append(("还没有选用海关编码", "从海关登记更新，再选一个", "", url_for("account.show_qualifications")))
    if principal.role == "administrator" and (wishes := open_join_requests(principal.enterprise_id)):
        names = "、".join(row.person["name"] for row in wishes)
        items.append(("有人想加入本单位", names, "", url_for("account.list_operators")))
    user = session.get(User, principal.user_id)
    if user.closing_at:
        items.append(
            ("账号正在注销", "要留下请撤回", f"{clock.local(user.closing_at):%Y-%m-%d}", url_for("account.ask_closing"))
        )
    return items


def _has_code(principal) -> bool:
    return bool(session.get(Enterprise, principal.enterprise_id).active_code)

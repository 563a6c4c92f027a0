"""Pages 4001 and 4003: 单位管理员信息, 我的IC卡; what of the account waits for its owner."""

from datetime import timedelta

from flask import url_for

from blueprints.common import clock
from blueprints.common.access import MEMBER, current, page
from blueprints.common.challenges import NotAccepted, asked_of, create_challenge, open_challenge
from blueprints.common.checks import org_code_of
from blueprints.common.numbers import Sentence, masked
from blueprints.common.pages import show
from models.accounts import Enterprise, User, cards_of
from models.database import session

from .base import bp

ID_TYPES = {"id-card": "居民身份证", "passport": "护照", "other": "其他"}
SOON = timedelta(days=30)


@bp.get("/company")
@page("4001", "单位管理员信息", MEMBER)
def show_company():
    principal = current()
    company, user = session.get(Enterprise, principal.enterprise_id), session.get(User, principal.user_id)
    return show(
        "account/company.html", company=company, blocks=blocks(company, user), account=account_lines(user)
    )  # fmt: skip


def blocks(company: Enterprise, user: User) -> dict:
    """单位信息 (M73) and 法定代表人 (M74, M76): {heading: [(label, value)]}."""
    person = company.representative or {}
    return {
        "单位信息": [
            ("单位中文名称", company.name),
            ("统一社会信用代码", company.uscc or "—"),
            ("组织机构代码(主体标识码)", company.org_code or (org_code_of(company.uscc) if company.uscc else "—")),
            ("单位地址", company.address or "—"),
            ("海关编码", company.active_code or "—"),
        ],
        "法定代表人": [
            ("法定代表人姓名", person.get("name") or "—"),
            ("法定代表人证件类型", ID_TYPES.get(person.get("id_type"), person.get("id_type") or "—")),
            ("法定代表人证件号码", masked(person.get("id_number") or "") or "—"),
        ],
    }


def account_lines(user: User) -> list[tuple[str, str, str]]:
    """账号信息: (label, value, explanation)."""
    contact = user.contact or {}
    return [
        ("单位管理员" if user.role == "administrator" else "操作员", user.real_name or "—",
         f"居民身份证 {masked(user.id_number)}" if user.id_number else ""),
        ("登录密码", "********", "安全性高的密码可以使账号更安全, 建议定期更换密码"),
        ("IC卡密码", "********", "修改卡介质密码。"),
        ("绑定手机", masked(contact.get("mobile") or "") or "—", "绑定手机可用于安全验证，找回密码等重要操作"),
        ("邮箱", masked(user.email or "") or "—", ""),
    ]  # fmt: skip


@bp.get("/cards")
@page("4003", "我的IC卡", MEMBER)
def list_cards():
    return render_cards()


def render_cards(error: Sentence | None = None):
    cards = [(card, *card_state(card)) for card in cards_of(current().user_id)]
    return show("account/cards.html", cards=cards, error=error)


def card_state(card) -> tuple[str, str]:
    left = card.not_after - clock.now()
    if left < timedelta(0):
        return "warn", "证书已过期，请到制卡中心更新"
    if left < SOON:
        return "warn", f"还有{left.days}天到期，请早点更新"
    return "tick", "可以用"


@bp.post("/cards/bind")
@page("4003", "我的IC卡", MEMBER)
def start_binding():
    principal, here = current(), url_for("account.list_cards")
    try:
        challenge, cookie = create_challenge(
            "bind", asked_of(principal, "把这张卡绑定到账号"), user_id=principal.user_id,
            enterprise_id=principal.enterprise_id, next_path=here, again_path=here,
        )  # fmt: skip
    except NotAccepted as refused:
        return render_cards(refused.sentence)
    session.commit()
    return open_challenge(challenge, cookie)


def open_items(principal) -> list[tuple[str, str, str, str]]:
    """What waits for this person here: (title, why, until, url)."""
    if not principal.enterprise_id:
        return []
    ending = [card for card in cards_of(principal.user_id) if card.not_after - clock.now() < SOON]
    items = [(f"卡{card.card_number}快到期或已到期", "请到制卡中心更新证书", f"{clock.local(card.not_after):%Y-%m-%d}",
              url_for("account.list_cards")) for card in ending]  # fmt: skip
    if not session.get(Enterprise, principal.enterprise_id).active_code:
        items.append(("还没有选用海关编码", "从海关登记更新，再选一个", "", url_for("account.show_qualifications")))
    return items

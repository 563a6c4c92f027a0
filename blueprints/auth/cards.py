"""Pages 3003 and 3004: login by card, the page beside the card bridge, and the browser's way back from it."""

import base64

import click
from flask import abort, current_app, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from blueprints.common import clock
from blueprints.common.access import PUBLIC, current, page
from blueprints.common.challenges import (
    IDLE_TIME,
    PIN_TIME,
    NotAccepted,
    card_type,
    cookie_prefix,
    create_challenge,
    digest,
    end,
    held_cookie,
    is_expired,
    kill,
    last_report,
    lines_of,
    on_release,
    open_challenge,
    refusal_of,
)
from blueprints.common.checks import org_code_of
from blueprints.common.numbers import Sentence
from blueprints.common.pages import safe_next, show, show_problem
from blueprints.common.wizard_base import hold_draft, office, place_url, wizard_of
from gateways.card_answers import check_number, request_id
from models.accounts import find_card, find_organisation
from models.challenges import find_challenge, newest_challenge, report_lost
from models.database import session

from . import protocol
from .base import bp, query_of
from .entering import enter

WORDS = {"login": "用卡登录", "bind": "绑定卡", "real-name": "IC卡认证", "batch": "签名"}
ENDED = ("warn", "bad")


@bp.get("/login/card")
@page("3003", "卡介质方式登录", PUBLIC)
def show_card_login():
    return show("auth/card_login.html", next=safe_next(request.args.get("next")) or "", error=None)


@bp.post("/login/card")
@page("3003", "卡介质方式登录", PUBLIC)
def start_card_login():
    target = safe_next(request.form.get("next"))
    payload = {"网站": current_app.config["REGION"]["name"], "要做什么": "用卡登录",
               "时间": f"{clock.local(clock.now()):%Y-%m-%d %H:%M}"}  # fmt: skip
    try:
        challenge, cookie = create_challenge(
            "login", payload, next_path=target or "", again_path=url_for("auth.show_card_login") + query_of(next=target)
        )
    except NotAccepted as refused:
        return show("auth/card_login.html", next=target or "", error=refused.sentence)
    session.commit()
    return open_challenge(challenge, cookie)


@on_release("login")
def log_in_by_card(challenge, card):
    """Only a card that is bound to an account opens it; a renewed certificate of the same card is taken over."""
    bound = find_card(card.card_number)
    if bound is None:
        return begin_registration(challenge, card)
    user = bound.user
    if user.enterprise is None or user.enterprise.uscc != card.uscc:
        raise NotAccepted(
            Sentence("90532", "卡里的单位和账号的单位不一样了，不能用它登录；请用用户名和密码登录后重新绑定")
        )
    if not user.is_owned_by(card.holder_id):
        raise NotAccepted(
            Sentence("90283", "账号的所有人换了，这张卡不能再登录；请用用户名和密码登录，再绑定账号所有人本人的卡")
        )
    if not user.is_active:
        raise NotAccepted(Sentence("90507", "这个账号已经停用，请找本单位的管理员，或打客服热线"))
    bound.certificate, bound.serial, bound.not_after = challenge.certificate, card.serial_hex, card.not_after
    kind = bound.card_type = card_type(card)
    target = challenge.next_path or None
    return enter(user, target, medium=kind, card_number=card.card_number, card_until=card.not_after)


def begin_registration(challenge, card) -> str:
    """A 法人卡 whose company is not known here opens a registration filled from its certificate (M216)."""
    if find_organisation(org_code_of(card.uscc)):
        raise NotAccepted(Sentence("90531", "卡{card}还没有绑定账号。请先用用户名和密码登录，到“我的IC卡”绑定；"
                                   "单位还没有注册的，请先注册", card=card.card_number))  # fmt: skip
    if card_type(card) != "法人卡":
        raise NotAccepted(Sentence("90533", "“{company}”还没有在这里注册。第一次请用本单位的法人卡登录，"
                                   "系统会按卡里的资料替您填好注册表", company=card.company))  # fmt: skip
    given = {
        "card_number": card.card_number, "company": card.company, "uscc": card.uscc, "holder": card.holder,
        "holder_id": card.holder_id, "serial": card.serial_hex, "not_after": card.not_after.isoformat(),
        "certificate": base64.b64encode(challenge.certificate).decode(),
    }  # fmt: skip
    document = office().start("registration", None, given)
    hold_draft(document)
    flash("这张卡的单位还没有注册。卡里有的已经替您填好，请接着填。")
    return place_url(wizard_of(document), document, "type")


@bp.get("/card/challenges/<uuid:id>")
@page("3004", "请用电子口岸卡确认", PUBLIC)
def show_challenge(id):
    """Reports and never completes anything; only the browser that began sees it."""
    challenge = find_challenge(id=id)
    cookie = challenge and held_cookie(challenge)
    if not cookie:
        return answer_gone()
    if challenge.is_waiting and is_expired(challenge):
        kill(challenge, "expired")
    asked = request_id(cookie)
    settings = current_app.config["SETTINGS"]
    return show(
        "card/challenge.html", challenge=challenge, lines=lines_of(challenge), what=WORDS[challenge.purpose],
        check=check_number(asked), link=f"{settings.bridge_origin}/requests/{asked}?portal={settings.public_origin}",
        until=challenge.created_at + PIN_TIME, idle=challenge.progress_at + IDLE_TIME, report=last_report(challenge),
        refusal=refusal_of(challenge), done=challenge.next_path or url_for("portal.show_workspace"),
    )  # fmt: skip


def answer_gone(number: str = "90515"):
    says = [
        (*ENDED, "没有这次请求：它是在另一个浏览器里开始的，或者早就办完、过期了。"),
        ("pencil", "todo", "链接是别人发来的，一律不要打开；自己办的，请从原来的页面重新开始。"),
    ]
    return show_problem(
        number, "这次请求不能用了", says, http_status=410, actions=[("用卡登录", url_for("auth.show_card_login"))]
    )


@bp.post("/card/challenges/<uuid:id>/cancel")
@page(None, "不办了", PUBLIC)
def cancel_challenge(id):
    challenge = find_challenge(lock=True, id=id)
    if challenge is None or not held_cookie(challenge):
        abort(404)
    end(challenge, "cancelled")
    session.commit()
    return redirect(challenge.again_path, 303)


@bp.get("/card/return")
@page("3004", "请用电子口岸卡确认", PUBLIC)
def come_back():
    """With a code of the bridge: releases, in the browser that began only. Without one: shows the newest request."""
    if request.method == "HEAD" or request.headers.get("Sec-Purpose", request.headers.get("Purpose", "")):
        abort(405)  # a look ahead by the browser must not use the code up
    code = request.args.get("code")
    if not code:
        return show_newest()
    principal = current()
    try:
        result, challenge = protocol.release(code, held_cookie, principal and principal.user_id)
    except protocol.NotReleased as refused:
        challenge = refused.challenge
        if challenge is None or not held_cookie(challenge):
            return answer_gone()
        return redirect(url_for("auth.show_challenge", id=challenge.id), 303)
    if isinstance(result, Response):
        return result
    return redirect(result or challenge.next_path or url_for("auth.show_challenge", id=challenge.id), 303)


def show_newest():
    held = [value for name, value in request.cookies.items() if name.startswith(cookie_prefix())]
    challenge = newest_challenge([digest(value) for value in held]) if held else None
    return redirect(url_for("auth.show_challenge", id=challenge.id), 303) if challenge else answer_gone()


@click.command("report-lost-card")
@click.argument("mark")
def report_lost_card(mark: str):
    """挂失: MARK is a card number, or a certificate's serial number in lower-case hexadecimal."""
    report_lost(mark, clock.now())
    session.commit()
    click.echo(f"{mark}: reported lost")

"""Pages 8030 and 8031: how sending stands, what did not get to customs, 暂停 and 继续, 自动加签 on and off."""

from dataclasses import dataclass
from uuid import UUID

from flask import flash, redirect, request, url_for

from blueprints.common import access, clock
from blueprints.common.access import CARDS, SUBMIT, get_or_404, needs_right, page
from blueprints.common.history import record
from blueprints.common.numbers import Sentence
from models import channels
from models.channels import ProfileChannel
from models.database import session
from models.exports import CompanyProfile, find_profile

from .base import NEEDS, PUSH_NEEDS, bp, show_here
from .channels import channel_choices, signer_choices
from .kinds import KINDS
from .sending import from_row, resend

SWITCH_NEEDS = needs_right(
    "exports", SUBMIT, role=("administrator",), medium=CARDS, verified=True, code=True, unguarded=True
)
MOST = 100  # messages that are listed, and sent again at once
ACTS = {"send": "发送", "receive": "取回执", "sign": "加签"}


@dataclass(frozen=True)
class Way:
    """One 企业资料 and how it sends, listens and signs; `troubles`: [(act, Sentence, when it is tried again)]."""

    profile: CompanyProfile
    settings: ProfileChannel | None
    sends: str
    receives: str
    signs: str
    stopped: Sentence | None
    troubles: list[tuple]


def ways_of(enterprise_id: UUID, code: str) -> list[Way]:
    offered, signers, ways = dict(channel_choices()), dict(signer_choices()), []
    holds = channels.holds_of(enterprise_id)
    for profile, row in channels.lines_of(enterprise_id):
        if profile.customs_code != code:
            continue
        send, receive, signer = (row.send_host, row.receive_host, row.signer) if row else ("", "", "")
        troubles = [(ACTS[h.act], from_row(h.sentence), h.next_at) for h in holds if h.dxp_id == profile.dxp_id]
        ways.append(
            Way(profile, row, offered.get(send, send), offered.get(receive, receive), signers.get(signer, signer),
                from_row(row.problem) if row else None, troubles)
        )  # fmt: skip
    return ways


@bp.get("/sending")
@page("8030", "发送情况", NEEDS)
def show_sending():
    principal = access.current()
    waiting = channels.waiting_of(principal.enterprise_id, principal.code)
    return show_here(
        "sending.html", pause=channels.find_pause(principal.enterprise_id), waiting=waiting, kinds=KINDS,
        ways=ways_of(principal.enterprise_id, principal.code), reason_of=reason_of, most=MOST,
        rows=channels.dead_letters(principal.enterprise_id, principal.code, MOST),
    )  # fmt: skip


def reason_of(message, refusal) -> Sentence | str:
    """Why a message did not get there: what the channel said, else what the platform said later."""
    return from_row(refusal.sentence) if refusal else message.problem


@bp.post("/sending/resend")
@page(None, "再发一次", PUSH_NEEDS)
def resend_messages():
    """`message`: one id; without it all that page 8030 lists."""
    principal = access.current()
    rows = channels.dead_letters(principal.enterprise_id, principal.code, MOST)
    if one := request.form.get("message"):
        rows = [row for row in rows if str(row[0].id) == one]
        get_or_404(rows or None)
    sent = [message for message, _ in rows if resend(message)]
    if not sent:
        flash(Sentence("90806", "没有要再发的报文，请刷新后再看"))
        return redirect(url_for("exports.show_sending"), 303)
    record("再发报文", "sending", principal, messages=len(sent))
    session.commit()
    flash(f"已经再发{len(sent)}份报文，内容和上次一样。")
    return redirect(url_for("exports.show_sending"), 303)


@bp.post("/sending/pause")
@page(None, "暂停发送", PUSH_NEEDS)
def pause_sending():
    principal = access.current()
    channels.pause(principal.enterprise_id, principal.name, clock.now())
    record("暂停发送", "sending", principal)
    session.commit()
    flash("已暂停。签好的报文都留着，点「继续发送」就接着发。")
    return redirect(url_for("exports.show_sending"), 303)


@bp.post("/sending/go-on")
@page(None, "继续发送", PUSH_NEEDS)
def go_on_sending():
    """Ends a pause; what waits for its next try is tried at once."""
    principal = access.current()
    channels.go_on(principal.enterprise_id)
    channels.try_now(principal.enterprise_id, clock.now())
    record("继续发送", "sending", principal)
    session.commit()
    flash("已继续，几秒内就会再发。")
    return redirect(url_for("exports.show_sending"), 303)


def get_settings_or_404(id) -> tuple[CompanyProfile, ProfileChannel]:
    profile = get_or_404(find_profile(access.current().enterprise_id, id))
    return profile, get_or_404(channels.find_settings(profile.id, lock=request.method == "POST"))


@bp.get("/sending/unattended/<uuid:id>")
@page("8031", "打开自动加签", SWITCH_NEEDS)
def ask_unattended(id):
    profile, row = get_settings_or_404(id)
    return show_here(
        "sending_unattended.html", profile=profile, signs=dict(signer_choices()).get(row.signer, ""), row=row
    )


@bp.post("/sending/unattended/<uuid:id>")
@page(None, "打开自动加签", SWITCH_NEEDS)
def switch_on_unattended(id):
    principal, (profile, row) = access.current(), get_settings_or_404(id)
    if row.signer not in dict(signer_choices()) or not row.signer:
        flash(Sentence("90802", "没有选加签地址，请先在企业资料里选好「加签地址」"))
        return redirect(url_for("exports.edit_profile", id=id), 303)
    row.unattended_at, row.unattended_by = clock.now(), f"{principal.name} {principal.card_number}"
    record("打开自动加签", f"profile:{profile.id}", principal, medium=principal.medium)
    session.commit()
    flash("自动加签已打开，以后推送不用插卡。")
    return redirect(url_for("exports.show_sending"), 303)


@bp.post("/sending/attended/<uuid:id>")
@page(None, "关掉自动加签", PUSH_NEEDS)
def switch_off_unattended(id):
    """Back to the card; needs none, so that it can be done at once."""
    principal, (profile, row) = access.current(), get_settings_or_404(id)
    row.unattended_at, row.unattended_by = None, ""
    record("关掉自动加签", f"profile:{profile.id}", principal)
    session.commit()
    flash("自动加签已关掉，以后推送要插卡签名。")
    return redirect(url_for("exports.show_sending"), 303)

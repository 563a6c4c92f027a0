"""Pages 4074–4076: 通知地址 of a program: where it is told of changes, its secret, what was sent there, a test."""

import secrets

from flask import current_app, flash

from blueprints.common import clock
from blueprints.common.access import ADMINISTRATOR, DELICATE_ADMINISTRATOR, MEMBER, current, get_or_404, page
from blueprints.common.fields import DocumentForm, Problem, Text
from blueprints.common.history import record
from blueprints.common.limits import Limit
from blueprints.common.numbers import Sentence
from blueprints.common.pages import go
from blueprints.common.plain_forms import page_case, summary_of, typed_fields
from blueprints.common.tokens import READ
from blueprints.common.webhooks import EVENTS, TEST, new_notice, sentence_of
from gateways.webhooks import BadAddress, Unresolved, check_address
from models.clients import ImportClient
from models.database import session
from models.webhooks import Webhook, deliveries_of, find_webhook, lock_webhook, remove_webhook

from .base import bp, show_here
from .clients import get_own_client_or_404

SHOWN = 50  # deliveries
TESTS = Limit("webhook-test", 10, 10)
WRONG = {
    "form": Sentence("90869", "通知地址写不对，要像https://erp.example.com/eport这样，不能带用户名、空格和#"),
    "https": Sentence("90869", "通知地址要用https开头"),
    "port": Sentence("90869", "通知地址的端口要用443，或者1024以上的"),
    "private": Sentence("90870", "通知地址指向内网或本机，不能用；请换一个公网上能打开的地址"),
}
UNRESOLVED = Sentence("90871", "查不到通知地址里的域名，请核对；刚申请的域名请等生效以后再填")


class WebhookForm(DocumentForm):
    """通知地址."""

    url = Text("通知地址", number="407401", limit=500, span=True, hint="程序收通知的网址，用https开头，公网上能打开")


def live_client_or_404(id) -> ImportClient:
    """One that still works and may read what it is told of."""
    client = get_own_client_or_404(id)
    return get_or_404(client if client.works_at(clock.now()) and READ in client.scopes else None)


def form_of(webhook: Webhook | None, typed=None) -> WebhookForm:
    return WebhookForm(page_case(), "webhook", typed, suggested={"url": webhook.url} if webhook else {})


@bp.get("/clients/<uuid:id>/webhook")
@page("4074", "通知地址", DELICATE_ADMINISTRATOR)
def edit_webhook(id):
    client = live_client_or_404(id)
    return show_webhook(client, form_of(find_webhook(client.id)))


def show_webhook(client: ImportClient, form: WebhookForm, problems=()):
    return show_here(
        "client_webhook.html", client=client, form=form, problems=summary_of(problems), webhook=find_webhook(client.id)
    )


@bp.post("/clients/<uuid:id>/webhook")
@page("4076", "通知的密钥", DELICATE_ADMINISTRATOR)
def save_webhook(id):
    """Each address gets a new secret, which is in this one answer. The host is asked for before anything is stored."""
    client, form = live_client_or_404(id), form_of(None, typed_fields())
    session.commit()
    if problems := form.check() or what_is_wrong_with(form):
        return show_here(
            "client_webhook.html", number="4074", client=client, form=form, problems=summary_of(problems),
            webhook=find_webhook(client.id),
        )  # fmt: skip
    secret = keep_webhook(client, form.values["url"])
    session.commit()
    return show_here("client_secret.html", client=client, url=form.values["url"], secret=secret)


def what_is_wrong_with(form: WebhookForm) -> list[Problem]:
    try:
        check_address(form.values["url"], current_app.config["SETTINGS"].sandbox_origin)
    except BadAddress as bad:
        sentence = WRONG[bad.reason]
    except Unresolved:
        sentence = UNRESOLVED
    else:
        return []
    form.url.errors = [sentence]
    return [Problem("webhook/url", sentence.number, sentence)]


def keep_webhook(client: ImportClient, url: str) -> str:
    """Gives the new secret. Changes from now on are told; what was on its way to the old address ends."""
    if before := find_webhook(client.id):
        remove_webhook(before)
    secret, now = f"whsec_{secrets.token_urlsafe(32)}", clock.now()
    webhook = Webhook(client_id=client.id, url=url, seen_to=now, changed_at=now, changed_by=current().name)
    webhook.secret = secret
    session.add(webhook)
    record("保存通知地址", f"client:{client.id}", current(), name=client.name)
    return secret


@bp.get("/clients/<uuid:id>/deliveries")
@page("4075", "通知记录", MEMBER)
def list_deliveries(id):
    client = get_own_client_or_404(id)
    webhook = get_or_404(find_webhook(client.id))
    rows = [(each, sentence_of(each)) for each in deliveries_of(webhook.id, SHOWN)]
    return show_here(
        "client_deliveries.html", client=client, webhook=webhook, rows=rows, is_live=client.works_at(clock.now()),
        may_change=current().role == "administrator", events=EVENTS,
    )  # fmt: skip


def own_webhook_or_404(id) -> tuple[ImportClient, Webhook]:
    client = live_client_or_404(id)
    found = get_or_404(find_webhook(client.id))
    return client, get_or_404(lock_webhook(found.id))


@bp.post("/clients/<uuid:id>/webhook/test")
@page(None, "试发一条通知", ADMINISTRATOR)
def try_webhook(id):
    client, webhook = own_webhook_or_404(id)
    if wait := TESTS.minutes_left(str(client.id)):
        flash(Sentence("90879", "试得太勤，请过{wait}分钟再试", wait=wait))
        return go("account.list_deliveries", id=id)
    TESTS.add(str(client.id))
    session.add(new_notice(webhook, client, TEST, {}))
    session.commit()
    flash("已经试发，几秒后刷新这一页看结果。")
    return go("account.list_deliveries", id=id)


@bp.post("/clients/<uuid:id>/webhook/again")
@page(None, "重新打开通知", ADMINISTRATOR)
def open_webhook_again(id):
    """What changed meanwhile is told at once."""
    client, webhook = own_webhook_or_404(id)
    webhook.stopped_at = None
    record("重新打开通知", f"client:{client.id}", current(), name=client.name)
    session.commit()
    flash("通知已重新打开，停下期间的变化会补发。")
    return go("account.list_deliveries", id=id)


@bp.post("/clients/<uuid:id>/webhook/remove")
@page(None, "删除通知地址", ADMINISTRATOR)
def delete_webhook(id):
    client = get_own_client_or_404(id)
    remove_webhook(get_or_404(find_webhook(client.id)))
    record("删除通知地址", f"client:{client.id}", current(), name=client.name)
    session.commit()
    flash("通知地址已删除，不会再往那里发通知。")
    return go("account.list_clients")

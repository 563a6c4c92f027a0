"""Pages 4006, 4071–4073: 自动导入客户端管理 (M90), programs of the company that bring files and fetch receipts by a token."""

import re
import secrets
from datetime import timedelta

from flask import flash

from blueprints.common import clock
from blueprints.common.access import ADMINISTRATOR, DELICATE_ADMINISTRATOR, MEMBER, current, get_or_404, page
from blueprints.common.fields import CaseRule, Choice, Choices, DocumentForm, Problem, Rule, Text
from blueprints.common.history import record
from blueprints.common.numbers import Sentence
from blueprints.common.pages import go
from blueprints.common.plain_forms import page_case, summary_of, typed_fields
from blueprints.common.tokens import READ, SCOPES, WRITE, hash_of, read_networks
from models.accounts import users_of
from models.clients import ImportClient, clients_of, find_own_client
from models.codes import codes_of
from models.database import session
from models.webhooks import clients_with_webhook

from .base import bp, show_here

MOST = 20  # clients of a company that may work at the same time
STARTS = ((re.compile(r"[A-Za-z]:\\"), "\\", 1), (re.compile(r"\\\\"), "\\", 2), (re.compile("/"), "/", 1))
DAYS = [("30", "30天"), ("90", "90天"), ("180", "180天"), ("365", "一年（最长）")]
MOST_ADDRESSES = 20
SUGGESTED = {
    "send_folder": r"C:\ImpPath\OutBox", "receive_folder": r"C:\ImpPath\InBox", "scopes": [READ, WRITE], "days": "365",
}  # fmt: skip


def is_folder(text: str) -> bool:
    r"""A whole path to a folder: C:\…, \\computer\share or /…, with no part that leads upwards."""
    for start, separator, least in STARTS:
        if found := start.match(text):
            parts = text[found.end() :].removesuffix(separator).split(separator)
            return len(parts) >= least and all(is_part(part) for part in parts)
    return False


def is_part(name: str) -> bool:
    """What Windows takes as the name of a folder; other systems take it too."""
    return bool(name) and name[-1] not in " ." and not set(name) & set('\\/:*?"<>|\t\r\n')


FOLDER = Rule("90720", r"文件夹要写完整的路径，像C:\ImpPath\OutBox、\\电脑名\共享名或/srv/imp/out", is_folder)
OTHER = CaseRule(
    "90721", "接收文件夹要和发送文件夹分开，不然收到的又会当成要发的，请换一个",
    lambda folder, case: folder.rstrip("\\/").casefold() != case.here["send_folder"].rstrip("\\/").casefold(),
)  # fmt: skip


def are_networks(text: str) -> bool:
    try:
        return len(read_networks(text)) <= MOST_ADDRESSES
    except ValueError:
        return False


NETWORKS = Rule("90875", "IP地址写成203.0.113.5或203.0.113.0/24，最多20个，中间用逗号或换行隔开", are_networks)


class ClientForm(DocumentForm):
    """登记客户端."""

    name = Text("客户端名称", number="407101", limit=40, hint="自己起，像“仓库电脑”")
    customs_code = Choice(
        "海关编码", number="407102", options=lambda case: case.choices["codes"], hint="这个客户端只用这一个编码"
    )
    send_folder = Text(
        "发送文件夹", FOLDER, number="407103", limit=200, span=True, hint="客户端所在的电脑上，放要导入的文件"
    )
    receive_folder = Text(
        "接收文件夹", FOLDER, OTHER, number="407104", limit=200, span=True, hint="客户端所在的电脑上，放取回的文件"
    )
    scopes = Choices(
        "接口权限", number="407105", required=False, span=True, options=list(SCOPES.items()),
        hint="程序通过接口能做什么；都不选，就只能报到",
    )  # fmt: skip
    days = Choice("令牌用多久", number="407106", options=DAYS, hint="到期要重新登记")
    addresses = Text(
        "只能从这些IP地址用", NETWORKS, number="407107", required=False, limit=900, long=True, span=True,
        hint="一行一个，像203.0.113.5或203.0.113.0/24；空着就不限",
    )  # fmt: skip


@bp.get("/clients")
@page("4006", "自动导入客户端管理", MEMBER)
def list_clients():
    principal = current()
    people = {user.id: user.shown_name for user in users_of(principal.enterprise_id)}
    rows = [(client, people.get(client.user_id, "—")) for client in clients_of(principal.enterprise_id)]
    return show_here(
        "clients.html", rows=rows, may_change=principal.role == "administrator", scopes=SCOPES, now=clock.now(),
        hooked=clients_with_webhook(principal.enterprise_id),
    )  # fmt: skip


def client_form(typed=None) -> ClientForm:
    principal = current()
    codes = [(row.code, row.code) for row in codes_of(principal.enterprise_id, clock.today())]
    suggested = SUGGESTED | {"customs_code": principal.code or ""}
    return ClientForm(page_case(codes=codes), "client", typed, suggested=suggested)


@bp.get("/clients/new")
@page("4071", "登记客户端", DELICATE_ADMINISTRATOR)
def start_client():
    return show_client_form(client_form())


def show_client_form(form: ClientForm, problems=()):
    return show_here("client_form.html", form=form, problems=summary_of(problems))


@bp.post("/clients/new")
@page("4072", "客户端的令牌", DELICATE_ADMINISTRATOR)
def add_client():
    """The token is in this one answer; nothing but its hash is kept. Sent again, the name is taken already."""
    form = client_form(typed_fields())
    if problems := form.check() or what_stands_against(form):
        return show_here("client_form.html", number="4071", form=form, problems=summary_of(problems))
    token = f"eport_{secrets.token_urlsafe(32)}"
    client = register_client(form.values, token)
    session.commit()
    words = "、".join(SCOPES[each] for each in client.scopes) or "只能报到"
    return show_here("client_token.html", client=client, token=token, scopes_words=words)


def what_stands_against(form: ClientForm) -> list[Problem]:
    live = [client for client in clients_of(current().enterprise_id) if client.works_at(clock.now())]
    if form.values["name"] in [client.name for client in live]:
        taken = Sentence("90722", "已经登记过叫“{name}”的客户端；令牌丢了，请先作废它再登记", name=form.values["name"])
        form.name.errors = [taken]
        return [Problem("client/name", taken.number, taken)]
    if len(live) >= MOST:
        full = Sentence("90723", "在用的客户端已经有{most}个，请先作废不用的", most=MOST)
        return [Problem("client/name", full.number, full)]
    return []


def register_client(values: dict, token: str) -> ImportClient:
    principal, now = current(), clock.now()
    client = ImportClient(
        enterprise_id=principal.enterprise_id, user_id=principal.user_id, customs_code=values["customs_code"],
        name=values["name"], send_folder=values["send_folder"], receive_folder=values["receive_folder"],
        token_hash=hash_of(token), scopes=values["scopes"], addresses=read_networks(values["addresses"]), created_at=now,
        expires_at=now + timedelta(days=int(values["days"])),
    )  # fmt: skip
    session.add(client)
    record("登记客户端", f"client:{client.id}", principal, name=client.name, code=client.customs_code,
           rights="、".join(SCOPES[each] for each in client.scopes))  # fmt: skip
    return client


def get_own_client_or_404(id) -> ImportClient:
    return get_or_404(find_own_client(current().enterprise_id, id))


@bp.get("/clients/<uuid:id>/revoke")
@page("4073", "作废客户端", ADMINISTRATOR)
def ask_revoke_client(id):
    return show_here("client_revoke.html", client=get_own_client_or_404(id))


@bp.post("/clients/<uuid:id>/revoke")
@page("4073", "作废客户端", ADMINISTRATOR)
def revoke_client(id):
    """Also within the days after a recovery: taking a way in away is never dangerous."""
    client = get_own_client_or_404(id)
    if client.revoked_at is None:
        client.revoked_at = clock.now()
        record("作废客户端", f"client:{client.id}", current(), name=client.name)
    session.commit()
    flash(f"客户端“{client.name}”已作废，它的令牌马上失效。")
    return go("account.list_clients")

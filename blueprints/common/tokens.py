"""Tokens of programs (M90): whose token came with a request, and as whom it acts.

A token is nobody's login: it opens no page, its medium `token` satisfies no need of a card, and it may do no more than
its scopes and the rights that the account which registered it has today.
"""

import hashlib
import ipaddress

from flask import request

from models.accounts import Enterprise, User
from models.clients import ImportClient, find_client
from models.codes import codes_of
from models.database import session

from . import clock
from .access import Principal
from .limits import Limit
from .numbers import Sentence

MEDIUM = "token"
READ, WRITE, PUSH = "orders:read", "orders:write", "push"
SCOPES = {READ: "查订单、状态和回执", WRITE: "导入订单、生成申报数据", PUSH: "推送（要先插卡打开自动加签）"}
BY_ADDRESS = Limit("client-unknown", 60, 10)  # tokens that opened nothing


class TokenRefused(Exception):
    """The request is answered by `status` and `sentence`; `wait`: seconds until it may come again."""

    def __init__(self, status: int, sentence: Sentence, wait: int = 0):
        super().__init__(sentence)
        self.status, self.sentence, self.wait = status, sentence, wait


def hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def too_often(minutes: int) -> TokenRefused:
    return TokenRefused(429, Sentence("90731", "问得太勤，请过{wait}分钟再来", wait=minutes), minutes * 60)


def client_of_request() -> ImportClient:
    """Whose token was sent. Raises `TokenRefused`: unknown, revoked, its owner stopped and its company closed are one."""
    address = request.remote_addr or ""
    if wait := BY_ADDRESS.minutes_left(address):
        raise too_often(wait)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    client = find_client(hash_of(token.strip())) if scheme.lower() == "bearer" else None
    if client is None or not is_alive(client):
        BY_ADDRESS.add(address)
        raise TokenRefused(
            401, Sentence("90730", "令牌不对或已经作废，请本单位的管理员在“自动导入客户端管理”里重新登记")
        )
    _check_use(client, address)
    return client


def _check_use(client: ImportClient, address: str) -> None:
    """Not after its end, only from its addresses, only under a code that the company holds today."""
    if client.expires_at <= clock.now():
        raise TokenRefused(401, Sentence("90850", "令牌{day}到期了，请本单位的管理员重新登记客户端",
                                         day=f"{clock.local(client.expires_at):%Y年%m月%d日}"))  # fmt: skip
    if client.addresses and not is_within(address, client.addresses):
        raise TokenRefused(
            403, Sentence("90851", "这个令牌不能从{address}用，要用请在登记客户端时写上这个地址", address=address)
        )
    if not holds_code(client):
        raise TokenRefused(403, Sentence("90732", "海关编码{code}已经失效或不再属于本单位，这个客户端不能用了，请作废后用有效的编码重新登记",
                                         code=client.customs_code))  # fmt: skip


def is_alive(client: ImportClient) -> bool:
    user, company = session.get(User, client.user_id), session.get(Enterprise, client.enterprise_id)
    return user.is_active and user.enterprise_id == company.id and company.closed_at is None


def holds_code(client: ImportClient) -> bool:
    """Whether its company still holds the code that it acts under."""
    return client.customs_code in [row.code for row in codes_of(client.enterprise_id, clock.today())]


def is_within(address: str, networks: list[str]) -> bool:
    """`networks`: as `read_networks` gives them."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in ipaddress.ip_network(network) for network in networks)


def read_networks(text: str) -> list[str]:
    """IP addresses and networks, between them spaces, commas or lines. Raises ValueError."""
    parts = text.replace(",", " ").replace("，", " ").replace("、", " ").split()
    return list(dict.fromkeys(str(ipaddress.ip_network(part, strict=False)) for part in parts))


def principal_of(client: ImportClient) -> Principal:
    """As whom the token acts: role and rights are those that its account has now."""
    user, company = session.get(User, client.user_id), session.get(Enterprise, client.enterprise_id)
    return Principal(
        user_id=user.id, name=f"客户端“{client.name}”", role=user.role, enterprise_id=company.id,
        enterprise_name=company.name, uscc=company.uscc, code=client.customs_code, medium=MEDIUM, level=company.level,
        origin=company.origin, account_type=company.account_type, rights=user.rights,
    )  # fmt: skip

"""A portal of the smallest kind that obeys the protocol: claim, quarantine, release, batch storage."""

import base64
import hashlib
import json
import re
import secrets
import time
from dataclasses import dataclass, field
from decimal import Decimal

import portal_checks as checks
from aiohttp import web
from lxml import etree

ID = re.compile(r"[A-Za-z0-9_-]{43}\Z")
PAYLOADS = {
    "login": {"网站": "测试门户", "时间": "2026年11月21日10:32"},
    "bind": {"账号": "tangshan01", "单位": "示例外贸（唐山）有限公司"},
    "real-name": {"单位": "示例外贸（唐山）有限公司"},
}


@dataclass
class Challenge:
    """A row. state: new → claimed → quarantined → released → finished; or killed, with the reason."""

    purpose: str
    payload: bytes
    messages: list[bytes]
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    nonce: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    state: str = "new"
    reason: str = ""
    post_key: str = ""
    code: str = ""
    answer: dict | None = None
    signed: dict[int, bytes] = field(default_factory=dict)
    reports: list[tuple[str, int]] = field(default_factory=list)
    created: float = field(default_factory=time.time)

    @property
    def id(self) -> str:
        digest = hashlib.sha256(b"eport-request-id/v1\0" + self.cookie.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    @property
    def check_number(self) -> str:
        number = int(hashlib.sha256(b"eport-check/v1\0" + self.id.encode()).hexdigest()[:16], 16)
        return str(number % 10_000).zfill(4)

    def kill(self, reason: str) -> None:
        self.state, self.reason, self.answer, self.code = "killed", reason, None, ""


def batch_payload(messages: list[bytes], orders: int) -> dict:
    sums: dict[str, Decimal] = {}
    for message in messages:
        for head in etree.fromstring(message).iter("{*}OrderHead"):
            currency, amount = head.findtext("{*}currency"), Decimal(head.findtext("{*}goodsValue"))
            sums[currency] = sums.get(currency, Decimal(0)) + amount
    return {
        "task": "T-0001",
        "enterprise": "东方物通科技(北京)有限公司",
        "uscc": "91110105MA00000000",
        "customs_code": "1105910159",
        "dxp_id": "DXPLGS0000000001",
        "profiles": ["rsa-sha1", "sm2-sm3"],
        "count": len(messages),
        "orders": len(messages) * orders,
        "sums": {key: str(value) for key, value in sums.items()},
        "sha256": [hashlib.sha256(checks.canonical(message)).hexdigest() for message in messages],
    }


class Portal:
    """All state of the stub, so that a test can look at it and play the dishonest portal."""

    def __init__(self, origin: str, authorities: list[bytes]) -> None:
        self.origin, self.authorities = origin, authorities
        self.rows: list[Challenge] = []
        self.pin_seconds = 300.0
        self.redirect_claims_to = ""
        self.minimum_version = self.protocol = ""
        self.claim_status = 0
        self.claim_bodies: list[dict] = []
        self.lose_replies_to_signature: int | None = None
        self.signatures_at_once, self.calls_with_several = 1, 0
        self.app = web.Application()
        base = "/card/requests/{id}"
        self.app.router.add_post(base + "/claim", self._claim)
        self.app.router.add_get(base + "/messages/{index}", self._message, allow_head=False)
        self.app.router.add_post(base + "/answer", self._answer)
        self.app.router.add_get(base + "/state", self._state)
        self.app.router.add_post(base + "/signatures/{index}", self._store)
        self.app.router.add_post(base + "/signatures", self._store_several)
        self.app.router.add_post(base + "/reports", self._report)
        self.app.router.add_get("/card/return", self._come_back)

    def create(self, purpose: str, messages: list[bytes] = (), orders: int = 1) -> Challenge:
        payload = batch_payload(messages, orders) if purpose == "batch" else PAYLOADS[purpose]
        self.rows.append(Challenge(purpose, json.dumps(payload, ensure_ascii=False).encode(), list(messages)))
        return self.rows[-1]

    def _row(self, http: web.Request, key: bool = True) -> Challenge:
        rows = [row for row in self.rows if row.id == http.match_info["id"] and row.state != "killed"]
        if not rows:
            gone = [row.reason for row in self.rows if row.id == http.match_info["id"]]
            raise web.HTTPNotFound(text=json.dumps({"reason": "".join(gone)}))
        row = rows[0]
        if row.state in ("new", "claimed", "quarantined") and time.time() > row.created + self.pin_seconds:
            row.kill("expired")
            raise web.HTTPGone(text='{"reason": "expired"}')
        if key and http.headers.get("Authorization") != f"Bearer {row.post_key}":
            row.kill("wrong-post-key")
            raise web.HTTPForbidden
        return row

    async def _claim(self, http: web.Request) -> web.Response:
        if self.redirect_claims_to:
            return web.Response(status=307, headers={"Location": self.redirect_claims_to})
        if self.claim_status:
            return web.Response(status=self.claim_status)
        row = self._row(http, key=False)
        self.claim_bodies.append(await http.json() if http.can_read_body else {})
        if row.state != "new":
            row.kill("second-claim")
            raise web.HTTPConflict
        row.state, row.post_key = "claimed", secrets.token_urlsafe(32)
        answer = {
            "purpose": row.purpose,
            "nonce": base64.b64encode(row.nonce).decode(),
            "payload": row.payload.decode(),
            "post_key": row.post_key,
            "seconds_left": row.created + self.pin_seconds - time.time(),
            "signatures_at_once": self.signatures_at_once,
        }
        versions = {"minimum_version": self.minimum_version, "protocol": self.protocol}
        return web.json_response(answer | {name: version for name, version in versions.items() if version})

    async def _message(self, http: web.Request) -> web.Response:
        return web.Response(
            body=self._row(http).messages[int(http.match_info["index"])], content_type="application/xml"
        )

    async def _answer(self, http: web.Request) -> web.Response:
        row, body = self._row(http), await http.json()
        # The same answer again (a lost reply) gets a fresh code; another answer, or a late one, kills.
        if row.state not in ("claimed", "quarantined") or (row.answer and row.answer != body):
            row.kill("second-answer")
            raise web.HTTPConflict
        row.answer, row.state, row.code = body, "quarantined", secrets.token_urlsafe(32)
        return web.json_response({"code": row.code})

    async def _state(self, http: web.Request) -> web.Response:
        return web.json_response({"state": self._row(http).state})

    async def _store(self, http: web.Request) -> web.Response:
        row, index = self._row(http), int(http.match_info["index"])
        self._keep(row, index, (await http.json())["signature"])
        if self.lose_replies_to_signature == index:
            self.lose_replies_to_signature = None
            raise web.HTTPBadGateway
        return web.json_response({"stored": index})

    async def _store_several(self, http: web.Request) -> web.Response:
        row, body = self._row(http), await http.json()
        if not 2 <= len(body["signatures"]) <= self.signatures_at_once:
            raise web.HTTPBadRequest
        self.calls_with_several += 1
        for index, signature in enumerate(body["signatures"], body["first"]):
            self._keep(row, index, signature)
        return web.json_response({})

    def _keep(self, row: Challenge, index: int, text: str) -> None:
        """Sent again after a lost reply, perhaps the last one: stored is stored."""
        if index in row.signed:
            return
        if row.state != "released" or index >= len(json.loads(row.payload).get("sha256", [])):
            raise web.HTTPConflict
        signature = base64.b64decode(text, validate=True)
        certificate = base64.b64decode(row.answer["certificate"])
        try:
            row.signed[index] = checks.signed_message(row.messages[index], certificate, signature)
        except checks.NotVerified as error:
            raise web.HTTPUnprocessableEntity from error
        row.state = "finished" if len(row.signed) == len(row.messages) else "released"

    async def _report(self, http: web.Request) -> web.Response:
        body = await http.json()
        self._row(http).reports.append((body["page"], body["outcome"]))
        return web.json_response({})

    async def _come_back(self, http: web.Request) -> web.Response:
        """Releases what is in quarantine if, and only if, this browser holds the challenge's cookie."""
        rows = [row for row in self.rows if row.code and row.code == http.query.get("code")]
        if not rows:
            return web.Response(text="state=gone", status=410)
        row = rows[0]
        if http.cookies.get("card-" + row.id[:8]) != row.cookie:
            row.kill("browser-differs")
            return web.Response(text="state=browser-differs", status=403)
        row.code = ""
        try:
            checks.check_certificate(base64.b64decode(row.answer["certificate"]), self.authorities)
            checks.check_answer(row.answer, row.purpose, self.origin, row.nonce, row.payload)
        except checks.NotVerified as error:
            row.kill(f"not verified: {error}")
        else:
            row.state = "released" if row.purpose == "batch" else "finished"
        return web.Response(text=f"state={row.state} {row.reason}")

"""The bridge's own connection to a consented portal: fixed paths, no redirects, limits of size and time."""

import json
import re
import ssl
from typing import Any

import aiohttp

from . import VERSION
from .outcomes import Outcome, Stop

CLAIM_LIMIT = 4 << 20
MESSAGE_LIMIT = 4 << 20
SMALL_LIMIT = 64 << 10
SECONDS = 20
KEY = re.compile(r"[!-~]{1,512}\Z")  # it goes into a header
REASONS = {
    "expired": Outcome.EXPIRED,
    "revoked": Outcome.CARD_REVOKED,
    "browser-differs": Outcome.BROWSER_DIFFERS,
    "too-old": Outcome.TOO_OLD,
}


class PortalClient:
    """One for each request. Created only after the user has consented to `origin`."""

    def __init__(self, origin: str, request_id: str, tls: ssl.SSLContext, resolver: Any = None) -> None:
        self._base, self._key = f"{origin}/card/requests/{request_id}", ""
        # trust_env stays off: a proxy variable in the environment must not decide where nonce and post key go.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls, resolver=resolver, limit=2),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=SECONDS),
            trust_env=False,
            headers={"User-Agent": f"eport-card-bridge/{VERSION}"},
        )

    async def close(self) -> None:
        await self._session.close()

    async def _call(self, method: str, path: str, limit: int, body: Any = None) -> bytes:
        """Returns the body of a 200; raises Stop with the outcome that status and reason stand for."""
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        data = bytearray()
        try:
            async with self._session.request(
                method, self._base + path, json=body, headers=headers, allow_redirects=False
            ) as answer:
                async for part in answer.content.iter_chunked(65536):
                    data += part
                    if len(data) > limit:
                        raise Stop(Outcome.CONTENT)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Stop(Outcome.UNREACHABLE) from error
        if answer.status != 200:
            raise Stop(outcome_of(answer.status, bytes(data)))
        return bytes(data)

    async def claim(self) -> dict[str, Any]:
        """POST, because it changes state: proxies and HTTP libraries repeat a GET on their own."""
        claim = read_object(await self._call("POST", "/claim", CLAIM_LIMIT, {"version": VERSION}))
        key = claim.pop("post_key", None)
        if not isinstance(key, str) or not KEY.match(key):
            raise Stop(Outcome.CONTENT)
        self._key = key
        return claim

    async def message(self, index: int) -> bytes:
        return await self._call("GET", f"/messages/{index}", MESSAGE_LIMIT)

    async def answer(self, body: dict[str, str]) -> str:
        """Puts certificate and signature into quarantine; returns the code that only the right browser can use."""
        code = read_object(await self._call("POST", "/answer", SMALL_LIMIT, body)).get("code")
        if not isinstance(code, str) or not code.isascii() or not code.replace("-", "").replace("_", "").isalnum():
            raise Stop(Outcome.CONTENT)
        return code

    async def is_released(self) -> bool:
        state = read_object(await self._call("GET", "/state", SMALL_LIMIT)).get("state")
        # "finished": the last signature is stored but its reply was lost; sending it again must be possible.
        return state in ("released", "finished")

    async def store_signatures(self, first: int, signatures: list[str]) -> None:
        """`first` is the index of the first message they belong to."""
        if len(signatures) == 1:
            await self._call("POST", f"/signatures/{first}", SMALL_LIMIT, {"signature": signatures[0]})
        else:
            await self._call("POST", "/signatures", SMALL_LIMIT, {"first": first, "signatures": signatures})

    async def report(self, page: str, outcome: Outcome) -> None:
        """Tells page and outcome number, nothing else; a failure to report changes nothing."""
        if self._key:
            try:
                await self._call("POST", "/reports", SMALL_LIMIT, {"page": page, "outcome": outcome.number})
            except Stop:
                return


def outcome_of(status: int, data: bytes) -> Outcome:
    if 300 <= status < 400:
        return Outcome.REDIRECT
    if status >= 500 or status == 429:
        return Outcome.UNREACHABLE
    if status == 426:
        return Outcome.TOO_OLD
    try:
        reason = json.loads(data)["reason"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return Outcome.EXPIRED
    return REASONS.get(str(reason), Outcome.EXPIRED)


def read_object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Stop(Outcome.CONTENT) from error
    if not isinstance(value, dict):
        raise Stop(Outcome.CONTENT)
    return value

"""One JSON call to an outside party: no redirects, no proxies or .netrc of the machine, a deadline, a size limit."""

import json
import time
from datetime import datetime
from typing import Any

import requests
import urllib3

from .outcomes import Unavailable

LIMIT = 256 * 1024


class JsonClient:
    """Calls below one address with a bearer token (may be ""). `timeout` (seconds) holds for the whole answer."""

    def __init__(self, base_url: str, token: str, timeout: float = 5.0) -> None:
        self._base = base_url.rstrip("/")
        self._headers = {"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._timeout = timeout

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """(status, JSON object). Raises Unavailable when there is no answer of that form, or on 503."""
        deadline = time.monotonic() + self._timeout
        with requests.Session() as session:
            session.trust_env = False
            try:
                with session.request(
                    method,
                    self._base + path,
                    json=body,
                    headers=self._headers,
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    status, content = response.status_code, read_answer(response, deadline)
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                raise Unavailable(type(error).__name__) from error
        answer = _parse(content)
        if status == 503:
            raise Unavailable("maintenance", _until(answer))
        if not 200 <= status < 300 and status not in (400, 404):
            raise Unavailable(f"HTTP {status}")
        if answer is None:
            raise Unavailable("garbled answer")
        return status, answer


def read_answer(response: requests.Response, deadline: float, limit: int = LIMIT) -> bytes:
    """What comes until the deadline (time.monotonic); `read1` returns with what is there, so that a trickle cannot hold
    us. Raises Unavailable, also beyond `limit` bytes."""
    content = b""
    while part := response.raw.read1(65536):
        content += part
        if len(content) > limit:
            raise Unavailable("answer too long")
        if time.monotonic() > deadline:
            raise Unavailable("answer too slow")
    return content


def _parse(content: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _until(answer: dict[str, Any] | None) -> datetime | None:
    """The announced end of a maintenance: an aware time, or None."""
    try:
        until = datetime.fromisoformat((answer or {})["until"])
    except (KeyError, TypeError, ValueError):
        return None
    return until if until.tzinfo else None

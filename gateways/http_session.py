"""Several requests to one outside party over one connection, as one user: no redirects, no proxies of the machine."""

import json
import time
from typing import Any

import requests
import urllib3

from .http_json import read_answer
from .outcomes import NotLetIn, Unavailable

MOST = 8 * 1024 * 1024  # bytes of an answer


class HttpSession:
    """Below `base_url`, with HTTP Basic. `timeout` (seconds) holds for each whole answer. Not for several threads."""

    def __init__(self, base_url: str, user: str, password: str, timeout: float) -> None:
        self._base, self._timeout = base_url.rstrip("/"), timeout
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.auth = (user.encode(), password.encode())
        self._session.headers["Accept-Encoding"] = "identity"

    def call(self, method: str, path: str, **what: Any) -> tuple[int, dict[str, Any]]:
        """(status, JSON object); `what` as in requests: data, json, headers. Statuses other than 2xx, 400, 409, 413 and
        422 raise Unavailable; 401 and 403 raise NotLetIn."""
        deadline = time.monotonic() + self._timeout
        options = {"timeout": self._timeout, "allow_redirects": False, "stream": True}
        try:
            with self._session.request(method, self._base + path, **what, **options) as response:
                status, content = response.status_code, read_answer(response, deadline, MOST)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise Unavailable(type(error).__name__) from error
        if status in (401, 403):
            raise NotLetIn(f"HTTP {status}")
        if not 200 <= status < 300 and status not in (400, 409, 413, 422):
            raise Unavailable(f"HTTP {status}")
        return status, _object(content)

    def close(self) -> None:
        self._session.close()


def _object(content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Unavailable("garbled answer") from error
    if not isinstance(answer, dict):
        raise Unavailable("garbled answer")
    return answer

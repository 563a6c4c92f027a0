"""Customs over HTTP (docs/protocols/customs-http.md): one POST for each message, repeated with the same Idempotency-Key."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

from ..http_session import HttpSession
from ..outcomes import Unavailable

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,240}\.xml")
_REFUSALS = (400, 409, 413, 422)


class HttpChannel:
    """`base_url`, user and password of one company; `timeout` in seconds, of each answer. Not for several threads."""

    step = 5

    def __init__(self, base_url: str, user: str, password: str, timeout: float = 5.0) -> None:
        self._http = HttpSession(base_url, user, password, timeout)

    def send_all(self, files: Iterable[tuple[str, bytes]]) -> dict[str, str]:
        """See Channel. The key of a file is its name, which holds its CopMsgId."""
        refused = {}
        for name, data in files:
            headers = {"Content-Type": "application/xml", "Idempotency-Key": f'"{name}"'}
            status, answer = self._http.call("POST", "/messages", data=data, headers=headers)
            if status in _REFUSALS:
                refused[name] = str(answer.get("error", ""))[:200]
            elif answer.get("accepted") is not True:
                raise Unavailable(f"HTTP {status} without acceptance")
        return refused

    def receive(self) -> Iterator[tuple[str, bytes]]:
        """What waits, oldest first, as much as one answer holds."""
        _, answer = self._http.call("GET", "/answers")
        files = answer.get("answers")
        if not isinstance(files, list):
            raise Unavailable("garbled answer")
        yield from [_file(each) for each in files]

    def acknowledge_all(self, names: Iterable[str]) -> None:
        status, _ = self._http.call("POST", "/answers/stored", json={"names": list(names)})
        if status != 200:
            raise Unavailable(f"HTTP {status}")

    def check(self) -> None:
        _, answer = self._http.call("GET", "/state")
        if answer.get("open") is not True:
            raise Unavailable("closed")

    def close(self) -> None:
        self._http.close()


def _file(row: Any) -> tuple[str, bytes]:
    """(name, content) of an answer. Raises Unavailable: what cannot be taken in must not be acknowledged either."""
    try:
        name, data = row["name"], base64.b64decode(row["content"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise Unavailable("garbled answer") from error
    if not isinstance(name, str) or not SAFE_NAME.fullmatch(name):
        raise Unavailable("garbled answer")
    return name, data


def name_of(data: bytes) -> str:
    """A name for an answer that came without one; the same bytes give the same name."""
    return f"{hashlib.sha256(data).hexdigest()}.xml"

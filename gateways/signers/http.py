"""The data centre's 加签 service over HTTP (docs/protocols/signing-service.md): it holds the company's key."""

import base64
import binascii
from typing import Any

from ..http_session import HttpSession
from ..outcomes import Unavailable

PROFILES = ("rsa-sha1", "sm2-sm3")


class HttpSigner:
    """`base_url`, 加签用户名 and 加签密码; `timeout` in seconds, of each answer. Asks for the certificate at once."""

    def __init__(self, base_url: str, user: str, password: str, timeout: float = 5.0) -> None:
        self._http = HttpSession(base_url, user, password, timeout)
        try:
            answer = self._ask("GET", "/certificate")
            self.profile, self.certificate = str(answer.get("profile")), _bytes(answer, "certificate")
            if self.profile not in PROFILES:
                raise Unavailable(f"profile {self.profile[:20]}")
        except Unavailable:
            self.close()
            raise

    def sign(self, signed_info: bytes) -> bytes:
        body = {"profile": self.profile, "content": base64.b64encode(signed_info).decode()}
        return _bytes(self._ask("POST", "/signatures", json=body), "signature")

    def _ask(self, method: str, path: str, **what: Any) -> dict[str, Any]:
        status, answer = self._http.call(method, path, **what)
        if status != 200:
            raise Unavailable(f"HTTP {status}: {str(answer.get('error', ''))[:100]}")
        return answer

    def close(self) -> None:
        self._http.close()


def _bytes(answer: dict[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(answer[name], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise Unavailable("garbled answer") from error

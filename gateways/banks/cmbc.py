"""中国民生银行: JSON in the three parts of a JWS (RFC 7515, compact), RS256 and nothing else; times in Unix seconds."""

import base64
import json
from datetime import UTC, datetime

from .port import NotGenuine
from .signed import SignedBank, decoded, only

HEADER = {"alg": "RS256", "typ": "JWT"}


class MinshengBank(SignedBank):
    slug = "cmbc"
    request_names = {
        "kind": "typ", "bank": "aud", "number": "jti", "nonce": "nonce", "origin": "iss", "return_url": "redirectUri",
        "company": "enterpriseName", "uscc": "uscc", "org_code": "orgCode", "expires": "exp",
    }  # fmt: skip
    answer_names = {
        "kind": "typ", "bank": "iss", "number": "jti", "nonce": "nonce", "result": "result", "reason": "reason",
        "company": "enterpriseName", "uscc": "uscc", "org_code": "orgCode", "owner": "operator", "at": "iat",
    }  # fmt: skip

    def write_time(self, moment: datetime) -> str:
        return str(int(moment.timestamp()))

    def read_time(self, text: str) -> datetime:
        return datetime.fromtimestamp(int(text), UTC)

    def pack(self, named: dict[str, str]) -> dict[str, str]:
        signed = f"{_part(HEADER)}.{_part(named)}"
        return {"context": f"{signed}.{_url_safe(self._keys.sign(signed.encode()))}"}

    def unpack(self, pairs: dict[str, str], now: datetime) -> dict[str, str]:
        [token] = only(pairs, "context")
        parts = token.split(".")
        if len(parts) != 3:
            raise NotGenuine("form", "not three parts")
        header, body, signature = (_bytes_of(part) for part in parts)
        self._keys.check_signature(self.slug, f"{parts[0]}.{parts[1]}".encode(), signature, now)
        if _object(header) != HEADER:
            raise NotGenuine("form", "another algorithm or type")
        return _object(body)


def _object(data: bytes) -> dict[str, str]:
    """A flat JSON object of texts, each name once. Raises NotGenuine."""
    try:
        found = json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise NotGenuine("form", "JSON") from error
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise NotGenuine("form", "not an object of texts")
    return found


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def _part(said: dict[str, str]) -> str:
    return _url_safe(json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode())


def _url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes_of(part: str) -> bytes:
    """Raises NotGenuine; one spelling only."""
    if "+" in part or "/" in part or "=" in part:
        raise NotGenuine("form", "base64url")
    return decoded(part.replace("-", "+").replace("_", "/") + "=" * (-len(part) % 4))

"""The identity authority over HTTP; an answer that does not have the agreed form counts as no answer."""

from dataclasses import asdict
from typing import Any

from ..http_json import JsonClient
from ..outcomes import Unavailable
from .port import BankCardCheck, PaperCheck


class HttpIdentity:
    """`base_url` without a trailing path of ours, bearer `token`, `timeout` in seconds for the whole answer."""

    is_on = True

    def __init__(self, base_url: str, token: str, timeout: float = 8.0) -> None:
        self._client = JsonClient(base_url, token, timeout)

    def does_paper_agree(self, check: PaperCheck) -> bool:
        return self._ask({"method": "id-card", **asdict(check)})

    def does_bank_card_agree(self, check: BankCardCheck) -> bool:
        return self._ask({"method": "bank-card", **asdict(check)})

    def _ask(self, check: dict[str, Any]) -> bool:
        status, answer = self._client.call("POST", "/checks", check)
        if status != 200 or answer.get("result") not in ("match", "mismatch"):
            raise Unavailable(f"HTTP {status}")
        return answer["result"] == "match"

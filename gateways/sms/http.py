"""Short messages over the provider's HTTP interface."""

from ..http_json import JsonClient
from ..outcomes import Refused, Unavailable
from .port import ShortMessage


class HttpSms:
    """`base_url` of the provider, bearer `token`, `timeout` in seconds."""

    is_on = True

    def __init__(self, base_url: str, token: str, timeout: float = 5.0) -> None:
        self._client = JsonClient(base_url, token, timeout)

    def send(self, message: ShortMessage) -> None:
        """Returns when the provider has taken the message. Raises Refused, Unavailable."""
        body = {"id": message.id, "to": message.to, "text": message.text}
        status, answer = self._client.call("POST", "/messages", body)
        if status == 400:
            raise Refused(str(answer.get("error", ""))[:100])
        if status != 202 or answer.get("accepted") is not True:
            raise Unavailable(f"HTTP {status}")

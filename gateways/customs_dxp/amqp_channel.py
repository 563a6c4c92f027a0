"""Customs over AMQP 0-9-1 (docs/protocols/customs-amqp.md): persistent messages, each confirmed by the broker.

A message that the broker did not confirm may still have arrived: it is sent again, byte-identical, under the same
message_id, and customs knows its CopMsgId.
"""

import functools
import ssl
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import pika
import pika.exceptions as failures

from ..outcomes import NotLetIn, Unavailable
from .http_channel import SAFE_NAME, name_of

EXCHANGE = "dxp"  # direct; the routing key is the kind of message
ROUTE = "declare"
_LOST = (failures.AMQPError, OSError)  # gaierror, timeouts and TLS errors are OSErrors
_REFUSED = (failures.ProbableAuthenticationError, failures.AuthenticationError, failures.ProbableAccessDeniedError)


def _asks(call: Callable) -> Callable:
    """What pika raises is said as Unavailable or NotLetIn; the connection is given up."""

    @functools.wraps(call)
    def run(self, *arguments: Any) -> Any:
        try:
            return call(self, *arguments)
        except _REFUSED as error:
            self.close()
            raise NotLetIn(type(error).__name__) from error
        except _LOST as error:
            self.close()
            if isinstance(error, failures.ChannelClosedByBroker) and error.reply_code == 403:
                raise NotLetIn(error.reply_text) from error
            raise Unavailable(type(error).__name__) from error

    return run


class AmqpChannel:
    """`url`: amqps://host[:port][/virtual-host]; `dxp_id`: whose queue of answers. Connects when first used; heartbeats
    are not answered between calls, so it is closed soon. `timeout`: seconds, of connecting and of each answer."""

    step = 50

    def __init__(self, url: str, user: str, password: str, dxp_id: str, timeout: float = 5.0) -> None:
        parts = urlsplit(url)
        tls = parts.scheme == "amqps"
        host = parts.hostname or ""
        self._parameters = pika.ConnectionParameters(
            host=host, port=parts.port or (5671 if tls else 5672), virtual_host=unquote(parts.path[1:]) or "/",
            credentials=pika.PlainCredentials(user, password), socket_timeout=timeout, stack_timeout=2 * timeout,
            blocked_connection_timeout=timeout, heartbeat=60, connection_attempts=1,
            ssl_options=pika.SSLOptions(ssl.create_default_context(), host) if tls else None,
        )  # fmt: skip
        self._queue = f"answers.{dxp_id}"
        self._connection: pika.BlockingConnection | None = None
        self._open: Any = None
        self._tags: dict[str, int] = {}

    def _channel(self) -> Any:
        if self._open is None:
            self._connection = pika.BlockingConnection(self._parameters)
            self._open = self._connection.channel()
            self._open.confirm_delivery()
        return self._open

    @_asks
    def send_all(self, files: Iterable[tuple[str, bytes]]) -> dict[str, str]:
        """See Channel. Returns when the broker has confirmed each; one that it cannot route or take is Unavailable,
        since that is no matter of the message."""
        channel = self._channel()
        for name, data in files:
            properties = pika.BasicProperties(
                content_type="application/xml", delivery_mode=pika.DeliveryMode.Persistent, message_id=name
            )
            channel.basic_publish(EXCHANGE, ROUTE, data, properties, mandatory=True)
        return {}

    def receive(self) -> Iterator[tuple[str, bytes]]:
        """What waits in the queue, oldest first; it stays the broker's until it is acknowledged on this connection."""
        while found := self._get():
            yield found

    @_asks
    def _get(self) -> tuple[str, bytes] | None:
        found, properties, data = self._channel().basic_get(self._queue)
        if found is None:
            return None
        name = properties.message_id or ""
        if not SAFE_NAME.fullmatch(name):
            name = name_of(data)
        self._tags[name] = found.delivery_tag
        return name, data

    @_asks
    def acknowledge_all(self, names: Iterable[str]) -> None:
        for name in names:
            if tag := self._tags.pop(name, None):
                self._channel().basic_ack(tag)

    @_asks
    def check(self) -> None:
        """Whether the exchange and the queue of answers are there for this user."""
        self._channel().exchange_declare(EXCHANGE, passive=True)
        self._channel().queue_declare(self._queue, passive=True)

    def close(self) -> None:
        connection, self._connection, self._open = self._connection, None, None
        self._tags.clear()
        if connection is not None and connection.is_open:
            try:
                connection.close()
            except _LOST:
                return

"""Customs' AMQP channel (docs/protocols/customs-amqp.md): a desk between the broker and the folders of customs.

What comes by the queue `declare` goes into `amqp-<传输ID>/OutBox`; what lies in its InBox goes to the queue
`answers.<传输ID>`. Acknowledged only when it is safe on the other side.
"""

import logging
import threading
from pathlib import Path

import pika
from pika.exceptions import AMQPError

from sandbox.customs import envelope
from sandbox.customs.envelope import BadEnvelope
from sandbox.customs.ledger import Ledger

EXCHANGE, QUEUE = "dxp", "declare"
PAUSE = 0.2  # seconds between two rounds, and more after the broker was away
log = logging.getLogger(__name__)


class Desk:
    """`url`: amqp://user:password@host:port/virtual-host. `start()` does rounds in a thread until `stop()`."""

    def __init__(self, url: str, root: Path, ledger: Ledger):
        self._parameters, self._root, self._ledger = pika.URLParameters(url), root, ledger
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="customs-amqp", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                with pika.BlockingConnection(self._parameters) as connection:
                    self._serve(connection)
            except (AMQPError, OSError) as error:
                log.warning("customs: broker: %s", type(error).__name__)
                self._end.wait(1)

    def _serve(self, connection) -> None:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.exchange_declare(EXCHANGE, "direct", durable=True)
        channel.queue_declare(QUEUE, durable=True)
        channel.queue_bind(QUEUE, EXCHANGE, QUEUE)
        while not self._end.is_set():
            if not self._take(channel) + self._give(channel):
                connection.sleep(PAUSE)

    def open_account(self, channel, dxp_id: str) -> None:
        """The company's queue of answers."""
        channel.queue_declare(f"answers.{dxp_id}", durable=True)

    def _take(self, channel) -> int:
        """Everything that waits; gives how many."""
        count = 0
        while True:
            found, properties, data = channel.basic_get(QUEUE)
            if found is None:
                return count
            count += 1
            try:
                sender = envelope.read(data).sender
            except BadEnvelope as error:
                self._ledger.note("rejected", "amqp", properties.message_id or "", str(error))
            else:
                self._keep(channel, sender, Path(properties.message_id or "message.xml").name, data)
            channel.basic_ack(found.delivery_tag)

    def _keep(self, channel, sender: str, name: str, data: bytes) -> None:
        self.open_account(channel, sender)
        self._ledger.run("UPDATE channels SET folder = ? WHERE sender = ?", f"amqp-{sender}", sender)
        box = self._root / f"amqp-{sender}" / "OutBox"
        box.mkdir(parents=True, exist_ok=True)
        part = box / f"{name}.tmp"
        part.write_bytes(data)
        part.rename(box / name)

    def _give(self, channel) -> int:
        count = 0
        for path in sorted(
            self._root.glob("amqp-*/InBox/*.xml"), key=lambda path: (path.stat().st_mtime_ns, path.name)
        ):
            sender = path.parts[-3].removeprefix("amqp-")
            self.open_account(channel, sender)
            properties = pika.BasicProperties(message_id=path.name, delivery_mode=2)
            channel.basic_publish("", f"answers.{sender}", path.read_bytes(), properties, mandatory=True)
            read = path.parents[1] / "ReadBox"
            read.mkdir(exist_ok=True)
            path.rename(read / path.name)
            count += 1
        return count

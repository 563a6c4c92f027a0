"""A RabbitMQ of the tests' own: private folder, ports and epmd; a pytest plugin with the fixture `broker`."""

import base64
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pika
import pytest

PROGRAM = shutil.which("rabbitmq-server", path=f"/usr/lib/rabbitmq/bin:{os.environ.get('PATH', '')}")
PASSWORD = "sandbox"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _hash(password: str) -> str:
    salt = b"salt"
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _definitions(dxp_ids: tuple[str, ...]) -> dict:
    """The operator's side: exchange, queue of declarations, and for each company a user and its queue of answers, which
    it may read and nothing else; it may write to the exchange only."""
    names = ("customs", *dxp_ids)
    rights = {"customs": ("", ".*", ".*")} | {dxp_id: ("", "^dxp$", rf"^answers\.{dxp_id}$") for dxp_id in dxp_ids}
    return {
        "users": [
            {"name": name, "password_hash": _hash(PASSWORD), "tags": "",
             "hashing_algorithm": "rabbit_password_hashing_sha256"} for name in names
        ],
        "vhosts": [{"name": "/"}],
        "permissions": [
            {"user": name, "vhost": "/", "configure": ".*" if name == "customs" else "^$", "write": write, "read": read}
            for name, (_, write, read) in rights.items()
        ],
        "exchanges": [{"name": "dxp", "vhost": "/", "type": "direct", "durable": True, "auto_delete": False,
                       "internal": False, "arguments": {}}],
        "queues": [{"name": name, "vhost": "/", "durable": True, "auto_delete": False, "arguments": {}}
                   for name in ("declare", *(f"answers.{dxp_id}" for dxp_id in dxp_ids))],
        "bindings": [{"source": "dxp", "vhost": "/", "destination": "declare", "destination_type": "queue",
                      "routing_key": "declare", "arguments": {}}],
    }  # fmt: skip


class Broker:
    """`start` and `stop` may follow one another: what was persistent is still there."""

    def __init__(self, folder: Path, dxp_ids: tuple[str, ...]) -> None:
        self._folder, self.port, self._epmd = folder, free_port(), free_port()
        self._distribution = free_port()
        self._process: subprocess.Popen | None = None
        (folder / "definitions.json").write_text(json.dumps(_definitions(dxp_ids)))
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.default = 127.0.0.1:{self.port}\nload_definitions = {folder}/definitions.json\n"
            "log.console.level = error\n"
        )
        (folder / "plugins").write_text("[].\n")

    @property
    def url(self) -> str:
        return f"amqp://127.0.0.1:{self.port}"

    @property
    def customs_url(self) -> str:
        return f"amqp://customs:{PASSWORD}@127.0.0.1:{self.port}/%2F"

    def start(self) -> None:
        folder = str(self._folder)
        environ = os.environ | {
            "HOME": folder, "RABBITMQ_NODENAME": f"eport{self.port}@localhost", "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq",
            "RABBITMQ_MNESIA_BASE": folder, "RABBITMQ_LOG_BASE": folder, "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins", "RABBITMQ_DIST_PORT": str(self._distribution),
            "ERL_EPMD_PORT": str(self._epmd), "RABBITMQ_PID_FILE": f"{folder}/pid",
        }  # fmt: skip
        with open(self._folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM], env=environ, stdout=log, stderr=log, start_new_session=True
            )  # fmt: skip
        end = time.monotonic() + 60
        while not self._answers():
            if time.monotonic() > end or self._process.poll() is not None:
                raise RuntimeError((self._folder / "log").read_text()[-2000:])
            time.sleep(0.2)

    def _answers(self) -> bool:
        """The port opens a little before the users are there."""
        try:
            pika.BlockingConnection(pika.URLParameters(self.customs_url)).close()
        except (pika.exceptions.AMQPError, OSError):
            return False
        return True

    def stop(self) -> None:
        if self._process:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        self.stop()
        environ = os.environ | {"ERL_EPMD_PORT": str(self._epmd)}
        for _ in range(20):  # it does not go while it still knows a node
            if b"Killed" in subprocess.run(["epmd", "-kill"], env=environ, capture_output=True, check=False).stdout:
                return
            time.sleep(0.2)

    def waiting(self, queue: str) -> list[tuple[str, bytes]]:
        """Takes what lies in the queue: (message_id, body)."""
        with pika.BlockingConnection(pika.URLParameters(self.customs_url)) as connection:
            channel, found = connection.channel(), []
            while (got := channel.basic_get(queue, auto_ack=True))[0]:
                found.append((got[1].message_id, got[2]))
            return found

    def put(self, queue: str, name: str | None, body: bytes) -> None:
        with pika.BlockingConnection(pika.URLParameters(self.customs_url)) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.basic_publish(
                "", queue, body, pika.BasicProperties(message_id=name, delivery_mode=2), mandatory=True
            )


@pytest.fixture(scope="session")
def one_broker(tmp_path_factory):
    if PROGRAM is None:
        pytest.skip("rabbitmq-server is not installed")
    broker = Broker(tmp_path_factory.mktemp("broker"), ("DXPENT0000000001", "DXPENT0000000002"))
    broker.start()
    yield broker
    broker.remove()


@pytest.fixture
def broker(one_broker):
    """Running, its queues empty."""
    for queue in ("declare", "answers.DXPENT0000000001", "answers.DXPENT0000000002"):
        one_broker.waiting(queue)
    return one_broker

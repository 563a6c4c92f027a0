"""A client of the client control on a plain socket, written from docs/protocols/client-control.md and RFC 6455 alone."""

import base64
import hashlib
import json
import os
import socket
import struct
from functools import lru_cache
from itertools import count

WS_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
GROUP = "12345678-9abc-def0-1234-56789abcdef0"


class Refused(Exception):
    """The handshake was answered with this status; 0: cut off."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Closed(Exception):
    """The server ended the connection, with this close code; 0: cut off."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class ControlClient:
    """`headers`: (name, value) pairs that stand instead of Host and Origin. The hello is taken at once."""

    def __init__(self, port: int, origin: str | None = None, headers=None, path: str = "/") -> None:
        self._ids = count(1)
        self._data = b""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        if headers is None:
            headers = [("Host", f"127.0.0.1:{port}")] + ([("Origin", origin)] if origin else [])
        try:
            self._shake_hands(path, headers)
            self.hello = self.receive()
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self) -> "ControlClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def _shake_hands(self, path: str, headers) -> None:
        key = base64.b64encode(os.urandom(16))
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
        lines += [f"Sec-WebSocket-Key: {key.decode()}", "", ""]
        try:
            self.socket.sendall("\r\n".join(lines).encode())
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += self._exactly(1)
        except (Closed, ConnectionError) as error:
            raise Refused(0) from error
        status = int(head.split()[1])
        if status != 101:
            raise Refused(status)
        assert base64.b64encode(hashlib.sha1(key + WS_GUID).digest()) in head

    def _exactly(self, size: int) -> bytes:
        while len(self._data) < size:
            part = self.socket.recv(65536)
            if not part:
                raise Closed(0)
            self._data += part
        part, self._data = self._data[:size], self._data[size:]
        return part

    def send_frame(self, kind: int, data: bytes, final: bool = True) -> None:
        mask = os.urandom(4)
        size = len(data)
        head = bytes([kind | (0x80 if final else 0)])
        if size < 126:
            head += bytes([0x80 | size])
        else:
            head += bytes([0xFE]) + struct.pack(">H", size) if size < 65536 else bytes([0xFF]) + struct.pack(">Q", size)
        key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        self.socket.sendall(head + mask + (int.from_bytes(data, "big") ^ key).to_bytes(size, "big"))

    def send(self, text: str) -> None:
        self.send_frame(TEXT, text.encode())

    def _receive_frame(self) -> tuple[int, bool, bytes]:
        """Kind, whether it is the last of its message, content; raises Closed."""
        try:
            first, second = self._exactly(2)
            size = second & 127
            if size > 125:
                size = int.from_bytes(self._exactly(2 if size == 126 else 8), "big")
            data = self._exactly(size)
        except ConnectionError as error:
            raise Closed(0) from error
        if first & 15 == CLOSE:
            raise Closed(int.from_bytes(data[:2], "big"))
        return first & 15, bool(first & 0x80), data

    def receive_text(self, answer_pings: bool = True) -> str:
        """The next text message."""
        message, is_last = b"", False
        while not is_last:
            kind, is_last, data = self._receive_frame()
            if kind == PING:
                is_last = False
                if answer_pings:
                    self.send_frame(PONG, data)
            else:
                message += data
        return message.decode()

    def answer_pings(self, count: int) -> None:
        for _ in range(count):
            kind, _, data = self._receive_frame()
            assert kind == PING
            self.send_frame(PONG, data)

    def receive(self) -> dict:
        return json.loads(self.receive_text())

    def ask(self, method: str, call_id=None, /, **args) -> int | str:
        """Sends a request; gives its id."""
        call_id = next(self._ids) if call_id is None else call_id
        self.send(json.dumps({"_method": method, "_id": call_id, "args": args}))
        return call_id

    def call(self, method: str, **args) -> dict:
        """Sends a request and gives `_args` of its answer."""
        call_id = self.ask(method, **args)
        answer = self.receive()
        assert (answer["_id"], answer["_method"], answer["_status"]) == (call_id, method, "00")
        return answer["_args"]

    def data(self, method: str, **args) -> list:
        answer = self.call(method, **args)
        assert answer["Result"] is True and answer["Error"] == [], answer
        return answer["Data"]

    def error(self, method: str, **args) -> str:
        """The code of the error that this request must end with."""
        answer = self.call(method, **args)
        assert answer["Result"] is False and answer["Data"] == [], answer
        text, code = answer["Error"]
        assert "编号97" in text
        return code

    def send_in_blocks(self, text: str, size: int) -> list[dict]:
        """Sends a request in blocks of `size` code units; gives what was said of each block."""
        said = []
        parts = split(text, size)
        while not said or not said[-1]["Data"][0]["finish"]:
            number = said[-1]["Data"][0]["next"] if said else 0
            self.send(block(text, parts, number))
            answer = self.receive()
            assert (answer["_id"], answer["_method"]) == (0, "_nextBlock")
            said.append(answer["_args"])
        return said


def low_bytes(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")[0::2]


@lru_cache(maxsize=16)
def check_code(text: str) -> str:
    """CRC-16/MODBUS bit by bit."""
    crc = 0xFFFF
    for byte in low_bytes(text):
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return f"{crc & 0xFF:02X}{crc >> 8:02X}"


def split(text: str, size: int) -> list[str]:
    """Parts of at most `size` code units, but no character is cut in two."""
    parts, length = [""], 0
    for character in text:
        length += len(low_bytes(character))
        if parts[-1] and length > size:
            parts.append("")
            length = len(low_bytes(character))
        parts[-1] += character
    return parts


def block(text: str, parts: list[str], index: int, /, group: str = GROUP, **changed) -> str:
    part = parts[index]
    field = {
        "check": check_code(text),
        "block_check": check_code(part),
        "size": f"{len(low_bytes(text)):016d}",
        "block_size": f"{len(low_bytes(part)):08d}",
        "count": f"{len(parts):04d}",
        "group": group,
        "number": f"{index:04d}",
    } | changed
    header = "BLOCKTXT" + "".join(field.values()) + "0" * 44
    return header + part

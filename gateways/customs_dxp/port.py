"""A channel to customs: files with a name go out, files with a name come in."""

from collections.abc import Iterable, Iterator
from typing import Protocol


class ContentDiffers(Exception):
    """A file of this name was sent before with other bytes: one message must never have two contents."""


class Channel(Protocol):
    """Sending again what was sent is harmless; what was received comes again until it is acknowledged."""

    def send(self, name: str, data: bytes) -> None: ...

    def send_all(self, files: Iterable[tuple[str, bytes]]) -> None: ...

    def receive(self) -> Iterator[tuple[str, bytes]]: ...

    def acknowledge(self, name: str) -> None: ...

"""A channel to customs: files with a name go out, files with a name come in."""

from collections.abc import Iterable, Iterator
from typing import Protocol


class ContentDiffers(Exception):
    """A file of this name was sent before with other bytes: one message must never have two contents."""


class Channel(Protocol):
    """Sending again what was sent is harmless; what was received comes again until it is acknowledged.

    Every method raises Unavailable (no usable answer), NotLetIn (user or password), OSError (the machine's own disk).
    """

    step: int  # so many files are well sent at once

    def send_all(self, files: Iterable[tuple[str, bytes]]) -> dict[str, str]:
        """On return each (name, content) is safe with the other side, but for {name: its reason} that it will not have.
        After an error any of them may have arrived."""

    def receive(self) -> Iterator[tuple[str, bytes]]: ...

    def acknowledge_all(self, names: Iterable[str]) -> None:
        """Those received are stored here; again does nothing."""

    def check(self) -> None:
        """Nothing is sent; returns when user and password are taken."""

    def close(self) -> None: ...

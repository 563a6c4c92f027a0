"""Column types: UTC times, exact decimals, personal data encrypted at rest and found by blind index."""

import base64
import hashlib
import hmac
import json
import os
from datetime import UTC, datetime
from decimal import Decimal

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import DateTime, Numeric, TypeDecorator


class UtcDateTime(TypeDecorator):
    """`timestamptz` that takes and gives aware datetimes in UTC only."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect):
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without zone")
        return value

    def process_result_value(self, value: datetime | None, dialect):
        return value and value.astimezone(UTC)


class Fixed(TypeDecorator):
    """Exact decimal with a fixed scale; refuses floats, which have lost digits already."""

    impl = Numeric
    cache_ok = True

    def __init__(self, precision: int = 19, scale: int = 5):
        super().__init__(precision, scale)

    def process_bind_param(self, value: Decimal | None, dialect):
        if isinstance(value, float):
            raise TypeError("a float is not exact")
        return value


class Keyring:
    """AES-256-GCM keys by id, outside the database; the first encrypts, all decrypt.

    `text`: `id:base64[,id:base64…]`, 32 bytes each. Raises ValueError for another shape.
    """

    def __init__(self, text: str):
        pairs = [item.partition(":") for item in text.split(",")]
        self._keys = {name: base64.b64decode(value, validate=True) for name, _, value in pairs}
        if not all(len(key) == 32 for key in self._keys.values()):
            raise ValueError("each data key is 32 bytes in base64")
        self._current = pairs[0][0]

    def seal(self, plain: bytes, place: str) -> bytes:
        """`place`: table|column|row; it is authenticated, so a value moved to another row does not open."""
        name, nonce = self._current.encode(), os.urandom(12)
        return bytes([len(name)]) + name + nonce + self._cipher(self._current).encrypt(nonce, plain, _aad(place, name))

    def open(self, sealed: bytes, place: str) -> bytes:
        """Raises `cryptography.exceptions.InvalidTag` if it was altered or moved, KeyError without its key."""
        name, rest = sealed[1 : 1 + sealed[0]], sealed[1 + sealed[0] :]
        return self._cipher(name.decode()).decrypt(rest[:12], rest[12:], _aad(place, name))

    def blind(self, column: str, value: str) -> bytes:
        """Keyed hash for uniqueness and search; a key per column, from the oldest data key, which never goes."""
        oldest = list(self._keys.values())[-1]
        key = hmac.digest(oldest, b"blind-index|" + column.encode(), hashlib.sha256)
        return hmac.digest(key, value.encode(), hashlib.sha256)

    def _cipher(self, name: str) -> AESGCM:
        return AESGCM(self._keys[name])


def _aad(place: str, key_name: bytes) -> bytes:
    return place.encode() + b"|" + key_name


class _Ring:
    """The process's keyring, set once at start."""

    current: Keyring


def use_keyring(text: str) -> None:
    _Ring.current = Keyring(text)


def keyring() -> Keyring:
    return _Ring.current


def blind(column: str, value: str) -> bytes:
    """Blind index of a value, casefolded; `column` is table.column."""
    return keyring().blind(column, value.casefold())


class Encrypted:
    """An attribute kept encrypted in the `LargeBinary` column `column` of the same row; any JSON value.

    The row's `id` must be set before it (the base class sees to that), since it is part of what is authenticated.
    """

    def __init__(self, column: str):
        self._column = column

    def __get__(self, row, owner=None):
        if row is None:
            return self
        sealed = getattr(row, self._column)
        return None if sealed is None else json.loads(keyring().open(sealed, self._place(row)))

    def __set__(self, row, value) -> None:
        plain = None if value is None else json.dumps(value, ensure_ascii=False).encode()
        setattr(row, self._column, None if plain is None else keyring().seal(plain, self._place(row)))

    def _place(self, row) -> str:
        return f"{row.__tablename__}|{self._column}|{row.id}"

"""Codes that are said on the telephone or copied from paper: digits in groups of four, the last one a check digit."""

import hashlib
import hmac
import secrets

from models.types import keyring


def check_digit(digits: str) -> str:
    """Luhn (ISO/IEC 7812-1): catches one wrong digit and most swaps of neighbours."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def new_digits(size: int) -> str:
    """`size` digits, the last of which is the check digit."""
    digits = "".join(secrets.choice("0123456789") for _ in range(size - 1))
    return digits + check_digit(digits)


def normalised(text: str) -> str:
    return "".join(letter for letter in text if letter.isdecimal())


def is_well_typed(code: str, size: int) -> bool:
    return len(code) == size and check_digit(code[:-1]) == code[-1]


def code_hash(column: str, code: str) -> bytes:
    """Keyed, so that the few digits cannot be found from the table; `column` is table.column."""
    table, _, name = column.partition(".")
    return hmac.digest(keyring().blind(table, name), code.encode(), hashlib.sha256)

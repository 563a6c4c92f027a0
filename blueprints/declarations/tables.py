"""Code tables of the 报关单, which takes the codes in use since August 2018: what may be typed for each, code or Chinese name."""

import csv
from functools import cache

from settings import ROOT

TRANS_MODES = [("3", "FOB"), ("2", "C&F"), ("1", "CIF")]  # 成交方式
ONLY_CODES = "admin_division"  # its names stand many times


@cache
def rows(name: str) -> list[dict[str, str]]:
    with open(ROOT / f"data/{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@cache
def names(table: str, column: str = "代码") -> dict[str, str]:
    """Code → Chinese name."""
    return {row[column]: row["中文名称"] for row in rows(table)}


@cache
def _codes_by_name(table: str) -> dict[str, str]:
    """Only of names that mean one code."""
    found: dict[str, list[str]] = {}
    for code, name in names(table).items():
        found.setdefault(name, []).append(code)
    return {name: codes[0] for name, codes in found.items() if len(codes) == 1}


def find(table: str, typed: str) -> str:
    """The code of what was typed: the code itself or its whole Chinese name; "" for neither."""
    code = typed.strip().upper()
    if code in names(table):
        return code
    return "" if table == ONLY_CODES else _codes_by_name(table).get(typed.strip(), "")


def shown(table: str, typed: str) -> str:
    """Name and code of what was typed; as it is where it is neither."""
    code = find(table, typed)
    return f"{names(table)[code]}（{code}）" if code else typed


def choices(table: str, column: str = "代码") -> list[tuple[str, str]]:
    return [(code, f"{name}（{code}）") for code, name in names(table, column).items()]


@cache
def directorates() -> dict[str, str]:
    """The first two digits of a 关区代码 → its 直属海关."""
    return {row["关区代码"][:2]: row["直属海关"] for row in rows("customs_directorate")}


def directorate_of(office: str) -> str:
    """The 直属海关 of a 4-digit 关区代码, "" where there is none; no whole public list of the offices exists."""
    is_code = len(office) == 4 and office.isascii() and office.isdigit()
    return directorates().get(office[:2], "") if is_code else ""


@cache
def iso_currency(old: str) -> str:
    """502 → USD."""
    return next((row["代码"] for row in rows("currency") if row["原报关代码"] == old), "")

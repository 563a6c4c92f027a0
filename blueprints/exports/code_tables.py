"""Code tables of 清单 (CEB603), which takes the old customs codes: 运输方式, 包装, 国别, 港口, 直属海关."""

import csv
from functools import cache

from settings import ROOT

MOST_PORTS = 5  # named where a port's name was typed instead of its code


def _rows(name: str) -> list[dict[str, str]]:
    with open(ROOT / "data" / name, encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _labelled(names: dict[str, str]) -> list[tuple[str, str]]:
    return [(code, f"{name}（{code}）") for code, name in sorted(names.items())]


@cache
def transport_modes() -> list[tuple[str, str]]:
    """运输方式, one character; several new ones share an old code, whose own row stands first."""
    return _labelled({row["原报关代码"]: row["中文名称"] for row in reversed(_rows("traf_mode.csv"))})


@cache
def wraps() -> list[tuple[str, str]]:
    """包装种类, one digit."""
    return _labelled({row["原报关代码"]: row["原报关名称"] for row in _rows("wrap_type.csv")})


@cache
def countries() -> list[tuple[str, str]]:
    """国别(地区), three digits; where small ones share a code, the row that stands for all of them is the last."""
    return _labelled({row["原报关代码"]: row["中文名称"] for row in _rows("country.csv")})


@cache
def _ports() -> dict[str, str]:
    """Code → name: four digits of a port, or three of a country for its ports without a code of their own."""
    ports = {row["原报关代码"]: row["中文名称"] for row in _rows("port.csv")}
    return ports | {row["原报关代码"]: row["中文名称"] for row in _rows("country.csv")}


def is_port(code: str) -> bool:
    return code in _ports()


def ports_named(text: str) -> list[str]:
    """Codes with names of at most `MOST_PORTS` ports that begin so, in Chinese."""
    found = [f"{name}{code}" for code, name in _ports().items() if len(code) == 4 and name.startswith(text)]
    return found[:MOST_PORTS] if text else []


@cache
def _directorates() -> frozenset[str]:
    return frozenset(row["关区代码"][:2] for row in _rows("customs_directorate.csv"))


def is_district(code: str) -> bool:
    """关区代码, four digits; the first two are those of its 直属海关. No whole public list of the offices exists."""
    return len(code) == 4 and code.isascii() and code.isdigit() and code[:2] in _directorates()

"""What an area shows of itself to the rest of the house."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint

from .access import MenuEntry
from .kinds import Kind


@dataclass(frozen=True)
class Area:
    """Exported by each package under `blueprints/` as `AREA`; `app.py` lists them.

    `open_items(principal)`: what waits for this principal here: [(title, why, until, url)].
    `jobs`: {name: function of ids} run by the worker. `health()`: [(name, is well, words)].
    `under_code(enterprise_id, code)`: what stands under one 海关编码 here: [(title, count, url or "")].
    """

    number: str
    title: str
    bp: Blueprint
    kinds: tuple[Kind, ...] = ()
    menu: tuple[MenuEntry, ...] = ()
    open_items: Callable | None = None
    jobs: tuple[Callable, ...] = ()
    loops: tuple[tuple[Callable, float], ...] = ()  # (function, seconds between two runs), run by every worker
    health: Callable | None = None
    under_code: Callable | None = None
    commands: tuple = ()  # click commands of `flask`

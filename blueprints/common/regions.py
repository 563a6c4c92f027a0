"""The region file: names, contacts, lists and rules of the one region that this installation serves."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "regions"


@dataclass(frozen=True)
class Region:
    """`data` is the region file over `common.toml`; `region["contact"]["hotline"]` reads it."""

    slug: str = ""
    data: dict = field(default_factory=dict)

    def __getitem__(self, key: str):
        return self.data[key]

    def get(self, key: str, default=None):
        return self.data.get(key, default)

    def field(self, number: str, key: str | None = None) -> dict:
        """What this region says of a form field: {label, required, hide}; by number, or by `key` (`table.name`)."""
        if rule := self.data.get("fields", {}).get(number):
            return rule
        table, _, name = (key or "").partition(".")
        return self.data.get(table, {}).get("fields", {}).get(name, {})

    def options(self, *path: str) -> list[tuple[str, str]]:
        """A code list as (key, label) pairs."""
        node = self.data
        for part in path:
            node = node[part]
        return [(row["code"], row["name"]) for row in node]


def load_region(name: str) -> Region:
    """By name in `regions/`, or by path. Raises FileNotFoundError, tomllib.TOMLDecodeError."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    common = tomllib.loads((FOLDER / "common.toml").read_text("utf-8"))
    data = merge(common, tomllib.loads(path.read_text("utf-8")))
    return Region(data["slug"], data)


def merge(below: dict, above: dict) -> dict:
    """Tables are merged key by key; everything else is replaced."""
    both = {
        key: merge(below[key], above[key]) for key in below.keys() & above.keys()
        if isinstance(below[key], dict) and isinstance(above[key], dict)
    }  # fmt: skip
    return below | above | both

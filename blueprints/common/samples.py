"""「填入示例」: sample answers of the demonstration, offered only while the sandbox runs."""

import tomllib
from functools import cache
from pathlib import Path

from flask import current_app

FILE = Path(__file__).parents[2] / "content" / "samples.toml"


def sample_answers(kind: str, place: str) -> dict[str, list[str]] | None:
    """Typed text by field name for one page; None in production or where there is none."""
    if not current_app.config["SETTINGS"].sandbox_origin:
        return None
    page = _samples().get(kind, {}).get(place)
    return page and {name: value if isinstance(value, list) else [value] for name, value in page.items()}


@cache
def _samples() -> dict:
    return tomllib.loads(FILE.read_text("utf-8"))

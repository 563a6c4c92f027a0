"""Announcements, guides, FAQ and terms: Markdown files of the region over those that all regions share."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup

FOLDER = Path(__file__).parents[2] / "content"


@dataclass(frozen=True)
class Article:
    """One file. `meta`: title, date, publisher; `version` for terms, `group` for FAQ."""

    slug: str
    meta: dict
    source: str

    @property
    def title(self) -> str:
        return self.meta["title"]

    @property
    def date(self) -> str:
        return self.meta.get("date", "")

    @property
    def html(self) -> Markup:
        """Raw HTML in the source is shown as text (the `commonmark` preset with html off)."""
        return Markup(MarkdownIt("commonmark", {"html": False}).enable("table").render(self.source))


def list_articles(region, folder: str) -> list[Article]:
    """Newest first; a file of the region wins over one of the same name in `common`."""
    found = {
        path.stem: path for root in ("common", region.slug) for path in sorted((FOLDER / root / folder).glob("*.md"))
    }
    articles = [_read(path, region.slug, _words(region)) for path in found.values()]
    return sorted(articles, key=lambda article: article.date, reverse=True)


def find_article(region, slug: str) -> Article | None:
    """`slug`: folder/name or name."""
    for root in (region.slug, "common"):
        path = (FOLDER / root / f"{slug}.md").resolve()
        if path.is_relative_to(FOLDER) and path.exists():
            return _read(path, region.slug, _words(region))
    return None


def _words(region) -> tuple:
    names = ("name", "short", "operator", "data_centre")
    return (*((name, region[name]) for name in names), ("hotline", region["contact"]["hotline"]))


@cache
def _read(path: Path, region: str, words: tuple) -> Article:
    _, front, body = path.read_text("utf-8").split("---\n", 2)
    for name, value in words:
        front, body = front.replace(f"{{{name}}}", value), body.replace(f"{{{name}}}", value)
    meta = dict(line.split(": ", 1) for line in front.splitlines() if ": " in line)
    return Article(path.stem, meta, body)

"""Prints: HTML to PDF by WeasyPrint, with a fetcher that serves static files by name, handed images by id, nothing else."""

from pathlib import Path

from flask import Response, current_app
from weasyprint import HTML
from weasyprint.urls import URLFetcher, URLFetcherResponse


class StaticOnly(URLFetcher):
    """Answers `static:<name>` from the static folder and `image:<id>` from the PNGs that the caller handed in.

    Every other address, inside or outside, is refused.
    """

    def __init__(self, images: dict[str, bytes]):
        super().__init__()
        self.images = images

    def fetch(self, url, headers=None):
        if url.startswith("image:") and (image := self.images.get(url.removeprefix("image:"))):
            return URLFetcherResponse(url, image, {"Content-Type": "image/png"})
        name = url.removeprefix("static:")
        if url == name or "/" in name or not name.endswith(".css"):
            raise ValueError(f"a print fetches nothing: {url[:80]}")
        return super().fetch(Path(current_app.static_folder, name).as_uri(), headers)


def pdf_answer(html: str, name: str, images: dict[str, bytes] | None = None) -> Response:
    """`images`: PNGs by id, which the page names as `image:<id>`."""
    pdf = HTML(string=html, base_url="static:", url_fetcher=StaticOnly(images or {})).write_pdf()
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(pdf, mimetype="application/pdf", headers=headers)

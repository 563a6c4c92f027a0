"""Prints: HTML to PDF by WeasyPrint, with a fetcher that serves static files by name and nothing else."""

from pathlib import Path

from flask import Response, current_app
from weasyprint import HTML
from weasyprint.urls import URLFetcher


class StaticOnly(URLFetcher):
    """Answers `static:<name>` from the static folder; every other address, inside or outside, is refused."""

    def fetch(self, url, headers=None):
        name = url.removeprefix("static:")
        if url == name or "/" in name or not name.endswith(".css"):
            raise ValueError(f"a print fetches nothing: {url[:80]}")
        return super().fetch(Path(current_app.static_folder, name).as_uri(), headers)


def pdf_answer(html: str, name: str) -> Response:
    pdf = HTML(string=html, base_url="static:", url_fetcher=StaticOnly()).write_pdf()
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(pdf, mimetype="application/pdf", headers=headers)

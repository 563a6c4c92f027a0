"""The blueprint of this area, with all of its views."""

from . import documents, orders_in, pages, standing  # noqa: F401  (their decorators add the views)
from .base import bp

__all__ = ["bp"]

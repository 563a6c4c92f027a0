"""Tables, one module per aggregate, and all of their SQL as query functions."""

from . import accounts, challenges, codes, documents, exports, files, notices, orders, receipts, sessions, transmission  # noqa: F401  (so that the metadata is whole)

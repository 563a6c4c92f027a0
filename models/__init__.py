"""Tables, one module per aggregate, and all of their SQL as query functions."""

from . import accounts, codes, documents, files, notices, sessions, transmission  # noqa: F401  (so that the metadata is whole)

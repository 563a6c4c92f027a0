"""Tables, one module per aggregate, and all of their SQL as query functions."""

from . import (  # noqa: F401  (so that the metadata is whole)
    accounts,
    agreements,
    banks,
    challenges,
    channels,
    clients,
    codes,
    device_reports,
    documents,
    export_clients,
    exports,
    files,
    notices,
    orders,
    proofs,
    realname,
    receipts,
    seals,
    sessions,
    transmission,
)

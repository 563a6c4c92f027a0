"""Starts the programs of one machine: private PostgreSQL, portal, worker, sandbox, card bridge. For demonstration and tests."""

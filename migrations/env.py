"""Alembic: one database, the metadata of `models`, the address from EPORT_DATABASE_URL or the caller."""

import os

from alembic import context
from sqlalchemy import NullPool, create_engine

import models
from migrations.compare import is_ours
from models.database import Base

assert models


def run() -> None:
    url = context.config.get_main_option("sqlalchemy.url") or os.environ["EPORT_DATABASE_URL"]
    with create_engine(url, poolclass=NullPool).connect() as connection:
        context.configure(
            connection=connection, target_metadata=Base.metadata, include_object=is_ours, compare_type=True
        )
        with context.begin_transaction():
            context.run_migrations()


run()

"""The one database: engine, session, and what every table has."""

from uuid import UUID, uuid4

import orjson
import psycopg
from psycopg import pq
from sqlalchemy import Engine, MetaData, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker

session = scoped_session(sessionmaker(expire_on_commit=False))
"""One session per thread; the portal removes it after each request, the worker after each job."""


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Row(Base):
    """A table whose key is a random UUID, made before anything else so that encrypted columns can name it."""

    __abstract__ = True

    id: Mapped[UUID] = mapped_column(primary_key=True)

    def __init__(self, **values):
        self.id = values.pop("id", None) or uuid4()
        super().__init__(**values)


class BinaryCursor(psycopg.Cursor):
    """Values come as PostgreSQL holds them: bytes need not be spelled as twice as many hexadecimal digits, and read again."""

    def __init__(self, connection, **options) -> None:
        super().__init__(connection, **options)
        self.format = pq.Format.BINARY


def connect(url: str, **options) -> Engine:
    """Binds the process's session. `url`: postgresql+psycopg://…"""
    engine = create_engine(
        url, pool_pre_ping=True, json_deserializer=orjson.loads,
        connect_args={"cursor_factory": BinaryCursor, "options": "-c random_page_cost=1.1 -c jit=off"},  # no turning disk
        **options,
    )  # fmt: skip
    session.remove()
    session.configure(bind=engine)
    return engine

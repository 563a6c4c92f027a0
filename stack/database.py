"""Migrations from a program: what `alembic upgrade head` does."""

from pathlib import Path

from alembic import command
from alembic.config import Config

ROOT = Path(__file__).parents[1]


def migrate(url: str, revision: str = "head") -> None:
    """Brings the database at `url` to `revision`; a revision below the present one goes down."""
    config = Config(ROOT / "alembic.ini")
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("sqlalchemy.url", url)
    (command.downgrade if revision == "base" else command.upgrade)(config, revision)

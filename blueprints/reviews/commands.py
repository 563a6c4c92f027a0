"""`flask staff add`: the first official of an installation, and any further one."""

import click
from flask.cli import AppGroup

from blueprints.common import clock
from blueprints.common.history import record
from blueprints.common.passwords import hasher
from models.accounts import User, find_user
from models.database import session

staff = AppGroup("staff", help="Accounts of officials.")


@staff.command("add")
@click.argument("name")
@click.option("--desk", "desks", multiple=True, help="registration, data-centre; may be given several times")
@click.password_option(help="asked for when not given")
def add(name: str, desks: tuple[str, ...], password: str):
    """Adds an official who serves the given desks."""
    if find_user(name):
        raise click.ClickException(f"user name taken: {name}")
    if len(password) < 8:
        raise click.ClickException("a password needs 8 characters")
    session.add(
        User(name=name.casefold(), shown_name=name, password_hash=hasher().hash(password), role="staff",
             desks=list(desks), created_at=clock.now())
    )  # fmt: skip
    record("建立审核账号", f"user:{name}", by="flask staff add", desks=list(desks))
    session.commit()
    click.echo(f"added {name}: {', '.join(desks) or 'no desk'}")

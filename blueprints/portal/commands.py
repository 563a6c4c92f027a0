"""`flask audit verify`: proves the chain of audit events."""

import click
from flask.cli import AppGroup

from blueprints.common.history import broken_events, seal_events
from models.database import session

audit = AppGroup("audit", help="The chain of audit events.")


@audit.command("verify")
def verify():
    """Seals what is open, then checks every seal; names the events that do not fit."""
    sealed = seal_events(limit=10**6)
    session.commit()
    broken = broken_events()
    if broken:
        raise click.ClickException(f"altered or missing before: events {', '.join(map(str, broken))}")
    click.echo(f"chain whole; {sealed} events sealed now")

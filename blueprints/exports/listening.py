"""Answers from hosts (HTTP, AMQP): each company's own channel is asked every few seconds, by a job of its own."""

from contextlib import closing
from datetime import timedelta
from uuid import UUID

from blueprints.common import clock
from gateways.outcomes import Unavailable
from models import channels
from models.database import session
from models.queue import defer

from .channels import open_receiving, words_of
from .receiving import take_in_from
from .sending import as_row, pause_after

EVERY = timedelta(seconds=2)
LEASE = timedelta(minutes=1)  # a job that was lost is asked for again


def ask_hosts() -> None:
    """Loop, every second: a job for each channel whose turn it is. Any number of workers may do it at once."""
    now = clock.now()
    for settings_id in channels.take_due_to_receive(now, now + LEASE):
        defer("receive_from_host", queue="push", lock=f"receive:{settings_id}", settings_id=str(settings_id))
    session.commit()


def receive_from_host(settings_id: str) -> None:
    """Job. Takes in all that waits; a host that does not answer is asked less and less often."""
    row, line = channels.line_of_settings(UUID(settings_id))
    hold = channels.find_hold(line, "receive")
    session.commit()
    name, next_at = "接收通道", clock.now() + EVERY
    try:
        channel, name = open_receiving(row, line)
        with closing(channel):
            take_in_from(channel, line.enterprise_id)
    except (Unavailable, OSError) as error:
        failures, now = (hold.failures if hold else 0) + 1, clock.now()
        next_at = now + pause_after(error, failures)
        channels.hold(line, "receive", failures, next_at, as_row(words_of(error, name)), now)
    else:
        if hold:
            channels.let_go(line, "receive")
    channels.ask_again_at(row.id, next_at)
    session.commit()

"""What the worker does for this area."""

import logging

from blueprints.common import codes

LOG = logging.getLogger(__name__)


def refresh_codes(enterprise_id: str) -> None:
    """Raises `CannotRefresh` where asking again later can help, so that the worker does."""
    try:
        codes.refresh_codes(enterprise_id)
    except codes.CannotRefresh as problem:
        if problem.may_come:
            raise
        LOG.info("codes of %s: %s %s", enterprise_id, problem.sentence.number, problem.sentence)

"""Notices to programs of companies, at addresses that the companies typed (docs/protocols/programs.md).

check_address(url, allowed)                       # BadAddress, Unresolved
status = post(url, body, headers, allowed)        # the same, and Unavailable; redirects are not followed
"""

from ..outcomes import Unavailable
from .address import BadAddress, Target, Unresolved, check_address
from .http import post, sign

__all__ = ["BadAddress", "Target", "Unavailable", "Unresolved", "check_address", "post", "sign"]

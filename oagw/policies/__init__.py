"""Policies: what the gateway does to a call before its target gets it, and to the head of the response after.

Policies are pure functions of plain data, one file each. To add one, write its file and list it below: the
lists have the order in which policies act. ``gateway.pipeline`` runs them.
"""

from collections.abc import Awaitable, Callable

from oagw.model.call import Call
from oagw.model.problem import Problem
from oagw.model.response_head import ResponseHead

# Takes a call and the date in seconds since 1970; returns the call as the target is to see it (header fields
# may differ), or the problem that it is refused with. What has to wait returns an Awaitable of either.
Before = Callable[[Call, float], Call | Problem | Awaitable[Call | Problem]]

# Takes the call that the target saw, the head of the response, and the date; returns the head to send. A
# policy does not see the body, which may be a stream, and cannot add or take one away by the status.
After = Callable[[Call, ResponseHead, float], ResponseHead]

BEFORE: tuple[Before, ...] = ()
AFTER: tuple[After, ...] = ()

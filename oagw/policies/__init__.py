"""Policies: functions that change a call before it reaches its target, or the head of the response after it.

They take and return plain data. The modules have the policies of registered upstreams, which
``gateway.forwarding`` calls. The tuples below have those for all calls, which ``gateway.pipeline`` runs in
this order; to add one, write its module and add the function.
"""

from collections.abc import Awaitable, Callable

from oagw.model.call import Call
from oagw.model.problem import Problem
from oagw.model.response_head import ResponseHead

# Takes a call and the date in seconds since 1970. Returns the call for the target, in which header fields may
# differ, or a problem to reject it. A policy that has to wait returns an Awaitable of either.
Before = Callable[[Call, float], Call | Problem | Awaitable[Call | Problem]]

# Takes the call that the target received, the head of its response, and the date. Returns the head to send. A
# policy does not get the body, which may be a stream; nor can it add or remove a body by changing the status.
After = Callable[[Call, ResponseHead, float], ResponseHead]

BEFORE: tuple[Before, ...] = ()
AFTER: tuple[After, ...] = ()

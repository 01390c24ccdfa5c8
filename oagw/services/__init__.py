"""The mock upstreams: one file or package each, found by being here.

A module of this package has a ``SERVICE``: its alias, and a function that builds its resource tree from
an Env. To add a service, add a file; nothing else is edited. ``api.proxy`` puts them under their alias.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from random import Random

from twisted.internet.interfaces import IReactorTime
from twisted.web.server import Request

from oagw.web.reply import UPSTREAM, Reply, json_reply
from oagw.web.resource import Node, Refused
from oagw.web.stream import Streams


class UpstreamNode(Node):
    """A URL of a mock upstream, which says no with ``{"error": str}`` unless a service overrides it."""

    source = UPSTREAM

    def refusal(self, request: Request, refused: Refused) -> Reply:
        return json_reply(
            {"error": refused.message}, refused.status, source=UPSTREAM, headers=refused.headers
        )


@dataclass(frozen=True, slots=True)
class Env:
    """What a service may use: the clock, its own random numbers, and the way to open a stream.

    ``strict_models`` is whether a model that the service does not list is unknown.
    """

    clock: IReactorTime
    random: Random
    streams: Streams
    strict_models: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """A mock upstream: the ``alias`` it is called by (lower case) and how to build its tree."""

    alias: str
    tree: Callable[[Env], UpstreamNode]


def load() -> dict[str, Service]:
    """All services by alias, sorted; raises ValueError for a module without SERVICE or a second alias."""
    services: dict[str, Service] = {}
    for module_info in iter_modules(__path__):
        module = import_module(f"{__name__}.{module_info.name}")
        service = getattr(module, "SERVICE", None)
        if not isinstance(service, Service):
            raise ValueError(f"{module.__file__}: a service module needs a SERVICE")
        if service.alias in services:
            raise ValueError(f"{module.__file__}: the alias {service.alias!r} is taken")
        services[service.alias] = service
    return dict(sorted(services.items()))

"""The built-in upstreams, one module or package each.

Every module of this package is a service. It has a function ``tree(env)`` that returns its tree of resources.
Its alias is the module's name, with dashes instead of underscores. To add a service, add a module; nothing
else has to change. ``gateway.pipeline`` looks up the tree of an alias.
"""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from random import Random
from typing import NamedTuple

from twisted.internet.interfaces import IReactorTime
from twisted.web.server import Request

from oagw.web.reply import UPSTREAM, Reply, json_reply
from oagw.web.resource import Node, Refused
from oagw.web.stream import Streams


class UpstreamNode(Node):
    """A resource of a built-in service. Errors are ``{"error": str}`` unless a service overrides this."""

    source = UPSTREAM

    def refusal(self, request: Request, refused: Refused) -> Reply:
        return json_reply(
            {"error": refused.message}, refused.status, source=UPSTREAM, headers=refused.headers
        )


class Env(NamedTuple):
    """What a service gets from the gateway.

    - ``clock``: measures durations and schedules calls.
    - ``wall``: returns the date, in seconds since 1970.
    - ``random``: the service's own random numbers.
    - ``streams``: opens event streams.
    - ``strict_models``: reject models that the OpenAI service does not list.
    - ``github_links``: make links in bodies of the GitHub service point to this gateway.
    """

    clock: IReactorTime
    wall: Callable[[], float]
    random: Random
    streams: Streams
    strict_models: bool = False
    github_links: bool = False


class BuiltInServices(Mapping[str, UpstreamNode]):
    """The trees of all services by alias, in alphabetical order.

    A service is imported and built when it is first looked up: most tests use one or two, and importing all
    takes longer than the rest of the gateway. ``env`` returns the Env for an alias.
    """

    def __init__(self, env: Callable[[str], Env]) -> None:
        self._env = env
        self._modules = {
            name.replace("_", "-"): name for name in sorted(info.name for info in iter_modules(__path__))
        }
        self._trees: dict[str, UpstreamNode] = {}

    def __getitem__(self, alias: str) -> UpstreamNode:
        if alias not in self._trees:
            module = import_module(f"{__name__}.{self._modules[alias]}")
            self._trees[alias] = module.tree(self._env(alias))
        return self._trees[alias]

    def __contains__(self, alias: object) -> bool:
        return alias in self._modules  # does not import the service

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

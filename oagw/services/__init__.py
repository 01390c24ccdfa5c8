"""The mock upstreams: one module each, found by being here.

A module of this package has a function ``tree(env)`` that builds its resources; its alias is its name, with
dashes for underscores. To add a service, add a file; nothing else is edited. ``gateway.proxy`` asks for the
tree behind an alias.
"""

from collections.abc import Callable, Iterator, Mapping
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
    """What a service may use: the clocks, its own random numbers, and the way to open a stream.

    ``clock`` measures durations, ``wall`` is the date in seconds since 1970. ``strict_models`` is whether a
    model that the service does not list is unknown, ``github_links`` whether links in bodies of GitHub point
    to this gateway.
    """

    clock: IReactorTime
    wall: Callable[[], float]
    random: Random
    streams: Streams
    strict_models: bool = False
    github_links: bool = False


class Upstreams(Mapping[str, UpstreamNode]):
    """The trees of all services by alias, sorted.

    Each is loaded and built when it is first called: most tests call one or two, and to load all takes
    longer than the rest of the gateway. ``env`` makes the Env of an alias.
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
        return alias in self._modules  # without loading it

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

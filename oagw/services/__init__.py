"""The built-in upstreams, one module or package each.

Every module of this package is a service, unless its name begins with an underscore. It has a function
``tree(env)`` that returns its tree of resources. Its alias is the module's name, with dashes instead of
underscores. To add a service, add a module; nothing else has to change. ``gateway.pipeline``
looks up the tree of an alias.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from pkgutil import iter_modules
from random import Random
from typing import ClassVar, NamedTuple

from twisted.internet.interfaces import IReactorTime
from twisted.web.server import Request

from oagw.model.draws import Draws
from oagw.model.refused import Refused
from oagw.web.exchange import caller_of
from oagw.web.reply import UPSTREAM, Reply, field_value, json_reply
from oagw.web.resource import Node
from oagw.web.stream import Streams

# The field of a 404 that says what may have been meant. The real gateway does not have it.
HINT = b"X-OAGW-Mock-Hint"


class UpstreamNode(Node):
    """A resource of a built-in service. Errors are ``{"error": str}`` unless a service overrides this.

    The root of a service has its ``paths``, such as ``GET /users/{username}``.
    """

    source = UPSTREAM
    paths: ClassVar[tuple[str, ...]] = ()

    def refusal(self, request: Request, refused: Refused) -> Reply:
        message = refused.message if refused.hint is None else f"{refused.message}. {refused.hint}"
        return json_reply({"error": message}, refused.status, source=UPSTREAM, headers=refused.headers)

    def unknown_path(self, request: Request) -> Refused:
        refused = super().unknown_path(request)
        if refused.hint is not None:
            refused.headers = {HINT: (field_value(refused.hint),)}
        return refused


class Env(NamedTuple):
    """What a service gets from the gateway.

    - ``alias``: the alias of the service.
    - ``clock``: measures durations and schedules calls.
    - ``wall``: returns the date, in seconds since 1970.
    - ``streams``: opens event streams.
    - ``strict_models``: reject models that the OpenAI service does not list.
    - ``github_links``: make links in bodies of the GitHub service point to this gateway.
    """

    alias: str
    clock: IReactorTime
    wall: Callable[[], float]
    streams: Streams
    strict_models: bool = False
    github_links: bool = False

    def random(self, request: Request) -> Random:
        """Return the random numbers for the answer to ``request``. Call this once for each answer."""
        draws: Draws = caller_of(request).sandbox.draws
        return draws.next(self.alias)

    def random_bits(self, request: Request, count: int) -> int:
        """Return a random number of ``count`` bits for the answer to ``request``; it is quick."""
        draws: Draws = caller_of(request).sandbox.draws
        return draws.bits(f"{self.alias} bits", count)


# A service: a function that returns its tree.
Service = Callable[[Env], Node]


class BuiltInServices(Mapping[str, Node]):
    """The trees of all services by alias, in alphabetical order.

    A service is imported and built when it is first looked up: most tests use one or two, and importing all
    takes longer than the rest of the gateway. ``env`` returns the Env for an alias. ``own`` are services of
    the program that embeds the gateway; they replace those of this package with the same alias.
    """

    def __init__(self, env: Callable[[str], Env], own: Mapping[str, Service]) -> None:
        self._env = env
        services: dict[str, Service] = {
            info.name.replace("_", "-"): partial(_tree, info.name)
            for info in iter_modules(__path__)
            if not info.name.startswith("_")
        }
        services.update(own)
        self._services = dict(sorted(services.items()))
        self._trees: dict[str, Node] = {}

    def __getitem__(self, alias: str) -> Node:
        if alias not in self._trees:
            self._trees[alias] = self._services[alias](self._env(alias))
        return self._trees[alias]

    def __contains__(self, alias: object) -> bool:
        return alias in self._services  # does not import the service

    def __iter__(self) -> Iterator[str]:
        return iter(self._services)

    def __len__(self) -> int:
        return len(self._services)


def _tree(name: str, env: Env) -> Node:
    tree: Node = import_module(f"{__name__}.{name}").tree(env)
    return tree

"""Matching: choose the route of a call by its method and path."""

from collections.abc import Iterable

from oagw.model.route import HttpMatch, Route


class RouteTable:
    """The enabled HTTP routes of one upstream, indexed by method and path."""

    __slots__ = ("_lengths", "_routes")

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes: dict[str, dict[str, Route]] = {}
        for route in sorted(routes, key=lambda route: (-route.priority, route.uuid)):
            http = http_match(route)
            if route.enabled and http is not None:
                for method in http.methods:
                    self._routes.setdefault(method, {}).setdefault(http.path, route)
        # The different lengths of paths, longest first.
        self._lengths = {
            method: sorted({len(path) for path in by_path}, reverse=True)
            for method, by_path in self._routes.items()
        }

    def find(self, method: str, path: str) -> Route | None:
        """Return the route with the longest path that ``path`` begins with, or None.

        It is a prefix of the text: ``/v1/model`` matches ``/v1/models``. Of several with the same path, the
        one with the highest priority is found, then the one with the lowest id. ``method`` is in upper case.
        """
        by_path = self._routes.get(method)
        if by_path is not None:
            for length in self._lengths[method]:
                route = by_path.get(path[:length])
                if route is not None:
                    return route
        return None


def http_match(route: Route) -> HttpMatch | None:
    """Return the HTTP match of ``route``, or None if it is a gRPC route."""
    return route.match.http or None

"""The sets of stubs for ``stubs``, in WireMock's JSON, and the paths of the requests."""

from typing import Any, NamedTuple

_PROXY = "/api/oagw/v1/proxy"
_ALIASES = 20

Mapping = dict[str, Any]


class StubSet(NamedTuple):
    """``stubs`` in the order in which they are created. The one at index ``answers`` answers ``path``."""

    title: str
    stubs: list[Mapping]
    answers: int
    path: str

    @property
    def alone(self) -> list[Mapping]:
        """Only the stub that answers."""
        return [self.stubs[self.answers]]


def mixed(count: int) -> StubSet:
    """Return a mix of literal paths, regular expressions, literal URLs and templates for 20 aliases.

    The stub in the middle answers; of 1,000, it is a regular expression.
    """
    kinds = [_kind(number) for number in range(count)]
    stubs = [_stub(number, url) for number, (url, _) in enumerate(kinds)]
    return StubSet(f"one of {count:,} stubs", stubs, count // 2, kinds[count // 2][1])


def expressions(count: int) -> StubSet:
    """Return ``count`` regular expressions for one alias. Only the one that is tried last matches."""
    base = f"{_PROXY}/upstream-0/v1/items"
    stubs = [_stub(n, {"urlPathPattern": f"{base}/[0-9]+/part-{n}"}) for n in range(count)]
    # The newest stub is tried first.
    return StubSet(f"the last of {count:,} regular expressions", stubs, 0, f"{base}/7/part-0")


def _kind(number: int) -> tuple[dict[str, str], str]:
    """Return the URL pattern of a stub, and a URL that it matches."""
    base = f"{_PROXY}/upstream-{number % _ALIASES}/v1"
    literal, query = f"{base}/things/{number}", f"{base}/search?q={number}&limit=10"
    kinds = (
        ({"urlPath": literal}, literal),
        ({"urlPathPattern": f"{base}/items/[0-9]+/part-{number}"}, f"{base}/items/7/part-{number}"),
        ({"url": query}, query),
        ({"urlPathTemplate": f"{base}/users/{{id}}/part-{number}"}, f"{base}/users/7/part-{number}"),
    )
    return kinds[number // _ALIASES % len(kinds)]


def _stub(number: int, url: dict[str, str]) -> Mapping:
    answer = {"status": 200, "jsonBody": {"number": number}, "headers": {"Content-Type": "application/json"}}
    return {"request": {"method": "GET", **url}, "response": answer}

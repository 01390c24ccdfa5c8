"""The path and query of a call: normalised, checked against its route, and as the upstream gets them."""

from urllib.parse import quote_plus

from oagw.model.problem import Problem, invalid_field
from oagw.model.reading import read_pairs
from oagw.model.route import HttpMatch


def normalised(raw: str) -> str:
    """Return the path below an alias without empty and dot segments and without a trailing slash.

    ``..`` never leads above the root. Escapes are not decoded. An absent path is ``""``; a bare ``/`` stays.
    """
    if not raw:
        return ""
    kept: list[str] = []
    for segment in raw.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    return "/" + "/".join(kept)


def beyond(match: HttpMatch, path: str) -> Problem | None:
    """Return the 400 for a path that continues where the route ends, if its suffix mode is ``disabled``."""
    if match.path_suffix_mode == "disabled" and path != match.path:
        detail = f"path suffix not allowed: {path.removeprefix(match.path)}"
        return invalid_field("path", "PATH_SUFFIX_NOT_ALLOWED", detail)
    return None


def unlisted(match: HttpMatch, query: str) -> Problem | None:
    """Return the 400 for the first query parameter that is not on the route's allowlist, or None."""
    found = read_pairs(query)
    allowed = frozenset(match.query_allowlist) if len(found) > 1 else match.query_allowlist
    for name, _ in found:
        if name not in allowed:
            detail = f"query parameter '{name}' is not in the route's query_allowlist"
            return invalid_field("query", "QUERY_NOT_ALLOWED", detail)
    return None


def target(match: HttpMatch, path: str, query: str) -> str:
    """Return the path and query for the upstream: the route's path, the rest of ``path``, the query.

    The parts are joined with one slash, even in the middle of a segment, as in the real gateway. The query is
    encoded anew, as a form.
    """
    rest = path.removeprefix(match.path)
    joined = match.path.rstrip("/") + "/" + rest.lstrip("/") if rest else match.path
    if not joined.startswith("/"):
        joined = "/" + joined
    encoded = "&".join(f"{_escaped(name)}={_escaped(value)}" for name, value in read_pairs(query))
    return f"{joined}?{encoded}" if encoded else joined


def _escaped(text: str) -> str:
    """Escape for a form (URL standard, section 5.2)."""
    return quote_plus(text, safe="*-._").replace("~", "%7E")

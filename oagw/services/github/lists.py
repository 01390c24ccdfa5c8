"""The lists of a repository with their filters, and their items: /issues, /pulls and /commits."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.model.refused import Refused
from oagw.services.github.activity import (
    COMMITS,
    COUNT,
    NUMBERS,
    Activity,
    created,
    head_branch,
    is_pull,
    label,
    state,
    updated,
)
from oagw.services.github.node import GitHub, GitHubNode
from oagw.services.github.paging import read_page
from oagw.services.github.samples import OCTOCAT
from oagw.web.body import query_pairs
from oagw.web.reply import Reply

Query = dict[str, str]

_BRANCH = "main"

_FIRST, _LAST = (date.replace(tzinfo=UTC) for date in (datetime.min, datetime.max))

# The names by which ``author`` and ``committer`` identify octocat.
_OCTOCAT_NAMES = (OCTOCAT, "octocat@github.com")


class InvalidParameter(Refused):
    """The query parameter ``field`` has the invalid value ``value``; GitHub answers 422."""

    def __init__(self, field: str, value: str) -> None:
        super().__init__(422, "Validation Failed", field=field, code="invalid")
        self.value = value


class ListNode(GitHubNode):
    """GET /repos/{owner}/{repo}/{name} → 200, one page of a list, with a Link field if there are more.

    ``per_page`` is 1 to 100, 30 by default; ``page`` counts from 1. Invalid values count as the default.
    """

    name: str
    resource: str  # the name of an item in GitHub's validation errors

    def __init__(self, github: GitHub, owner: str, repo: str) -> None:
        super().__init__(github)
        self._owner, self._repo = owner, repo

    def getChild(self, path: bytes, request: Request) -> IResource:
        return ListItem(self, path.decode("utf-8", "replace")) if path else self

    def activity(self, request: Request) -> Activity:
        """Return the activity of the repository, with links that the sender of ``request`` can follow."""
        return Activity(self.github.base_url(request), self._owner, self._repo)

    def refusal(self, request: Request, refused: Refused) -> Reply:
        if not isinstance(refused, InvalidParameter):
            return super().refusal(request, refused)
        detail = {
            "value": refused.value,
            "resource": self.resource,
            "field": refused.field,
            "code": refused.code,
        }
        body = {
            "message": refused.message,
            "errors": [detail],
            "documentation_url": "https://docs.github.com/rest",
            "status": "422",
        }
        return self.error(request, refused.status, body)

    def render_GET(self, request: Request) -> Reply:
        pairs = query_pairs(request)
        query = dict(pairs)
        activity = self.activity(request)
        numbers = self.numbers(activity, query)
        page = read_page(query)
        link = page.link(f"{activity.url}/{self.name}", pairs, len(numbers))
        return self.reply(request, [self.listed(activity, number) for number in page.of(numbers)], link)

    def numbers(self, activity: Activity, query: Query) -> list[int]:
        """Return the numbers of the items that ``query`` selects, in its order; raises InvalidParameter."""
        raise NotImplementedError

    def ordered(
        self, query: Query, sorts: tuple[str, ...], matches: Callable[[int], bool], ascends: bool = False
    ) -> list[int]:
        """Return the numbers for which ``matches`` is true and the state is right, in the order of ``query``.

        Items with larger numbers were created and changed later, so all values of ``sort`` give the same
        order; ``ascends`` selects the default of ``direction``. Raises InvalidParameter.
        """
        wanted = self.one_of(query, "state", ("open", "closed", "all"))
        self.one_of(query, "sort", sorts)
        direction = self.one_of(query, "direction", ("asc", "desc") if ascends else ("desc", "asc"))
        numbers = [n for n in NUMBERS if wanted in ("all", state(n)) and matches(n)]
        return numbers if direction == "desc" else numbers[::-1]

    def one_of(self, query: Query, name: str, values: tuple[str, ...]) -> str:
        """Return the parameter ``name``, the first of ``values`` by default; raises InvalidParameter."""
        value = query.get(name, values[0])
        if value not in values:
            raise InvalidParameter(name, value[:100])
        return value

    def date(self, query: Query, name: str) -> datetime | None:
        """Return the ISO 8601 date in the parameter ``name``, or None; raises InvalidParameter."""
        if name not in query:
            return None
        text = query[name]
        try:
            date = datetime.fromisoformat(text)
        except ValueError:
            raise InvalidParameter(name, text[:100]) from None
        return date if date.tzinfo else date.replace(tzinfo=UTC)

    def listed(self, activity: Activity, number: int) -> Any:
        """Return the item with this number as it appears in the list."""
        raise NotImplementedError

    def single(self, activity: Activity, id: str) -> Any:
        """Return the full item with this id; raises Refused if there is none."""
        raise NotImplementedError


class ListItem(GitHubNode):
    """GET /repos/{owner}/{repo}/{list}/{id} → 200, one item of the list."""

    def __init__(self, items: ListNode, id: str) -> None:
        super().__init__(items.github)
        self._items = items
        self._id = id

    def render_GET(self, request: Request) -> Reply:
        return self.reply(request, self._items.single(self._items.activity(request), self._id))


class Issues(ListNode):
    """The issues, including the pull requests.

    The filters are ``state``, ``labels``, ``creator``, ``assignee``, ``mentioned``, ``milestone`` and
    ``since``.
    """

    name, resource = "issues", "Issue"

    def numbers(self, activity: Activity, query: Query) -> list[int]:
        labels = set(filter(None, query.get("labels", "").split(",")))
        since = self.date(query, "since") or _FIRST
        # No issue has an assignee, a mention or a milestone.
        unassigned = all(query.get(name, "none") == "none" for name in ("assignee", "mentioned", "milestone"))
        by_octocat = query.get("creator", OCTOCAT).lower() == OCTOCAT
        return self.ordered(
            query,
            ("created", "updated", "comments"),
            lambda n: unassigned and by_octocat and labels <= {label(n)} and updated(n) >= since,
        )

    def listed(self, activity: Activity, number: int) -> Any:
        return activity.issue(number)

    def single(self, activity: Activity, id: str) -> Any:
        return activity.single_issue(_number(id))


class Pulls(ListNode):
    """The pull requests. The filters are ``state``, ``head`` and ``base``."""

    name, resource = "pulls", "PullRequest"

    def numbers(self, activity: Activity, query: Query) -> list[int]:
        head, base = query.get("head"), query.get("base", _BRANCH)
        return self.ordered(
            query,
            ("created", "updated", "popularity", "long-running"),
            lambda n: is_pull(n) and base == _BRANCH and head in (None, f"{self._owner}:{head_branch(n)}"),
            ascends=query.get("sort", "created") != "created",
        )

    def listed(self, activity: Activity, number: int) -> Any:
        return activity.pull(number)

    def single(self, activity: Activity, id: str) -> Any:
        number = _number(id)
        if not is_pull(number):
            raise Refused(404, "Not Found")
        return activity.single_pull(number)


class Commits(ListNode):
    """The commits of the default branch, newest first.

    The filters are ``sha`` (the commit or branch to start from), ``path``, ``author``, ``committer``,
    ``since`` and ``until``. The id of an item is its hash, a prefix of at least four digits, or a branch.
    """

    name, resource = "commits", "Commit"

    def numbers(self, activity: Activity, query: Query) -> list[int]:
        newest = _commit(activity, query.get("sha") or _BRANCH)
        if newest is None:
            raise Refused(404, "Not Found")
        people = (query.get("author", OCTOCAT), query.get("committer", OCTOCAT))
        since, until = self.date(query, "since") or _FIRST, self.date(query, "until") or _LAST
        by_octocat = all(person.lower() in _OCTOCAT_NAMES for person in people)
        if not by_octocat or query.get("path", "README.md") != "README.md":
            return []
        return [number for number in range(newest, 0, -1) if since <= created(number) <= until]

    def listed(self, activity: Activity, number: int) -> Any:
        return activity.commit(number)

    def single(self, activity: Activity, id: str) -> Any:
        number = _commit(activity, id)
        if number is None:
            raise Refused(422, f"No commit found for SHA: {id[:100]}")
        return activity.single_commit(number)


def _number(id: str) -> int:
    if not (id.isascii() and id.isdigit()) or len(id) > 9 or not 1 <= int(id) <= COUNT:
        raise Refused(404, "Not Found")
    return int(id)


def _commit(activity: Activity, ref: str) -> int | None:
    """Return the number of the commit that ``ref`` names, or None if there is none."""
    if ref in (_BRANCH, "HEAD"):
        return COMMITS
    if not 4 <= len(ref) <= 40:
        return None
    return next((n for n in range(COMMITS, 0, -1) if activity.sha(n).startswith(ref.lower())), None)

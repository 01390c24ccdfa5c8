"""The GitHub service: one user, and a repository for every name, with issues, pull requests and commits.

``samples`` and ``activity`` create the bodies, ``lists`` has the lists of a repository, and ``node`` the base
class of all resources. Links in the bodies point to api.github.com, as they do when the real API is called
through a gateway; with ``--github-links`` they point to this gateway.
"""

import re
from functools import lru_cache

from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.model.refused import Refused
from oagw.services import Env, UpstreamNode
from oagw.services.github.activity import OPEN_ISSUES
from oagw.services.github.lists import Commits, Issues, Pulls
from oagw.services.github.node import Encoded, GitHub, GitHubNode, encoded
from oagw.services.github.samples import OCTOCAT, repository, user
from oagw.web.reply import Reply

_LOGIN = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}")
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]{1,100}")

# The name of a repository that does not exist, for every owner.
MISSING = "missing"


class Users(GitHubNode):
    """/users/{username}."""

    def getChild(self, path: bytes, request: Request) -> IResource:
        return User(self.github, path) if path else self


class User(GitHubNode):
    """GET /users/{username} → 200, a public user. 404 for all users but octocat (in any case)."""

    def __init__(self, github: GitHub, login: bytes) -> None:
        super().__init__(github)
        self._exists = login.decode("utf-8", "replace").lower() == OCTOCAT

    def render_GET(self, request: Request) -> Reply:
        if not self._exists:
            raise Refused(404, "Not Found")
        return self.reply(request, _octocat(self.github.base_url(request)))


@lru_cache(16)
def _octocat(api: str) -> Encoded:
    """Return the user octocat; links begin with ``api``."""
    return encoded(user(api))


class Repositories(GitHubNode):
    """/repos/{owner}/{repo}."""

    def __init__(self, github: GitHub, owner: bytes | None = None) -> None:
        super().__init__(github)
        self._owner = owner

    def getChild(self, path: bytes, request: Request) -> IResource:
        if not path:
            return self
        if self._owner is None:
            return Repositories(self.github, path)
        owner, name = (text.decode("utf-8", "replace") for text in (self._owner, path))
        exists = _LOGIN.fullmatch(owner) and _REPOSITORY.fullmatch(name)
        if not exists or name.lower() in (MISSING, ".", ".."):
            return self.missing(request)
        return Repository(self.github, owner, name)


class Repository(GitHubNode):
    """GET /repos/{owner}/{repo} → 200, a repository, for every owner and name that GitHub allows.

    404 for other names and for the name ``missing``.
    """

    def __init__(self, github: GitHub, owner: str, name: str) -> None:
        lists = (Commits, Issues, Pulls)
        super().__init__(github, {one.name.encode(): one(github, owner, name) for one in lists})
        self._owner = owner
        self._name = name

    def render_GET(self, request: Request) -> Reply:
        base_url = self.github.base_url(request)
        return self.reply(request, repository(base_url, self._owner, self._name, OPEN_ISSUES))


class GitHubRoot(GitHubNode):
    """The root of the API."""

    paths = (
        "GET /users/{username}",
        "GET /repos/{owner}/{repo}",
        "GET /repos/{owner}/{repo}/commits",
        "GET /repos/{owner}/{repo}/commits/{ref}",
        "GET /repos/{owner}/{repo}/issues",
        "GET /repos/{owner}/{repo}/issues/{number}",
        "GET /repos/{owner}/{repo}/pulls",
        "GET /repos/{owner}/{repo}/pulls/{number}",
    )


def tree(env: Env) -> UpstreamNode:
    """Return the tree of the GitHub API."""
    github = GitHub(env)
    octocat = OCTOCAT.encode()
    users = Users(github, {octocat: User(github, octocat)})  # the only user that exists, created once
    return GitHubRoot(github, {b"users": users, b"repos": Repositories(github)})

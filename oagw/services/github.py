"""GitHub: one user, and a repository for every name.

Shapes follow https://docs.github.com/rest/users/users#get-a-user and /rest/repos/repos#get-a-repository.
Links in the bodies point at api.github.com, as they do when the real API is called through a gateway.
"""

import re
from typing import Any
from zlib import crc32

from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.services import Env, UpstreamNode
from oagw.web.reply import UPSTREAM, Reply, json_reply
from oagw.web.resource import Refused

API = "https://api.github.com"
SITE = "https://github.com"

_LOGIN = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}")
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]{1,100}")

# A repository of this name does not exist, whoever its owner is.
MISSING = "missing"


class GitHubNode(UpstreamNode):
    """A URL of the GitHub API; says no with ``{"message", "documentation_url", "status"}``."""

    def refusal(self, request: Request, refused: Refused) -> Reply:
        body = {
            "message": "Not Found" if refused.status == 404 else refused.message,
            "documentation_url": "https://docs.github.com/rest",
            "status": str(refused.status),
        }
        return json_reply(body, refused.status, source=UPSTREAM, headers=refused.headers)


def account(login: str, id: int) -> dict[str, Any]:
    """A user as GitHub embeds it in other bodies."""
    url = f"{API}/users/{login}"
    return {
        "login": login,
        "id": id,
        "node_id": f"U_{id}",
        "avatar_url": f"https://avatars.githubusercontent.com/u/{id}?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{SITE}/{login}",
        "followers_url": f"{url}/followers",
        "following_url": f"{url}/following{{/other_user}}",
        "gists_url": f"{url}/gists{{/gist_id}}",
        "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{url}/subscriptions",
        "organizations_url": f"{url}/orgs",
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events{{/privacy}}",
        "received_events_url": f"{url}/received_events",
        "type": "User",
        "user_view_type": "public",
        "site_admin": False,
    }


OCTOCAT = account("octocat", 583231) | {
    "name": "The Octocat",
    "company": "GitHub",
    "blog": "https://github.blog",
    "location": "San Francisco",
    "email": None,
    "hireable": None,
    "bio": None,
    "twitter_username": None,
    "public_repos": 8,
    "public_gists": 8,
    "followers": 20000,
    "following": 9,
    "created_at": "2011-01-25T18:44:36Z",
    "updated_at": "2026-01-22T12:00:00Z",
}

USERS = {"octocat": json_reply(OCTOCAT, source=UPSTREAM)}


def repository(owner: str, name: str) -> dict[str, Any]:
    """The repository ``owner/name``; its id is a function of the two."""
    full_name = f"{owner}/{name}"
    url = f"{API}/repos/{full_name}"
    links = {
        f"{link}_url": f"{url}/{path}"
        for link, path in (
            ("forks", "forks"),
            ("keys", "keys{/key_id}"),
            ("collaborators", "collaborators{/collaborator}"),
            ("teams", "teams"),
            ("hooks", "hooks"),
            ("issue_events", "issues/events{/number}"),
            ("events", "events"),
            ("assignees", "assignees{/user}"),
            ("branches", "branches{/branch}"),
            ("tags", "tags"),
            ("blobs", "git/blobs{/sha}"),
            ("git_tags", "git/tags{/sha}"),
            ("git_refs", "git/refs{/sha}"),
            ("trees", "git/trees{/sha}"),
            ("statuses", "statuses/{sha}"),
            ("languages", "languages"),
            ("stargazers", "stargazers"),
            ("contributors", "contributors"),
            ("subscribers", "subscribers"),
            ("subscription", "subscription"),
            ("commits", "commits{/sha}"),
            ("git_commits", "git/commits{/sha}"),
            ("comments", "comments{/number}"),
            ("issue_comment", "issues/comments{/number}"),
            ("contents", "contents/{+path}"),
            ("compare", "compare/{base}...{head}"),
            ("merges", "merges"),
            ("archive", "{archive_format}{/ref}"),
            ("downloads", "downloads"),
            ("issues", "issues{/number}"),
            ("pulls", "pulls{/number}"),
            ("milestones", "milestones{/number}"),
            ("notifications", "notifications{?since,all,participating}"),
            ("labels", "labels{/name}"),
            ("releases", "releases{/id}"),
            ("deployments", "deployments"),
        )
    }
    owner_id = OCTOCAT["id"] if owner == OCTOCAT["login"] else crc32(owner.lower().encode())
    id = crc32(full_name.lower().encode())
    return {
        "id": id,
        "node_id": f"R_{id}",
        "name": name,
        "full_name": full_name,
        "private": False,
        "owner": account(owner, owner_id),
        "html_url": f"{SITE}/{full_name}",
        "description": f"The repository {name} of {owner}",
        "fork": False,
        "url": url,
        **links,
        "created_at": "2011-01-26T19:01:12Z",
        "updated_at": "2026-01-22T12:00:00Z",
        "pushed_at": "2026-01-22T12:00:00Z",
        "git_url": f"git://github.com/{full_name}.git",
        "ssh_url": f"git@github.com:{full_name}.git",
        "clone_url": f"{SITE}/{full_name}.git",
        "svn_url": f"{SITE}/{full_name}",
        "homepage": None,
        "size": 108,
        "stargazers_count": 80,
        "watchers_count": 80,
        "language": None,
        "has_issues": True,
        "has_projects": True,
        "has_downloads": True,
        "has_wiki": True,
        "has_pages": False,
        "has_discussions": False,
        "forks_count": 9,
        "mirror_url": None,
        "archived": False,
        "disabled": False,
        "open_issues_count": 0,
        "license": None,
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": [],
        "visibility": "public",
        "forks": 9,
        "open_issues": 0,
        "watchers": 80,
        "default_branch": "main",
        "temp_clone_token": None,
        "network_count": 9,
        "subscribers_count": 42,
    }


class Users(GitHubNode):
    """/users/{username}."""

    def getChild(self, path: bytes, request: Request) -> IResource:
        return User(path) if path else self


class User(GitHubNode):
    """GET /users/{username} → 200, GitHub's public user; 404 for all but octocat (in any case)."""

    def __init__(self, login: bytes) -> None:
        super().__init__()
        self._login = login

    def render_GET(self, request: Request) -> Reply:
        user = USERS.get(self._login.decode("utf-8", "replace").lower())
        if user is None:
            raise Refused(404, "Not Found")
        return user


class Repositories(GitHubNode):
    """/repos/{owner}/{repo}."""

    def __init__(self, owner: bytes | None = None) -> None:
        super().__init__()
        self._owner = owner

    def getChild(self, path: bytes, request: Request) -> IResource:
        if not path:
            return self
        return Repositories(path) if self._owner is None else Repository(self._owner, path)


class Repository(GitHubNode):
    """GET /repos/{owner}/{repo} → 200, GitHub's repository, for every owner and name that GitHub allows.

    404 for other names, and for the name ``missing``.
    """

    def __init__(self, owner: bytes, name: bytes) -> None:
        super().__init__()
        self._owner = owner.decode("utf-8", "replace")
        self._name = name.decode("utf-8", "replace")

    def render_GET(self, request: Request) -> Reply:
        owner = _LOGIN.fullmatch(self._owner)
        name = _REPOSITORY.fullmatch(self._name)
        if not owner or not name or self._name.lower() in (MISSING, ".", ".."):
            raise Refused(404, "Not Found")
        return json_reply(repository(self._owner, self._name), source=UPSTREAM)


def tree(env: Env) -> UpstreamNode:
    """The GitHub API."""
    return GitHubNode({b"users": Users(), b"repos": Repositories()})

"""The bodies of the user octocat and of repositories.

They follow https://docs.github.com/rest/users/users#get-a-user and /rest/repos/repos#get-a-repository.
``api`` is the base URL of links to the API.
"""

from typing import Any
from zlib import crc32

SITE = "https://github.com"

OCTOCAT = "octocat"
_OCTOCAT_ID = 583231


def account(api: str, login: str) -> dict[str, Any]:
    """Return a user as GitHub embeds it in other bodies."""
    id = _OCTOCAT_ID if login == OCTOCAT else crc32(login.lower().encode())
    url = f"{api}/users/{login}"
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


def user(api: str) -> dict[str, Any]:
    """Return the full user octocat."""
    return account(api, OCTOCAT) | _PROFILE


_PROFILE = {
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


def repository(api: str, owner: str, name: str, open_issues: int) -> dict[str, Any]:
    """Return the repository ``owner/name``. Its id is derived from the two."""
    full_name = f"{owner}/{name}"
    url = f"{api}/repos/{full_name}"
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
    id = crc32(full_name.lower().encode())
    return {
        "id": id,
        "node_id": f"R_{id}",
        "name": name,
        "full_name": full_name,
        "private": False,
        "owner": account(api, owner),
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
        "open_issues_count": open_issues,
        "license": None,
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": [],
        "visibility": "public",
        "forks": 9,
        "open_issues": open_issues,
        "watchers": 80,
        "default_branch": "main",
        "temp_clone_token": None,
        "network_count": 9,
        "subscribers_count": 42,
    }

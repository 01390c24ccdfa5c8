"""The issues, pull requests and commits of a repository. Every repository has the same ones.

The bodies follow https://docs.github.com/rest/issues/issues, /rest/pulls/pulls and /rest/commits/commits. As
on GitHub, issues and pull requests share one sequence of numbers, and every pull request is also an issue.
"""

from datetime import UTC, datetime, timedelta
from hashlib import sha1
from typing import Any

from oagw.services.github.samples import OCTOCAT, SITE, account, repository

# Issues are numbered from 1. Every third one is a pull request, and every fourth one is closed.
COUNT = 42
NUMBERS = range(COUNT, 0, -1)

# The number of commits of the default branch. They are numbered from 1, the oldest.
COMMITS = 35

OPEN_ISSUES = sum(bool(number % 4) for number in NUMBERS)

_TITLES = ("Found a bug", "Support a new option", "Update the README")
_LABELS = (("bug", "d73a4a"), ("enhancement", "a2eeef"), ("documentation", "0075ca"))
_BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)


def is_pull(number: int) -> bool:
    """Return whether the issue is a pull request."""
    return number % 3 == 0


def state(number: int) -> str:
    """Return the state of the issue, ``open`` or ``closed``."""
    return "open" if number % 4 else "closed"


def created(number: int) -> datetime:
    """Return the date at which the issue or commit was created."""
    return _BEGIN + timedelta(hours=12 * number)


def updated(number: int) -> datetime:
    """Return the date at which the issue was last changed."""
    return _BEGIN + timedelta(hours=12 * number + 3)


def label(number: int) -> str:
    """Return the name of the issue's only label."""
    return _LABELS[number % 3 - 1][0]


class Activity:
    """The bodies of the issues, pull requests and commits of ``owner/name``.

    Links to the API begin with the base URL ``api``.
    """

    def __init__(self, api: str, owner: str, name: str) -> None:
        self._api, self._owner, self._name = api, owner, name
        self._full_name = f"{owner}/{name}"
        self.url = f"{api}/repos/{self._full_name}"
        self._site = f"{SITE}/{self._full_name}"
        self._author = account(api, OCTOCAT)

    def issue(self, number: int) -> dict[str, Any]:
        """Return an issue as it appears in a list."""
        url, closed = f"{self.url}/issues/{number}", state(number) == "closed"
        segment = "pull" if is_pull(number) else "issues"
        issue = {
            "url": url,
            "repository_url": self.url,
            "labels_url": f"{url}/labels{{/name}}",
            "comments_url": f"{url}/comments",
            "events_url": f"{url}/events",
            "html_url": f"{self._site}/{segment}/{number}",
            **self._common(number),
            "state_reason": "completed" if closed else None,
            "comments": 0,
            "author_association": "OWNER",
            "active_lock_reason": None,
            "reactions": {
                "url": f"{url}/reactions",
                **dict.fromkeys(
                    ("total_count", "+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"), 0
                ),
            },
            "timeline_url": f"{url}/timeline",
            "performed_via_github_app": None,
        }
        if is_pull(number):
            issue["draft"] = False
            issue["pull_request"] = {
                **self._pull_links(number),
                "merged_at": _text(updated(number)) if closed else None,
            }
        return issue

    def pull(self, number: int) -> dict[str, Any]:
        """Return a pull request as it appears in a list."""
        url, issue = f"{self.url}/pulls/{number}", f"{self.url}/issues/{number}"
        merged = state(number) == "closed"
        base, head = self.sha(COMMITS), self._sha(f"head of {number}")
        links = {
            "self": url,
            "html": f"{self._site}/pull/{number}",
            "issue": issue,
            "comments": f"{issue}/comments",
            "review_comments": f"{url}/comments",
            "review_comment": f"{self.url}/pulls/comments{{/number}}",
            "commits": f"{url}/commits",
            "statuses": f"{self.url}/statuses/{head}",
        }
        return {
            **self._pull_links(number),
            **self._common(number),
            "issue_url": issue,
            "merged_at": _text(updated(number)) if merged else None,
            "merge_commit_sha": self._sha(f"merge of {number}"),
            "assignees": [],
            "requested_reviewers": [],
            "requested_teams": [],
            "draft": False,
            "commits_url": links["commits"],
            "review_comments_url": links["review_comments"],
            "review_comment_url": links["review_comment"],
            "comments_url": links["comments"],
            "statuses_url": links["statuses"],
            "head": self._branch(head_branch(number), head),
            "base": self._branch("main", base),
            "_links": {name: {"href": href} for name, href in links.items()},
            "author_association": "OWNER",
            "auto_merge": None,
            "active_lock_reason": None,
        }

    def single_issue(self, number: int) -> dict[str, Any]:
        """Return the full issue."""
        return {**self.issue(number), "closed_by": self._author if state(number) == "closed" else None}

    def single_pull(self, number: int) -> dict[str, Any]:
        """Return the full pull request."""
        merged = state(number) == "closed"
        return {
            **self.pull(number),
            "merged": merged,
            "mergeable": None if merged else True,
            "rebaseable": None if merged else True,
            "mergeable_state": "unknown" if merged else "clean",
            "merged_by": self._author if merged else None,
            "comments": 0,
            "review_comments": 0,
            "maintainer_can_modify": False,
            "commits": 1,
            "additions": 2,
            "deletions": 1,
            "changed_files": 1,
        }

    def commit(self, number: int) -> dict[str, Any]:
        """Return a commit as it appears in a list."""
        sha = self.sha(number)
        url, tree = f"{self.url}/commits/{sha}", self._sha(f"tree of {number}")
        parents = [self.sha(number - 1)] if number > 1 else []
        person = {"name": "The Octocat", "email": "octocat@github.com", "date": _text(created(number))}
        return {
            "sha": sha,
            "node_id": f"C_{sha[:12]}",
            "commit": {
                "author": person,
                "committer": person,
                "message": f"Change the README, part {number}",
                "tree": {"sha": tree, "url": f"{self.url}/git/trees/{tree}"},
                "url": f"{self.url}/git/commits/{sha}",
                "comment_count": 0,
                "verification": {
                    "verified": False,
                    "reason": "unsigned",
                    "signature": None,
                    "payload": None,
                    "verified_at": None,
                },
            },
            "url": url,
            "html_url": f"{self._site}/commit/{sha}",
            "comments_url": f"{url}/comments",
            "author": self._author,
            "committer": self._author,
            "parents": [
                {"sha": one, "url": f"{self.url}/commits/{one}", "html_url": f"{self._site}/commit/{one}"}
                for one in parents
            ],
        }

    def single_commit(self, number: int) -> dict[str, Any]:
        """Return the full commit, with its changed files."""
        sha, blob = self.sha(number), self._sha(f"blob of {number}")
        file = {
            "sha": blob,
            "filename": "README.md",
            "status": "modified" if number > 1 else "added",
            "additions": 1,
            "deletions": 0,
            "changes": 1,
            "blob_url": f"{self._site}/blob/{sha}/README.md",
            "raw_url": f"{self._site}/raw/{sha}/README.md",
            "contents_url": f"{self.url}/contents/README.md?ref={sha}",
            "patch": f"@@ -{number - 1},0 +{number} @@\n+Part {number}",
        }
        stats = {"total": 1, "additions": 1, "deletions": 0}
        return {**self.commit(number), "stats": stats, "files": [file]}

    def sha(self, number: int) -> str:
        """Return the hash of a commit."""
        return self._sha(f"commit {number}")

    def _sha(self, what: str) -> str:
        text = f"{self._full_name.lower()} {what}"
        return sha1(text.encode(), usedforsecurity=False).hexdigest()

    def _common(self, number: int) -> dict[str, Any]:
        """Return the members that issues and pull requests have in common."""
        closed = state(number) == "closed"
        id = 1_000_000 + number
        name, color = _LABELS[number % 3 - 1]
        return {
            "id": id,
            "node_id": f"{'PR' if is_pull(number) else 'I'}_{id}",
            "number": number,
            "title": f"{_TITLES[number % 3 - 1]}: number {number}",
            "user": self._author,
            "labels": [
                {
                    "id": 2_000_000 + number % 3,
                    "node_id": f"LA_{2_000_000 + number % 3}",
                    "url": f"{self.url}/labels/{name}",
                    "name": name,
                    "color": color,
                    "default": True,
                    "description": None,
                }
            ],
            "state": state(number),
            "locked": False,
            "assignee": None,
            "assignees": [],
            "milestone": None,
            "created_at": _text(created(number)),
            "updated_at": _text(updated(number)),
            "closed_at": _text(updated(number)) if closed else None,
            "body": f"This is number {number} of {self._full_name}.",
        }

    def _pull_links(self, number: int) -> dict[str, Any]:
        page = f"{self._site}/pull/{number}"
        return {
            "url": f"{self.url}/pulls/{number}",
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
        }

    def _branch(self, ref: str, sha: str) -> dict[str, Any]:
        return {
            "label": f"{self._owner}:{ref}",
            "ref": ref,
            "sha": sha,
            "user": account(self._api, self._owner),
            "repo": repository(self._api, self._owner, self._name, OPEN_ISSUES),
        }


def head_branch(number: int) -> str:
    """Return the name of the branch that a pull request merges."""
    return f"change-{number}"


def _text(date: datetime) -> str:
    return date.strftime("%Y-%m-%dT%H:%M:%SZ")

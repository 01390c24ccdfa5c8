"""The responses of the peers: documents and events of the same size as those of the gateway."""

import json
from typing import Any

TOKEN = "test-integration-token"

HEALTH = {"status": "healthy", "service": "oagw-mock-server"}

_API = "https://api.github.com/users/octocat"

OCTOCAT = {
    "login": "octocat",
    "id": 583231,
    "avatar_url": "https://avatars.githubusercontent.com/u/583231?v=4",
    "url": _API,
    "html_url": "https://github.com/octocat",
    "followers_url": f"{_API}/followers",
    "following_url": f"{_API}/following{{/other_user}}",
    "gists_url": f"{_API}/gists{{/gist_id}}",
    "starred_url": f"{_API}/starred{{/owner}}{{/repo}}",
    "subscriptions_url": f"{_API}/subscriptions",
    "organizations_url": f"{_API}/orgs",
    "repos_url": f"{_API}/repos",
    "events_url": f"{_API}/events{{/privacy}}",
    "received_events_url": f"{_API}/received_events",
    "type": "User",
    "site_admin": False,
    "name": "The Octocat",
    "company": "GitHub",
    "blog": "https://github.blog",
    "location": "San Francisco",
    "email": None,
    "bio": "x" * 230,
    "public_repos": 8,
    "followers": 20000,
    "following": 9,
    "created_at": "2011-01-25T18:44:36Z",
}

EVENTS = (
    b"id: 1\nevent: message\ndata: First event\n\n",
    b"id: 2\nevent: update\ndata: Second event\n\n",
    b"id: 3\nevent: message\ndata: Third event with\ndata: multiple lines\n\n",
    b"id: 4\nevent: complete\ndata: Final event\n\n",
)

# As long as a chunk of a streamed chat completion.
TICK = b"data: " + json.dumps({"object": "chat.completion.chunk", "filler": "x" * 210}).encode() + b"\n\n"


def completion(chat: dict[str, Any]) -> dict[str, Any]:
    """Return the response to a buffered chat request."""
    message = {"role": "assistant", "content": "Hello! How can I help you today?", "filler": "x" * 330}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 9, "completion_tokens": 10, "total_tokens": 19}
    return {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "model": chat["model"],
        "choices": [choice],
        "usage": usage,
    }

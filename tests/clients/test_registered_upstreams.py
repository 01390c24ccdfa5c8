"""The official SDKs through upstreams that are registered with the management API.

The vendor is a gateway in another process, whose built-in services stand for the APIs. It accepts only the
token that is in the credential store of the gateway in front of it. The SDKs have a token of the latter.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from github import Auth, Github, GithubException, UnknownObjectException
from openai import OpenAI

from oagw.testing import MockGateway, Sandbox

KEY = "the-key-of-the-vendor"
APIKEY = "gts.cf.core.oagw.auth_plugin.v1~cf.core.oagw.apikey.v1"
PAGES = ["state", "per_page", "page", "sort", "direction"]

ONE_A_SECOND = {"sustained": {"rate": 1, "window": "second"}}
ONE_AN_HOUR = {"sustained": {"rate": 1, "window": "hour"}}

# Seconds that a call, or a script, may take.
PATIENCE = 20.0

NODE = Path(__file__).with_name("node")


@pytest.fixture(scope="module")
def vendor() -> Iterator[MockGateway]:
    """The gateway whose services are the upstreams."""
    with MockGateway(token=KEY, options=["--github-links"]) as vendor:
        yield vendor


@pytest.fixture
def sandbox(oagw_sandbox: Sandbox) -> Sandbox:
    """A sandbox whose credential store has the key of the vendor."""
    oagw_sandbox.secret("vendor-key", KEY)
    return oagw_sandbox


def registered(sandbox: Sandbox, alias: str, base_url: str, **policies: Any) -> str:
    """Register an upstream that needs the key; return the URL for clients."""
    config = {"header": "Authorization", "prefix": "Bearer ", "secret_ref": "cred://vendor-key"}
    return sandbox.upstream(alias, base_url, auth={"type": APIKEY, "config": config}, **policies).url


def connected(sandbox: Sandbox, vendor: MockGateway, retries: int = 0, **policies: Any) -> OpenAI:
    """Return a client of OpenAI, through an upstream ``llm``."""
    url = registered(sandbox, "llm", vendor.alias_url("openai"), **policies)
    return OpenAI(base_url=f"{url}/v1", api_key=sandbox.token, max_retries=retries, timeout=PATIENCE)


def create(client: OpenAI, content: str = "hello", **options: Any) -> Any:
    messages = [{"role": "user", "content": content}]
    return client.chat.completions.create(model="gpt-4", messages=messages, **options)


def seen(sandbox: Sandbox) -> list[tuple[int, str]]:
    """The calls of the client, the oldest first: status and URL below /proxy."""
    calls = [one for one in sandbox.requests() if "/proxy/" in one["url"]]
    assert KEY not in str(calls)
    return [(one["oagw"]["status"], one["url"].partition("/proxy")[2]) for one in calls]


def test_openai_chats_through_a_registered_upstream(sandbox: Sandbox, vendor: MockGateway) -> None:
    with connected(sandbox, vendor) as client:
        raw = client.chat.completions.with_raw_response.create(
            model="gpt-4", messages=[{"role": "user", "content": "some wörds"}]
        )
        buffered = raw.parse()
        assert raw.headers["x-oagw-error-source"] == "upstream"
        assert "some wörds" in buffered.choices[0].message.content
        with create(client, "some wörds", stream=True) as stream:
            chunks = list(stream)
        assert len(chunks) > 3
        text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
        assert text == buffered.choices[0].message.content
        assert chunks[-1].choices[0].finish_reason == "stop"
        assert "gpt-4" in [model.id for model in client.models.list()]
        assert len(client.embeddings.create(model="text-embedding-3-small", input="x").data) == 1
        with client.responses.create(model="gpt-4", input="hello", stream=True) as events:
            assert [event.type for event in events][-1] == "response.completed"


def test_openai_tells_the_errors_of_the_vendor(sandbox: Sandbox, vendor: MockGateway) -> None:
    with connected(sandbox, vendor) as client:
        with pytest.raises(openai.RateLimitError) as limited:
            create(client, "an error", stream=True)
        assert (limited.value.code, limited.value.status_code) == ("rate_limit_exceeded", 429)
        assert limited.value.response.headers["x-oagw-error-source"] == "upstream"
        assert int(limited.value.response.headers["retry-after"]) > 0
        with pytest.raises(openai.NotFoundError) as unknown:
            client.models.retrieve("gpt-none")
        assert unknown.value.code == "model_not_found"
        with pytest.raises(openai.BadRequestError) as bad:
            client.chat.completions.create(model="gpt-4", messages=[])
        assert (bad.value.param, bad.value.code) == ("messages", "empty_array")


def test_openai_waits_out_the_rate_limit_of_the_gateway(sandbox: Sandbox, vendor: MockGateway) -> None:
    with connected(sandbox, vendor, retries=1, rate_limit=ONE_A_SECOND) as client:
        create(client)
        began = time.monotonic()
        assert create(client).choices[0].finish_reason == "stop"
        assert time.monotonic() - began >= 1.0
    assert [status for status, _ in seen(sandbox)] == [200, 429, 200]


def test_the_rate_limit_of_the_gateway_is_a_rate_limit_error(sandbox: Sandbox, vendor: MockGateway) -> None:
    with connected(sandbox, vendor, retries=2, rate_limit=ONE_AN_HOUR) as client:
        create(client)
        with pytest.raises(openai.RateLimitError) as caught:
            create(client, stream=True)
        headers = caught.value.response.headers
        assert headers["x-oagw-error-source"] == "gateway"
        assert 0 < int(headers["retry-after"]) <= 3600
        assert (headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]) == ("1", "0")
        assert caught.value.response.json()["title"] == "Resource Exhausted"


def test_errors_of_the_gateway_are_those_of_the_sdk(sandbox: Sandbox, vendor: MockGateway) -> None:
    with connected(sandbox, vendor) as client:
        for call, error in (
            (lambda: client.models.list(extra_query={"q": "1"}), openai.BadRequestError),
            (lambda: client.with_options(api_key="sk-wrong").models.list(), openai.PermissionDeniedError),
        ):
            with pytest.raises(error) as caught:
                call()
            assert caught.value.response.headers["x-oagw-error-source"] == "gateway"
    sandbox.upstream("gone", "http://127.0.0.1:9")
    with (
        OpenAI(base_url=sandbox.alias_url("gone"), api_key=sandbox.token, max_retries=1) as client,
        pytest.raises(openai.InternalServerError) as unreachable,
    ):
        client.models.list()
    assert unreachable.value.response.headers["x-oagw-error-source"] == "gateway"
    assert unreachable.value.response.json()["context"]["retry_after_seconds"] == 5
    assert seen(sandbox)[-2:] == [(503, "/gone/models")] * 2


def test_a_stream_that_the_vendor_breaks_off_has_no_finish_reason(
    sandbox: Sandbox, vendor: MockGateway
) -> None:
    broken = {"request": {"set": {"x-oagw-mock-fault": "reset_peer; after_bytes=1500"}}}
    with connected(sandbox, vendor, headers=broken) as client, create(client, stream=True) as stream:
        choices = [choice for chunk in stream for choice in chunk.choices]
    assert choices
    assert {choice.finish_reason for choice in choices} == {None}


def test_a_stream_that_is_left_early_ends_at_the_vendor(sandbox: Sandbox, vendor: MockGateway) -> None:
    with connected(sandbox, vendor) as client, create(client, "words " * 1000, stream=True) as stream:
        next(iter(stream))
    deadline = time.monotonic() + PATIENCE
    while vendor.requests()[-1]["oagw"]["ended"] == "open":
        assert time.monotonic() < deadline
    assert vendor.requests()[-1]["oagw"]["ended"] == "client_left"
    assert sandbox.requests()[-1]["oagw"]["ended"] == "client_left"


def test_pygithub_through_a_registered_upstream(sandbox: Sandbox, vendor: MockGateway) -> None:
    url = registered(sandbox, "hub", vendor.alias_url("github"), query=PAGES)
    auth = Auth.AppAuthToken(sandbox.token)
    with Github(auth=auth, base_url=url, retry=None, seconds_between_requests=0, per_page=15) as github:
        assert github.get_user("octocat").name == "The Octocat"
        assert github.get_repo("octocat/Hello-World").full_name == "octocat/Hello-World"
        # The links of what was got lead past the gateway, so PyGithub refuses them. It need not get this one.
        repository = github.withLazy(True).get_repo("octocat/Hello-World")
        issues = repository.get_issues(state="all")
        numbers = [[issue.number for issue in issues.get_page(page)] for page in range(4)]
        assert numbers == [[*range(42, 27, -1)], [*range(27, 12, -1)], [*range(12, 0, -1)], []]
        assert repository.get_issue(3).user.login == "octocat"
        with pytest.raises(UnknownObjectException) as unknown:
            github.get_user("nobody")
        assert unknown.value.headers["x-oagw-error-source"] == "upstream"
        with pytest.raises(GithubException) as refused:
            list(repository.get_pulls(base="main"))  # a parameter that the route does not list
        assert (refused.value.status, refused.value.headers["x-oagw-error-source"]) == (400, "gateway")


def test_pygithub_and_the_rate_limit_of_the_gateway(sandbox: Sandbox, vendor: MockGateway) -> None:
    url = registered(sandbox, "hub", vendor.alias_url("github"), rate_limit=ONE_AN_HOUR)
    with Github(auth=Auth.AppAuthToken(sandbox.token), base_url=url, retry=None) as github:
        github.get_user("octocat")
        with pytest.raises(GithubException) as caught:
            github.get_user("octocat")
    assert (caught.value.status, caught.value.headers["x-oagw-error-source"]) == (429, "gateway")


def test_openai_and_octokit_under_node_through_registered_upstreams(
    sandbox: Sandbox, vendor: MockGateway
) -> None:
    node = shutil.which("node")
    if node is None or not (NODE / "node_modules").is_dir():
        reason = "Node or its packages are not installed: `npm ci --prefix tests/clients/node`"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    llm, hub = vendor.alias_url("openai"), vendor.alias_url("github")
    urls = {
        "OPENAI_URL": registered(sandbox, "llm", llm),
        "LIMITED_URL": registered(sandbox, "limited", llm, rate_limit=ONE_A_SECOND),
        "CLOSED_URL": registered(sandbox, "closed", llm, rate_limit=ONE_AN_HOUR),
        "GITHUB_URL": registered(sandbox, "hub", hub, query=PAGES),
        "VENDOR_URL": hub,
    }
    ended = subprocess.run(
        [node, NODE / "registered.mjs"],
        env=os.environ | urls | {"OAGW_TOKEN": sandbox.token},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )
    assert ended.returncode == 0, f"in the last line here:\n{ended.stdout}\n{ended.stderr}"
    assert ended.stdout.endswith("all is well\n")
    assert [status for status, url in seen(sandbox) if url.startswith("/limited/")] == [200, 429, 200]

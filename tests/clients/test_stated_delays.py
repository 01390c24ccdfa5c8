"""Official SDKs wait as answers ask them to, and the report has nothing against them."""

import time
from email.utils import formatdate
from typing import Any

import github
import openai
import pytest

from oagw.testing import MockGateway


@pytest.mark.parametrize(
    ("fields", "least"),
    [
        ({"retry-after-ms": "300", "Retry-After": "1"}, 0.3),
        ({"Retry-After": "1"}, 1.0),
        ({"Retry-After": "date"}, 0.0),
    ],
)
def test_openais_sdk(fields: dict[str, str], least: float) -> None:
    with MockGateway() as gateway, gateway.sandbox() as sandbox:
        if fields.get("Retry-After") == "date":
            fields = {"Retry-After": formatdate(time.time() + 2, usegmt=True)}
        sandbox.stub("POST openai/v1/chat/completions", status=429, headers=fields, times=1)
        url = sandbox.alias_url("openai") + "/v1"
        message: Any = {"role": "user", "content": "hello"}
        began = time.monotonic()
        with openai.OpenAI(api_key=sandbox.token, base_url=url, max_retries=1) as client:
            answer = client.chat.completions.create(model="gpt-4", messages=[message])
        assert "Hello" in (answer.choices[0].message.content or "")
        assert time.monotonic() - began >= least
        assert len(sandbox.requests("POST openai/v1/chat/completions")) == 2
        assert sandbox.report()["findings"] == [], sandbox.report_text()


def test_pygithub_after_a_primary_rate_limit() -> None:
    with MockGateway() as gateway, gateway.sandbox() as sandbox:
        message = "API rate limit exceeded for user ID 1."
        fields = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 1)}
        sandbox.stub(
            "GET github/users/octocat", status=403, json={"message": message}, headers=fields, times=1
        )
        with github.Github(
            base_url=sandbox.alias_url("github"),
            auth=github.Auth.AppAuthToken(sandbox.token),
            retry=github.GithubRetry(total=1, backoff_factor=0),
            seconds_between_requests=0,
        ) as client:
            assert client.get_user("octocat").login == "octocat"
        assert len(sandbox.requests("GET github/users/octocat")) == 2
        assert sandbox.report()["findings"] == [], sandbox.report_text()

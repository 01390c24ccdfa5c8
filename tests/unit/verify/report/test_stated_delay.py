"""The delays that answers ask for, in all ways to say so; and what clients make of them."""

import math
from email.message import Message
from email.utils import formatdate
from types import SimpleNamespace
from typing import Any

import pytest

from oagw.verify.report.retries import retry_after_not_honoured
from oagw.verify.report.stated_delay import Delay, least_pause, stated_delay
from tests.support.entries import START, Entries
from tests.support.work import findings

STRIPE: dict[str, Any] = {"url": "/api/oagw/v1/proxy/stripe/v1/charges", "alias": "stripe"}
OPENAI: dict[str, Any] = {"alias": "openai"}


def imf(seconds: float) -> str:
    return formatdate(START + seconds, usegmt=True)


def delay(*answer: str, took: float = 0.0, **more: Any) -> Delay | None:
    entries = Entries()
    return stated_delay(entries.add(status=429, answer=answer, took=took, **{**STRIPE, **more}))


@pytest.mark.parametrize(
    ("fields", "seconds", "field"),
    [
        (["Retry-After: 2"], 2, "Retry-After"),
        (["Retry-After: 0"], 0, "Retry-After"),
        (["Retry-After: 1.5"], 1.5, "Retry-After"),  # no HTTP, but SDKs read it
        (["retry-after-ms: 1500"], 1.5, "retry-after-ms"),
        (["Retry-After-Ms: 20.5"], 0.0205, "retry-after-ms"),
        # 1,700,000,000 s is Tue, 14 Nov 2023 22:13:20 GMT.
        (["Retry-After: Tue, 14 Nov 2023 22:13:24 GMT"], 4, "Retry-After"),
        (["Retry-After: Tuesday, 14-Nov-23 22:13:24 GMT"], 4, "Retry-After"),
        (["Retry-After: Tue Nov 14 22:13:24 2023"], 4, "Retry-After"),
        (["Retry-After: Tue, 14 Nov 2003 22:13:20 GMT"], 0, "Retry-After"),
        (["X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1700000030"], 30, "X-RateLimit-Reset"),
        (["X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1699999999"], 0, "X-RateLimit-Reset"),
        (["RateLimit-Remaining: 0", "RateLimit-Reset: 30"], 30, "RateLimit-Reset"),
        (["RateLimit: limit=100, remaining=0, reset=30"], 30, "RateLimit"),
        (['RateLimit: "minute";r=0;t=30'], 30, "RateLimit"),
        (['RateLimit: "minute";r=5;t=30, "day";r=0;t=700'], 700, "RateLimit"),
        (['RateLimit: "minute";r=0;t=30', 'RateLimit: "day";r=0;t=700'], 700, "RateLimit"),
        # The most precise counts.
        (["Retry-After: 1", "retry-after-ms: 400"], 0.4, "retry-after-ms"),
        (["Retry-After: 1", "retry-after-ms: soon"], 1, "Retry-After"),
        (["Retry-After: 2", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1700000030"], 2, "Retry-After"),
        (
            [
                "RateLimit-Remaining: 0",
                "RateLimit-Reset: 9",
                "X-RateLimit-Remaining: 0",
                "X-RateLimit-Reset: 1700000030",
            ],
            9,
            "RateLimit-Reset",
        ),
    ],
)
def test_each_way_to_state_a_delay_is_known(fields: list[str], seconds: float, field: str) -> None:
    stated = delay(*fields)
    assert stated is not None
    assert stated.seconds == pytest.approx(seconds, abs=1e-9)
    assert stated.field == field


@pytest.mark.parametrize(
    "fields",
    [
        [],
        ["Retry-After: soon"],
        ["Retry-After: -1"],
        ["Retry-After: 1e3"],
        ["Retry-After: inf"],
        ["Retry-After: \u0662"],
        ["Retry-After: Tue, 99 Nov 2023 22:13:24 GMT"],
        ["Retry-After: Tue, 14 Nov 99999 22:13:24 GMT"],
        [f"Retry-After: {'9' * 400}"],
        ["X-RateLimit-Remaining: 1", "X-RateLimit-Reset: 1700000030"],
        ["X-RateLimit-Reset: 1700000030"],
        ["X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1700000030000"],  # not in seconds
        ["X-RateLimit-Remaining: 0"],
        ["RateLimit-Remaining: 3", "RateLimit-Reset: 30"],
        ["RateLimit: limit=100, remaining=3, reset=30"],
        ['RateLimit: "minute";r=5;t=30'],
        ["x-ratelimit-remaining-requests: 0", "x-ratelimit-reset-requests: 1s"],
    ],
)
def test_what_states_no_delay_is_none(fields: list[str]) -> None:
    assert delay(*fields) is None


def test_a_date_is_what_is_left_of_it_when_the_answer_is_over() -> None:
    stated = delay(f"Retry-After: {imf(3)}", took=0.75)
    assert stated is not None
    assert stated.seconds == pytest.approx(2.25)


@pytest.mark.parametrize("status", [403, 408, 409, 429, 500, 502, 503, 529])
@pytest.mark.parametrize(
    "fields",
    [
        ("Retry-After: 2",),
        ("retry-after-ms: 2000",),
        (f"Retry-After: {imf(2)}",),
        ("X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1700000002"),
        ("RateLimit-Remaining: 0", "RateLimit-Reset: 2"),
    ],
)
def test_who_returns_too_early_is_found_and_who_waits_is_not(status: int, fields: tuple[str, ...]) -> None:
    for at, count in ((0.0002, 1), (1.9, 1), (1.995, 0), (2.0, 0), (3.0, 0)):
        entries = Entries()
        entries.add(0, status=status, answer=fields, **STRIPE)
        entries.add(at, **STRIPE)
        entries[1].arrived = 1  # after the end of the first
        found = findings(retry_after_not_honoured, entries)
        assert len(found) == count, at
        for one in found:
            assert f"answered {status} with a {fields[-1].partition(':')[0]} of 2.000 s" in one.text


def test_a_short_delay_is_judged_as_well() -> None:
    for at, count in ((0.001, 1), (0.02, 0)):
        entries = Entries()
        entries.add(0, status=429, answer=("retry-after-ms: 20",), **STRIPE)
        entries.add(at, **STRIPE)
        assert len(findings(retry_after_not_honoured, entries)) == count


FIELDS = [
    ("Retry-After: 2",),
    ("Retry-After: 1.5",),
    ("Retry-After: 45",),
    ("Retry-After: 90",),
    ("Retry-After: 3600",),
    ("retry-after-ms: 300", "Retry-After: 1"),
    ("retry-after-ms: 0", "Retry-After: 1"),
    ("retry-after-ms: 90000",),
    (f"Retry-After: {imf(2)}",),
    (f"Retry-After: {imf(100)}",),
    ("x-ratelimit-remaining-requests: 0", "x-ratelimit-reset-requests: 6s"),
    ("X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 1700000030"),
]


@pytest.mark.parametrize("fields", FIELDS)
def test_the_rule_of_openais_own_sdk_is_fine(fields: tuple[str, ...], monkeypatch: Any) -> None:
    """The pause is that of the installed SDK, and of those before it, which ignored more than 60 s."""
    openai = pytest.importorskip("openai")
    headers = Message()
    for field in fields:
        name, _, headers[name] = field.partition(": ")
    client = openai.OpenAI(api_key="sk-none", base_url="http://127.0.0.1:9")
    monkeypatch.setattr(openai._base_client.time, "time", lambda: START)
    monkeypatch.setattr(openai._base_client, "random", lambda: 1.0)  # the shortest
    pauses = {0.5 * 0.75} if (client._parse_retry_after_header(headers) or math.inf) > 60 else set()
    if client._should_retry(SimpleNamespace(headers=headers, status_code=429)):
        options = SimpleNamespace(get_max_retries=lambda most: 2)
        pauses.add(client._calculate_retry_timeout(2, options, headers))
    client.close()
    assert pauses
    for pause in pauses:
        entries = Entries()
        entries.add(0, status=429, answer=fields, **OPENAI)
        entries.add(pause, **OPENAI)
        assert findings(retry_after_not_honoured, entries) == []
        entries.pop()
        entries.add(0.0001, **OPENAI)
        asked = stated_delay(entries[0])
        assert len(findings(retry_after_not_honoured, entries)) == (asked is not None and asked.seconds > 0)


def test_an_sdk_of_that_kind_is_known_by_its_header_fields() -> None:
    entries = Entries()
    entries.add(0, "POST", STRIPE["url"], "X-Stainless-Lang: python", alias="stripe", status=429,
                answer=("Retry-After: 90",))  # fmt: skip
    stated = stated_delay(entries[0])
    assert stated == (90, "Retry-After")
    assert stated is not None
    assert least_pause(entries[0], stated) == 0.375


@pytest.mark.parametrize("reset", [1, 30, 3600])
def test_the_rules_of_githubs_sdks_are_fine(reset: int) -> None:
    """Octokit waits whole seconds, rounded up, and one more; PyGithub one more than what is left."""
    for began in (0.0, 0.3, 0.999):
        answer = ("X-RateLimit-Remaining: 0", f"X-RateLimit-Reset: {int(START) + reset}")
        for pause in (math.ceil(reset - began) + 1, reset - began + 1):
            entries = Entries()
            entries.add(began, "GET", status=403, answer=answer, alias="github")
            entries.add(began + pause, "GET", alias="github")
            assert findings(retry_after_not_honoured, entries) == []
            entries.pop()
            entries.add(began + max(0.0, reset - began - 0.5), "GET", alias="github")
            early = reset - began > 0.5
            assert len(findings(retry_after_not_honoured, entries)) == early

"""``oagw.testing`` as a test author has it, against a server in a process of its own."""

import json
import socket
import subprocess
import sys
import textwrap
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from launched import PATIENCE, ROOT, until

from oagw.stubs.mapping import StubMapping
from oagw.testing import CannotAct, MockGateway, Refused, RunningGateway, Sandbox, pattern

STRIPE = "/api/oagw/v1/proxy/stripe"


@pytest.fixture
def sandbox(gateway: MockGateway) -> Iterator[Sandbox]:
    with gateway.sandbox() as sandbox:
        yield sandbox


def call(sandbox: Any, path: str, method: str = "GET", **more: Any) -> httpx.Response:
    """The answer to a call of ``stripe`` with the token of ``sandbox``."""
    headers = {"Authorization": f"Bearer {sandbox.token}", **more.pop("headers", {})}
    url = f"{sandbox.alias_url('stripe')}/{path}"
    return httpx.request(method, url, headers=headers, timeout=PATIENCE, **more)


# Stubs.


def test_a_stub_answers_with_what_it_was_given(sandbox: Sandbox) -> None:
    sandbox.stub(
        "POST stripe/charges",
        status=402,
        status_message="No Money",
        headers={"X-A": ["1", "2"]},
        json={"id": None},
    )

    answer = call(sandbox, "charges", "POST")

    assert (answer.status_code, answer.reason_phrase) == (402, "No Money")
    assert answer.headers.get_list("X-A") == ["1", "2"]
    assert answer.json() == {"id": None}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, b""),
        ({"json": None}, b"null"),
        ({"body": "café"}, "café".encode()),
        ({"body": b"\x00\xff"}, b"\x00\xff"),
        ({"sse": [{"data": "a"}]}, b"data: a\n\n"),
    ],
)
def test_a_body_is_sent_as_it_was_given(sandbox: Sandbox, given: Any, sent: bytes) -> None:
    sandbox.stub("GET stripe/x", **given)

    assert call(sandbox, "x").content == sent


def test_json_is_sent_as_json_unless_a_header_says_otherwise(sandbox: Sandbox) -> None:
    sandbox.stub("GET stripe/x", json={}, headers={"X-A": "1"})
    sandbox.stub("GET stripe/y", json={}, headers={"content-type": "application/hal+json"})
    plain = {"request": pattern("GET stripe/z"), "response": {"jsonBody": {}}}
    sandbox.admin("POST", "/mappings", plain)

    types = [call(sandbox, path).headers.get_list("Content-Type") for path in "xyz"]

    assert types == [["application/json"], ["application/hal+json"], []]
    assert call(sandbox, "x").headers["X-A"] == "1"


def test_a_stub_answers_so_many_times_and_steps_aside(sandbox: Sandbox) -> None:
    sandbox.stub("GET stripe/x", body="works")
    sandbox.stub("GET stripe/x", problem="resource_exhausted", times=1)

    first, second = call(sandbox, "x"), call(sandbox, "x")

    assert first.status_code == 429
    assert first.headers["X-OAGW-Error-Source"] == "gateway"
    assert int(first.headers["Retry-After"]) > 0
    assert second.text == "works"


def test_the_least_priority_answers(sandbox: Sandbox) -> None:
    sandbox.stub("GET stripe/x", body="first", priority=1)
    with pytest.warns(CannotAct, match="with priority 1, comes first and matches every request of this one"):
        sandbox.stub("GET stripe/x", body="newest")

    assert call(sandbox, "x").text == "first"


def test_a_delay_is_in_seconds(sandbox: Sandbox) -> None:
    sandbox.stub("GET stripe/x", delay=0.2)
    began = time.monotonic()

    call(sandbox, "x")

    assert 0.2 <= time.monotonic() - began < PATIENCE


def test_the_rest_of_a_mapping_can_be_given(sandbox: Sandbox) -> None:
    retry = {"scenarioName": "retry", "requiredScenarioState": "Started", "newScenarioState": "tried"}
    sandbox.stub("GET stripe/x", body="works")
    sandbox.stub("GET stripe/x", status=503, mapping=retry)

    assert [call(sandbox, "x").status_code for _ in range(2)] == [503, 200]
    assert sandbox.admin("GET", "/scenarios")["scenarios"][0]["state"] == "tried"


def test_a_stub_knows_what_it_answered_and_can_be_removed_twice(sandbox: Sandbox) -> None:
    everything = sandbox.stub("ANY stripe/x", body="everything")
    posts = sandbox.stub("POST stripe/x", body="posts")
    call(sandbox, "x")
    call(sandbox, "x", "POST", content=b"1")
    call(sandbox, "x", "POST", content=b"2")

    assert [request["body"] for request in posts.requests()] == ["1", "2"]
    assert [request["method"] for request in everything.requests()] == ["GET"]
    posts.remove()
    posts.remove()
    assert call(sandbox, "x", "POST").text == "everything"


def test_a_stub_can_be_there_for_a_block(sandbox: Sandbox) -> None:
    with sandbox.stub("GET stripe/x"):
        assert call(sandbox, "x").status_code == 200

    assert call(sandbox, "x").status_code == 404


# Patterns.


@pytest.mark.parametrize(
    ("text", "member", "value"),
    [
        ("GET stripe/v1/x", "urlPath", f"{STRIPE}/v1/x"),
        ("GET stripe/x?a=b", "url", f"{STRIPE}/x?a=b"),
        ("GET stripe/x/{id}", "urlPathTemplate", f"{STRIPE}/x/{{id}}"),
        ("  get   /health ", "urlPath", "/health"),
    ],
)
def test_a_pattern_in_a_word_is_one_in_wiremocks_json(text: str, member: str, value: str) -> None:
    assert pattern(text) == {"method": "GET", member: value}


@pytest.mark.parametrize("text", ["", "GET", "GET ", "/x"])
def test_a_pattern_without_a_path_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="not a method and a path"):
        pattern(text)


def test_a_pattern_in_a_word_can_have_conditions(sandbox: Sandbox) -> None:
    paid = pattern(
        "POST stripe/charges/{id}",
        body_patterns=[{"matchesJsonPath": "$[?(@.amount > 5)]"}],
        headers={"Idempotency-Key": {"matches": ".+"}},
    )
    sandbox.stub(paid, status=201)

    assert call(sandbox, "charges/1", "POST", json={"amount": 6}).status_code == 404
    key = {"Idempotency-Key": "k"}
    assert call(sandbox, "charges/1", "POST", json={"amount": 6}, headers=key).status_code == 201
    assert sandbox.verify(paid) == 1


def test_a_request_that_no_stub_matches_says_so(sandbox: Sandbox) -> None:
    sandbox.stub("GET stripe/x?a=b")

    assert call(sandbox, "x?a=b").status_code == 200
    assert "No stub matches GET" in call(sandbox, "x?a=c").text


# What is refused.


@pytest.mark.parametrize(
    ("refused", "member"),
    [
        (lambda sandbox: sandbox.stub("GET stripe/x", colour="red"), "/response/colour"),
        (lambda sandbox: sandbox.stub("GET stripe/x", status="200"), "/response/status"),
        (lambda sandbox: sandbox.stub("GET stripe/x", json={}, headers="X: 1"), "/response/headers"),
        (lambda sandbox: sandbox.stub("GET stripe/x", times=0), "/times"),
        (lambda sandbox: sandbox.stub("GET stripe/x", times="1"), "/times"),
        (lambda sandbox: sandbox.stub("GET stripe/x", delay="3"), "delay"),
        (lambda sandbox: sandbox.stub("GET stripe/x", delay=float("inf")), "delay"),
        (lambda sandbox: sandbox.stub("GET stripe/x", delay=-1), "/response/fixedDelayMilliseconds"),
        (lambda sandbox: sandbox.stub({"urlPaht": "/x"}), "/request/urlPaht"),
        (lambda sandbox: sandbox.stub(pattern("GET stripe/x", header={})), "/request/header"),
        (lambda sandbox: sandbox.requests({"urlPathPattern": "("}), "/urlPathPattern"),
        (lambda sandbox: sandbox.verify("GET stripe/x", times=1, at_least=1), "/times"),
        (lambda sandbox: sandbox.verify("GET stripe/x", not_sooner_than=1), "/notSoonerThan"),
        (lambda sandbox: sandbox.toxic("latency", latecny=1), "/attributes/latecny"),
    ],
)
def test_what_is_refused_is_named(sandbox: Sandbox, refused: Any, member: str) -> None:
    with pytest.raises(Refused) as caught:
        refused(sandbox)

    assert str(caught.value).startswith(f"{member}: ")


def test_what_belongs_into_the_mapping_is_sent_there(sandbox: Sandbox) -> None:
    names = set(StubMapping.__struct_encode_fields__)
    for name in names - {"request", "response", "times", "priority"}:
        with pytest.raises(Refused, match=rf'^/response/{name}: .*use mapping=\{{"{name}": ...\}}\)$'):
            sandbox.stub("GET stripe/x", **{name: "a"})  # type: ignore[arg-type]
    with pytest.raises(Refused, match=r'use mapping=\{"scenarioName"'):
        sandbox.stub("GET stripe/x", scenario_name="a")  # type: ignore[call-arg]


def test_a_refusal_without_a_member_has_its_reason(gateway: MockGateway) -> None:
    with pytest.raises(Refused, match="clock is not manual"):
        gateway.advance(1)


class Greeter(BaseHTTPRequestHandler):
    """Answers every GET with a page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<h1>Hello\n</h1>")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("ask", "path", "said"),
    [
        (lambda gateway: gateway.sandbox(), "/sandboxes", r"501 .*Unsupported method.*"),
        (lambda gateway: gateway.report(), r"/report\?format=json", r"200 <h1>Hello </h1>"),
    ],
    ids=["status", "body"],
)
def test_what_listens_but_is_no_gateway_is_told_in_a_line_with_the_url(
    ask: Any, path: str, said: str
) -> None:
    with ThreadPoolExecutor() as pool, HTTPServer(("127.0.0.1", 0), Greeter) as server:
        server.timeout = PATIENCE
        handled = pool.submit(server.handle_request)
        url = f"http://127.0.0.1:{server.server_port}"
        with pytest.raises(Refused, match=f"^{url}/__admin{path} is not .* of a mock gateway: {said}$"):
            ask(RunningGateway(url))
        handled.result(PATIENCE)


def test_a_gateway_that_cannot_be_reached_is_told_in_a_line_with_the_url() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for url, reason in (
        (f"http://127.0.0.1:{port}", "Connection refused"),
        ("http://no-such-host.invalid", ".+"),
    ):
        gateway = RunningGateway(url)
        for ask in (gateway.sandbox, gateway.reset, gateway.report_text):
            with pytest.raises(
                ConnectionError, match=f"^No answer from {url}/__admin/.*: .*{reason}.*$"
            ) as told:
                ask()
            assert "\n" not in str(told.value)


def test_a_gateway_that_closes_without_an_answer_is_told_with_the_url() -> None:
    with ThreadPoolExecutor() as pool, socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        closed = pool.submit(lambda: silent.accept()[0].close())
        with pytest.raises(ConnectionError, match=f"^No answer from {url}/__admin/reset: .+"):
            RunningGateway(url).reset()
        closed.result(PATIENCE)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "it is not an http URL"),
        ("127.0.0.1:8765", "it is not an http URL"),
        ("localhost", "it is not an http URL"),
        ("https://127.0.0.1:8765", "it is not an http URL"),
        ("http://", "it is not an http URL"),
        ("http://:8765", "it is not an http URL"),
        ("http://127.0.0.1:port", "it is not an http URL"),
        ("http://127.0.0.1:8765\n", "it is not an http URL"),
        ("http://127.0.0.1:65536", "the port 65536 is out of range"),
        ("http://127.0.0.1:0", "the port 0 is out of range"),
        ("http://127.0.0.1:8765/api/oagw/v1/proxy", "it must not have a path or query: /api/oagw/v1/proxy"),
        ("http://127.0.0.1:8765/__admin/", "it must not have a path or query: /__admin/"),
        ("http://[::1]?a=b", "it must not have a path or query: ?a=b"),
    ],
)
def test_a_url_that_is_not_that_of_a_gateway_is_named_at_once(url: str, why: str) -> None:
    with pytest.raises(ValueError, match="is not the URL of a gateway") as told:
        RunningGateway(url)
    message = f"{url!r} is not the URL of a gateway, such as http://127.0.0.1:8765: {why}"
    assert str(told.value) == message


@pytest.mark.parametrize(
    "url", ["http://localhost:8765/", "HTTP://my_host", "http://[::1]:80", "http://a.b//"]
)
def test_the_urls_of_gateways_are_taken(url: str) -> None:
    assert RunningGateway(url).base_url == url.rstrip("/")


# Requests and verification.


def test_a_gateway_without_a_journal_says_so() -> None:
    with MockGateway(options=["--journal-count", "0"]) as gateway:
        for ask in (lambda: gateway.verify("GET stripe/x", times=0), gateway.report):
            with pytest.raises(Refused, match="Requests are not recorded"):
                ask()


def test_requests_are_told_the_oldest_first(sandbox: Sandbox) -> None:
    sandbox.stub("POST stripe/x", status=201)
    for body in ("a", "b"):
        call(sandbox, "x", "POST", content=body)
    call(sandbox, "y")

    first, second, third = sandbox.requests()

    assert (first["method"], first["url"], first["body"]) == ("POST", f"{STRIPE}/x", "a")
    assert (second["body"], second["oagw"]["status"], second["oagw"]["answeredBy"]) == ("b", 201, "stub")
    assert third["oagw"]["status"] == 404
    assert [request["body"] for request in sandbox.requests("POST stripe/x")] == ["a", "b"]
    assert sandbox.token not in json.dumps(sandbox.requests())


def test_a_verification_counts(sandbox: Sandbox) -> None:
    sandbox.stub("GET stripe/x")
    call(sandbox, "x")
    call(sandbox, "x")

    assert sandbox.verify("GET stripe/x") == 2
    assert sandbox.verify("GET stripe/x", times=2) == 2
    assert sandbox.verify("GET stripe/x", at_least=1, at_most=2) == 2
    assert sandbox.verify("GET stripe/x", after="GET stripe/x", not_later_than=PATIENCE) == 1
    assert sandbox.verify("GET stripe/y", times=0) == 0


def test_a_verification_that_fails_is_an_assertion_error_that_says_what_came_instead(
    sandbox: Sandbox,
) -> None:
    sandbox.stub("POST stripe/charges")
    call(sandbox, "charge", "POST")

    with pytest.raises(AssertionError) as caught:
        sandbox.verify("POST stripe/charges", times=1)

    assert "exactly 1 request" in str(caught.value)
    assert f"{STRIPE}/charges" in str(caught.value)
    assert f"{STRIPE}/charge\n" in str(caught.value) + "\n"
    call(sandbox, "charge", "POST")
    with pytest.raises(AssertionError, match=r"\d\.\d+ s"):
        sandbox.verify("POST stripe/charge", after="POST stripe/charge", not_sooner_than=60)


def test_the_report_card_tells_of_a_retry_that_came_too_soon(sandbox: Sandbox) -> None:
    sandbox.stub("GET stripe/x", problem={"category": "resource_exhausted", "retryAfter": 30}, times=1)
    sandbox.stub("GET stripe/y")
    call(sandbox, "y")
    assert sandbox.report()["findings"] == []
    call(sandbox, "x")
    call(sandbox, "x")

    report = sandbox.report(retry_due=True, streams_cancelled=True)

    assert "retry-after-not-honoured" in [finding["rule"] for finding in report["findings"]]
    assert report["notChecked"] == []
    told = sandbox.report_text(retry_due=True, streams_cancelled=True)
    assert report["findings"][0]["text"] in told, (report, told)
    assert len(sandbox.report()["notChecked"]) == 2


def test_a_reset_forgets_it_all(sandbox: Sandbox) -> None:
    sandbox.stub("GET stripe/x")
    call(sandbox, "x")

    sandbox.reset()

    assert sandbox.requests() == []
    assert call(sandbox, "x").status_code == 404


# Toxics.


def test_a_toxic_acts_on_the_answers_of_an_alias(sandbox: Sandbox) -> None:
    sandbox.stub("GET stripe/x", body="x" * 100)
    cut = sandbox.toxic("limit_data", alias="stripe", bytes=10)

    with pytest.raises(httpx.TransportError):
        call(sandbox, "x")
    assert cut.name in sandbox.requests()[0]["oagw"]["toxics"]
    cut.remove()
    cut.remove()
    assert len(call(sandbox, "x").content) == 100


def test_a_toxic_acts_on_what_a_pattern_matches_for_a_block(sandbox: Sandbox) -> None:
    sandbox.stub("ANY stripe/x")

    with sandbox.toxic("reset_peer", request="POST stripe/x", name="a name/with%"), sandbox.toxic("latency"):
        assert call(sandbox, "x").status_code == 200
        with pytest.raises(httpx.TransportError):
            call(sandbox, "x", "POST")

    assert call(sandbox, "x", "POST").status_code == 200


def test_a_toxic_without_toxicity_has_no_part(sandbox: Sandbox) -> None:
    sandbox.stub("GET stripe/x")
    with pytest.warns(CannotAct, match="its toxicity is 0"):
        sandbox.toxic("reset_peer", toxicity=0)

    assert call(sandbox, "x").status_code == 200


# What cannot act.


def test_a_warning_points_at_the_line_that_made_what_cannot_act(sandbox: Sandbox) -> None:
    with pytest.warns(CannotAct) as caught:  # noqa: PT031  # three lines are the point
        sandbox.toxic("latency", alias="wether", latency=10)
        sandbox.stub("GET /weather/current", body="cold")
        sandbox.admin("POST", "/mappings", {"request": {"urlPath": "/__admin/x"}})

    assert [Path(one.filename).name for one in caught] == [Path(__file__).name] * 3
    assert [one.lineno - caught[0].lineno for one in caught] == [0, 1, 2]
    assert 'service or stub has the alias "wether" yet, did you mean "weather"?' in str(caught[0].message)
    assert 'did you mean "/api/oagw/v1/proxy/weather/current"?' in str(caught[1].message)


def test_a_warning_may_be_an_error(sandbox: Sandbox) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", CannotAct)
        with pytest.raises(CannotAct):
            sandbox.toxic("latency", alias="nobody", latency=10)
        sandbox.stub("GET nobody/x")
        sandbox.toxic("latency", alias="nobody", latency=10)


def test_what_was_not_used_is_in_the_report_and_no_finding(sandbox: Sandbox) -> None:
    used = sandbox.stub("GET stripe/used")
    sandbox.stub("GET stripe/unused", mapping={"name": "the unused one"})
    sandbox.toxic("latency", name="slow", alias="github", latency=1)
    call(sandbox, "used")

    report = sandbox.report()

    assert report["findings"] == []
    assert [(one["kind"], one["name"], one["severity"]) for one in report["unused"]] == [
        ("stub", "the unused one", "note"),
        ("toxic", "slow", "note"),
    ]
    assert used.id not in json.dumps(report)
    assert "note: unused toxic slow\n  It affected no response.\n" in sandbox.report_text()


# Sandboxes and the clock.


def test_sandboxes_do_not_see_each_other(gateway: MockGateway) -> None:
    with gateway.sandbox() as one, gateway.sandbox() as other:
        one.stub("GET stripe/x", body="one")
        other.stub("GET stripe/x", body="other")

        assert (call(one, "x").text, call(other, "x").text) == ("one", "other")
        assert call(gateway, "x").status_code == 404
        one.verify("GET stripe/x", times=1)
        assert one.id not in {sandbox["id"] for sandbox in other.admin("GET", "/sandboxes")["sandboxes"]}


def test_a_sandbox_sees_the_stubs_of_the_gateway(gateway: MockGateway, sandbox: Sandbox) -> None:
    with gateway.stub("GET stripe/shared", body="all"):
        assert call(sandbox, "shared").text == "all"
        sandbox.stub("GET stripe/shared", body="mine")
        assert call(sandbox, "shared").text == "mine"
        assert call(gateway, "shared").text == "all"


def test_a_sandbox_that_is_gone_can_be_deleted_but_not_used(gateway: MockGateway) -> None:
    with gateway.sandbox(expires_after=60) as sandbox:
        (shown,) = gateway.admin("GET", "/sandboxes")["sandboxes"]
        assert (shown["id"], shown["expiresAfterSeconds"]) == (sandbox.id, 60)
        sandbox.delete()

    assert gateway.admin("GET", "/sandboxes")["sandboxes"] == []
    with pytest.raises(Refused, match="No such sandbox"):
        sandbox.requests()


def test_a_gateway_that_runs_already_can_be_used() -> None:
    with MockGateway(options=["--admin-token", "secret"]) as gateway:
        running = RunningGateway(gateway.base_url + "/", admin_token="secret")
        with pytest.raises(Refused, match="admin token"):
            gateway.sandbox()

        with running.sandbox() as sandbox:
            sandbox.stub("GET stripe/x", body="here")
            assert call(sandbox, "x").text == "here"
        assert running.admin("GET", "/sandboxes")["sandboxes"] == []


def test_the_manual_clock_is_moved() -> None:
    with (
        ThreadPoolExecutor() as pool,
        MockGateway(options=["--clock", "manual"]) as gateway,
        gateway.sandbox() as sandbox,
    ):
        sandbox.stub("GET stripe/x", delay=30)
        answer = pool.submit(call, sandbox, "x")
        until(sandbox.requests)

        gateway.advance(29.9)
        assert not answer.done()
        gateway.advance(0.1)

        assert answer.result(PATIENCE).status_code == 200
        gateway.advance(10_000)  # the sandbox expires, which its end does not mind


# The fixtures.

SUITE = """
    import urllib.request

    import pytest

    seen = []

    @pytest.fixture(scope="session")
    def oagw_options():
        return ["--token", "mine"]

    @pytest.mark.parametrize("turn", [1, 2])
    def test_each_has_a_sandbox_of_its_own(oagw_sandbox, turn):
        seen.append(oagw_sandbox.id)
        oagw_sandbox.stub("GET stripe/x", body=str(turn))
        headers = {"Authorization": f"Bearer {oagw_sandbox.token}"}
        request = urllib.request.Request(oagw_sandbox.alias_url("stripe") + "/x", headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.read() == b"%d" % turn
        oagw_sandbox.verify("GET stripe/x", times=1)

    def test_none_is_left(oagw_gateway):
        assert len(set(seen)) == 2
        assert oagw_gateway.admin("GET", "/sandboxes")["sandboxes"] == []

    def test_that_fails(oagw_sandbox):
        oagw_sandbox.verify("GET stripe/never", times=1)
"""


def test_the_fixture_gives_each_test_a_sandbox_and_shows_why_a_verification_failed(tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(textwrap.dedent(SUITE))

    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "oagw.pytest_plugin",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:asyncio",
            "-Werror",
            "-q",
        ],
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE * 3,
    )

    assert "3 passed" in done.stdout, done.stdout + done.stderr
    assert "1 failed" in done.stdout
    assert "Expected exactly 1 request, but there were none" in done.stdout
    assert "control_plane.py" not in done.stdout  # the traceback ends in the test


# Cost.


def test_to_import_it_is_cheap() -> None:
    code = "import sys; known = set(sys.modules); import oagw.testing; print(*set(sys.modules) - known)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    heavy = {"http.client", "urllib.request", "twisted", "msgspec", "email", "ssl", "asyncio", "uuid"}
    assert heavy.isdisjoint(done.stdout.split())

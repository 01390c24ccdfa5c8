"""What waits, in Python: verify(within=), wait_pending() and advance_until_idle(); and what goes with it."""

import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from oagw.testing import MockGateway, Refused, Sandbox


@pytest.fixture(scope="module")
def gateway() -> Iterator[MockGateway]:
    with MockGateway(options=["--clock", "manual", "--seed", "1"]) as running:
        yield running


@pytest.fixture
def sandbox(gateway: MockGateway) -> Iterator[Sandbox]:
    with gateway.sandbox(name="waiting") as made:
        yield made


def get(sandbox: Sandbox, path: str) -> int | None:
    """The status of the answer, None if there is none."""
    connection = HTTPConnection(sandbox.base_url.partition("://")[2], timeout=30)
    try:
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        connection.request("GET", f"/api/oagw/v1/proxy/{path}", headers=headers)
        return connection.getresponse().status
    except ConnectionError:
        return None
    finally:
        connection.close()


def later(sandbox: Sandbox, path: str) -> threading.Thread:
    thread = threading.Thread(target=get, args=(sandbox, path))
    thread.start()
    return thread


def test_verify_waits_for_the_request(sandbox: Sandbox) -> None:
    timer = threading.Timer(0.1, get, (sandbox, "weather/current?city=Oslo"))
    timer.start()
    began = time.monotonic()
    assert sandbox.verify("GET weather/current", within=20) == 1
    assert 0.05 < time.monotonic() - began < 10
    timer.join()


def test_what_does_not_come_in_time_is_an_assertion_error(gateway: MockGateway, sandbox: Sandbox) -> None:
    timer = threading.Timer(0.1, gateway.advance, (5,))
    timer.start()
    with pytest.raises(AssertionError, match="Expected at least 1 request"):
        sandbox.verify("GET weather/current", within=5)
    timer.join()
    with pytest.raises(Refused, match="within"):
        sandbox.verify("GET weather/current", within=-1)


def test_an_answer_is_pending_before_the_clock_is_advanced(gateway: MockGateway, sandbox: Sandbox) -> None:
    sandbox.stub("GET stripe/slow", delay=60)
    with pytest.raises(TimeoutError, match=r"0 answers are pending after 0\.01 s, not 1"):
        gateway.wait_pending(within=0.01)
    threads = [later(sandbox, "stripe/slow") for _ in range(2)]
    gateway.wait_pending(2)
    with pytest.raises(Refused, match="2 answers are still pending"):
        gateway.advance_until_idle(59)
    gateway.advance_until_idle()
    for thread in threads:
        thread.join(10)
    assert [one["oagw"]["status"] for one in sandbox.requests("GET stripe/slow")] == [200, 200]


def test_a_toxic_acts_on_some_answers(sandbox: Sandbox) -> None:
    sandbox.toxic("reset_peer", alias="weather", skip=1, times=1)
    assert [get(sandbox, "weather/current?city=Oslo") for _ in range(3)] == [200, None, 200]


def test_the_name_of_a_sandbox_is_there_once(gateway: MockGateway, sandbox: Sandbox) -> None:
    with pytest.raises(Refused, match="A sandbox has this name"):
        gateway.sandbox(name="waiting")

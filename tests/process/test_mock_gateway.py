import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from launched import PATIENCE, ROOT, Launched, listens, until

from oagw.testing import GatewayFailed, MockGateway


def status(url: str, token: str = "") -> int:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def answers(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition(":")
    return listens(host, int(port))


def test_it_answers_within_a_with_block_and_not_after_it() -> None:
    with MockGateway() as gateway:
        url = gateway.base_url
        assert status(f"{url}/health") == 200
        assert status(gateway.alias_url("weather") + "/current?city=Oslo", gateway.token) == 200
        assert status(gateway.alias_url("weather") + "/current?city=Oslo") == 401
    assert not answers(url)


@pytest.mark.parametrize("token", ["mine", "-starts-with-a-dash", "--seed", "a=b"])
def test_it_accepts_the_token_that_was_asked_for(token: str) -> None:
    with MockGateway(token=token) as gateway:
        assert gateway.token == token
        assert status(f"{gateway.base_url}/api/oagw/v1/status", token) == 200
        assert status(f"{gateway.base_url}/api/oagw/v1/status", "test-integration-token") == 403


def test_it_passes_options_on() -> None:
    with MockGateway(options=["--token", "another", "--host", "127.0.0.2"]) as gateway:
        assert gateway.base_url.startswith("http://127.0.0.2:")
        assert status(f"{gateway.base_url}/api/oagw/v1/status", "another") == 200


def test_it_has_no_url_before_its_start_and_after_its_stop() -> None:
    gateway = MockGateway()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="not running"):
            gateway.base_url  # noqa: B018
        with pytest.raises(RuntimeError, match="not running"):
            gateway.alias_url("weather")
        gateway.start()
        gateway.stop()


def test_it_starts_once_and_stops_as_often_as_anyone_likes() -> None:
    gateway = MockGateway()
    gateway.stop()
    gateway.start()
    try:
        url = gateway.base_url
        with pytest.raises(RuntimeError, match="already running"):
            gateway.start()
        assert (gateway.base_url, status(f"{url}/health")) == (url, 200)
    finally:
        gateway.stop()
    gateway.stop()
    assert not answers(url)


def test_it_starts_again_after_a_stop() -> None:
    gateway = MockGateway()
    for _ in range(2):
        with gateway:
            assert status(f"{gateway.base_url}/health") == 200


def test_two_of_them_run_side_by_side() -> None:
    with MockGateway() as one, MockGateway() as other:
        assert one.base_url != other.base_url
        assert status(f"{one.base_url}/health") == status(f"{other.base_url}/health") == 200


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--seed", "x"], "a seed is a whole number, not 'x'"),
        (["--no-such-option"], "unrecognized arguments: --no-such-option"),
        (["--host", "192.0.2.1"], "cannot listen on port 0 of 192.0.2.1"),
        (["--version"], ""),
        (["--help"], ""),
    ],
)
def test_a_failing_start_says_what_the_server_said(options: list[str], said: str) -> None:
    gateway = MockGateway(options=options)
    with pytest.raises(GatewayFailed) as failure, gateway:
        pass
    assert said in str(failure.value)
    assert "Traceback" not in str(failure.value)
    with pytest.raises(RuntimeError, match="not running"):
        gateway.base_url  # noqa: B018
    gateway.stop()


def test_options_in_one_string_are_refused() -> None:
    with pytest.raises(TypeError, match=r"such as \['--clock', 'manual'\]"):
        MockGateway(options="--clock manual")


def test_stubs_that_cannot_be_read_are_why_it_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "broken.json").write_text('{"colour": "red"}')
    with pytest.raises(GatewayFailed, match="colour"), MockGateway(options=["--mappings", str(tmp_path)]):
        pass


def test_calls_of_a_server_that_ended_by_itself_say_so() -> None:
    with MockGateway() as gateway:
        sandbox = gateway.sandbox()
        os.kill(gateway.pid, signal.SIGKILL)
        for ask in (sandbox.requests, sandbox.delete):
            with pytest.raises(GatewayFailed, match="exited with status -9"):
                ask()


def test_the_token_is_no_part_of_a_failure() -> None:
    with pytest.raises(GatewayFailed) as failure, MockGateway(token="secret with spaces"):
        pass
    assert "secret" not in str(failure.value)


def test_it_stops_fast_also_after_a_great_many_lines_that_nobody_read(
    record_property: Callable[[str, object], None],
) -> None:
    taken = []
    for _ in range(3):
        with MockGateway(options=["--access-log"]) as gateway:
            for _ in range(100):
                status(f"{gateway.base_url}/{'x' * 900}")
            started = time.monotonic()
            gateway.stop()
            taken.append(time.monotonic() - started)
    record_property("seconds to stop", taken)
    assert min(taken) < 0.5


def test_it_works_from_any_directory_and_keeps_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with MockGateway() as gateway:
        assert status(f"{gateway.base_url}/health") == 200
    assert os.environ["PYTHONPATH"] == str(tmp_path)


def test_its_server_does_not_outlive_a_killed_test_run() -> None:
    script = """
import os, signal, sys
from oagw.testing import MockGateway
gateway = MockGateway()
gateway.start()
print(gateway.base_url, flush=True)
signal.pause()
"""
    command = (sys.executable, "-c", script)
    with Launched(command=command, announces=False, cwd=ROOT, stderr=subprocess.PIPE) as runner:
        url = runner.line(rb"http://\S+")[0].decode()
        assert status(f"{url}/health") == 200
        runner.process.kill()
        runner.process.wait(PATIENCE)
        until(lambda: not answers(url))

"""``start`` connects or starts, and a gateway is ready when it is asked to be."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from launched import listens, until

from oagw.client.mock_gateway import announced
from oagw.client.shared import SharedGateway
from oagw.testing import GatewayFailed, MockGateway, RunningGateway, start


def is_there(gateway: RunningGateway) -> bool:
    host, _, port = gateway.base_url.removeprefix("http://").partition(":")
    return listens(host, int(port))


def test_start_connects_to_the_gateway_that_a_variable_names(
    gateway: MockGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OAGW_URL", gateway.base_url + "/")
    monkeypatch.setenv("OAGW_TOKEN", "first second")
    with start() as running:
        assert (running.base_url, running.token) == (gateway.base_url, "first")
        running.sandbox().delete()
    assert is_there(gateway)
    assert start(gateway.base_url, token="mine").token == "mine"


def test_start_starts_a_gateway_where_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAGW_URL", "")
    monkeypatch.setenv("OAGW_ADMIN_TOKEN", "secret")  # of which the server knows, too
    with start(options=["--clock", "manual"]) as gateway:
        gateway.advance(1)
        url = gateway.base_url
        assert RunningGateway(url, admin_token="secret").admin("GET", "/clock")["mode"] == "manual"
    assert not is_there(RunningGateway(url))


def test_a_gateway_is_ready_when_that_is_asked_for() -> None:
    told = [{"event": "listening", "url": "http://a"}, {"event": "ready", "url": "http://b"}]
    script = "".join(f"print({json.dumps(line)!r})\n" for line in told)
    for expected in told:
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
            assert announced(process, expected["event"]) == expected["url"]
    with MockGateway(until_ready=True) as gateway:
        assert gateway.admin("GET", "/clock")["mode"] == "real"


def test_an_exception_in_its_block_has_the_report_once(gateway: MockGateway) -> None:
    def fail() -> None:
        with start(gateway.base_url) as running, running.sandbox() as sandbox:
            sandbox.stub("GET stripe/x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        fail()
    (note,) = caught.value.__notes__
    assert note.startswith("What the gateway saw:\n0 requests, 0 findings\n")
    assert "unused stub" in note


def test_a_report_that_cannot_be_had_does_not_hide_the_failure() -> None:
    def fail() -> None:
        with MockGateway() as gateway:
            gateway.stop()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        fail()
    (note,) = caught.value.__notes__
    assert "No report: the gateway is not running" in note


def test_workers_with_the_same_options_share_a_server(tmp_path: Path) -> None:
    first = SharedGateway(tmp_path, os.getpid(), ["--seed", "1"])
    (known,) = tmp_path.glob("oagw-*.json")
    pid = json.loads(known.read_text())["pid"]
    try:
        assert SharedGateway(tmp_path, os.getpid(), ["--seed", "1"]).base_url == first.base_url
        with pytest.raises(GatewayFailed, match="is not a folder"):
            SharedGateway(tmp_path, os.getpid(), ["--mappings", str(tmp_path / "no")])
    finally:
        os.kill(pid, signal.SIGTERM)
    until(lambda: not is_there(first))
    with pytest.raises(GatewayFailed, match="has exited:\noagw-mock-server listens on"):
        first.requests()

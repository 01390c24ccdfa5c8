"""``start`` connects or starts, and a gateway is ready when it is asked to be."""

import pytest
from launched import listens

from oagw.testing import MockGateway, RunningGateway, start


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


def test_a_gateway_is_ready_when_that_is_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    with MockGateway(until_ready=True) as ready, MockGateway() as listening:
        assert ready.admin("GET", "/clock")["mode"] == listening.admin("GET", "/clock")["mode"] == "real"
    assert capfd.readouterr().out == ""


def test_an_exception_in_its_block_has_the_report_once(gateway: MockGateway) -> None:
    with pytest.raises(ZeroDivisionError) as caught, start(gateway.base_url) as running:
        with running.sandbox() as sandbox:
            sandbox.stub("GET stripe/x")
            raise ZeroDivisionError
    (note,) = caught.value.__notes__
    assert note.startswith("What the gateway saw:\n0 requests, 0 findings\n")
    assert "unused stub" in note


def test_a_report_that_cannot_be_had_does_not_hide_the_failure() -> None:
    with pytest.raises(ZeroDivisionError) as caught, MockGateway() as gateway:
        gateway.stop()
        raise ZeroDivisionError
    (note,) = caught.value.__notes__
    assert "No report: the gateway is not running" in note

"""How services are found."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oagw import services
from tests.support.wire import Wire

ECHO = """
from oagw.services import UpstreamNode
from oagw.web.reply import UPSTREAM, json_reply

class Echo(UpstreamNode):
    def render_GET(self, request):
        return json_reply({"path": request.path.decode()}, source=UPSTREAM)

def tree(env):
    return UpstreamNode({b"echo": Echo()})
"""


def test_the_services_are_found_by_their_alias_and_sorted() -> None:
    aliases = ["calculator", "echo", "github", "httpstatus", "openai", "stream-test", "weather"]
    assert Wire().ask("GET", "/oagw/v1/status").json()["registered_aliases"] == aliases


def test_each_service_can_be_loaded() -> None:
    wire = Wire()
    for alias in wire.ask("GET", "/oagw/v1/status").json()["registered_aliases"]:
        answer = wire.ask("GET", f"/oagw/v1/proxy/{alias}/nothing-here")
        assert (answer.status, answer.source) == (200 if alias == "echo" else 404, ["upstream"])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose modules are services as well."""
    monkeypatch.setattr(services, "__path__", [*services.__path__, str(tmp_path)])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    sys.modules.pop("oagw.services.my_echo", None)


def test_a_new_service_is_one_file(folder: Path) -> None:
    (folder / "my_echo.py").write_text(ECHO)
    answer = Wire().ask("GET", "/oagw/v1/proxy/my-echo/echo")
    assert answer.json() == {"path": "/oagw/v1/proxy/my-echo/echo"}


def test_a_service_that_cannot_be_loaded_is_our_failure(folder: Path) -> None:
    (folder / "my_echo.py").write_text("{}['no such key']")
    answer = Wire().ask("GET", "/oagw/v1/proxy/my-echo/echo")
    assert (answer.status, answer.source) == (500, ["gateway"])


def test_a_service_is_built_once_and_not_before_it_is_called(folder: Path) -> None:
    (folder / "my_echo.py").write_text(ECHO + "\nprint('loaded')")
    wire = Wire()
    assert "oagw.services.my_echo" not in sys.modules
    wire.ask("GET", "/oagw/v1/proxy/my-echo/echo")
    (folder / "my_echo.py").unlink()
    assert wire.ask("GET", "/oagw/v1/proxy/my-echo/echo").status == 200

"""How services are found."""

import sys
from pathlib import Path

import pytest

from oagw import services


def test_the_services_are_found_by_their_alias() -> None:
    assert list(services.load()) == ["calculator", "github", "openai", "stream-test", "weather"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose modules are services as well."""
    monkeypatch.setattr(services, "__path__", [*services.__path__, str(tmp_path)])
    before = set(sys.modules)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("oagw.services."):
            del sys.modules[name]
            delattr(services, name.rpartition(".")[2])


ECHO = """
from oagw.services import Service, UpstreamNode
SERVICE = Service({alias!r}, lambda env: UpstreamNode())
"""


def test_a_new_service_is_one_file(folder: Path) -> None:
    (folder / "echo.py").write_text(ECHO.format(alias="echo"))
    assert "echo" in services.load()


def test_a_module_without_a_service_is_named(folder: Path) -> None:
    (folder / "empty.py").write_text("")
    with pytest.raises(ValueError, match=r"empty\.py: a service module needs a SERVICE"):
        services.load()


def test_a_second_service_with_one_alias_is_named(folder: Path) -> None:
    (folder / "zzz.py").write_text(ECHO.format(alias="weather"))
    with pytest.raises(ValueError, match=r"zzz\.py: the alias 'weather' is taken"):
        services.load()

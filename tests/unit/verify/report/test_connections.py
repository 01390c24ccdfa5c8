"""What the report says of connections; and that it says nothing of those that are used well."""

from typing import Any

import pytest

from oagw.model.entry import CLIENT_LEFT
from oagw.verify.report.connections import connections_not_reused
from tests.support.entries import CHAT, Entries
from tests.support.work import findings


def one_by_one(count: int, gap: float = 1.0, *fields: str, **more: Any) -> Entries:
    entries = Entries()
    for index in range(count):
        entries.add(index * gap, "POST", CHAT, *fields, connection=index, **more)
    return entries


def test_a_connection_for_each_request_is_found() -> None:
    entries = one_by_one(4)
    (found,) = findings(connections_not_reused, entries)
    assert found.entries == [entry.id for entry in entries[1:]]
    assert (found.rule, found.severity) == ("connections-not-reused", "warning")
    expected = "3 of 4 requests came on a new connection, although an existing connection was idle. "
    assert found.text.startswith(expected)


@pytest.mark.parametrize(
    "more",
    [
        {"answer": ("Connection: close",)},
        {"ended": CLIENT_LEFT},
        {"version": b"HTTP/1.0"},
        {"took": 20.0},  # still busy
    ],
)
def test_connections_that_could_not_be_used_again_are_fine(more: dict[str, Any]) -> None:
    assert list(findings(connections_not_reused, one_by_one(10, **more))) == []


def test_a_client_that_closes_and_says_so_is_fine() -> None:
    assert list(findings(connections_not_reused, one_by_one(10, 1.0, "Connection: close"))) == []


def test_a_few_are_no_habit() -> None:
    assert list(findings(connections_not_reused, one_by_one(3))) == []


def test_connections_that_have_been_idle_for_long_are_fine() -> None:
    assert list(findings(connections_not_reused, one_by_one(10, gap=6.0))) == []


def test_one_connection_for_all_is_fine() -> None:
    entries = Entries()
    for at in range(10):
        entries.add(at)
    assert findings(connections_not_reused, entries) == []


def test_a_pool_that_grows_under_load_is_fine() -> None:
    entries = Entries()
    for round in range(5):
        for connection in range(round + 1):
            entries.add(round, connection=connection, took=0.5)
    assert findings(connections_not_reused, entries) == []


def test_different_clients_do_not_share_connections() -> None:
    entries = Entries()
    for index in range(10):
        entries.add(index, "POST", CHAT, f"User-Agent: client/{index}", connection=index)
    assert findings(connections_not_reused, entries) == []

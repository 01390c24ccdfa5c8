"""The journal: what it keeps, what it forgets."""

from uuid import UUID

import pytest

from oagw.model.entry import Entry
from oagw.model.journal import Journal
from oagw.model.memory import Memory


def entry(number: int, body: bytes = b"", url: bytes = b"/x") -> Entry:
    made = Entry(number, 0.0, b"GET", url, b"Host: g", 1, number, ("127.0.0.1", 1), ("127.0.0.1", 80))
    made.body = body
    return made


def numbers(journal: Journal) -> list[int]:
    return [kept.number for kept in journal]


def test_the_oldest_make_room_when_there_are_too_many() -> None:
    journal = Journal(count=3, size=1 << 20)
    for number in range(5):
        journal.add(entry(number))
    assert numbers(journal) == [2, 3, 4]
    assert len(journal) == 3


def test_the_oldest_make_room_when_bodies_are_large() -> None:
    journal = Journal(count=100, size=10_000)
    for number in range(5):
        journal.add(entry(number, b"x" * 3000))
    assert numbers(journal) == [3, 4]


def test_long_urls_count_as_well() -> None:
    journal = Journal(count=100, size=10_000)
    for number in range(5):
        journal.add(entry(number, url=b"/" * 4000))
    assert numbers(journal) == [4]


def test_large_heads_of_answers_count_as_well_but_not_of_what_is_forgotten() -> None:
    journal = Journal(count=100, size=10_000)
    entries = [entry(number) for number in range(5)]
    for added in entries:
        journal.add(added)
        added.response_head = b"x" * 4000
    for answered in entries:
        journal.answered(answered)
    assert numbers(journal) == [3, 4]
    journal.clear()
    for answered in entries:
        journal.answered(answered)
    for number in range(2):
        journal.add(entry(number, b"x" * 3000))
    assert numbers(journal) == [0, 1]


def test_a_body_larger_than_the_journal_is_not_kept_nor_anything_before_it() -> None:
    journal = Journal(count=100, size=10_000)
    journal.add(entry(1))
    journal.add(entry(2, b"x" * 20_000))
    assert numbers(journal) == []
    journal.add(entry(3))
    assert numbers(journal) == [3]


def test_a_journal_of_no_entries_keeps_none() -> None:
    journal = Journal(count=0, size=1 << 20)
    journal.add(entry(1))
    assert numbers(journal) == []


def test_what_is_removed_makes_room() -> None:
    journal = Journal(count=100, size=10_000)
    for number in range(3):
        journal.add(entry(number, b"x" * 2000))
    kept = list(journal)
    journal.remove([kept[0], kept[2], entry(9)])
    assert numbers(journal) == [1]
    journal.add(entry(4, b"x" * 5000))
    assert numbers(journal) == [1, 4]


def test_a_cleared_journal_is_empty_and_has_all_its_room() -> None:
    journal = Journal(count=100, size=10_000)
    journal.add(entry(1, b"x" * 8000))
    journal.clear()
    assert numbers(journal) == []
    journal.add(entry(2, b"x" * 8000))
    assert numbers(journal) == [2]


def test_entries_may_come_and_go_while_it_is_read() -> None:
    journal = Journal(count=2, size=1 << 20)
    journal.add(entry(1))
    journal.add(entry(2))
    for kept in journal:
        journal.add(entry(kept.number + 10))
    assert numbers(journal) == [11, 12]


def test_an_entry_is_found_by_its_id_in_any_spelling() -> None:
    journal = Journal(count=10, size=1 << 20)
    for number in range(1, 4):
        journal.add(entry(number))
    wanted = list(journal)[1]
    assert UUID(wanted.id).version == 4
    assert journal.get(wanted.id) is wanted
    assert journal.get(wanted.id.upper()) is wanted
    assert journal.get(str(UUID(int=0))) is None


def test_an_id_that_is_no_uuid_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="badly formed"):
        Journal(count=1, size=1).get("nonsense")


def test_an_entry_is_a_call_in_origin_form() -> None:
    call = entry(1, b'{"a": 1}', b"http://gateway/api/oagw/v1/proxy/weather/current?city=Oslo").call()
    assert call.paths[0] == "/api/oagw/v1/proxy/weather/current"
    assert call.query == {"city": ["Oslo"]}
    assert call.headers == {"host": ["g"]}
    assert call.json == {"a": 1}
    assert (call.method, call.client, call.host, call.port) == ("GET", "127.0.0.1", "127.0.0.1", 80)


def test_the_source_of_an_answer_is_read_from_its_head() -> None:
    answered = entry(1)
    assert answered.source is None
    answered.response_head = (
        b"HTTP/1.1 200 OK\r\nX-Oagw-Error-Source: upstream\r\nSet-Cookie: a\r\nset-cookie: b"
    )
    assert answered.source == "upstream"
    assert answered.response_headers["set-cookie"] == ["a", "b"]


def test_pinned_entries_count_until_they_are_released() -> None:
    memory = Memory(1 << 20)
    journal = Journal(count=100, size=100_000, memory=memory)
    for number in range(3):
        journal.add(entry(number, b"x" * 10_000))
    before = memory.recorded
    pin = journal.pin(journal)
    journal.clear()
    assert numbers(journal) == []
    assert memory.recorded == before
    pin.release()
    pin.release()
    assert memory.recorded == 0


def test_an_entry_that_is_pinned_twice_counts_until_the_second_release() -> None:
    memory = Memory(1 << 20)
    journal = Journal(count=100, size=100_000, memory=memory)
    journal.add(entry(1, b"x" * 10_000))
    first, second = journal.pin(journal), journal.pin(journal)
    journal.clear()
    first.release()
    assert memory.recorded > 10_000
    second.release()
    assert memory.recorded == 0


def test_entries_that_stay_in_the_journal_are_not_affected_by_a_release() -> None:
    journal = Journal(count=100, size=100_000)
    journal.add(entry(1))
    journal.pin(journal).release()
    assert numbers(journal) == [1]


def test_readers_are_interrupted_when_they_hold_half_of_the_room() -> None:
    interrupted = []
    journal = Journal(count=100, size=50_000)
    for number in range(4):
        journal.add(entry(number, b"x" * 10_000))
    journal.pin(journal).interrupt = lambda: interrupted.append("reader")
    for number in range(4, 8):
        journal.add(entry(number, b"x" * 10_000))
    assert interrupted == ["reader"]
    assert numbers(journal)[-1] == 7
    assert len(journal) >= 2

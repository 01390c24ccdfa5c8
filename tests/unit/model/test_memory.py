"""Memory: the bound on all that tests leave in the server."""

from itertools import count

from oagw.model.entry import Entry
from oagw.model.journal import Journal
from oagw.model.memory import MIB, Memory

NUMBERS = count(1)


def entry(size: int = 100_000) -> Entry:
    return Entry(next(NUMBERS), 0.0, b"GET", b"/", b"a" * size, 1, 1, ("127.0.0.1", 1), ("127.0.0.1", 2))


def numbers(journal: Journal) -> list[int]:
    return [entry.number for entry in journal]


def test_the_oldest_entries_of_all_journals_make_room() -> None:
    memory = Memory(MIB)
    first, second = (Journal(1000, 64 * MIB, memory) for _ in range(2))
    entries = [entry() for _ in range(30)]
    for number, one in enumerate(entries):
        (second if number % 3 else first).add(one)
    kept = sorted(numbers(first) + numbers(second))
    assert kept == [one.number for one in entries[-len(kept) :]]
    assert 8 <= len(kept) <= 10


def test_a_journal_alone_is_bounded_as_well() -> None:
    memory = Memory(MIB)
    journal = Journal(1000, 64 * MIB, memory)
    for _ in range(100):
        journal.add(entry())
        assert len(journal) <= 10
    assert len(journal) >= 8


def test_the_head_of_an_answer_counts() -> None:
    memory = Memory(MIB)
    journal = Journal(1000, 64 * MIB, memory)
    small = [entry(10) for _ in range(100)]
    for one in small:
        journal.add(one)
    assert len(journal) == 100
    for one in small:
        one.response_head = b"a" * 16_000
        journal.answered(one)
    assert 50 < len(journal) < 70


def test_documents_have_entries_make_room() -> None:
    memory = Memory(MIB)
    journal = Journal(1000, 64 * MIB, memory)
    for _ in range(9):
        journal.add(entry())
    memory.keep("stubs", 600_000)
    assert len(journal) == 4
    memory.keep("stubs", -600_000)
    for _ in range(5):
        journal.add(entry())
    assert len(journal) == 9


def test_a_journal_that_is_closed_is_free_and_takes_nothing() -> None:
    memory = Memory(MIB)
    closed, open = (Journal(1000, 64 * MIB, memory) for _ in range(2))
    late = entry()
    closed.add(late)
    closed.add(entry())
    closed.close()
    closed.add(entry())
    late.response_head = b"a" * 16_000
    closed.answered(late)
    assert (len(closed), memory.journals) == (0, {open})
    for _ in range(10):
        open.add(entry())
    assert len(open) == 10


def test_what_is_removed_or_dropped_is_free() -> None:
    memory = Memory(MIB)
    journal = Journal(3, 64 * MIB, memory)
    for _ in range(50):
        journal.add(entry())
    journal.remove(list(journal)[:1])
    other = Journal(1000, 64 * MIB, memory)
    for _ in range(8):
        other.add(entry())
    assert (len(journal), len(other)) == (2, 8)


def test_documents_may_take_three_quarters_of_it() -> None:
    memory = Memory(4 * MIB)
    assert memory.shortage(3 * MIB) is None
    memory.keep("stubs", 2 * MIB)
    memory.keep("toxics", MIB // 2)
    assert memory.shortage(MIB // 2) is None
    assert memory.shortage(0) is None
    assert memory.shortage(MIB) == (
        "Out of memory: this takes 1.0 MiB more, 2.5 MiB (stubs 2.0 MiB, toxics 0.5 MiB) are in use, "
        "and 3.0 MiB are allowed, three quarters of --memory-limit 4 (in MiB). "
        "Delete stubs, toxics or sandboxes, or raise the limit"
    )
    memory.keep("stubs", MIB)  # more than is allowed
    assert memory.shortage(-1) is None

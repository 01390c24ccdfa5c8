"""PerCaller: each name and each caller has values of its own, which are counted and forgotten with either."""

from oagw.model.memory import Memory
from oagw.stubs.per_caller import PerCaller

MEMORY = 1 << 20


def filled(memory: Memory) -> PerCaller[int]:
    values: PerCaller[int] = PerCaller(memory)
    for name in ("a", "b"):
        for caller in (1, 2):
            values.put(name, caller, caller)
    values.put("a", 1, 10)
    return values


def kept(memory: Memory) -> int:
    return sum(memory.documents.values())


def test_each_name_and_caller_has_a_value_of_its_own() -> None:
    values = filled(Memory(MEMORY))
    assert [values.get("a", 1), values.get("a", 2), values.get("b", 1), values.get("c", 1)] == [
        10,
        2,
        1,
        None,
    ]
    assert ("a" in values, "c" in values, sorted(values.names(1))) == (True, False, ["a", "b"])


def test_what_is_forgotten_by_name_or_by_caller_is_free() -> None:
    memory = Memory(MEMORY)
    values = filled(memory)
    weight = kept(memory)
    values.forget("a")
    assert (values.get("a", 1), values.get("b", 1), kept(memory)) == (None, 1, weight // 2)
    assert sorted(values.forget_caller(1)) == ["b"]
    assert (values.get("b", 1), values.get("b", 2), kept(memory)) == (None, 2, weight // 4)
    values.forget("c")
    values.forget_caller(3)
    assert kept(memory) == weight // 4
    values.clear()
    assert (values.get("b", 2), list(values.names(2)), kept(memory)) == (None, [], 0)


def test_there_is_room_for_a_value_that_is_there_even_if_there_is_no_memory() -> None:
    memory = Memory(MEMORY)
    values = filled(memory)
    memory.keep("stubs", MEMORY * 3 // 4 - kept(memory))
    assert (values.has_room("a", 1), values.has_room("c", 1)) == (True, False)

"""Draws: with a seed, what is random depends on seed, sandbox, rule and number alone."""

from random import Random
from string import ascii_letters, digits

from oagw.model.draws import Draws, SeededDraws, nanoid


def test_other_rules_and_other_numbers_do_not_matter() -> None:
    one, two = SeededDraws(1, "a"), SeededDraws(1, "a")
    two.next("other")
    two.bits("other", 64)
    two.request_id(b"/__admin/clock")
    for _ in range(3):
        assert one.next("rule").random() == two.next("rule").random()
        assert one.bits("ids", 92) == two.bits("ids", 92)
        assert one.request_id(b"/health") == two.request_id(b"/health")
        two.of("rule", 7).random()
    assert one.of("rule", 2).random() == SeededDraws(1, "a").of("rule", 2).random()


def test_seed_sandbox_rule_and_number_all_matter() -> None:
    drawn = [
        draws.of(rule, k).random()
        for draws in (SeededDraws(1, "a"), SeededDraws(2, "a"), SeededDraws(1, "b"))
        for rule in ("x", "y")
        for k in (1, 2)
    ]
    assert len(set(drawn)) == len(drawn)


def test_numbers_have_the_bits_that_are_asked_for() -> None:
    for draws in (SeededDraws(1, "a"), Draws(Random(1))):
        for count in (1, 64, 92, 128):
            drawn = [draws.bits("x", count) for _ in range(200)]
            assert max(drawn).bit_length() == count
            assert len(set(drawn)) == (2 if count == 1 else 200)


def test_without_a_seed_all_share_one_source() -> None:
    random = Random(1)
    draws = Draws(random)
    assert draws.next("a") is draws.of("b", 3) is random
    assert len({draws.request_id(b"/") for _ in range(100)}) == 100


def test_ids_of_requests_are_nanoids() -> None:
    assert (nanoid(0), nanoid(2**128 - 1)) == (21 * b"A", 21 * b"_")
    assert nanoid(62 << 122) == b"-" + 20 * b"A"
    for draws in (SeededDraws(1, "a"), Draws(Random(1))):
        ids = [draws.request_id(b"/").decode() for _ in range(200)]
        assert {len(id) for id in ids} == {21}
        assert set("".join(ids)) == set(ascii_letters + digits + "_-")

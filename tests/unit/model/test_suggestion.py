"""What is said of an unknown name."""

import time

import pytest

from oagw.model.suggestion import nearest_first, suggestion

TYPES = ("bandwidth", "latency", "reset_peer", "slow_close")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("latncy", ', did you mean "latency"? There are latency, bandwidth, reset_peer, slow_close'),
        ("Reset-Peer", ', did you mean "reset_peer"? There are reset_peer, bandwidth, latency, slow_close'),
        ("xyz", "; there are bandwidth, latency, reset_peer, slow_close"),
        ("", "; there are bandwidth, latency, reset_peer, slow_close"),
    ],
)
def test_all_names_are_listed_and_the_nearest_first(name: str, said: str) -> None:
    assert suggestion(name, TYPES) == said
    assert suggestion(name, iter(TYPES)) == said


def test_several_that_are_similar_come_in_their_order() -> None:
    assert nearest_first("ab", ["zz", "abcd", "abc", "yy", "ab"]) == ["ab", "abc", "abcd", "zz", "yy"]


def test_nothing_to_list() -> None:
    assert suggestion("x", ()) == "; there are none"


def test_what_is_listed_is_bounded() -> None:
    many = suggestion("x9", (f"x{number}" for number in range(10_000)))
    assert many.startswith(', did you mean "x9"? There are x9, ')
    assert many.endswith(", ...")
    assert many.count(",") < 45
    for names in (["n" * 10_000] * 100, ["n" * 90] * 100):
        assert len(suggestion("n", names)) < 850


def test_the_time_is_bounded() -> None:
    names = [f"{'ab' * 500}{number}" for number in range(10_000)]
    taken = []
    for _ in range(3):
        begin = time.process_time()
        suggestion("ba" * 5_000, names)
        taken.append(time.process_time() - begin)
    assert min(taken) < 0.1

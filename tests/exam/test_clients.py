"""The exam passes a correct client, catches every planted fault, and fails no legitimate variation.

Each client takes a part of the situations here; ``python -m tests.exam.matrix`` has all of them.
"""

import pytest

from oagw.exam.catalogue import SITUATIONS
from tests.exam.clients import faults
from tests.exam.faults import Fault
from tests.exam.matrix import examine_correct, examine_fault, examine_variation
from tests.exam.variations import VARIATIONS

NAMES = list(SITUATIONS)

# Each client takes one of so many situations. Those of the next client begin with the next situation, so that
# all of them together take all situations.
FAULTY_TAKE_ONE_OF = 20
VARIED_TAKE_ONE_OF = 6


def sample(number: int, one_of: int) -> list[str]:
    """Return the situations for the client with this number."""
    return NAMES[number % one_of :: one_of]


def test_the_correct_client_passes_every_situation() -> None:
    assert examine_correct().complaints == []


@pytest.mark.parametrize("names", [NAMES, NAMES[::-1]], ids=["in order", "backwards"])
def test_it_passes_them_one_after_the_other_in_one_process(names: list[str]) -> None:
    assert examine_correct(names, keeps_client=True).complaints == []


@pytest.mark.parametrize(
    ("number", "fault"), list(enumerate(faults())), ids=[one.client.__name__ for one in faults()]
)
def test_a_fault_is_caught_where_it_is_meant_to_and_fails_nothing_else(number: int, fault: Fault) -> None:
    assert examine_fault(fault, sample(number, FAULTY_TAKE_ONE_OF)).complaints == []


@pytest.mark.parametrize("number", range(len(VARIATIONS)), ids=[one.__name__ for one in VARIATIONS])
def test_a_legitimate_variation_fails_nothing(number: int) -> None:
    assert examine_variation(VARIATIONS[number], sample(number, VARIED_TAKE_ONE_OF)).complaints == []


def test_every_situation_catches_a_fault() -> None:
    caught = {name for one in faults() for name in (*one.caught_by, *one.may_fail)}
    assert caught == set(NAMES)

"""Declare clients with a planted fault, and list all of them."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from tests.exam.client import Client

C = TypeVar("C", bound=type[Client])


class Fault(NamedTuple):
    """A fault: its name, a client that has it, and the situations that have to catch it.

    It may fail in ``may_fail`` as well, but in no other situation.
    """

    name: str
    client: type[Client]
    caught_by: tuple[str, ...]
    may_fail: frozenset[str]


FAULTS: list[Fault] = []


def fault(caught_by: str, may_fail: str = "") -> Callable[[C], C]:
    """Declare a faulty client: the situations that have to catch it, and others in which it may fail."""

    def declare(client: C) -> C:
        name = (client.__doc__ or "").rstrip(".")
        FAULTS.append(Fault(name, client, tuple(caught_by.split()), frozenset(may_fail.split())))
        return client

    return declare

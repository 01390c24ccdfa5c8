"""The exam of the exam: every client of the tests takes every situation.

``python -m tests.exam.matrix`` does all of it, in two processes, and says what does not hold: about a minute
of processor time. The tests do a part of it.
"""

import os
import sys
import time
from collections.abc import Iterable, Mapping
from multiprocessing import Pool
from typing import Any, NamedTuple

from oagw.exam.catalogue import SITUATIONS
from oagw.testing import InMemoryGateway
from tests.exam.client import Client
from tests.exam.clients import faults
from tests.exam.faults import Fault
from tests.exam.taking import Candidate
from tests.exam.variations import VARIATIONS

Verdicts = Mapping[str, Mapping[str, Any]]


class Outcome(NamedTuple):
    """What a client did in the exam: the situations that it failed, and what should not be so."""

    client: str
    failed: list[str]
    not_judged: list[str]
    complaints: list[str]


def verdicts(
    client: type[Client], names: Iterable[str] = SITUATIONS, *, keeps_client: bool = False
) -> Verdicts:
    """Return the verdicts on ``client`` in these situations, taken with one or with a client for each."""
    candidate = Candidate(InMemoryGateway(), client, keeps_client)
    return {name: candidate.take(name) for name in names}


def examine_fault(fault: Fault, names: Iterable[str] = SITUATIONS) -> Outcome:
    """Check that a fault is caught where it must be, and fails in no other of ``names`` than it may."""
    got = verdicts(fault.client, dict.fromkeys((*fault.caught_by, *names)))
    complaints = [
        f"not caught by {name}: {got[name]['verdict']}: {got[name]['text']}"
        for name in fault.caught_by
        if got[name]["verdict"] != "failed"
    ]
    allowed = {*fault.caught_by, *fault.may_fail}
    complaints += [
        f"failed {name}: {one['text']}"
        for name, one in got.items()
        if one["verdict"] == "failed" and name not in allowed
    ]
    return _outcome(fault.client, got, complaints)


def examine_variation(client: type[Client], names: Iterable[str] = SITUATIONS) -> Outcome:
    """Check that a legitimate client fails in none of ``names``."""
    got = verdicts(client, names)
    complaints = [f"failed {name}: {one['text']}" for name, one in got.items() if one["verdict"] == "failed"]
    return _outcome(client, got, complaints)


def examine_correct(names: Iterable[str] = SITUATIONS, *, keeps_client: bool = False) -> Outcome:
    """Check that the correct client passes everything."""
    got = verdicts(Client, names, keeps_client=keeps_client)
    complaints = [
        f"{one['verdict']} in {name}: {one['text']}"
        for name, one in got.items()
        if one["verdict"] != "passed"
    ]
    return _outcome(Client, got, complaints)


def _outcome(client: type[Client], got: Verdicts, complaints: list[str]) -> Outcome:
    def named(verdict: str) -> list[str]:
        return [name for name, one in got.items() if one["verdict"] == verdict]

    return Outcome(client.__name__, named("failed"), named("not judged"), complaints)


def _examine(number: int) -> Outcome:
    """Examine the client of this number: the correct one, then the variations, then the faults."""
    if number == 0:
        return examine_correct()
    if number <= len(VARIATIONS):
        return examine_variation(VARIATIONS[number - 1])
    return examine_fault(faults()[number - 1 - len(VARIATIONS)])


def main() -> int:
    """Examine all clients, print a line for each, and return the exit status."""
    count = 1 + len(VARIATIONS) + len(faults())
    complaints = 0
    useful: set[str] = set()  # situations that somebody failed
    before, cpu = time.monotonic(), os.times()
    with Pool(2) as pool:
        for outcome in pool.imap(_examine, range(count)):
            complaints += len(outcome.complaints)
            useful.update(outcome.failed)
            failed, not_judged = " ".join(outcome.failed), " ".join(outcome.not_judged)
            print(f"{outcome.client}: failed: {failed or '-'}; not judged: {not_judged or '-'}")
            for complaint in outcome.complaints:
                print(f"  !!! {complaint}")
    for name in SITUATIONS.keys() - useful:
        complaints += 1
        print(f"!!! nobody failed {name}")
    after = os.times()
    used = sum(after[:4]) - sum(cpu[:4])
    print(
        f"{count} clients in {len(SITUATIONS)} situations: {complaints} complaints, "
        f"{time.monotonic() - before:.1f} s, {used:.1f} s of processor time"
    )
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())

"""Compare with another checkout of this repository: ``python benchmarks/earlier.py FOLDER``.

It measures built-in services without policies, and the start. The two servers take turns, and each begins
every other round: what was measured last is not at an advantage.
"""

import sys
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from keepalive import measure
from rates import ASKS, Measured
from startup import first_answer
from subjects import OURS, Running
from table import milliseconds, ratio

_ROUNDS, _SECONDS = 40, 0.5
_STARTS = 31


def main(folder: str) -> None:
    """Print a table of both, and of the ratio of what is here to what is in ``folder``."""
    python, _ = OURS.command
    subjects = (OURS, OURS._replace(command=(python, str(Path(folder, "server.py")))))
    print("| what | here | there | ratio |\n| --- | --: | --: | --: |")
    starts: list[list[tuple[float, float]]] = [[], []]
    for order in _orders(_STARTS):
        for at in order:
            starts[at].append(first_answer(subjects[at]))
    for at, what in enumerate(("spawn to first accepted connection", "spawn to first 200")):
        both = [[times[at] for times in one] for one in starts]
        _print(what, *(milliseconds(median(times)) for times in both), ratio(*both))
    with ExitStack() as stack:
        servers = [stack.enter_context(Running(subject)) for subject in subjects]
        for ask in ASKS:
            pair = [Measured(server, ask.request(OURS), [], []) for server in servers]
            for one in pair:
                measure(one.server.port, one.request, 2.0)
            for order in _orders(_ROUNDS):
                for at in order:
                    pair[at].run(_SECONDS)
            rates = [[rate.per_second for rate in one.rates] for one in pair]
            counts = [f"{median(one):,.0f}" for one in rates]
            _print(f"{ask.title}: requests per second", *counts, ratio(*rates))
            here, there = (one.per_request() * 1e6 for one in pair)
            _print(f"{ask.title}: CPU time per request", f"{here:.1f} µs", f"{there:.1f} µs", here / there)


def _orders(rounds: int) -> list[tuple[int, int]]:
    return [(0, 1) if number % 2 else (1, 0) for number in range(rounds)]


def _print(what: str, here: str, there: str, compared: float) -> None:
    print(f"| {what} | {here} | {there} | {compared:.3f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

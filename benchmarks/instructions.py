"""Count the instructions of a call to a built-in service: ``python benchmarks/instructions.py FOLDER``.

It compares this checkout with the one in FOLDER. Calls are made in memory, with the transport of the tests,
under Valgrind: it needs that, and the packages of the tests (requirements-dev.txt). In contrast to times, the
counts do not depend on other load on the machine. It takes minutes.
"""

import re
import shutil
import subprocess
import sys
from statistics import mean

from rates import ASKS
from subjects import HERE, OURS

# The counts for two numbers of calls differ by what the calls cost. Each seed of the hashes of strings gives
# another layout of tables.
_CALLS = (200, 1200)
_SEEDS = ("0", "1", "2")

_COUNT = re.compile(r"I *refs: *([\d,]+)")


def main(folder: str) -> None:
    """Print the instructions per call here and in ``folder``."""
    for ask in ASKS:
        here, there = (
            mean(_per_call(one, ask.what, seed) for seed in _SEEDS) for one in (HERE.parent, folder)
        )
        print(f"{ask.title}: {here:,.0f} here, {there:,.0f} there, {here / there:.3f} x", flush=True)


def _per_call(folder: object, what: str, seed: str) -> float:
    few, many = (_instructions(folder, what, count, seed) for count in _CALLS)
    return (many - few) / (_CALLS[1] - _CALLS[0])


def _instructions(folder: object, what: str, count: int, seed: str) -> int:
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise SystemExit("Valgrind is not installed")
    command = [valgrind, "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    command += [sys.executable, __file__, "--calls", str(folder), what, str(count)]
    environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    found = _COUNT.search(done.stderr)
    assert found is not None, done.stderr
    return int(found[1].replace(",", ""))


def _call(folder: str, what: str, count: int) -> None:
    """Make ``count`` calls on one connection of a gateway in memory."""
    import oagw
    from oagw.config import Config
    from tests.support.wire import Wire

    assert oagw.__file__ == f"{folder}/oagw/__init__.py", oagw.__file__
    request = next(ask for ask in ASKS if ask.what == what).request(OURS)
    wire = Wire(Config(seed=1))
    connection = wire.connect()
    for _ in range(count):
        answer = connection.send(request)
        wire.clock.turns()
        answer += connection.take()
        if b" 200 " not in answer[:20]:
            raise RuntimeError(f"not a 200: {answer[:200]!r}")


if __name__ == "__main__":
    if sys.argv[1] == "--calls":
        _call(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main(sys.argv[1])

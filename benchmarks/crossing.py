"""Many workers on one server, each with sandboxes of its own: ``python benchmarks/crossing.py``.

64 processes share a server. Together they have 1,000 sandboxes at the same time and make 100,000 requests, in
turn with each of their sandboxes. The stub of each sandbox answers the same URL with a number of its own. A
crossing is an answer with another number, or a journal that has anything but the requests of its sandbox.
"""

import http.client
import sys
import time
from multiprocessing import Barrier, Pool, current_process
from multiprocessing.synchronize import Barrier as BarrierType
from urllib.parse import urlsplit

from oagw.testing import MockGateway, RunningGateway

WORKERS, SANDBOXES, REQUESTS = 64, 1000, 100_000

# Seconds for which a worker waits for the others.
_PATIENCE = 600

_together: BarrierType


def main() -> int:
    """Run the workers and print what they found; 1 if anything crossed."""
    options = ["--journal-count", str(REQUESTS), "--memory-limit", "2048"]
    with MockGateway(options=options) as gateway:
        began = time.perf_counter()
        shares = [range(at, SANDBOXES, WORKERS) for at in range(WORKERS)]
        barrier = Barrier(WORKERS)
        with Pool(WORKERS, _initialize, (barrier,)) as pool:
            found = pool.starmap(_work, [(gateway.base_url, share) for share in shares], chunksize=1)
        seconds = time.perf_counter() - began
        stray = len(gateway.requests())
    made, crossed = map(sum, zip(*found, strict=True))
    print(f"{WORKERS} workers, {SANDBOXES:,} sandboxes, {made:,} requests in {seconds:.0f} s")
    print(f"crossings: {crossed}, requests in the default sandbox: {stray}")
    return int(bool(crossed or stray or made != REQUESTS))


def _initialize(barrier: BarrierType) -> None:
    global _together
    _together = barrier


def _work(url: str, numbers: range) -> tuple[int, int]:
    """Make the requests of a worker; returns how many, and how many crossings there were."""
    gateway = RunningGateway(url)
    sandboxes = {number: gateway.sandbox() for number in numbers}
    for number, sandbox in sandboxes.items():
        sandbox.stub("GET stripe/v1/charges", body=str(number))
    _together.wait(_PATIENCE)  # all sandboxes are there
    client = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_PATIENCE)
    each, crossed = REQUESTS // SANDBOXES, 0
    for at in range(each):
        for number, sandbox in sandboxes.items():
            headers = {"Authorization": f"Bearer {sandbox.token}", "X-Worker": current_process().name}
            client.request("GET", f"/api/oagw/v1/proxy/stripe/v1/charges?{number}.{at}", headers=headers)
            crossed += client.getresponse().read() != str(number).encode()
    _together.wait(_PATIENCE)  # all requests are made
    for number, sandbox in sandboxes.items():
        seen = [request["url"].partition("?")[2] for request in sandbox.requests()]
        crossed += seen != [f"{number}.{at}" for at in range(each)]
    return each * len(sandboxes), crossed


if __name__ == "__main__":
    sys.exit(main())

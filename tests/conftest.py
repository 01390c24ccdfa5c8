"""For all tests: default signals for children, and fixtures."""

import gc
import signal
from collections.abc import Iterator

import pytest

from oagw.testing import MockGateway

# A background shell, nohup and some runners leave signals ignored or blocked, which child processes inherit.
# They do not inherit a function that does nothing, so this session goes on to ignore what it was told to.
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (number,))


@pytest.fixture(scope="module")
def gateway() -> Iterator[MockGateway]:
    """A server in a process of its own, for the tests of one module."""
    with MockGateway() as gateway:
        yield gateway


@pytest.fixture(scope="module", autouse=True)
def _small_heap() -> None:
    """Let the garbage collector skip what exists before the tests of a module.

    A collection of everything takes 0.3 s. Many tests run into limits of 50 ms that the server sets.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module")
def _thawed() -> Iterator[None]:
    """At the end of a module, let the garbage collector see again what its tests have frozen."""
    yield
    gc.unfreeze()


@pytest.fixture
def frozen_heap(_thawed: None) -> None:
    """Let the garbage collector skip what other tests of the module left: the time of a test is its own."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _own_time(request: pytest.FixtureRequest) -> None:
    """A test that holds a limit of time has the heap for itself."""
    if request.node.get_closest_marker("timed") is not None:
        request.getfixturevalue("frozen_heap")

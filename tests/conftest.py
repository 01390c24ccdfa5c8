"""For all tests: Hypothesis with the same examples in every run, default signals for children, a fixture."""

import gc
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("oagw", deadline=None, derandomize=True)
settings.load_profile("oagw")

# A background shell, nohup and some runners leave signals ignored or blocked, which child processes inherit.
# They do not inherit a function that does nothing, so this session goes on to ignore what it was told to.
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (number,))


@pytest.fixture
def frozen_heap() -> Iterator[None]:
    """The garbage collector passes over what other tests left, so that the time of a test is its own."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()

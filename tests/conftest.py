"""For all tests: Hypothesis with the same examples in every run, and child processes with default signals."""

import signal

from hypothesis import settings

settings.register_profile("oagw", deadline=None, derandomize=True)
settings.load_profile("oagw")

# A background shell, nohup and some runners leave signals ignored or blocked, which child processes inherit.
# They do not inherit a function that does nothing, so this session goes on to ignore what it was told to.
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (number,))

"""What goes wrong inside the server, as lines on the console: Twisted's log from warnings on."""

from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    eventAsText,
    globalLogBeginner,
)
from zope.interface import provider

from oagw.console import Console


def log_to(console: Console) -> None:
    """Send the log of this process to ``console``, and ``sys.stdout`` and ``sys.stderr`` to the log."""

    @provider(ILogObserver)
    def write(event: LogEvent) -> None:
        for line in eventAsText(event, includeTimestamp=False, includeSystem=False).splitlines():
            console.line(line)

    from_warnings_on = LogLevelFilterPredicate(LogLevel.warn)
    globalLogBeginner.beginLoggingTo([FilteringLogObserver(write, [from_warnings_on])])

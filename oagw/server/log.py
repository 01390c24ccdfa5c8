"""Write warnings and errors of Twisted's log to the console."""

from collections.abc import Callable

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

from oagw.server.console import Console


def log_to(console: Console, mask: Callable[[str], str]) -> None:
    """Send log events of level warn and above to ``console``.

    This also redirects ``sys.stdout`` and ``sys.stderr`` to the log. ``mask`` removes secrets from a line.
    """

    @provider(ILogObserver)
    def write(event: LogEvent) -> None:
        for line in eventAsText(event, includeTimestamp=False, includeSystem=False).splitlines():
            console.line(mask(line))

    from_warnings_on = LogLevelFilterPredicate(LogLevel.warn)
    globalLogBeginner.beginLoggingTo([FilteringLogObserver(write, [from_warnings_on])])

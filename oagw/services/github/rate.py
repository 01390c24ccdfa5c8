"""The primary rate limit: counts requests per hour and caller. It is reported but never enforced."""

from weakref import WeakKeyDictionary

LIMIT = 5_000
_WINDOW = 3_600


class Window:
    """An hour that begins with a caller's first request, at ``start`` (seconds since 1970)."""

    def __init__(self, start: float) -> None:
        self.reset = int(start) + _WINDOW
        self.used = 0

    @property
    def remaining(self) -> int:
        """The number of requests left in this window."""
        return LIMIT - self.used


class Quota:
    """The current windows of all callers. A caller is a sandbox."""

    def __init__(self) -> None:
        self._windows: WeakKeyDictionary[object, Window] = WeakKeyDictionary()

    def window(self, caller: object, now: float, counts: bool) -> Window:
        """Return the window of ``caller`` at ``now``, after counting a request if ``counts``.

        At least one request always remains, because the mock never enforces the limit.
        """
        window = self._windows.get(caller)
        # The wall clock may step back. Even then, the reset must be at most an hour away.
        if window is None or not window.reset - _WINDOW <= now < window.reset:
            window = self._windows[caller] = Window(now)
        if counts and window.used < LIMIT - 1:
            window.used += 1
        return window

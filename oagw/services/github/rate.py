"""The primary rate limit: a count of requests for each hour and caller. It is shown, and never exceeded."""

from weakref import WeakKeyDictionary

LIMIT = 5_000
_WINDOW = 3_600


class Window:
    """An hour that begins at ``start`` (in seconds since 1970), with the first request of its caller."""

    def __init__(self, start: float) -> None:
        self.reset = int(start) + _WINDOW
        self.used = 0

    @property
    def remaining(self) -> int:
        """How many requests are left."""
        return LIMIT - self.used


class Rates:
    """The windows of all callers. A caller is a sandbox."""

    def __init__(self) -> None:
        self._windows: WeakKeyDictionary[object, Window] = WeakKeyDictionary()

    def counted(self, caller: object, now: float, counts: bool) -> Window:
        """The window of ``caller`` at ``now``, after a request that ``counts``, or does not.

        The mock never answers that the limit is exceeded, so at least one request remains.
        """
        window = self._windows.get(caller)
        # The clock may step back; the reset is at most an hour away even so.
        if window is None or not window.reset - _WINDOW <= now < window.reset:
            window = self._windows[caller] = Window(now)
        if counts and window.used < LIMIT - 1:
            window.used += 1
        return window

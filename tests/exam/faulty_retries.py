"""Clients that retry wrongly."""

import itertools

from tests.exam.client import Client, Request
from tests.exam.delays import asked_delay, number
from tests.exam.failures import Failed, StatusError
from tests.exam.faults import fault


@fault("retry-after-seconds")
class IgnoresRetryAfter(Client):
    """It ignores Retry-After."""

    def asked_delay(self, error: StatusError) -> float | None:
        return None


@fault("retry-after-date")
class IgnoresDates(Client):
    """It ignores a Retry-After that is a date."""

    def asked_delay(self, error: StatusError) -> float | None:
        fields = [(name, value) for name, value in error.fields if not value.endswith("GMT")]
        return asked_delay(fields, self.wall)


@fault("retry-after-date-obsolete")
class KnowsOneFormOfDates(Client):
    """It understands no obsolete form of dates."""

    def asked_delay(self, error: StatusError) -> float | None:
        fields = [
            (name, value) for name, value in error.fields if "-" not in value or not value.endswith("GMT")
        ]
        return asked_delay(fields, self.wall)


@fault("retry-after-ms")
class IgnoresMilliseconds(Client):
    """It takes retry-after-ms for microseconds."""

    def asked_delay(self, error: StatusError) -> float | None:
        fields = [
            (name, str((number(value) or 0) / 1000) if name.lower() == "retry-after-ms" else value)
            for name, value in error.fields
        ]
        return asked_delay(fields, self.wall)


@fault("retry-after-seconds")
class TakesSecondsForMilliseconds(Client):
    """It takes the seconds of Retry-After for milliseconds."""

    def asked_delay(self, error: StatusError) -> float | None:
        delay = asked_delay(error.fields, self.wall)
        return None if delay is None else delay / 1000


@fault("retry-after-on-503")
class HeedsOnly429(Client):
    """It heeds Retry-After only in a 429."""

    def asked_delay(self, error: StatusError) -> float | None:
        return super().asked_delay(error) if error.status == 429 else None


@fault("retry-after-garbage")
class CrashesOnGarbage(Client):
    """An invalid Retry-After crashes it."""

    def asked_delay(self, error: StatusError) -> float | None:
        for name, value in error.fields:
            if name.lower() == "retry-after":
                return super().asked_delay(error) if value.endswith("GMT") else float(value)
        return super().asked_delay(error)


@fault("retry-after-too-long")
class WaitsForHours(Client):
    """It waits as long as it is asked to, for an hour if need be."""

    longest_delay = float("inf")


@fault("retry-after-too-long")
class CapsDelays(Client):
    """It waits a second if it is asked to wait for long."""

    def asked_delay(self, error: StatusError) -> float | None:
        delay = super().asked_delay(error)
        return None if delay is None else min(delay, 1.0)


@fault("lost-answer-post")
class RepeatsPost(Client):
    """It repeats a POST without Idempotency-Key."""

    def is_repeatable(self, request: Request) -> bool:
        return True


@fault("lost-answer-post-with-key")
class RenewsKey(Client):
    """It makes a new Idempotency-Key for each attempt."""

    keys = itertools.count()

    def attempt_request(self, request: Request, attempt: int) -> Request:
        if "idempotency-key" not in request.fields:
            return request
        return request._replace(fields={**request.fields, "idempotency-key": f"key-{next(self.keys)}"})


@fault("lost-answer-post-with-key")
class DropsKey(Client):
    """It repeats a request without its Idempotency-Key."""

    def attempt_request(self, request: Request, attempt: int) -> Request:
        fields = {name: value for name, value in request.fields.items() if name != "idempotency-key"}
        return request if attempt == 0 else request._replace(fields=fields)


@fault("retry-sends-body")
class LosesBody(Client):
    """It repeats a request without its body."""

    def attempt_request(self, request: Request, attempt: int) -> Request:
        return request._replace(body=b"") if attempt and request.body else request


@fault("not-retried-400")
class RetriesBadRequests(Client):
    """It retries a 400."""

    def may_repeat(self, request: Request, error: Failed) -> bool:
        return (isinstance(error, StatusError) and error.status == 400) or super().may_repeat(request, error)


@fault("not-retried-404 not-retried-401 not-retried-403 not-retried-422")
class RetriesAllErrors(Client):
    """It retries errors of all kinds."""

    def may_repeat(self, request: Request, error: Failed) -> bool:
        return isinstance(error, StatusError) or super().may_repeat(request, error)


@fault("attempts-bounded")
class RetriesForEver(Client):
    """It retries without a limit."""

    def backoff(self, attempt: int) -> float:
        return 0.1 * 1.1**attempt

    def pause(self, request: Request, error: Failed, attempt: int) -> float | None:
        pause = super().pause(request, error, attempt)
        return None if pause is None else max(pause, 0.05)

    def is_last(self, attempt: int, retries: int) -> bool:
        return False


@fault("backoff-grows")
class RetriesAtOnce(Client):
    """It retries at once."""

    def backoff(self, attempt: int) -> float:
        return 0.0


@fault("backoff-grows")
class RetriesAtAConstantRate(Client):
    """Its pauses do not grow."""

    def backoff(self, attempt: int) -> float:
        return 0.2


@fault("limit-shared limit-on-503-shared")
class CallsDuringLimit(Client):
    """While one call waits as a 429 asks, others call."""

    def remember_limit(self, request: Request, until: float) -> None:
        """Forget it."""

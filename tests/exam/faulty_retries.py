"""Clients that retry wrongly."""

import itertools

from tests.exam.client import Client, Request
from tests.exam.delays import asked_delay
from tests.exam.failures import Failed, StatusError
from tests.exam.faults import DATES, DELAYS, LOST, WRONG_LENGTH, fault


@fault("retry-after-seconds", DELAYS)
class IgnoresRetryAfter(Client):
    """It ignores Retry-After."""

    def asked_delay(self, error: StatusError) -> float | None:
        return None


@fault("retry-after-date", DATES)
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
class TakesMillisecondsForSeconds(Client):
    """It takes the milliseconds of retry-after-ms for seconds, and waits for them."""

    longest_delay = 1_000.0

    def asked_delay(self, error: StatusError) -> float | None:
        fields = [
            ("retry-after" if name.lower() == "retry-after-ms" else name, value)
            for name, value in error.fields
        ]
        return asked_delay(fields, self.wall)


@fault("retry-after-seconds", DELAYS)
class TakesSecondsForMilliseconds(Client):
    """It takes the seconds of Retry-After for milliseconds."""

    def asked_delay(self, error: StatusError) -> float | None:
        delay = asked_delay(error.fields, self.wall)
        return None if delay is None else delay / 1000


@fault("rate-limit-reset", "problem-instead retry-after-too-long")
class TakesDateForDelay(Client):
    """It takes the date in x-ratelimit-reset for a delay, and waits."""

    longest_delay = 1e12

    def asked_delay(self, error: StatusError) -> float | None:
        given = {name.lower(): value for name, value in error.fields}
        reset = given.get("x-ratelimit-reset")
        return float(reset) if reset is not None else min(super().asked_delay(error) or 0.0, 11.0) or None


@fault("retry-after-on-503", "limit-on-503-shared")
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


@fault("retry-after-too-long", DATES)
class CapsDelays(Client):
    """It waits a second if it is asked to wait for long."""

    def asked_delay(self, error: StatusError) -> float | None:
        delay = super().asked_delay(error)
        return None if delay is None else min(delay, 1.0)


@fault("lost-answer-post cut-answer-post stale-connection-post")
class RepeatsPost(Client):
    """It repeats a POST without Idempotency-Key."""

    def is_repeatable(self, request: Request) -> bool:
        return True


@fault("lost-answer-post-with-key retry-sends-body")
class RenewsKey(Client):
    """It makes a new Idempotency-Key for each attempt."""

    keys = itertools.count()

    def attempt_request(self, request: Request, attempt: int) -> Request:
        if "idempotency-key" not in request.fields:
            return request
        return request._replace(fields={**request.fields, "idempotency-key": f"key-{next(self.keys)}"})


@fault("lost-answer-post-with-key retry-sends-body")
class DropsKey(Client):
    """It repeats a request without its Idempotency-Key."""

    def attempt_request(self, request: Request, attempt: int) -> Request:
        fields = {name: value for name, value in request.fields.items() if name != "idempotency-key"}
        return request if attempt == 0 else request._replace(fields=fields)


@fault("retry-sends-body lost-answer-post-with-key lost-answer-put")
class LosesBody(Client):
    """It repeats a request without its body."""

    def attempt_request(self, request: Request, attempt: int) -> Request:
        return request._replace(body=b"") if attempt and request.body else request


@fault("not-retried-400", "reuse-after-error")
class RetriesBadRequests(Client):
    """It retries a 400."""

    def may_repeat(self, request: Request, error: Failed) -> bool:
        return (isinstance(error, StatusError) and error.status == 400) or super().may_repeat(request, error)


@fault("not-retried-404 not-retried-401 not-retried-403 not-retried-422 not-retried-400", "reuse-after-error")
class RetriesAllErrors(Client):
    """It retries errors of all kinds."""

    def may_repeat(self, request: Request, error: Failed) -> bool:
        return isinstance(error, StatusError) or super().may_repeat(request, error)


@fault(
    "attempts-bounded retry-after-zero",
    f"{LOST} {WRONG_LENGTH} backoff-grows silent-server head-stalls body-stalls error-empty error-html "
    "garbage",
)
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

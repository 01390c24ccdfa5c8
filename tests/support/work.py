"""Long work in tests: done at once, in one slice."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from typing import Any, TypeVar

from oagw.model.entry import Entry
from oagw.verify.report.build import ClientReport, build_report
from oagw.verify.report.finding import Finding
from oagw.verify.verification import Outcome, Verification, verify

T = TypeVar("T")


class AtOnce:
    """Work that never waits for a turn."""

    spent = 0.0

    async def breathe(self) -> None:
        """Go on."""


def done(work: Coroutine[Any, Any, T]) -> T:
    """The outcome of ``work``, which waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


def outcome_of(spec: Verification, entries: Iterable[Entry]) -> Outcome:
    """What ``entries`` say to ``spec``."""
    return done(verify(spec, entries, AtOnce()))


def findings(rule: Callable[..., AsyncIterator[Finding]], entries: list[Entry], *more: Any) -> list[Finding]:
    """What ``rule`` finds in ``entries``."""

    async def all_found() -> list[Finding]:
        return [found async for found in rule(entries, AtOnce(), *more)]

    return done(all_found())


def report_of(journal: Iterable[Entry], token: bytes | None = None, **options: Any) -> ClientReport:
    """The report of ``journal``."""
    return done(build_report(journal, AtOnce(), token, **options))

"""The results of an exam: progress, the table, the summary, and the document of ``--json``."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TextIO

from oagw import __version__
from oagw.client.exam.taking import Taken
from oagw.exam.explanation import explained, one_line
from oagw.exam.verdict import FAILED, NOT_JUDGED, PASSED

# The verdict on a situation whose runs do not agree. It counts as failed.
UNSTABLE = "unstable"

VERDICTS = (PASSED, FAILED, UNSTABLE, NOT_JUDGED)

# The largest number of characters of a reason in the table.
_REASON = 160

_COLOURS = {PASSED: "32", FAILED: "31", UNSTABLE: "31", NOT_JUDGED: "33"}


class Result(NamedTuple):
    """A ``situation`` of the catalogue, and its ``runs``: one, or as many as ``--repeat`` says."""

    situation: Mapping[str, Any]
    runs: Sequence[Taken]

    @property
    def verdict(self) -> str:
        verdicts = {run.judgement["verdict"] for run in self.runs}
        return UNSTABLE if len(verdicts) > 1 else str(verdicts.pop())

    @property
    def failed(self) -> bool:
        return self.verdict in (FAILED, UNSTABLE)

    @property
    def shown(self) -> Taken:
        """The run that tells most: the first that failed, or else was not judged, or else the last."""
        for verdict in (FAILED, NOT_JUDGED):
            for run in self.runs:
                if run.judgement["verdict"] == verdict:
                    return run
        return self.runs[-1]

    @property
    def text(self) -> str:
        """The reason, in one line."""
        text = one_line(self.shown.judgement["text"])
        if self.verdict != UNSTABLE:
            return text
        counts = Counter(run.judgement["verdict"] for run in self.runs)
        each = ", ".join(f"{verdict} {counts[verdict]}" for verdict in VERDICTS if counts[verdict])
        return f"{each} of {len(self.runs)} times: {text}"

    @property
    def remark(self) -> str:
        """The reason, in one line. If it passed: why some rules were not judged, if any."""
        if self.verdict != PASSED:
            return self.text
        rules = self.shown.judgement["rules"]
        return " ".join(
            dict.fromkeys(one_line(rule["text"]) for rule in rules if rule["verdict"] == NOT_JUDGED)
        )

    @property
    def seconds(self) -> float:
        return sum(run.seconds for run in self.runs)

    def explained(self) -> str:
        """Return the evidence as text."""
        return explained(self.situation, self.shown.judgement, self.shown.reports)


def results(catalogue: Sequence[Mapping[str, Any]], taken: Iterable[Taken]) -> list[Result]:
    """Return the results, in the order of ``catalogue``."""
    runs: dict[str, list[Taken]] = {}
    for one in taken:
        runs.setdefault(one.name, []).append(one)
    return [Result(one, runs[one["name"]]) for one in catalogue if one["name"] in runs]


def summary(results: Sequence[Result]) -> dict[str, int]:
    """Return how many situations have each verdict."""
    counts = Counter(result.verdict for result in results)
    return {verdict: counts[verdict] for verdict in VERDICTS}


def summary_line(results: Sequence[Result], seconds: float) -> str:
    counts = summary(results)
    shown = [f"{count} {verdict}" for verdict, count in counts.items() if count or verdict != UNSTABLE]
    return f"{', '.join(shown)} in {seconds:.1f} s"


def table(results: Sequence[Result], colours: bool) -> Iterator[str]:
    """Yield the lines of a table of all results, and the evidence for those that failed."""
    rows = [(one.situation["group"], one.situation["name"], one) for one in results]
    wide, wider = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
    for group, name, result in rows:
        why = result.remark
        why = why if len(why) <= _REASON else why[:_REASON] + "..."
        verdict = _coloured(result.verdict.ljust(10), result.verdict, colours)
        yield f"{group:{wide}}  {name:{wider}}  {verdict}  {why}".rstrip()
    for result in results:
        if result.failed:
            yield ""
            yield f"{_coloured(result.verdict.upper(), result.verdict, colours)} {result.situation['name']}"
            yield from (f"  {line}" for line in result.explained().split("\n"))


def listing(catalogue: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each situation of ``catalogue``."""
    columns = ("group", "name", "kind")
    wide = {column: max((len(one[column]) for one in catalogue), default=0) for column in columns}
    for one in catalogue:
        begin = "  ".join(one[column].ljust(wide[column]) for column in columns)
        yield f"{begin}  {one_line(one['happens'])}"


def document(
    argv: Sequence[str], results: Sequence[Result], seconds: float, stopped: str | None = None
) -> dict[str, Any]:
    """Return the document of ``--json``. ``stopped`` says why the exam ended before its end, if it did."""
    return {
        "version": __version__,
        "adapter": list(argv),
        "seconds": round(seconds, 3),
        "stopped": stopped,
        "summary": summary(results),
        "situations": [_described(result) for result in results],
    }


def _described(result: Result) -> dict[str, Any]:
    shown = result.shown
    return {
        "name": result.situation["name"],
        "group": result.situation["group"],
        "kind": result.situation["kind"],
        "happens": result.situation["happens"],
        "correct": result.situation["correct"],
        "source": result.situation["source"],
        "verdict": result.verdict,
        "text": result.text,
        "rules": shown.judgement["rules"],
        "verdicts": [run.judgement["verdict"] for run in result.runs],
        "seconds": round(result.seconds, 3),
        "requests": shown.judgement["requests"],
        "reports": shown.reports,
    }


def as_json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"


class Progress:
    """Show on ``stream`` how far the exam is, in one line, if that is a terminal."""

    def __init__(self, stream: TextIO, total: int) -> None:
        self._stream = stream
        self._total = total
        self._count = 0
        self._shows = stream.isatty()

    def step(self, name: str) -> None:
        """Count a situation that was taken."""
        self._count += 1
        self._write(f"{self._count}/{self._total} {name}")

    def clear(self) -> None:
        self._write("")

    def _write(self, text: str) -> None:
        if self._shows:
            self._stream.write(f"\r\x1b[K{text}")
            self._stream.flush()


def _coloured(text: str, verdict: str, colours: bool) -> str:
    return f"\x1b[{_COLOURS[verdict]}m{text}\x1b[0m" if colours else text

"""All parsers on all cases: ``python -m tests.parsers.survey`` prints where they deviate, as data to paste.

Its output is the DEVIATIONS of ``oagw/services/stream_test/deviations.py``. A pair that is recorded there
keeps its sentence; a new one shows the difference instead, after NEW, for somebody to put it in words.
``ruff format`` then puts it in shape.
"""

import json
import sys
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from typing import NamedTuple

from oagw.testing import MockGateway
from tests.parsers import in_node, in_python
from tests.parsers.observed import Observed, difference
from tests.support.stream_cases import CASES, Case

Observe = Callable[[MockGateway, Sequence[Case]], dict[str, Observed]]


class Parser(NamedTuple):
    """A parser: what it is called, its version, what it makes of cases, and what it lacks to do so."""

    name: str
    version: Callable[[], str]
    observe: Observe
    lacking: Callable[[], str | None] = lambda: None
    optional: bool = False  # whether it may be lacking in CI

    def __str__(self) -> str:
        return f"{self.name} {self.version()}"


def _lacking_chromium() -> str | None:
    reason = "there is no Chromium: `apt-get install chromium`, or say where it is in CHROMIUM"
    return in_node.lacking_node() or (None if in_node.chromium() else reason)


def _under_node(package: str) -> Parser:
    observe = partial(in_node.observe_all, f"{package}.mjs")
    return Parser(package, partial(in_node.node_version, package), observe, in_node.lacking_node)


def _in_python(package: str, read: Callable[..., Observed]) -> Parser:
    return Parser(package, partial(version, package), partial(in_python.observe_all, read))


PARSERS = (
    Parser(
        "Chromium",
        in_node.chromium_version,
        partial(in_node.observe_all, "chromium.mjs"),
        _lacking_chromium,
        optional=True,
    ),
    _under_node("eventsource"),
    _under_node("eventsource-parser"),
    _in_python("httpx-sse", in_python.httpx_sse),
    _in_python("sseclient-py", in_python.sseclient),
)


def catalogue(gateway: MockGateway) -> list[Case]:
    """The cases, as ``gateway`` lists them."""
    asked = urllib.request.Request(
        gateway.base_url + CASES, headers={"Authorization": f"Bearer {gateway.token}"}
    )
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return json.load(answer)["cases"]


def recorded(parser: Parser, cases: Iterable[Case]) -> dict[str, str]:
    """What the catalogue says that ``parser``, in whatever version, does otherwise, by case."""
    return {
        case["name"]: deviation["does"]
        for case in cases
        for deviation in case["deviations"]
        if deviation["parser"].rpartition(" ")[0] == parser.name
    }


def deviating(parser: Parser, gateway: MockGateway, cases: Sequence[Case]) -> dict[str, str]:
    """Where ``parser`` deviates from what the cases expect: the differences, by case.

    What is not as recorded is looked at twice more, alone: on a busy machine pieces may arrive as one.
    """
    known = recorded(parser, cases)
    differences = _differences(parser, gateway, cases)
    for _ in range(2):
        surprising = [case for case in cases if (case["name"] in known) != (case["name"] in differences)]
        if not surprising:
            break
        for case in surprising:
            differences.pop(case["name"], None)
        differences |= _differences(parser, gateway, surprising)
    return differences


def _differences(parser: Parser, gateway: MockGateway, cases: Sequence[Case]) -> dict[str, str]:
    observed = parser.observe(gateway, cases)
    found = {case["name"]: difference(case, observed[case["name"]]) for case in cases}
    return {name: said for name, said in found.items() if said is not None}


def as_python(found: Mapping[str, Sequence[tuple[str, str]]]) -> str:
    """DEVIATIONS as it is written in its module."""
    lines = ["DEVIATIONS: Mapping[str, tuple[tuple[str, str], ...]] = {"]
    for name, pairs in found.items():
        lines.append(f"    {json.dumps(name)}: (")
        lines += [f"        ({json.dumps(parser)}, {json.dumps(does)})," for parser, does in pairs]
        lines.append("    ),")
    return "\n".join([*lines, "}"])


def table(cases: Iterable[Case]) -> str:
    """What the cases record, as the table of docs/streams.md: by parser, then by what it does."""
    rows: dict[tuple[str, str], list[str]] = {}
    for case in cases:
        for deviation in case["deviations"]:
            rows.setdefault((deviation["parser"], deviation["does"]), []).append(f"`{case['name']}`")
    by_parser = sorted(rows.items(), key=lambda row: row[0][0].lower())
    lines = [f"| {parser} | {does} | {', '.join(names)} |" for (parser, does), names in by_parser]
    return "\n".join(["| Parser | What it does | Cases |", "|---|---|---|", *lines])


def main() -> None:
    """Print the deviations of all parsers that are here; what is recorded of the others stays."""
    with MockGateway() as gateway:
        cases = catalogue(gateway)
        found: dict[str, list[tuple[str, str]]] = {case["name"]: [] for case in cases}
        for parser in PARSERS:
            known = recorded(parser, cases)
            lacking = parser.lacking()
            if lacking:
                print(f"# {parser.name} stays as it is recorded: {lacking}", file=sys.stderr)
                differences = known
            else:
                differences = deviating(parser, gateway, cases)
                print(f"# {parser}: {len(differences)} of {len(cases)} cases", file=sys.stderr)
            for name, said in differences.items():
                found[name].append((str(parser), known.get(name, f"NEW {said}")))
    print(as_python({name: pairs for name, pairs in found.items() if pairs}))


if __name__ == "__main__":
    main()

"""Read the reports of an adapter, one JSON object per line, and refuse what is not one."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from oagw.exam.explanation import printable
from oagw.exam.verdict import NOT_JUDGED

# The largest number of characters of a line that a message quotes, and of the class of an error.
_QUOTED = 200
_MAX_ERROR = 1_000

_SOURCES = ("gateway", "upstream", None)

# The members of each outcome besides ``id`` and ``outcome``: those that it needs, and those that it may have.
_MEMBERS: dict[str, tuple[set[str], set[str]]] = {
    "value": ({"value"}, set()),
    "text": ({"text"}, {"cancelled"}),
    "error": ({"error"}, {"status", "source", "message", "text", "value", "cancelled"}),
    "unsupported": (set(), {"message"}),
}

# How a report of each outcome is written.
_FORMS = {
    "value": '{"id": ID, "outcome": "value", "value": JSON}',
    "text": '{"id": ID, "outcome": "text", "text": TEXT}',
    "error": '{"id": ID, "outcome": "error", "error": CLASS}',
    "unsupported": '{"id": ID, "outcome": "unsupported"}',
}

# What each member is, and its types.
_TYPES: dict[str, tuple[str, tuple[type, ...]]] = {
    "text": ("a string", (str,)),
    "cancelled": ("true or false", (bool,)),
    "error": ("a string, the class of the error", (str,)),
    "status": ("a whole number or null", (int, type(None))),
    "message": ("a string", (str,)),
}


_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class InvalidReport(Exception):
    """A line of an adapter is not a report; the message quotes it and says what was expected."""


def read_report(
    line: bytes, waiting: Mapping[str, Mapping[str, Any]], when: str = "unknown"
) -> dict[str, Any]:
    """Return the report on ``line`` for one of the calls ``waiting``, by id.

    Raises InvalidReport; the message says ``when`` that was, such as "the situation cut".
    """
    report: Any = None
    kind: str | None = None
    try:
        report = _decoded(line)
        if not isinstance(report, dict):
            raise ValueError("a report is a JSON object")
        id = report.get("id")
        if not isinstance(id, str):
            raise ValueError('the member "id" must be the id of a call')
        if id not in waiting:
            others = ", ".join(sorted(waiting)) or "none"
            raise ValueError(f"no call with the id {_short(id)} waits for a report (waiting: {others})")
        kind = waiting[id]["kind"]
        return checked_report(report, kind)
    except ValueError as why:
        raise InvalidReport(
            f"the adapter wrote a line that is not a report: {why}\n"
            f"  the line: {quoted(line, waiting.values())}\n"
            f"  when:     {when}\n"
            f"  expected: {_expected(report, kind)}"
        ) from None


def _expected(report: Any, kind: str | None) -> str:
    """Return how a report like ``report`` on a call of this ``kind``, if that is known, is written."""
    outcome = report.get("outcome") if isinstance(report, dict) else None
    returned = "text" if kind == "stream" else "value"
    if not isinstance(outcome, str) or outcome not in _FORMS:
        others = ", ".join(f'"{each}"' for each in _FORMS if each != returned)
        return (
            f"{_FORMS[returned]}, or another outcome ({others});\n"
            "            one JSON object on one line for each call"
        )
    if kind is not None and outcome in ("value", "text"):
        outcome = returned
    optional = ", ".join(sorted(_MEMBERS[outcome][1]))
    return _FORMS[outcome] + (f"; it may also have {optional}" if optional else "")


def checked_report(report: Any, kind: str) -> dict[str, Any]:
    """Return ``report``, with or without an id, if it can be that of a call of this ``kind``.

    Raises ValueError if not.
    """
    if not isinstance(report, Mapping):
        raise ValueError("a report is a JSON object")
    outcome = report.get("outcome")
    if not isinstance(outcome, str) or outcome not in _MEMBERS:
        raise ValueError(f'the member "outcome" must be one of {", ".join(_MEMBERS)}')
    if outcome == ("value" if kind == "stream" else "text"):
        raise ValueError(f'the outcome "{outcome}" is not for a call of the kind "{kind}"')
    needed, optional = _MEMBERS[outcome]
    if missing := sorted(needed - report.keys()):
        raise ValueError(f'the outcome "{outcome}" needs the member "{missing[0]}"')
    if unknown := sorted(map(str, report.keys() - needed - optional - {"id", "outcome"})):
        allowed = ", ".join(sorted(needed | optional)) or "none"
        raise ValueError(
            f'the outcome "{outcome}" has no member {_short(unknown[0])}; its members are: {allowed}'
        )
    for member, (what, types) in _TYPES.items():
        value = report.get(member)
        if member in report and (
            not isinstance(value, types) or isinstance(value, bool) is not (types == (bool,))
        ):
            raise ValueError(f'the member "{member}" must be {what}')
    if len(report.get("error", "")) > _MAX_ERROR:
        raise ValueError(f'the member "error" must have at most {_MAX_ERROR} characters')
    if report.get("source") not in _SOURCES:
        raise ValueError('the member "source" must be "gateway", "upstream" or null')
    return _sendable(report)


def no_report(id: str, outcome: str, message: str = "") -> dict[str, Any]:
    """Return what stands for the report of the call ``id`` that never came."""
    report = {"id": id, "outcome": outcome}
    return {**report, "message": message} if message else report


def complete(calls: Sequence[Mapping[str, Any]], reports: Mapping[str, Any], lost: Any) -> list[Any]:
    """Return a report for each of ``calls``, in their order; ``lost(id)`` stands for a missing one."""
    return [reports.get(call["id"]) or lost(call["id"]) for call in calls]


def masked(value: Any, calls: Sequence[Mapping[str, Any]]) -> Any:
    """Return ``value``, which is JSON, without the tokens of ``calls``: a client may have leaked them."""
    text = json.dumps(value)
    for token in {call["token"] for call in calls}:
        text = text.replace(token, "****")
    return json.loads(text)


def quoted(line: bytes, calls: Iterable[Mapping[str, Any]]) -> str:
    """Return the beginning of ``line`` for a message, as it is but for control characters.

    The tokens of ``calls`` are masked: an adapter may have written them.
    """
    for call in calls:
        line = line.replace(call["token"].encode(), b"****")
    text = line.decode(errors="replace").rstrip("\r\n")
    shown = printable(text[:_QUOTED].replace("\n", " "))
    return f"{shown}... ({len(text)} characters)" if len(text) > _QUOTED else shown


def _short(text: str) -> str:
    shown = json.dumps(text[:_QUOTED], ensure_ascii=True)
    return f"{shown}... ({len(text)} characters)" if len(text) > _QUOTED else shown


def _decoded(line: bytes) -> Any:
    try:
        return json.loads(line.decode())
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(
            f"it is not JSON: {error.msg} at column {error.colno} (write debug output to standard error)"
        ) from None
    except ValueError:
        raise ValueError("it has a number with too many digits") from None


def _sendable(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``report`` as JSON without numbers like NaN (ValueError) and without lone surrogates."""
    try:
        text = json.dumps(report, ensure_ascii=False, allow_nan=False)
    except TypeError:
        raise ValueError("its members must be JSON") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError:
        raise ValueError("it has a number that JSON does not have, such as NaN") from None
    # A client that cut a character in two may report half of a surrogate pair, which is not UTF-8.
    return dict(json.loads(_LONE_SURROGATE.sub("\ufffd", text)))


def not_possible(examination: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the judgement if the gateway refused an ``examination``, such as one with two hosts."""
    if "errors" not in examination:
        return None
    text = " ".join(str(one["detail"]) for one in examination["errors"])
    return {"verdict": NOT_JUDGED, "text": text, "rules": [], "requests": []}

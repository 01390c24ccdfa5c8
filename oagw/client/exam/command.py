"""The command ``oagw-mock exam``: its arguments, its output and its exit status. Standard library only."""

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType
from typing import Any, NoReturn

from oagw.client.exam.junit import as_junit
from oagw.client.exam.results import (
    Progress,
    as_json,
    document,
    listing,
    results,
    summary_line,
    table,
)
from oagw.client.exam.taking import Exam, Stopped, Taken
from oagw.client.exchange import checked_url
from oagw.client.mock_gateway import TOKEN, GatewayFailed, MockGateway, Refused, RunningGateway
from oagw.exam.explanation import printable
from oagw.exam.selection import UnknownSituation, selected
from oagw.options import whole

# Written by hand, because it has to fit on a screen of 80 x 40 characters.
HELP = """\
usage: {prog} [OPTION]... -- ADAPTER [ARGUMENT]...

Examine an API client: put it into situations, and judge what it does.

ADAPTER is a program that makes calls with the client. It reads one JSON object
per line on standard input, the call, and writes one on standard output, what
came of it. docs/exam.md shows how to write one.

What is taken
  --only NAMES           situations, groups or patterns such as 'retry-*', with
                         commas between them, repeatable (default: all)
  --repeat N             take each N times; verdicts must not differ (1)
  --jobs N               processes of the adapter at a time (6)
  --list                 list the situations, and take none

What is written
  --json FILE            the results with evidence, as JSON
  --junit FILE           the results, as JUnit's XML; FILE may be -, standard
                         output, which has no table then

Which gateway
  --url URL              the one that runs at URL (default: OAGW_URL; without a
                         URL, one is started for the exam)
  --token TOKEN          the admin token of that one (default: OAGW_ADMIN_TOKEN)

  --help                 show this text

The exit status is 0 if nothing failed, 1 if something did, 2 if the exam could
not be taken.
"""

# An exam needs real time, and a journal, whatever the environment says.
_GATEWAY = ("--clock=real", "--stream-interval-scale=1", "--journal-count=10000")

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


# What can end an exam before its end.
_STOPS = (Stopped, GatewayFailed, Refused, ConnectionError)

# The name of standard output as a file.
_STDOUT = "-"


class _Usage(Exception):
    """The arguments are invalid; the message says why."""


class _Interrupted(BaseException):
    """A signal ended the exam; ``number`` is its number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _ArgumentParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Usage(f"{message} (try --help)")


def main(args: Sequence[str], prog: str = "oagw-mock exam") -> int:
    """Take the exam as ``args`` say, and return the exit status."""
    _replace_what_cannot_be_written()
    try:
        options, argv = _parsed(args, prog)
        if options.help:
            _print([HELP.format(prog=prog).rstrip("\n")])
            return 0
        with _stoppable():
            return _examine(options, argv, lambda line: _say(f"{prog}: {line}"))
    except UnknownSituation as unknown:
        _say(f"{prog}: {unknown} (--list has all)")
        return 2
    except (_Usage, *_STOPS) as error:
        _say(f"{prog}: {error}")
        return 2
    except _Interrupted as interrupted:
        return 128 + interrupted.number


def _parsed(args: Sequence[str], prog: str) -> tuple[argparse.Namespace, list[str]]:
    """Return the options, and the program of the adapter with its arguments. Raises _Usage."""
    before, argv = list(args), []
    if "--" in before:
        place = before.index("--")
        before, argv = before[:place], before[place + 1 :]
    parser = _ArgumentParser(prog=prog, allow_abbrev=False, add_help=False)
    count = whole(1, 1_000, "a number of runs is from 1 to 1000")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--repeat", type=count, default=1)
    parser.add_argument("--jobs", type=whole(1, 100, "a number of processes is from 1 to 100"), default=6)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--json")
    parser.add_argument("--junit")
    parser.add_argument("--url")
    parser.add_argument("--token")
    parser.add_argument("-h", "--help", action="store_true")
    options, unknown = parser.parse_known_args(before)
    if options.help:
        return options, argv
    flags = [text.partition("=")[0] for text in unknown if text.startswith("-")]
    if flags:
        parser.error(f"unrecognized arguments: {' '.join(flags)}")
    if unknown:
        parser.error(f"the adapter comes after --: {prog} -- {' '.join(unknown)}")
    options.url = options.url or os.environ.get("OAGW_URL")
    if options.url:
        try:
            checked_url(options.url)
        except ValueError as error:
            parser.error(str(error))
    if options.token is not None and not options.url:
        parser.error("--token is for a gateway that runs; say where with --url")
    if not argv and not options.list:
        parser.error(f"the program of the adapter is missing: {prog} -- node adapter.mjs")
    if options.json == options.junit == _STDOUT:
        parser.error("only one of --json and --junit can be written to standard output")
    for file in (options.json, options.junit):
        if file and file != _STDOUT:
            _check_writable(file)
    return options, argv


def _examine(options: argparse.Namespace, argv: Sequence[str], note: Callable[[str], None]) -> int:
    gateway = _gateway(options)
    try:
        catalogue = selected(gateway.admin("GET", "/exam")["situations"], options.only)
        if options.list:
            _print(listing(catalogue))
            return 0
        began = time.monotonic()
        taken, stopped = _taken(Exam(gateway, argv, note), catalogue, options)
        seconds = time.monotonic() - began
    finally:
        with _undisturbed():
            gateway.stop()
    found, why = results(catalogue, taken), None if stopped is None else str(stopped)
    if _STDOUT not in (options.json, options.junit) and (found or stopped is None):
        colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        _print([*table(found, colours), "", summary_line(found, seconds)])
    if options.json is not None:
        _write(options.json, as_json(document(argv, found, seconds, why)).encode())
    if options.junit is not None:
        _write(options.junit, as_junit(found, seconds, why))
    if stopped is not None:
        raise stopped
    return 1 if any(result.failed for result in found) else 0


def _gateway(options: argparse.Namespace) -> RunningGateway:
    if options.url:
        tokens = os.environ.get("OAGW_TOKEN", "").split() or [TOKEN]
        return RunningGateway(options.url, tokens[0], options.token or os.environ.get("OAGW_ADMIN_TOKEN"))
    gateway = MockGateway(options=_GATEWAY)
    gateway.start()
    return gateway


def _taken(
    exam: Exam, catalogue: Sequence[Mapping[str, Any]], options: argparse.Namespace
) -> tuple[list[Taken], Exception | None]:
    """Return what was taken, and why the exam ended before its end, if it did."""
    names = [one["name"] for _ in range(options.repeat) for one in catalogue]
    progress = Progress(sys.stderr, len(names))
    taken = []
    stopped = None
    try:
        for one in exam.take(names, options.jobs):
            progress.step(one.name)
            taken.append(one)
    except _STOPS as error:
        stopped = error
    finally:
        with _undisturbed():
            progress.clear()
            exam.close()
    return taken, stopped


def _write(file: str, text: bytes) -> None:
    if file == _STDOUT:
        with _reader():
            sys.stdout.buffer.write(text.rstrip() + b"\n")
            sys.stdout.flush()
        return
    try:
        with open(file, "wb") as opened:
            opened.write(text)
    except OSError as error:
        raise Stopped(f"cannot write {file}: {error.strerror}") from None


def _check_writable(file: str) -> None:
    """Raise _Usage if ``file`` cannot be written, before the exam takes its time."""
    existed = os.path.exists(file)
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o666))
    except OSError as error:
        raise _Usage(f"cannot write {file}: {error.strerror}") from None
    if not existed:
        os.unlink(file)


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """Raise _Interrupted for SIGINT, SIGTERM and SIGHUP in this block. nohup keeps its effect."""

    def stop(number: int, _: FrameType | None) -> None:
        raise _Interrupted(number)

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number in _SIGNALS:
        if number != signal.SIGHUP or before[number] is not signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Ignore the signals until the end of the block, so that nothing is left running."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)


def _replace_what_cannot_be_written() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # a test has replaced it
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _print(lines: Iterator[str] | Sequence[str]) -> None:
    with _reader():
        for line in lines:
            print(line)
        sys.stdout.flush()


@contextlib.contextmanager
def _reader() -> Iterator[None]:
    """Let the reader of standard output have enough in this block, as ``head`` does: that is no error."""
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at the end


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        print(printable(text), file=sys.stderr, flush=True)

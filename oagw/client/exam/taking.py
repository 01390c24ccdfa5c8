"""Exam: take situations with adapter processes, several at a time. Standard library only."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple
from urllib.parse import quote

from oagw.client.exam.adapters import MAX_LINE, Adapter, AdapterEnded, AdapterFailed, LineTooLong
from oagw.client.exam.reports import (
    InvalidReport,
    complete,
    masked,
    no_report,
    not_possible,
    quoted,
    read_report,
)
from oagw.client.mock_gateway import RunningGateway

# Seconds in which a new process must report on its first call: a JVM on a busy machine starts slowly.
START = 30.0
# How many processes in a row may die in their first call.
_STARTS = 3

# Seconds that a process gets to end after its standard input has ended.
END = 2.0

HELLO = "hello/1"


class Stopped(Exception):
    """The exam cannot be taken; the message says why."""


class Taken(NamedTuple):
    """A situation that was taken: the answer of the control plane, the reports, and how long it took."""

    name: str
    judgement: Mapping[str, Any]
    reports: Sequence[Mapping[str, Any]]
    seconds: float


class Exam:
    """The exam of the client behind the program ``argv``, on ``gateway``. ``note`` shows a line to people."""

    def __init__(self, gateway: RunningGateway, argv: Sequence[str], note: Callable[[str], None]) -> None:
        self._gateway = gateway
        self._argv = argv
        self._note = note
        self._running: set[Adapter] = set()
        self._lock = threading.Lock()
        self._closed = False

    def take(self, names: Sequence[str], jobs: int) -> Iterator[Taken]:
        """Take the situations ``names``, up to ``jobs`` at a time; yield each when it has its verdict.

        Raises Stopped, or what the gateway's methods raise.
        """
        left: SimpleQueue[str] = SimpleQueue()
        for name in names:
            left.put(name)
        done: SimpleQueue[Taken | BaseException] = SimpleQueue()
        workers = [
            threading.Thread(target=self._work, args=(left, done), daemon=True)
            for _ in range(min(jobs, len(names)))
        ]
        for worker in workers:
            worker.start()
        for _ in names:
            taken = done.get()
            if isinstance(taken, BaseException):
                raise taken
            yield taken
        for worker in workers:
            worker.join(2 * END)

    def close(self) -> None:
        """Kill all processes of the adapter, and start no more."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for adapter in running:
            adapter.kill()

    def start(self) -> Adapter:
        """Start a process, and let it make a plain call, so that a slow start takes no time of a situation.

        Raises Stopped if the program does not work.
        """
        call = self._hello()
        died = ""
        for _ in range(_STARTS):
            adapter = self._new()
            until = time.monotonic() + START
            adapter.send(_line(call), until)
            try:
                line = _received(adapter, until, {HELLO: call}, "the first call, before any situation")
            except AdapterEnded as ended:
                died = str(ended)
                self.discard(adapter)
                continue
            if line is None:
                said = adapter.said()
                self.discard(adapter)
                raise Stopped(
                    f"the adapter wrote no report on its first call, GET {call['url']}, within {START:g} s; "
                    "does it flush standard output after each line?"
                    + (f" Its standard error:\n{said}" if said else "")
                )
            _checked(line, {HELLO: call}, "the first call, before any situation")
            return adapter
        raise Stopped(f"the adapter does not run: {died}")

    def discard(self, adapter: Adapter) -> None:
        """Kill ``adapter``."""
        adapter.kill()
        with self._lock:
            self._running.discard(adapter)

    def _new(self) -> Adapter:
        with self._lock:
            if self._closed:
                raise Stopped("the exam is over")
            try:
                adapter = Adapter(self._argv)
            except AdapterFailed as failed:
                raise Stopped(str(failed)) from None
            self._running.add(adapter)
        return adapter

    def _hello(self) -> dict[str, Any]:
        base = self._gateway.base_url
        return {
            "id": HELLO,
            "kind": "call",
            "url": f"{base}/health",
            "base_url": base,
            "path": "/health",
            "token": self._gateway.token,
            "method": "GET",
            "headers": {},
            "body": None,
            "timeout": 5.0,
            "retries": 0,
            "cancel_after": None,
        }

    def _work(self, left: "SimpleQueue[str]", done: "SimpleQueue[Taken | BaseException]") -> None:
        """Take situations, one at a time, until none is left."""
        adapter: Adapter | None = None
        name = ""
        try:
            while True:
                before, name = name, left.get_nowait()
                adapter = self._still(adapter, before) or self.start()
                adapter, taken = self._take(name, adapter)
                done.put(taken)
        except Empty:
            if adapter is not None:
                adapter.end(END)
                self.discard(adapter)
        except BaseException as error:  # raised by take()
            done.put(error)

    def _still(self, adapter: Adapter | None, before: str) -> Adapter | None:
        """Return ``adapter`` if it still runs. The situation ``before`` was its last one."""
        if adapter is None:
            return None
        when = f"between two situations, after {before}"
        try:
            line = _received(adapter, time.monotonic(), {}, when)
        except AdapterEnded as ended:
            self._note(f"the adapter ended between two situations; {ended}")
            self.discard(adapter)
            return None
        if line is not None:
            _checked(line, {}, when)
        return adapter

    def _take(self, name: str, adapter: Adapter) -> tuple[Adapter | None, Taken]:
        """Take the situation ``name``. Return ``adapter`` as well, unless it was lost."""
        began = time.monotonic()
        path = f"/exam/{quote(name, safe='')}"
        examination = self._gateway.admin("POST", path, accept=(201, 409))
        if (why := not_possible(examination)) is not None:
            return adapter, Taken(name, why, (), time.monotonic() - began)
        reports: dict[str, Any] = {}
        lost: tuple[str, str] | None = None
        before = adapter.total
        try:
            if not _made(adapter, examination, reports, f"the situation {name}"):
                lost = ("none", adapter.said(before))
        except AdapterEnded as ended:
            lost = ("crash", str(ended))
        if lost is not None:
            self.discard(adapter)
        outcome, message = lost or ("none", "")
        all_of_them = complete(examination["calls"], reports, lambda id: no_report(id, outcome, message))
        judgement = self._gateway.admin(
            "POST", f"{path}/{quote(examination['id'], safe='')}", {"reports": all_of_them}, accept=(200,)
        )
        judgement, shown = masked([judgement, all_of_them], examination["calls"])
        taken = Taken(name, judgement, shown, time.monotonic() - began)
        return (adapter if lost is None else None), taken


def _made(adapter: Adapter, examination: Mapping[str, Any], reports: dict[str, Any], when: str) -> bool:
    """Let ``adapter`` make the calls, and collect ``reports`` by id. Return whether all came in time.

    Raises AdapterEnded, or Stopped if it writes something else; the message says ``when``.
    """
    calls = examination["calls"]
    deadline = examination["deadline"]
    if not examination["at_once"]:
        for call in calls:
            until = time.monotonic() + deadline
            adapter.send(_line(call), until)
            if not _collected(adapter, {call["id"]: call}, reports, until, when):
                return False
        return True
    began = time.monotonic()
    for number, call in enumerate(calls):
        wait = began + number * examination["stagger"] - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        until = time.monotonic() + deadline
        adapter.send(_line(call), until)
    return _collected(adapter, {call["id"]: call for call in calls}, reports, until, when)


def _collected(
    adapter: Adapter,
    waiting: dict[str, Mapping[str, Any]],
    reports: dict[str, Any],
    until: float,
    when: str,
) -> bool:
    while waiting:
        line = _received(adapter, until, waiting, when)
        if line is None:
            return False
        report = _checked(line, waiting, when)
        del waiting[report["id"]]
        reports[report["id"]] = report
    return True


def _received(
    adapter: Adapter, until: float, waiting: Mapping[str, Mapping[str, Any]], when: str
) -> bytes | None:
    try:
        return adapter.receive(until)
    except LineTooLong as line:
        raise Stopped(
            f"the adapter wrote a line of more than {MAX_LINE} bytes, which is not a report: "
            f"{quoted(line.args[0], waiting.values())[:100]}...\n  when:     {when}"
        ) from None


def _checked(line: bytes, waiting: Mapping[str, Mapping[str, Any]], when: str) -> dict[str, Any]:
    try:
        return read_report(line, waiting, when)
    except InvalidReport as invalid:
        raise Stopped(str(invalid)) from None


def _line(call: Mapping[str, Any]) -> bytes:
    return json.dumps(call).encode() + b"\n"

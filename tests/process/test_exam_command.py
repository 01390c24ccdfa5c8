"""The command ``exam``, with adapters that work, that do not, and that are cruel."""

import contextlib
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from launched import PATIENCE, ROOT, SERVER, Launched, ended, listens, until

from oagw.client.exam import taking
from oagw.client.exam.adapters import MAX_LINE
from oagw.client.exam.command import main
from tests.support.fake_exam import FakeExam, Posed, Reports

MODULE = (sys.executable, "-m", "oagw")

# An adapter in Python. ``report(call)`` is what differs.
LOOP = """
import json, os, signal, subprocess, sys, threading, time, urllib.request

def say(report):
    sys.stdout.write(json.dumps(report) + "\\n")
    sys.stdout.flush()

def value(call):
    return {"id": call["id"], "outcome": "value", "value": os.getpid()}

HELLO = {"id": "hello/1"}
REPORT
for line in sys.stdin:
    call = json.loads(line)
    said = value(call) if call["id"] == "hello/1" else report(call)
    if said is not None:
        say(said)
"""

QUICK = 0.6


def adapter(report: str = "report = value") -> list[str]:
    """A program that reports as ``report``, a function in Python, does."""
    return [sys.executable, "-I", "-S", "-c", LOOP.replace("REPORT", report)]


class Output:
    """What the command printed, and its exit status."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err


@pytest.fixture
def examined(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Take an exam in this process: ``examined({"name": Posed()}, argv, *options)``."""
    monkeypatch.delenv("OAGW_URL", raising=False)
    with contextlib.ExitStack() as stack:

        def take(situations: dict[str, Posed], argv: list[str], *options: str) -> tuple[Output, FakeExam]:
            exam = stack.enter_context(FakeExam(situations))
            status = main(["--url", exam.url, *options, "--", *argv])
            return Output(status, *capfd.readouterr()), exam

        yield take


def only(exam: FakeExam, name: str = "a") -> Reports:
    """The reports of the situation, which was taken once."""
    (reports,) = exam.reports[name]
    return reports


def test_an_exam_that_is_passed(examined: Any, tmp_path: Path) -> None:
    situations = {name: Posed() for name in ("a", "b", "c")} | {"s": Posed(group="streams")}
    files = ("--json", str(tmp_path / "exam.json"), "--junit", str(tmp_path / "exam.xml"))
    output, exam = examined(situations, adapter(), "--only", "retry", *files)
    assert (output.status, output.err) == (0, "")
    lines = output.out.splitlines()
    assert lines[:3] == [f"retry  {name}  passed" for name in "abc"]
    assert re.fullmatch(r"3 passed, 0 failed, 0 not judged in \d+\.\d s", lines[-1])
    assert exam.reports.keys() == {"a", "b", "c"}
    assert json.loads((tmp_path / "exam.json").read_text())["summary"]["passed"] == 3
    assert ElementTree.parse(tmp_path / "exam.xml").getroot().attrib["tests"] == "3"


def test_failed_and_not_judged(examined: Any) -> None:
    report = """def report(call):
        if call["id"][0] == "a":
            return {"id": call["id"], "outcome": "error", "error": "Oops", "message": call["token"]}
        return {"id": call["id"], "outcome": "unsupported"}"""
    output, _ = examined({"a": Posed(), "b": Posed()}, adapter(report))
    assert (output.status, output.err) == (1, "")
    assert "retry  a  failed      the reason" in output.out
    assert "retry  b  not judged  the reason" in output.out
    assert "\nFAILED a\n" in output.out
    assert '"error": "Oops", "message": "****"' in output.out
    assert "\nNOT JUDGED" not in output.out
    assert "0 passed, 1 failed, 1 not judged in " in output.out
    output, _ = examined({"b": Posed()}, adapter(report))
    assert output.status == 0


def test_what_the_gateway_cannot_do_is_not_judged(examined: Any) -> None:
    output, _ = examined({"away": Posed(refusal="It needs another host."), "here": Posed()}, adapter())
    assert output.status == 0
    assert re.search(r"away +not judged +It needs another host\.\n", output.out)
    assert "1 passed, 0 failed, 1 not judged" in output.out


def test_the_calls_of_a_situation_go_to_one_process_in_turn(examined: Any) -> None:
    output, exam = examined({"a": Posed(calls=3), "b": Posed(calls=3)}, adapter(), "--jobs", "2")
    assert output.status == 0
    for name in "ab":
        reports = only(exam, name)
        assert [report["id"] for report in reports] == [f"{name}/{n}" for n in (1, 2, 3)]
        assert len({report["value"] for report in reports}) == 1


def test_calls_at_once_are_staggered_and_reported_in_any_order(examined: Any) -> None:
    report = """calls = []
def report(call):
    calls.append((call["id"], time.monotonic()))
    if len(calls) == 3:
        for id, at in reversed(calls):
            say({"id": id, "outcome": "value", "value": at})"""
    output, exam = examined({"a": Posed(calls=3, at_once=True, stagger=0.1)}, adapter(report))
    assert output.status == 0
    reports = only(exam)
    assert [report["id"] for report in reports] == ["a/1", "a/2", "a/3"]
    assert reports[2]["value"] - reports[0]["value"] >= 0.15


def test_verdicts_that_differ_between_runs_are_unstable(examined: Any) -> None:
    def judge(_: Reports) -> str:
        verdicts.append("failed" if len(verdicts) == 1 else "passed")
        return verdicts[-1]

    verdicts: list[str] = []
    situations = {"a": Posed(judge=judge), "b": Posed()}
    output, exam = examined(situations, adapter(), "--repeat", "3", "--jobs", "1")
    assert output.status == 1
    assert "a  unstable    passed 2, failed 1 of 3 times: the reason" in output.out
    assert "1 passed, 0 failed, 1 unstable, 0 not judged in " in output.out
    assert len(exam.reports["b"]) == 3


def test_a_call_without_a_report_is_reported_as_none_and_another_process_goes_on(examined: Any) -> None:
    report = """def report(call):
    if call["id"] == "a/2":
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])  # holds the pipes
        time.sleep(600)
    return value(call)"""
    situations = {"a": Posed(calls=3, deadline=QUICK), "b": Posed()}
    output, exam = examined(situations, adapter(report), "--jobs", "1")
    assert output.status == 1
    first, second, third = only(exam)
    assert first["outcome"] == "value"
    assert (second, third) == ({"id": "a/2", "outcome": "none"}, {"id": "a/3", "outcome": "none"})
    assert only(exam, "b")[0]["outcome"] == "value"
    until(lambda: not _runs(first["value"]))


def test_one_of_several_calls_at_once_is_missing(examined: Any) -> None:
    report = """def report(call):
    return None if call["id"] == "a/1" else value(call)"""
    situations = {"a": Posed(calls=2, at_once=True, deadline=QUICK)}
    _, exam = examined(situations, adapter(report))
    assert [report["outcome"] for report in only(exam)] == ["none", "value"]


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("print('the last words', file=sys.stderr); os._exit(7)", "it ended with status 7:\nthe last words"),
        ("os.kill(os.getpid(), 11)", "it was killed by SIGSEGV, without a word on standard error"),
        ("raise ValueError('odd')", "ValueError: odd"),
        # Its child holds the pipes.
        ("subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(9)']); os._exit(0)", "status 0"),
        ("os.close(1); time.sleep(600)", "it closed its standard output without a report"),
    ],
)
def test_an_adapter_that_dies_is_a_crash(examined: Any, how: str, told: str) -> None:
    report = f"""def report(call):
    if call["id"][0] == "a":
        {how}
    return value(call)"""
    output, exam = examined({"a": Posed(calls=2), "b": Posed()}, adapter(report), "--jobs", "1")
    assert (output.status, output.err) == (1, "")
    for report_ in only(exam):
        assert report_["outcome"] == "crash"
        assert told in report_["message"]
    assert only(exam, "b")[0]["outcome"] == "value"


def test_the_end_between_two_situations_is_noted_and_not_judged(examined: Any) -> None:
    report = """def report(call):
    say(value(call))
    os.close(1)
    print("late rejection", file=sys.stderr)
    os._exit(1)"""

    def judge(_: Reports) -> str:
        time.sleep(0.3)  # until it has ended
        return "passed"

    output, _ = examined({"a": Posed(judge=judge), "b": Posed()}, adapter(report), "--jobs", "1")
    assert output.status == 0
    assert "the adapter ended between two situations; it ended with status 1:\nlate rejection" in output.err


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["/no/such/adapter"], "cannot start the adapter '/no/such/adapter': No such file or directory"),
        ([str(ROOT)], "Permission denied"),
        (["a\0b"], "cannot start the adapter"),
        (
            [sys.executable, "-I", "-S", "-c", "import sys; sys.exit('no module\\x1b[2J named client')"],
            "the adapter does not run: it ended with status 1:\nno module\\x1b[2J named client",
        ),
        ([sys.executable, "-I", "-S", "-c", ""], "the adapter does not run: it ended with status 0"),
        (
            [sys.executable, "-I", "-S", "-c", "print('ready'); input(); print('x')"],
            "that is not a report: it is not JSON: Expecting value at column 1 "
            "(write debug output to standard error)\n  the line: ready\n"
            "  when:     the first call, before any situation\n",
        ),
        (adapter('report = lambda call: {"id": "b/1", "outcome": "unsupported"}'), 'with the id "b/1" waits'),
        (adapter("report = lambda call: {**value(call), 'took': 1}"), 'has no member "took"'),
        (
            adapter(f"def report(call): os.write(1, b'x' * {MAX_LINE + 1}); time.sleep(9)"),
            f"a line of more than {MAX_LINE} bytes, which is not a report: xxx",
        ),
        (
            adapter(
                f"def report(call): sys.stdout.write('y' * {MAX_LINE + 1} + chr(10)); sys.stdout.flush()"
            ),
            f"a line of more than {MAX_LINE} bytes, which is not a report: yyy",
        ),
        (
            adapter("def report(call): print('got {\"a\":1}\x1b[2J', flush=True)"),
            'the line: got {"a":1}\\x1b[2J\n',
        ),
        (adapter("def report(call): print('', flush=True)"), "  when:     the situation a\n"),
    ],
)
def test_an_adapter_that_does_not_keep_to_the_protocol_stops_the_exam(
    examined: Any, argv: list[str], told: str
) -> None:
    output, _ = examined({"a": Posed(), "b": Posed()}, argv, "--jobs", "1")
    assert (output.status, output.out) == (2, "")
    assert output.err.startswith("oagw-mock exam: ")
    assert told in output.err
    assert len(output.err) < 2_000


def test_what_was_taken_before_the_exam_stops_is_shown_and_written(examined: Any, tmp_path: Path) -> None:
    files = tmp_path / "exam.json", tmp_path / "exam.xml"
    options = ("--jobs", "1", "--json", str(files[0]), "--junit", str(files[1]))
    twice = adapter("def report(call): say(value(call)); say(value(call)); time.sleep(1)")
    output, _ = examined({"a": Posed(), "b": Posed()}, twice, *options)
    assert output.status == 2
    assert output.out.startswith("retry  a  passed\n\n1 passed, 0 failed, 0 not judged in ")
    assert 'no call with the id "a/1" waits' in output.err
    assert re.search(r"\n  when:     (the situation b|between two situations, after a)\n", output.err)
    written = json.loads(files[0].read_text())
    assert [one["name"] for one in written["situations"]] == ["a"]
    assert 'with the id "a/1" waits' in written["stopped"]
    (suite,) = ElementTree.parse(files[1]).getroot()
    assert (suite.attrib["tests"], suite.attrib["errors"]) == ("2", "1")
    assert 'with the id "a/1" waits' in suite[1][0].attrib["message"]

    nothing = adapter("def report(call): print('', flush=True)")
    output, _ = examined({"a": Posed(), "b": Posed()}, nothing, *options)
    assert (output.status, output.out) == (2, "")
    assert json.loads(files[0].read_text())["situations"] == []


def test_the_results_can_be_written_to_standard_output(examined: Any) -> None:
    output, _ = examined({"a": Posed()}, adapter(), "--json", "-")
    assert (output.status, output.err) == (0, "")
    assert json.loads(output.out)["stopped"] is None
    output, _ = examined({"a": Posed()}, adapter(), "--junit", "-")
    assert ElementTree.fromstring(output.out).attrib["tests"] == "1"
    output, exam = examined({"a": Posed()}, adapter(), "--junit", "-", "--json", "-")
    assert (output.status, exam.paths) == (2, [])
    assert "only one of --json and --junit can be written to standard output" in output.err


def test_what_a_process_that_hangs_wrote_is_evidence(examined: Any) -> None:
    """An adapter whose thread died has told why: of this situation, not of those before."""
    report = """def report(call):
    if call["id"] == "a/1":
        print("so far, all is well", file=sys.stderr, flush=True)
        return value(call)
    def dies():
        raise KeyError("a bug of " + call["token"])
    threading.Thread(target=dies).start()"""
    situations = {"a": Posed(), "b": Posed(calls=2, at_once=True, deadline=QUICK)}
    output, exam = examined(situations, adapter(report), "--jobs", "1")
    assert output.status == 1
    first, second = only(exam, "b")
    assert (first["outcome"], second["outcome"]) == ("none", "none")
    assert "KeyError: 'a bug of sandbox-token'" in first["message"]
    lines = output.out.splitlines()
    begin = lines.index("  Meanwhile, the adapter wrote to standard error:")
    assert lines[begin - 1] == '  The client reported: {"id": "b/1", "outcome": "none"}'
    assert "    KeyError: 'a bug of ****'" in lines[begin:]
    assert "all is well" not in output.out
    assert output.out.count("Meanwhile, ") == 1


def test_a_silent_process_that_hangs_has_no_message(examined: Any) -> None:
    _, exam = examined({"a": Posed(deadline=QUICK)}, adapter("def report(call): time.sleep(9)"))
    assert only(exam) == [{"id": "a/1", "outcome": "none"}]


def test_an_adapter_that_does_not_answer_its_first_call_stops_the_exam(
    examined: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "START", 1.0)
    mute = "import sys\nprint('warming up', file=sys.stderr, flush=True)\nfor line in sys.stdin: print('{}')"
    output, exam = examined({"a": Posed()}, [sys.executable, "-I", "-S", "-c", mute])
    assert (output.status, output.out) == (2, "")
    assert "wrote no report on its first call" in output.err
    assert "does it flush standard output after each line?" in output.err
    assert "warming up" in output.err
    assert exam.paths == ["/__admin/exam"]


def test_full_pipes_block_nobody(examined: Any) -> None:
    """It floods standard error, it does not read its calls for a while, and its report is large."""
    report = """def report(call):
    for _ in range(50):
        sys.stderr.write("x" * 100_000 + "\\n")
    return {**value(call), "value": "v" * 1_000_000}"""
    output, exam = examined({"a": Posed(calls=2, at_once=True)}, adapter(report))
    assert output.status == 0
    assert [len(report["value"]) for report in only(exam)] == [1_000_000] * 2

    class Large(FakeExam):
        def _examination(self, name: str) -> dict[str, Any]:
            examination = super()._examination(name)
            for call in examination["calls"]:
                call["body"] = "x" * 1_000_000
            return examination

    deaf = [sys.executable, "-I", "-S", "-c", LOOP.split("REPORT")[0] + "say(value(HELLO)); time.sleep(600)"]
    with Large({"a": Posed(calls=2, at_once=True, deadline=0.3)}) as exam:
        assert main(["--url", exam.url, "--", *deaf]) == 1
        assert [report["outcome"] for report in only(exam)] == ["none", "none"]


def test_an_adapter_that_ends_late_is_killed(examined: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "END", 0.2)
    stays = [sys.executable, "-I", "-S", "-c", LOOP.replace("REPORT", "report = value") + "time.sleep(600)"]
    output, exam = examined({"a": Posed()}, stays)
    assert output.status == 0
    assert not _runs(only(exam)[0]["value"])


def test_a_gateway_without_an_exam_or_without_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    class Old(FakeExam):
        def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
            return 404, {"errors": [{"detail": "No such resource"}]}

    assert main(["--url", "http://127.0.0.1:1", "--", "x"]) == 2
    assert "No answer from http://127.0.0.1:1/__admin/exam: " in capsys.readouterr().err
    with Old({}) as exam:
        assert main(["--url", exam.url, "--", "x"]) == 2
    assert capsys.readouterr().err == "oagw-mock exam: No such resource\n"


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ([], "the program of the adapter is missing"),
        (["--"], "the program of the adapter is missing"),
        (["node", "adapter.mjs"], "the adapter comes after --: oagw-mock exam -- node adapter.mjs"),
        (["--onyl", "x", "--", "x"], "unrecognized arguments: --onyl"),
        (["--repeat", "0", "--", "x"], "a number of runs is from 1 to 1000"),
        (["--jobs", "many", "--", "x"], "a number of processes is from 1 to 100, not 'many'"),
        (["--token", "s3cret", "--", "x"], "--token is for a gateway that runs"),
        (["--url", "https://me:s3cret@host", "--", "x"], "is not the URL of a gateway"),
        (["--json", "/no/such/folder/x", "--", "x"], "cannot write /no/such/folder/x: No such file"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    args: list[str], told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OAGW_URL", raising=False)
    assert main(args) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err
    assert err.count("\n") == 1
    assert "s3cret" not in err


def test_an_unknown_situation_is_refused_with_the_nearest(examined: Any, tmp_path: Path) -> None:
    file = tmp_path / "exam.json"
    output, _ = examined({"a-name": Posed()}, adapter(), "--only", "a-nam", "--json", str(file))
    assert output.status == 2
    assert 'no situation or group "a-nam", did you mean "a-name"' in output.err
    assert output.err.endswith(" (--list has all)\n")
    assert not file.exists()


@pytest.mark.parametrize("command", [SERVER, MODULE], ids=["script", "module"])
def test_help_fits_on_a_screen(command: tuple[str, ...]) -> None:
    process = ended("exam", "--help", command=command, cwd=ROOT)
    assert (process.returncode, process.stderr) == (0, "")
    name = "server.py" if command == SERVER else "python -m oagw"
    assert process.stdout.startswith(f"usage: {name} exam [OPTION]... -- ADAPTER")
    lines = process.stdout.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_the_adapters_and_the_command(number: int, status: int, tmp_path: Path) -> None:
    report = f"""def report(call):
    open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))
    time.sleep(600)"""
    with FakeExam({"a": Posed(deadline=60)}) as exam:
        options = ("exam", "--url", exam.url, "--", *adapter(report))
        with Launched(*options, announces=False) as command:
            until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
            assert command.stop(number) == status
            assert command.rest() == b""
            assert command.said() == ""
            until(lambda: not _runs(int((tmp_path / "pid").read_text())))


def test_an_adapter_does_not_outlive_a_command_that_is_killed(tmp_path: Path) -> None:
    report = f"""def report(call):
    open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))"""
    with FakeExam({"a": Posed(deadline=60)}) as exam:
        options = ("exam", "--url", exam.url, "--", *adapter(report))
        with Launched(*options, announces=False) as command:
            until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
            command.stop(signal.SIGKILL)
            until(lambda: not _runs(int((tmp_path / "pid").read_text())))


def test_the_exam_starts_a_gateway_and_stops_it(tmp_path: Path) -> None:
    report = f"""def report(call):
    open({str(tmp_path / "url")!r}, "w").write(call["base_url"])
    time.sleep(600)"""
    options = ("exam", "--only", "retry-after-seconds", "--", *adapter(report))
    with Launched(*options, announces=False) as command:
        until(lambda: (tmp_path / "url").exists() and (tmp_path / "url").read_text())
        port = int(re.findall(r":(\d+)/", (tmp_path / "url").read_text())[0])
        assert listens("127.0.0.1", port)
        assert command.stop(signal.SIGINT) == 130
        assert command.said() == ""
        assert not listens("127.0.0.1", port)


def test_a_reader_that_has_enough_is_no_error() -> None:
    with FakeExam({"a": Posed()}) as exam:
        command = [*SERVER, "exam", "--url", exam.url, "--", *adapter()]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.close()
        assert process.stderr.read() == b""
        process.stderr.close()
        assert process.wait(PATIENCE) == 0


def _runs(pid: int) -> bool:
    """Whether a process runs, and is not a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"

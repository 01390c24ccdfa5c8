import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from launched import ROOT, SERVER, TOKEN, TWISTD, Launched, ended, until

PATH = "/api/oagw/v1/proxy/stripe/v1/balance"
ID = "01234567-89ab-cdef-0123-456789abcdef"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mappings" / "nested").mkdir(parents=True)
    (tmp_path / "__files").mkdir()
    (tmp_path / "__files" / "balance.json").write_bytes(b'{"amount": 7}')
    write(tmp_path, "balance", {"request": {"urlPath": PATH}, "response": {"bodyFileName": "balance.json"}})
    return tmp_path


def write(folder: Path, name: str, document: Any) -> None:
    (folder / "mappings" / "nested" / f"{name}.json").write_text(json.dumps(document))


def get(server: Launched, path: str = PATH) -> tuple[int, bytes]:
    return server.get(path, Authorization=f"Bearer {TOKEN}")


@pytest.mark.parametrize("command", [SERVER, (*TWISTD, "oagw")], ids=["server.py", "twistd"])
def test_stubs_and_bodies_are_read_at_the_start_and_again_at_a_hangup(
    folder: Path, command: list[str]
) -> None:
    place = {"cwd": folder, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
    with Launched("0", "--mappings", str(folder), command=command, **place) as server:
        assert get(server) == (200, b'{"amount": 7}')
        both = [
            {"request": {"urlPath": PATH}, "response": {"body": "first"}},
            {"request": {"urlPathPattern": PATH + ".*"}, "response": {"body": "second"}},
        ]
        write(folder, "balance", {"mappings": both})
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "--mappings: 2 stubs" in server.said())
        assert get(server) == (200, b"first")
        assert get(server, PATH + "/x") == (200, b"second")


def test_a_stub_may_speak_of_mappings_and_begin_with_a_byte_order_mark(folder: Path) -> None:
    document = {"request": {"urlPath": PATH + "/x"}, "response": {"jsonBody": {"mappings": [1]}}}
    (folder / "mappings" / "bom.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(document).encode())
    with Launched("0", "--mappings", str(folder)) as server:
        assert get(server, PATH + "/x") == (200, b'{"mappings":[1]}')


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_in_the_folder_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "__files" / "pipe")
    with Launched("0", "--mappings", str(folder)) as server:
        stub = {"response": {"bodyFileName": "pipe"}}
        assert server.ask("POST", "/__admin/mappings", json.dumps(stub).encode())[0] == 422
        os.mkfifo(folder / "mappings" / "pipe.json")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "mappings/pipe.json: Not a file; keeping the stubs loaded before" in server.said())


def test_a_file_that_wiremock_wrote_is_read(folder: Path) -> None:
    id = "7970f977-1f5a-4c6a-8e0e-1e306369bbad"
    saved = {
        "id": id,
        "request": {"url": PATH + "/saved", "method": "ANY"},
        "response": {"status": 200, "body": "a"},
        "uuid": id,
        "persistent": True,
        "insertionIndex": 14,
    }
    write(folder, f"any-saved-{id}", saved)
    with Launched("0", "--mappings", str(folder)) as server:
        assert get(server, PATH + "/saved") == (200, b"a")
        status, shown = server.get(f"/__admin/mappings/{id}")
        assert (status, "insertionIndex" in json.loads(shown)) == (200, False)


def test_what_cannot_be_read_again_is_said_and_changes_nothing(folder: Path) -> None:
    with Launched("0", "--mappings", str(folder)) as server:
        get(server)  # so that they are read
        write(folder, "bad", {"request": {"urlPth": PATH}})
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "mappings/nested/bad.json at /request/urlPth: " in server.said())
        assert get(server) == (200, b'{"amount": 7}')


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ({"response": {"bodyFileName": "../secret"}}, "bad.json at /response/bodyFileName: "),
        ({"response": {"bodyFileName": "none.txt"}}, "bad.json at /response/bodyFileName: "),
        ({"mappings": [{}, {"response": {"status": 1}}]}, "bad.json at /mappings/1/response/status: "),
        ({"mappings": [{"id": ID}, {"id": ID.upper()}]}, "bad.json at /mappings/1/id: Another stub"),
        ("text", "bad.json: "),
    ],
)
def test_a_folder_with_a_stub_that_does_not_fit_ends_the_server_with_one_line(
    folder: Path, document: Any, complaint: str
) -> None:
    (folder / "secret").write_text("x")
    write(folder, "bad", document)
    done = ended("0", "--mappings", str(folder))
    assert (done.returncode, done.stdout) == (2, "")  # nobody is told that it listens
    assert done.stderr.startswith("server.py: --mappings: mappings/")
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_that_is_not_there_or_not_one_of_stubs_ends_it_as_well(tmp_path: Path) -> None:
    assert ended("0", "--mappings", str(tmp_path / "none")).stderr.endswith("none is not a folder\n")
    done = ended("0", "--mappings", str(tmp_path))
    assert done.stderr.endswith("contains neither mappings/ nor __files/\n")
    assert done.returncode == 2


def test_it_says_how_many_stubs_it_has_read(folder: Path) -> None:
    with Launched("0", "--mappings", str(folder)) as server:
        assert "--mappings: 1 stub\n" in server.said()


def test_reset_brings_back_what_the_folder_had(folder: Path) -> None:
    with Launched("0", "--mappings", str(folder)) as server:
        assert server.ask("DELETE", "/__admin/mappings", None)[0] == 200
        assert get(server)[0] == 404
        assert server.ask("POST", "/__admin/mappings/reset", None)[0] == 200
        assert get(server) == (200, b'{"amount": 7}')

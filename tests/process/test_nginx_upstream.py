"""A real nginx as an upstream of a registered alias, over real sockets."""

import gzip
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from launched import PATIENCE, TOKEN, Launched, free_port, listens, until

from oagw.testing import RunningGateway, Sandbox
from tests.wire.test_tls_upstreams import certificate

PROGRAM = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin")

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="nginx is not installed")

# sub_filter makes chunks of what has a length.
CONFIG = """
daemon off; pid nginx.pid; error_log error.log; worker_processes 1; USER
events {}
http {
  log_format calls "$request_method $uri $status $connection_requests $http_connection";
  access_log access.log calls;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  default_type text/plain; keepalive_timeout 60 60;
  server {
    listen 127.0.0.1:PORT; listen 127.0.0.1:TLS ssl;
    ssl_certificate CERTIFICATE; ssl_certificate_key CERTIFICATE;
    location /files/ { alias files/; }
    location /chunked/ { alias files/; sub_filter nowhere nothing; sub_filter_types *; }
    location /ended/ {
      alias files/; sub_filter nowhere nothing; sub_filter_types *; chunked_transfer_encoding off;
    }
    location /gzip/ { alias files/; gzip on; gzip_types *; gzip_min_length 1; }
    location /empty { return 204; }
    location /moved { return 301 http://vendor.example/elsewhere; }
    location /busy { add_header Retry-After 7 always; return 503 busy; }
    location /closed { return 444; }
    location /fields {
      add_header Set-Cookie a=1; add_header Set-Cookie b=2; add_header Keep-Alive timeout=60;
      add_header X-OAGW-Error-Source gateway; add_header X-RateLimit-Limit 9; return 200 yes;
    }
    location /upload/ { alias uploaded/; dav_methods PUT; client_max_body_size 0; }
    location /small { alias uploaded/; dav_methods PUT; client_max_body_size 100k; }
    location /hasty { alias uploaded/; dav_methods PUT; client_max_body_size 100k; lingering_close off; }
  }
}
"""

TEXT = "".join(f"line {number} of a text\n" for number in range(2000)).encode()
LARGE = Random(7).randbytes(1 << 20) * 24

PROXY = "/oagw/v1/proxy"

# The header fields of the client that reach nginx.
PASSED = ["range", "if-range", "if-none-match", "if-modified-since", "accept-encoding", "connection"]


class Nginx:
    """An nginx with ``text`` and ``large`` in its files, from ``with`` on."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.tls_port = folder, free_port(), free_port()
        for name in ("files", "uploaded"):
            (folder / name).mkdir()
        (folder / "files" / "text").write_bytes(TEXT)
        (folder / "files" / "large").write_bytes(LARGE)
        config = CONFIG.replace("PORT", str(self.port)).replace("TLS", str(self.tls_port))
        config = config.replace("CERTIFICATE", str(certificate()))
        config = config.replace("USER", "user root;" if os.geteuid() == 0 else "")
        (folder / "nginx.conf").write_text(config)

    def __enter__(self) -> "Nginx":
        assert PROGRAM is not None
        paths = ["-p", f"{self.folder}/", "-c", "nginx.conf", "-e", "error.log"]
        self.process = subprocess.Popen([PROGRAM, *paths])
        until(lambda: listens("127.0.0.1", self.port))
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(signal.SIGTERM)

    def stop(self, number: int) -> None:
        self.process.send_signal(number)
        self.process.wait(PATIENCE)

    def reload(self) -> None:
        """Let another worker take over; this one ends after its last response."""
        before = self._workers()
        self.process.send_signal(signal.SIGHUP)
        until(lambda: not self._workers() <= before)

    def crash(self) -> None:
        """Kill the process that answers; another takes its place."""
        (worker,) = self._workers()
        os.kill(int(worker), signal.SIGKILL)
        until(lambda: self._workers() - {worker})

    def _workers(self) -> set[str]:
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        if not path.exists():
            pytest.skip("there is no /proc to find the processes of nginx in")
        return set(path.read_text().split())

    @property
    def calls(self) -> list[list[str]]:
        """Method, path, status, number in its connection and Connection of all requests."""
        return [line.split(" ") for line in (self.folder / "access.log").read_text().splitlines()]


class Got(NamedTuple):
    """A response; ``fields`` have names in lower case, the values of repeated ones are joined with commas."""

    status: int
    fields: dict[str, str]
    body: bytes


def got(response: http.client.HTTPResponse) -> Got:
    fields: dict[str, str] = {}
    for name, value in response.getheaders():
        fields[name.lower()] = f"{fields[name.lower()]}, {value}" if name.lower() in fields else value
    return Got(response.status, fields, response.read())


class Front:
    """The gateway in front of ``nginx``, with the upstreams ``web``, and ``safe`` over TLS."""

    def __init__(self, server: Launched, sandbox: Sandbox, nginx: Nginx) -> None:
        self.server, self.nginx, self.token = server, nginx, sandbox.token
        rules = {"request": {"passthrough": "allowlist", "passthrough_allowlist": PASSED}}
        sandbox.upstream("web", f"http://127.0.0.1:{nginx.port}", headers=rules)
        sandbox.upstream("safe", f"https://127.0.0.1:{nginx.tls_port}", headers=rules)
        # Routes have no HEAD, but stubs forward it.
        url = {"proxyBaseUrl": f"http://127.0.0.1:{nginx.port}", "proxyUrlPrefixToRemove": f"{PROXY}/head"}
        request = {"method": "HEAD", "urlPathPattern": f"{PROXY}/head/.*"}
        sandbox.admin("POST", "/mappings", {"request": request, "response": url})

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)

    def ask(self, path: str, method: str = "GET", body: object = None, **fields: str) -> Got:
        """Ask for ``path``, an alias and what follows it; underscores in ``fields`` stand for dashes."""
        connection = self.connect()
        try:
            return self.send(connection, path, method, body, **fields)
        finally:
            connection.close()

    def send(
        self,
        connection: http.client.HTTPConnection,
        path: str,
        method: str = "GET",
        body: object = None,
        **fields: str,
    ) -> Got:
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        headers["Authorization"] = f"Bearer {self.token}"
        connection.request(method, f"{PROXY}/{path}", body, headers)  # type: ignore[arg-type]
        return got(connection.getresponse())

    def straight(self, path: str, method: str = "GET", **fields: str) -> Got:
        """Ask nginx itself."""
        connection = http.client.HTTPConnection("127.0.0.1", self.nginx.port, timeout=PATIENCE)
        try:
            connection.request(method, path, headers={k.replace("_", "-"): v for k, v in fields.items()})
            return got(connection.getresponse())
        finally:
            connection.close()

    def open(self, path: str) -> "Reading":
        """Ask for ``path`` and read its head, no more."""
        return Reading(self.server.connect(), path, self.token)


class Reading:
    """A response that is read slowly."""

    def __init__(self, connection: socket.socket, path: str, token: str) -> None:
        self._connection = connection
        head = f"GET {PROXY}/{path} HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer {token}\r\n"
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
        self.head = b""
        while not self.head.endswith(b"\r\n\r\n"):
            piece = connection.recv(1)
            assert piece, self.head
            self.head += piece

    def rest(self) -> bytes:
        """The bytes of the body, with its framing."""
        pieces = []
        while piece := self._connection.recv(1 << 20):
            pieces.append(piece)
        return b"".join(pieces)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    file = tmp_path_factory.mktemp("gateway") / "gateway.toml"
    file.write_text(f'port = 0\ntoken = "{TOKEN}"\nupstream_ca = "{certificate()}"\n')
    with Launched("--config", str(file)) as server:
        yield server


@pytest.fixture(scope="module")
def front(server: Launched, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    yield from opened(server, tmp_path_factory.mktemp("nginx"))


@pytest.fixture
def mortal(server: Launched, tmp_path: Path) -> Iterator[Front]:
    """One whose nginx a test stops."""
    yield from opened(server, tmp_path)


def opened(server: Launched, folder: Path) -> Iterator[Front]:
    gateway = RunningGateway(f"http://127.0.0.1:{server.port}", TOKEN)
    with gateway.sandbox() as sandbox, Nginx(folder) as nginx:
        yield Front(server, sandbox, nginx)


def source(answer: Got) -> str:
    return answer.fields["x-oagw-error-source"]


@pytest.mark.parametrize("alias", ["web", "safe"])
def test_bodies_with_a_length_in_chunks_and_up_to_the_end(front: Front, alias: str) -> None:
    for name, content in (("text", TEXT), ("large", LARGE)):
        answer = front.ask(f"{alias}/files/{name}")
        assert (answer.status, source(answer), answer.body == content) == (200, "upstream", True)
        assert answer.fields["content-length"] == str(len(content))
        assert "transfer-encoding" not in answer.fields
        for kind in ("chunked", "ended"):
            chunked = front.ask(f"{alias}/{kind}/{name}")
            assert (chunked.status, chunked.body == content) == (200, True)
            assert chunked.fields["transfer-encoding"] == "chunked"
            assert "content-length" not in chunked.fields


def test_fields_are_those_of_nginx(front: Front) -> None:
    answer, straight = front.ask("web/files/text"), front.straight("/files/text")
    for name in ("server", "content-type", "last-modified", "etag", "accept-ranges"):
        assert answer.fields[name] == straight.fields[name]
    answer = front.ask("web/fields")
    assert answer.fields["set-cookie"] == "a=1, b=2"
    assert (source(answer), answer.fields["x-ratelimit-limit"]) == ("upstream", "9")
    assert "keep-alive" not in answer.fields
    moved = front.ask("web/moved")
    assert (moved.status, moved.fields["location"]) == (301, "http://vendor.example/elsewhere")
    busy = front.ask("web/busy")
    assert (busy.status, busy.fields["retry-after"], source(busy), busy.body) == (
        503,
        "7",
        "upstream",
        b"busy",
    )
    missing = front.ask("web/files/missing")
    assert (missing.status, source(missing), b"nginx" in missing.body) == (404, "upstream", True)


def test_head_and_statuses_without_a_body_leave_the_connection_usable(front: Front) -> None:
    connection = front.connect()
    for _ in range(2):
        head = front.send(connection, "head/files/text", "HEAD")
        assert (head.status, head.fields["content-length"], head.body) == (200, str(len(TEXT)), b"")
        assert front.send(connection, "head/chunked/text", "HEAD").status == 200
        empty = front.send(connection, "web/empty")
        assert (empty.status, "content-length" in empty.fields) == (204, False)
        etag = front.send(connection, "web/files/text").fields["etag"]
        unmodified = front.send(connection, "web/files/text", If_None_Match=etag)
        assert (unmodified.status, unmodified.fields["etag"], unmodified.body) == (304, etag, b"")
    connection.close()


def test_compressed_bodies_are_not_touched(front: Front) -> None:
    fields = {"Accept_Encoding": "gzip"}
    answer, straight = front.ask("web/gzip/text", **fields), front.straight("/gzip/text", **fields)
    assert answer.fields["content-encoding"] == "gzip"
    assert (answer.body == straight.body, gzip.decompress(answer.body) == TEXT) == (True, True)
    assert front.ask("web/gzip/text").body == TEXT


def test_ranges(front: Front) -> None:
    answer = front.ask("web/files/text", Range="bytes=5-8")
    assert (answer.status, answer.body) == (206, TEXT[5:9])
    assert answer.fields["content-range"] == f"bytes 5-8/{len(TEXT)}"
    several = front.ask("web/files/text", Range="bytes=0-3,-4")
    assert several.fields["content-type"].startswith("multipart/byteranges; boundary=")
    assert (several.status, TEXT[-4:] in several.body) == (206, True)
    assert front.ask("web/files/text", Range=f"bytes={len(TEXT)}-").status == 416
    assert front.ask("web/files/text", Range="bytes=5-8", If_Range='"other"').body == TEXT


def test_each_call_has_a_connection_of_its_own(front: Front) -> None:
    known = len(front.nginx.calls)
    connection = front.connect()
    for _ in range(3):
        answer = front.send(connection, "web/files/text", Connection="keep-alive")
        assert (answer.status, answer.fields.get("connection")) == (200, None)
    connection.close()
    calls = front.nginx.calls[known:]
    assert [call[2:] for call in calls] == [["200", "1", "close"]] * 3


@pytest.mark.parametrize("alias", ["web", "safe"])
def test_uploads_arrive_as_they_are(front: Front, alias: str) -> None:
    parts = [LARGE[at : at + 100_000] for at in range(0, len(LARGE), 100_000)]
    for name, body in (("whole", LARGE), ("parts", iter(parts))):
        answer = front.ask(f"{alias}/upload/{alias}-{name}", "PUT", body)
        assert (answer.status, source(answer)) == (201, "upstream"), answer
        assert (front.nginx.folder / "uploaded" / f"{alias}-{name}").read_bytes() == LARGE
    assert front.ask(f"{alias}/upload/{alias}-whole", "PUT", b"").status == 204


@pytest.mark.parametrize("alias", ["web", "safe"])
def test_a_refusal_in_mid_upload_is_passed_on(front: Front, alias: str) -> None:
    """nginx closes the connection before it has read the body; without lingering, it may even reset it."""
    for path in ("small", "hasty"):
        connection = front.connect()
        for _ in range(3):
            answer = front.send(connection, f"{alias}/{path}", "PUT", LARGE)
            assert (answer.status, source(answer), b"nginx" in answer.body) == (413, "upstream", True), path
        assert front.send(connection, f"{alias}/files/text").body == TEXT
        connection.close()


def test_an_upstream_that_closes_without_an_answer_is_a_503(front: Front) -> None:
    answer = front.ask("web/closed")
    assert (answer.status, source(answer)) == (503, "gateway")
    assert json.loads(answer.body)["context"]["retry_after_seconds"] == 5


@pytest.mark.parametrize("alias", ["web", "safe"])
def test_a_reload_in_mid_body_breaks_nothing(front: Front, alias: str) -> None:
    reading = front.open(f"{alias}/files/large")
    front.nginx.reload()
    assert front.ask(f"{alias}/files/text").body == TEXT
    assert reading.rest() == LARGE


def test_a_graceful_end_in_mid_body_breaks_nothing(mortal: Front) -> None:
    readings = [mortal.open(f"{alias}/files/large") for alias in ("web", "safe")]
    mortal.nginx.process.send_signal(signal.SIGQUIT)
    until(lambda: not listens("127.0.0.1", mortal.nginx.port))
    assert mortal.ask("web/files/text").status == 503
    for reading in readings:
        assert reading.rest() == LARGE


@pytest.mark.parametrize("crashes", [False, True])
def test_an_end_in_mid_body_appends_the_problem(mortal: Front, crashes: bool) -> None:
    aliases = ("web", "safe")
    whole = [mortal.open(f"{alias}/files/large") for alias in aliases]
    chunked = [mortal.open(f"{alias}/chunked/large") for alias in aliases]
    if crashes:
        mortal.nginx.crash()
    else:
        mortal.nginx.stop(signal.SIGTERM)
    for reading in whole:
        assert b"\r\ncontent-length: %d\r\n" % len(LARGE) in reading.head.lower()
        begin, document = broken_off(reading.rest())
        assert LARGE.startswith(begin)
        assert len(begin) + len(document) < len(LARGE)
    for reading in chunked:
        begin, document = broken_off(dechunked(reading.rest()))
        assert LARGE.startswith(begin)
    after = mortal.ask("web/files/text")
    assert (after.status, source(after)) == ((200, "upstream") if crashes else (503, "gateway"))


def broken_off(body: bytes) -> tuple[bytes, bytes]:
    """Return the begin of ``body``, and the document that follows it."""
    begin, mark, rest = body.rpartition(b'{"type":"gts://')
    assert mark, body[-100:]
    document = json.loads(mark + rest)
    assert (document["status"], document["context"]["retry_after_seconds"]) == (503, 5)
    return begin, mark + rest


def dechunked(data: bytes) -> bytes:
    """Return the body in the chunks of ``data``, which must be complete."""
    at, pieces = 0, []
    while True:
        end = data.index(b"\r\n", at)
        size = int(data[at:end], 16)
        pieces.append(data[end + 2 : end + 2 + size])
        at = end + 2 + size + 2
        assert data[at - 2 : at] == b"\r\n"
        if not size:
            assert at == len(data)
            return b"".join(pieces)

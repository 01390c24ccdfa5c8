"""What forwarding is measured with: an nginx as the upstream, and other proxies in front of it."""

import http.client
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import wiremock
from stubs import make
from subjects import HERE, OURS, Running, Subject

# What the upstream serves: the path, and the size of the large file.
SMALL, LARGE = "/small.json", "/large"
SIZE = 1 << 30

# The environment variable for the path of mitmdump, which needs an environment of its own.
_MITMDUMP = "MITMDUMP"

_API = "/api/oagw/v1"
PROXY = f"{_API}/proxy"
_DOCUMENT = json.dumps({"ok": True, "items": [1, 2, 3]})
_ALIAS = "lab"
_FORWARDED = f"{PROXY}/{_ALIAS}"
_TIMEOUT = 30.0
_PATHS = {"health": "/health", "small": SMALL, "large": LARGE, "ticks": "/ticks"}


def nginx() -> Path | str:
    """Return the program, or why there is none."""
    search = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    found = shutil.which("nginx", path=search)
    return Path(found) if found else "nginx is not installed"


@contextmanager
def upstream(program: Path) -> Iterator[tuple[Running, Subject]]:
    """Run an nginx that serves SMALL and LARGE."""
    with TemporaryDirectory() as folder:
        for path in (SMALL, _PATHS["health"]):
            Path(folder, path[1:]).write_text(_DOCUMENT)
        with Path(folder, LARGE[1:]).open("wb") as file:
            file.truncate(SIZE)  # takes no room on the disk
        subject = _nginx("nginx", program, folder)
        with Running(subject) as running:
            yield running, subject


@contextmanager
def proxy_pass(program: Path, to: int) -> Iterator[tuple[Running, Subject]]:
    """Run an nginx that forwards to the port ``to``."""
    with TemporaryDirectory() as folder:
        subject = _nginx("proxy_pass", program, folder, str(to))
        with Running(subject) as running:
            yield running, subject


@contextmanager
def ours(to: int, query: Iterable[str] = (), ours: Subject = OURS) -> Iterator[tuple[Running, Subject]]:
    """Run our gateway with an upstream at the port ``to``; the parameters in ``query`` pass."""
    paths = {"small": _FORWARDED + SMALL, "large": _FORWARDED + LARGE, "ticks": f"{_FORWARDED}/ticks"}
    with Running(ours) as running:
        with registering(running.port) as register:
            register({"scheme": "http", "host": "127.0.0.1", "port": to}, _ALIAS, query)
        yield running, OURS._replace(paths={**OURS.paths, **paths})


@contextmanager
def registering(port: int) -> Iterator[Callable[..., str]]:
    """Return what registers an upstream with one route on the gateway at ``port``.

    Its arguments are the endpoint, the alias (None: it follows from the endpoint), and the query parameters
    that pass; it returns the alias.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    fields = {"Content-Type": "application/json", "Authorization": "Bearer test-integration-token"}

    def post(path: str, document: object) -> dict[str, str]:
        connection.request("POST", _API + path, json.dumps(document), fields)
        response = connection.getresponse()
        text = response.read()
        if response.status != 201:
            raise RuntimeError(f"{path}: {response.status} {text[:500]!r}")
        created: dict[str, str] = json.loads(text)
        return created

    def register(endpoint: object, alias: str | None = None, query: Iterable[str] = ()) -> str:
        upstream = {"protocol": "http", "server": {"endpoints": [endpoint]}, "alias": alias}
        made = post("/upstreams", upstream)
        route = {"methods": ["GET"], "path": "/", "query_allowlist": [*query]}
        post("/routes", {"upstream_id": made["id"], "match": {"http": route}})
        return made["alias"]

    try:
        yield register
    finally:
        connection.close()


def others(stack: ExitStack, to: int) -> Iterator[tuple[Running, Subject]]:
    """Run mitmproxy and WireMock in front of the port ``to``; say so if one is not installed."""
    program = os.environ.get(_MITMDUMP) or shutil.which("mitmdump")
    if program:
        command = (program, "-q", "--mode", f"reverse:http://127.0.0.1:{to}")
        command += ("--listen-host", "127.0.0.1", "--listen-port")
        subject = Subject("mitmproxy", command, _PATHS)
        yield stack.enter_context(Running(subject)), subject
    else:
        print(f"without mitmproxy: mitmdump is neither on the PATH nor at {_MITMDUMP}", file=sys.stderr)
    found = wiremock.found()
    if isinstance(found, str):
        print(f"without WireMock: {found}", file=sys.stderr)
    else:
        running = stack.enter_context(Running(found))
        stub = {"request": {"urlPath": SMALL}, "response": {"proxyBaseUrl": f"http://127.0.0.1:{to}"}}
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=_TIMEOUT)
        make(connection, stub)
        connection.close()
        yield running, found._replace(paths=_PATHS)


def _nginx(name: str, program: Path, *arguments: str) -> Subject:
    return Subject(name, (sys.executable, str(HERE / "peers" / "nginx.py"), str(program), *arguments), _PATHS)

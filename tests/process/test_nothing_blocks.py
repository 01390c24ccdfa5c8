"""No input blocks the others: a caller of /health and a reader of a stream measure how long they wait.

Each server holds a full journal. Every slow body and every operation of the control plane then runs alone,
and ten times pipelined on one connection; or twice, if it takes long. ``pytest -s`` prints the longest
waits; ``benchmarks/README.md`` has them.
"""

import gzip
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import pytest
from launched import PATIENCE, TOKEN, Launched

pytestmark = pytest.mark.alone

# Seconds that an input may delay others, and that much again for each MiB of its body above the first.
LIMIT = 0.1
MIB = 1 << 20

# Seconds between two events of the stream, and between two calls of /health.
PACE = 0.05
PAUSE = 0.005

# The machine, too, may delay others: an input is to blame if it does so every time, and by more than on a
# machine of half the speed.
TRIES = 4
SLACK = 2

# How often an input is pipelined. Twice is enough for one that takes longer than it may delay others: two
# that ran without a pause would delay them far too long.
PIPELINED = 10
PIPELINED_LONG = 2

PROXY = "/api/oagw/v1/proxy"
FORM = "Content-Type: application/x-www-form-urlencoded"
JSON = "Content-Type: application/json"


class Input(NamedTuple):
    """A request, and the path and document of a stub for it, if it needs one."""

    name: str
    method: str
    path: str
    body: bytes = b""
    fields: tuple[str, ...] = ()
    stubs: tuple[dict[str, Any], ...] = ()
    token: str = TOKEN

    @property
    def limit(self) -> float:
        return LIMIT * max(1.0, self.allowance / MIB)

    @property
    def allowance(self) -> int:
        return len(self.body) + sum(map(len, self.fields))

    def bytes(self, last: bool) -> bytes:
        fields = [
            "Host: localhost",
            f"Authorization: Bearer {self.token}",
            f"Content-Length: {len(self.body)}",
            *self.fields,
            *(["Connection: close"] if last else []),
        ]
        head = "\r\n".join([f"{self.method} {self.path} HTTP/1.1", *fields, "", ""])
        return head.encode("latin-1") + self.body


def dumped(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def services() -> Iterator[Input]:
    """What a mock upstream has to read."""

    def chat(name: str, body: bytes, *fields: str) -> Input:
        return Input(f"chat: {name}", "POST", f"{PROXY}/openai/v1/chat/completions", body, (JSON, *fields))

    def hello(**members: Any) -> bytes:
        return dumped({"model": "gpt-4", "messages": [{"role": "user", "content": "hello"}], **members})

    def schema(schema: Any) -> bytes:
        return hello(response_format={"type": "json_schema", "json_schema": {"name": "s", "schema": schema}})

    yield chat("10 MB of text", hello(messages=[{"role": "user", "content": "word " * 2_000_000}]))
    yield chat("100,000 messages", hello(messages=[{"role": "user", "content": "a"}] * 100_000))
    yield chat("1 MB of numbers", hello(user="a", x=[0])[:-2] + b"1.5e300," * (MIB // 8) + b"1]}")
    yield chat("1 MB of long numbers", hello(x=[0])[:-2] + (b"0." + b"7" * 700 + b"e-300,") * 1_400 + b"1]}")
    yield chat("a million digits", hello(seed=0)[:-2] + b"9" * 1_000_000 + b"}")
    yield chat("a million arrays", b"[" * 500_000 + b"]" * 500_000)
    yield chat("a million members", b"{" + b",".join(b'"%d":1' % n for n in range(90_000)) + b"}")
    yield chat("a million escapes", hello(messages=[{"role": "user", "content": "\u20ac" * 170_000}]))
    yield chat("128 choices of 500 words", hello(n=128, metadata={"mock_tokens": "500"}))
    wide = {f"p{n}": {"type": "string", "pattern": "^(a|b)*$"} for n in range(2_000)}
    yield chat("a wide schema", schema({"type": "object", "properties": wide}))
    doubling = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
    yield chat("a doubling schema", schema({"$ref": "#/$defs/d0", "$defs": {**doubling, "d40": {}}}))
    nested: Any = {"type": "string"}
    for _ in range(200):
        nested = {"type": "object", "properties": {"a": nested}, "required": ["a"]}
    yield chat("a deep schema", schema(nested))
    yield chat("a schema of repetitions", schema({"type": "string", "pattern": "(((a{9}){9}){9}){9}"}))
    enum = {"enum": [f"value {n}" for n in range(50_000)]}
    yield chat("a long enum", schema({"type": "object", "properties": {"a": enum}, "required": ["a"]}))
    yield chat("a gzip bomb", gzip.compress(bytes(64 * MIB)), "Content-Encoding: gzip")
    yield chat("1 MB deflated", gzip.compress(hello(x="word " * 200_000)), "Content-Encoding: gzip")
    embeddings = dumped({"model": "text-embedding-3-large", "input": ["word"] * 64})
    yield Input("embeddings: 64 texts", "POST", f"{PROXY}/openai/v1/embeddings", embeddings, (JSON,))
    long = dumped({"model": "gpt-3.5-turbo-instruct", "prompt": ["a b c"] * 100, "n": 10, "best_of": 10})
    yield Input("completions: 1,000", "POST", f"{PROXY}/openai/v1/completions", long, (JSON,))
    huge = b'{"operation":"multiply","a":%b,"b":%b}' % ((b"9" * 500_000,) * 2)
    yield Input("calculator: a million digits", "POST", f"{PROXY}/calculator/calculate", huge, (JSON,))
    thousands = b'{"operation":"multiply","a":%b,"b":%b}' % ((b"9" * 4_000,) * 2)
    yield Input("calculator: 4,000 digits", "POST", f"{PROXY}/calculator/calculate", thousands, (JSON,))
    yield Input("weather: a long query", "GET", f"{PROXY}/weather/current?city=a{'&a=b' * 3_500}")
    many = f"{PROXY}/stream-test/events?count=1000&interval=0&size=1000"
    yield Input("stream: 1,000 events at once", "GET", many)
    yield Input("16 MB to an unknown path", "POST", "/nowhere", bytes(16 * MIB))


def stubbed() -> Iterator[Input]:
    """What stubs have to match, or to render."""

    def against(name: str, pattern: dict[str, Any], body: bytes, *fields: str, count: int = 300) -> Input:
        """``count`` stubs, none of which matches."""
        stub = {"request": {"method": "POST", "urlPath": "/blocks", **pattern}}
        return Input(f"stubs: {name}", "POST", "/blocks", body, fields, (stub,) * count)

    def of_body(operator: Any) -> dict[str, Any]:
        return {"bodyPatterns": [operator]}

    text = b"The quick brown fox. " * 500_000
    yield against("contains, 10 MB", of_body({"contains": "The quick brown dog"}), text)
    yield against("equalTo, 10 MB", of_body({"equalTo": "x", "caseInsensitive": True}), text)
    yield against("matches, 10 MB", of_body({"matches": "(?i).*quick.*dog.*"}), text)
    yield against("backtracking", of_body({"matches": "(a|aa|aaa)+b"}), b"a" * 5_000)
    yield against("binaryEqualTo", of_body({"binaryEqualTo": "AAAA"}), text)
    array = dumped([{"a": n, "b": str(n)} for n in range(30_000)])
    yield against("equalToJson", of_body({"equalToJson": {"a": 1}, "ignoreArrayOrder": True}), array)
    shuffled = {"equalToJson": list(range(400)), "ignoreArrayOrder": True}
    yield against("array order", of_body(shuffled), dumped(list(range(500, 100, -1))))
    yield against("matchesJsonPath", of_body({"matchesJsonPath": "$..[?(@.c > 1)]"}), array)
    yield against("matchesJsonPath of text", of_body({"matchesJsonPath": "$..x"}), text)
    schema = {"type": "array", "items": {"type": "object", "required": ["c"]}}
    yield against("matchesJsonSchema", of_body({"matchesJsonSchema": schema}), array)
    recursive = {
        "$ref": "#/$defs/n",
        "$defs": {"n": {"items": {"anyOf": [{"$ref": "#/$defs/n"}, {"$ref": "#/$defs/n"}]}, "type": "array"}},
    }
    deep = b"[" * 60 + b"1" + b"]" * 60
    yield against("a recursive schema", of_body({"matchesJsonSchema": recursive}), deep, count=1)
    unique = {"type": "array", "uniqueItems": True}
    objects = dumped([{"a": {"b": n}} for n in range(60_000)])
    yield against("uniqueItems", of_body({"matchesJsonSchema": unique}), objects, count=10)
    fields = b"&".join(b"k%d=v%d" % (n, n) for n in range(800_000))
    yield against("form, 12 MB", {"formParameters": {"x": {"equalTo": "a"}}}, fields, FORM)
    yield against("form of escapes", {"formParameters": {"x": {"contains": "a"}}}, b"k=%20" * 200_000, FORM)
    yield against("dates", of_body({"before": "now +3 days"}), text[:MIB])
    yield against("gzip", of_body({"contains": "x"}), gzip.compress(text), "Content-Encoding: gzip")
    cookie = "Cookie: " + "; ".join(f"c{n}=v" for n in range(1_600))
    yield against("cookies", {"cookies": {"x": {"contains": "a"}}}, b"", cookie)
    headers = [f"X-A: {n}" for n in range(400)]
    yield against("headers", {"headers": {"X-A": {"matches": "(9+)+x"}}}, b"", *headers)
    alone = {"request": {"urlPath": "/blocks"}}
    for name, template in {
        "the body": "{{request.body}}",
        "ten times the body": "{{#each request.headers}}{{request.body}}{{/each}}",
        "a range": "{{#each (range 1 100000)}}{{this}}{{#each (range 1 100000)}}a{{/each}}{{/each}}",
        "a path": "{{jsonPath request.body '$..a'}}",
        "random text": "{{randomValue length=1000000}}",
    }.items():
        response = {"body": template, "transformers": ["response-template"]}
        body = array if name == "a path" else text[: 4 * MIB]
        yield Input(f"template: {name}", "POST", "/blocks", body, (), ({**alone, "response": response},))


def admin(operation: str, value: Any = None, **path: str) -> Input:
    method, _, rest = operation.partition(" ")
    body = value if isinstance(value, bytes) else b"" if value is None else dumped(value)
    return Input(operation, method, "/__admin" + rest.format(**path), body)


def listings() -> Iterator[Input]:
    """Every operation of the control plane that lists or searches, and leaves the journal as it is."""
    nothing = {"urlPath": "/none", "bodyPatterns": [{"contains": "none"}]}
    everything = {"bodyPatterns": [{"doesNotContain": "none"}]}
    for operation in (
        *("GET /", "GET /mappings", "GET /mappings/unmatched", "GET /sandboxes", "GET /scenarios"),
        *("GET /toxics", "GET /requests", "GET /requests/unmatched", "GET /report"),
    ):
        yield admin(operation)
    yield admin("GET /report?retryDue=true&streamsCancelled=true&format=text")
    patterns = ",".join("*" * count for count in range(1, 88))
    yield admin(f"GET /exam?only={patterns}")._replace(name="GET /exam")
    yield admin("POST /requests/count", everything)
    yield admin("POST /requests/find", everything)
    yield admin("POST /requests/remove", nothing)
    yield admin("POST /verify", {"request": everything, "after": everything})
    yield admin("POST /verify", {"request": nothing})._replace(name="POST /verify: nothing like it")
    yield admin("POST /near-misses/request", {"url": "/none"})
    yield admin("POST /near-misses/request-pattern", nothing)
    metadata = {"matchesJsonPath": "$.none"}
    yield admin("POST /mappings/find-by-metadata", metadata)
    yield admin("POST /mappings/remove-by-metadata", metadata)
    yield admin("POST /requests/remove-by-metadata", metadata)
    stubs = [{"request": {"url": f"/none/{n}"}} for n in range(300)]
    yield admin("GET /requests/unmatched/near-misses")._replace(stubs=tuple(stubs))
    yield admin("DELETE /mappings/unmatched")


def documents() -> Iterator[Input]:
    """Every other operation of the control plane."""
    stub = {"request": {"urlPath": "/a"}, "response": {"body": "b" * 100}}
    id = "00000000-0000-0000-0000-00000000000a"
    yield admin("POST /clock/advance", {"seconds": 1})
    yield admin("GET /clock")
    yield admin("GET /health")
    yield admin("GET /version")
    yield admin("GET /openapi.json")
    yield admin("GET /settings")
    yield admin("POST /settings", {"fixedDelay": 0})
    yield admin("PUT /settings", {"fixedDelay": 0})
    yield admin("POST /mappings", {**stub, "response": {"body": "b" * 10_000_000}})
    doubled = {f"d{n}": {"$anchor": f"d{n}", "anyOf": [{"$ref": f"#d{n + 1}"}] * 2} for n in range(40)}
    chain = {"$ref": "#d0", "$defs": {**doubled, "d40": {"$anchor": "d40", "type": "string"}}}
    pattern = {"bodyPatterns": [{"matchesJsonSchema": chain}]}
    yield admin("POST /mappings", {"request": pattern})._replace(name="POST /mappings: a doubling schema")
    repeated = {"request": {"urlPattern": "(((((a{99}){99}){99}){99}){99})"}}
    yield admin("POST /mappings", repeated)._replace(name="POST /mappings: repetitions")
    template = {"body": "{{#if a}}" * 100_000, "transformers": ["response-template"]}
    yield admin("POST /mappings", {"response": template})._replace(name="POST /mappings: a template")
    operators = {"request": {"host": {"and": [{"matches": f"a{n}"} for n in range(499)]}}}
    yield admin("POST /mappings", operators)._replace(name="POST /mappings: 499 expressions")
    yield admin("PUT /mappings/{id}", {**stub, "id": id}, id=id)
    yield admin("GET /mappings/{id}", id=id)
    yield admin("DELETE /mappings/{id}", id=id)
    several = [{**stub, "request": {"urlPath": f"/{n}"}} for n in range(8_000)]
    yield admin("POST /mappings/import", {"mappings": several})
    named = [{**stub, "metadata": {"n": n}} for n in range(5_000)]
    yield admin("POST /mappings/import", {"mappings": named})._replace(name="POST /mappings/import: one URL")
    yield admin("POST /mappings/reset")
    yield admin("DELETE /mappings")
    yield admin("POST /reset")
    yield admin("POST /requests/reset")
    yield admin("DELETE /requests")
    yield admin("GET /requests/{id}", id="{request}")
    yield admin("DELETE /requests/{id}", id="{request}")
    yield admin("POST /sandboxes", {})
    yield admin("GET /sandboxes/{id}", id="none")
    yield admin("DELETE /sandboxes/{id}", id="none")
    yield admin("POST /scenarios/reset")
    yield admin("PUT /scenarios/{name}/state", {"state": "b"}, name="a")
    yield admin("GET /exam/{name}", name="retry-after-zero")
    yield admin("POST /exam/{name}", name="retry-after-zero")
    yield admin("POST /exam/{name}/{id}", {"reports": []}, name="retry-after-zero", id="none")
    yield admin("POST /toxics", {"name": "t", "type": "latency", "attributes": {"latency": 1}, "alias": "x"})
    yield admin("GET /toxics/{name}", name="t")
    yield admin("POST /toxics/{name}", {"attributes": {"latency": 2}}, name="t")
    yield admin("PATCH /toxics/{name}", {"attributes": {"latency": 2}}, name="t")
    yield admin("DELETE /toxics/{name}", name="t")
    yield admin("DELETE /toxics")
    yield admin("POST /mappings", b"[" * 5_000_000)._replace(name="a document of brackets")
    yield admin("POST /mappings", b"{" + b'"a":1,' * 1_000_000)._replace(name="a document of members")
    yield admin("POST /mappings", b'{"priority": 1%b}' % (b"0" * MIB))._replace(name="a document of digits")
    numbers = b'{"metadata": {"a": [%b1]}}' % (b"1.5e300," * (MIB // 8))
    yield admin("POST /mappings", numbers)._replace(name="a document of numbers")


# Ends the server.
SHUTDOWN = "POST /shutdown"


def small() -> Iterator[bytes]:
    yield Input("", "GET", "/health").bytes(last=False) * 10_000


def binary() -> Iterator[bytes]:
    for _ in range(70):
        yield Input("", "POST", "/nowhere", os.urandom(MIB)).bytes(last=False)


def forms() -> Iterator[bytes]:
    form = b"&".join(b"k%d=v%d" % (n, n) for n in range(90_000))[:MIB]
    for _ in range(70):
        yield Input("", "POST", "/nowhere", form, (FORM,)).bytes(last=False)


JOURNALS = {"small entries": small, "1 MB binary bodies": binary, "1 MB forms": forms}


class Watch:
    """A caller of /health and a reader of a stream, and the longest that each has waited since ``begin``."""

    def __init__(self, server: Launched) -> None:
        self._server = server
        self._over = threading.Event()
        self._threads = [threading.Thread(target=run) for run in (self._call, self._read)]
        self._called = self._due = time.monotonic()
        self._calls = 0
        self.health = self.stream = 0.0

    def __enter__(self) -> "Watch":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def begin(self) -> None:
        self.health = self.stream = 0.0

    def longest(self) -> float:
        """Seconds: also of what is being waited for."""
        calls, deadline = self._calls, time.monotonic() + PATIENCE
        while self._calls < calls + 2 and time.monotonic() < deadline:
            time.sleep(PAUSE)  # until a call is answered that was made after this
        return max(self.health, self.stream, time.monotonic() - self._due)

    def _call(self) -> None:
        request = Input("", "GET", "/health").bytes(last=False)
        with self._server.connect(60) as connection:
            while not self._over.wait(PAUSE):
                start = time.monotonic()
                connection.sendall(request)
                received = b""
                while not received.partition(b"\r\n\r\n")[2]:
                    piece = connection.recv(65536)
                    if not piece:
                        return  # longest() waits in vain, and says so
                    received += piece
                self.health = max(self.health, time.monotonic() - start)
                self._calls += 1

    def _read(self) -> None:
        path = f"{PROXY}/stream-test/events?count=100000&interval={PACE}"
        with self._server.connect(60) as connection:
            connection.sendall(Input("", "GET", path).bytes(last=False))
            self._due = time.monotonic() + 1.0
            while not self._over.is_set() and (piece := connection.recv(65536)):
                now = time.monotonic()
                if b"data:" in piece:
                    self.stream = max(self.stream, now - self._due)
                    self._due = now + PACE


def send(server: Launched, data: bytes) -> bytes:
    """Send ``data`` while reading; returns the end of what comes until the server closes the connection."""
    with server.connect(60) as connection:
        writer = threading.Thread(target=_write, args=(connection, data))
        writer.start()
        tail = b""
        with suppress(ConnectionError):  # it did not want to read the rest
            while piece := connection.recv(MIB):
                tail = (tail + piece)[-65536:]
        writer.join(PATIENCE)
    return tail


def _write(connection: socket.socket, data: bytes) -> None:
    with suppress(OSError):  # the answer says why
        connection.sendall(data)


def ask(server: Launched, method: str, path: str, value: Any = None) -> Any:
    status, body = server.ask(method, "/__admin" + path, None if value is None else dumped(value))
    assert status in (200, 201), body
    return json.loads(body)


def bodies() -> Iterator[Input]:
    """What has nothing to do with what the journal holds."""
    yield from services()
    yield from stubbed()


@pytest.mark.parametrize(
    ("journal", "inputs"),
    [
        ("small entries", bodies),
        *((journal, inputs) for journal in JOURNALS for inputs in (listings, documents)),
    ],
)
def test_no_input_blocks_the_others(journal: str, inputs: Callable[[], Iterable[Input]]) -> None:
    waits: list[tuple[float, float, str]] = []
    with Launched("0", "--seed", "1", "--clock", "real") as server:
        for piece in JOURNALS[journal]():
            last = Input("", "GET", "/health").bytes(last=True)
            send(server, piece + last)
        with Watch(server) as watch:
            watch.longest()
            for one in inputs():
                waits += waited(server, watch, one)
        assert server.stop() == 0
        assert "Traceback" not in server.said()
    waits.sort(reverse=True)
    for wait, limit, name in waits[:10]:
        print(f"{journal}: {wait * 1000:.0f} ms of {limit * 1000:.0f}: {name}")
    assert [f"{name}: {wait:.3f} s" for wait, limit, name in waits if wait > SLACK * limit] == []


def waited(server: Launched, watch: Watch, one: Input) -> Iterator[tuple[float, float, str]]:
    """How long others wait for ``one``, alone and pipelined, each with the limit and a name."""
    if one.stubs:
        ask(server, "POST", "/mappings/import", {"mappings": one.stubs})
    if "{request}" in one.path:
        (newest,) = ask(server, "GET", "/requests?limit=1")["requests"]
        one = one._replace(path=one.path.replace("{request}", newest["id"]))
    took = 0.0
    for pipelined in (False, True):
        count = 1 if not pipelined else PIPELINED_LONG if took > 2 * SLACK * one.limit else PIPELINED
        data = one.bytes(last=False) * (count - 1) + one.bytes(last=True)
        wait = float("inf")
        for _ in range(TRIES):
            watch.begin()
            started = time.monotonic()
            answer = send(server, data)
            took = time.monotonic() - started
            assert b"HTTP/1.1 5" not in answer, (one.name, answer)
            wait = min(wait, watch.longest())
            if wait <= SLACK * one.limit:
                break
        yield wait, one.limit, f"{one.name}, {count} x" if count > 1 else one.name
    if one.stubs:
        ask(server, "DELETE", "/mappings")


def test_each_operation_of_the_control_plane_is_among_the_inputs() -> None:
    with Launched("0") as server:
        paths = ask(server, "GET", "/openapi.json")["paths"]
    operations = {
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method in methods
        if method in ("get", "post", "put", "patch", "delete")
    }
    tried = {one.name for one in (*listings(), *documents())}
    assert operations - tried == {SHUTDOWN}

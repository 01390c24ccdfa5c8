"""--seed: what is random depends on the seed, the sandbox, the rule and the number of the answer alone.

By hand, with another number of interleavings: ``python -m tests.wire.test_seeds 1000``.
"""

import gc
import json
import re
import sys
from collections.abc import Iterator
from hashlib import sha256
from random import Random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from oagw.config import Config
from tests.support.wire import Connection, Wire, request
from tests.support.wire_case import WireTestCase

PROXY = "/oagw/v1/proxy"
STUB = f"{PROXY}/stripe/random"
CHAT = f"{PROXY}/openai/v1/chat/completions"

# Sandbox, rule, number of the answer, its status, and a hash of what was received of its body.
Line = tuple[str, str, int, int, str]

RANDOM_STUB = {
    "request": {"urlPath": STUB},
    "response": {
        "body": "{{randomValue length=20}} {{randomInt}} {{pickRandom 'a' 'b' 'c'}}",
        "transformers": ["response-template"],
        "delayDistribution": {"type": "uniform", "lower": 0, "upper": 20},
    },
}
TOXICS = (
    {"type": "limit_data", "name": "cut", "attributes": {"bytes": 200}, "toxicity": 0.5, "alias": "weather"},
    {"type": "slicer", "attributes": {"average_size": 90, "size_variation": 80, "delay": 500}},
    {"type": "latency", "alias": "stripe", "attributes": {"latency": 20, "jitter": 20}, "toxicity": 0.7},
    {"type": "reset_peer", "alias": "stripe", "toxicity": 0.2, "skip": 1, "times": 2},
)
FAULT = "X-OAGW-Mock-Fault: timeout; timeout=1; toxicity=0.5"
HELLO = {"model": "gpt-4", "messages": [{"role": "user", "content": "hello"}]}


class Client:
    """A client with a sandbox of its own, which it makes; it sends its requests one after the other."""

    def __init__(self, wire: Wire, name: str) -> None:
        self.wire = wire
        self.name = name
        self.lines: list[Line] = []
        self._steps = self._script()
        self._counts: dict[str, int] = {}
        self._connection: Connection | None = None
        self._received = b""
        self._rule = ""

    def step(self) -> bool:
        """Send the next request, or receive more of the answer; whether there is anything left to do."""
        if self._connection is not None:
            self._receive(self._connection)
            return True
        return next(self._steps, None) is not None

    def _script(self) -> Iterator[bool]:
        created = self.wire._admin("POST", "/sandboxes", {"name": self.name}).json()
        token = created["token"]
        yield True
        for path, document in (("/mappings", RANDOM_STUB), *(("/toxics", toxic) for toxic in TOXICS)):
            made = self.wire._admin("POST", path, document, token=token)
            assert made.status in (200, 201), made
            yield True
        calls: list[tuple[str, str, Any, tuple[str, ...]]] = [
            ("weather", f"{PROXY}/weather/current?city=Oslo", None, ()),
            ("stub", STUB, None, ()),
            ("chat", CHAT, HELLO, ()),
            ("nobody", f"{PROXY}/nobody/x", None, ()),
            ("jitter", f"{PROXY}/stream-test/events?count=3&interval=0.02&jitter=0.01", None, ()),
            ("fault", f"{PROXY}/calculator/add", None, (FAULT,)),
        ]
        for rule, path, document, fields in calls * 4:
            self._send(rule, path, document, (f"Authorization: Bearer {token}", *fields))
            yield True
            if rule == "stub":  # a test polls the control plane as often as it likes
                self.wire._admin("GET", "/requests?limit=1", token=token)

    def _send(self, rule: str, path: str, document: Any, fields: tuple[str, ...]) -> None:
        self._rule, self._received = rule, b""
        self._connection = self.wire.connect()
        body = b"" if document is None else json.dumps(document).encode()
        method = "POST" if body else "GET"
        head = request(
            f"{method} {path} HTTP/1.1",
            "Host: gateway",
            *fields,
            *([f"Content-Length: {len(body)}", "Content-Type: application/json"] if body else []),
        )
        self._receive(self._connection, head + body)

    def _receive(self, connection: Connection, sent: bytes = b"") -> None:
        self._received += connection.send(sent) if sent else connection.take()
        transport = connection.transport
        if connection.protocol.requests and not transport.disconnecting and not transport.disconnected:
            return
        self._connection = None
        connection.leave()
        k = self._counts[self._rule] = self._counts.get(self._rule, 0) + 1
        found = re.match(rb"HTTP/1.1 (\d+)", self._received)
        # The time is not random, but it depends on how long the other clients take.
        received = re.sub(rb'"created":\d+', b"", self._received.partition(b"\r\n\r\n")[2])
        hash = sha256(received).hexdigest()
        self.lines.append((self.name, self._rule, k, int(found[1]) if found else 0, hash))


def digest(seed: int, interleaving: int, names: str = "abcdefgh") -> list[Line]:
    """What clients with these names got from a server with ``seed``, in a random order of their steps."""
    # To collect garbage may take longer than the time budget of the hint in a 404, which then says less.
    gc.collect()
    gc.disable()
    try:
        return _digest(seed, interleaving, names)
    finally:
        gc.enable()


def _digest(seed: int, interleaving: int, names: str) -> list[Line]:
    wire, order = Wire(Config(seed=seed)), Random(interleaving)
    clients = [Client(wire, name) for name in names]
    order.shuffle(clients)
    busy = list(clients)
    while busy:
        client = order.choice(busy)
        if not client.step():
            busy.remove(client)
        if order.random() < 0.5:
            wire.clock.advance(order.choice((0, 0.001, 0.01)))
    for sandbox in wire.gateway.sandboxes:
        wire._admin("DELETE", f"/sandboxes/{sandbox.id}")
    return sorted(line for client in clients for line in client.lines)


class DigestTests(SynchronousTestCase):
    def test_eight_clients_get_the_same_however_their_requests_are_interleaved(self) -> None:
        first = digest(1, 0)
        self.assertEqual(len(first), 8 * 24)
        for interleaving in range(1, 4):
            self.assertEqual(digest(1, interleaving), first)

    def test_a_client_gets_the_same_alone(self) -> None:
        for name in "ab":
            alone = digest(1, 5, name)
            self.assertEqual(alone, [line for line in digest(1, 6, "abc") if line[0] == name])

    def test_the_seed_and_the_name_make_a_difference(self) -> None:
        def without_name(lines: list[Line]) -> list[tuple[object, ...]]:
            return [line[1:] for line in lines if line[1] in ("stub", "chat", "nobody")]

        first = digest(1, 0, "a")
        self.assertNotEqual(digest(2, 0, "a"), first)
        self.assertNotEqual(without_name(digest(1, 0, "b")), without_name(first))

    def test_toxicity_strikes_some_and_spares_some(self) -> None:
        lines = digest(1, 0)
        for rule in ("weather", "stub", "fault"):
            statuses = {(status, hash) for _, of, _, status, hash in lines if of == rule}
            self.assertGreater(len(statuses), 1, rule)


class NameTests(WireTestCase):
    def tearDown(self) -> None:
        for sandbox in self.wire.gateway.sandboxes:
            self.wire.admin("DELETE", f"/sandboxes/{sandbox.id}")
        super().tearDown()

    def create(self, **members: Any) -> Any:
        answer = self.wire.admin("POST", "/sandboxes", members)
        self.assertEqual(answer.status, 201, answer.body)
        return answer.json()

    def test_a_sandbox_has_the_name_that_it_is_given(self) -> None:
        made = self.create(name="a test")
        self.assertEqual(made["name"], "a test")
        (listed,) = self.wire.admin("GET", "/sandboxes").json()["sandboxes"]
        self.assertEqual((listed["id"], listed["name"]), (made["id"], "a test"))
        self.assertNotIn("name", self.create())

    def test_a_name_is_there_once_among_those_that_live(self) -> None:
        first = self.create(name="a")
        self.create(name="A")
        again = self.wire.admin("POST", "/sandboxes", {"name": "a"})
        self.assertEqual(again.status, 409)
        self.assertIn("has this name", again.json()["errors"][0]["detail"])
        self.wire.admin("DELETE", f"/sandboxes/{first['id']}")
        self.assertNotEqual(self.create(name="a")["token"], first["token"])

    def test_a_name_is_free_when_its_sandbox_has_expired(self) -> None:
        self.create(name="a", expiresAfterSeconds=5)
        self.wire.clock.advance(4.9)
        self.assertEqual(self.wire.admin("POST", "/sandboxes", {"name": "a"}).status, 409)
        self.wire.clock.advance(0.1)
        self.create(name="a")

    def test_what_is_no_name_is_refused(self) -> None:
        for name in ("", "x" * 201, 1, None):
            answer = self.wire.admin("POST", "/sandboxes", {"name": name})
            self.assertEqual(answer.status, 422, name)
            self.assertEqual(answer.json()["errors"][0]["source"]["pointer"], "/name")

    def test_ids_of_stubs_and_of_requests_depend_on_the_name(self) -> None:
        def ids(wire: Wire, name: str) -> tuple[str, list[str]]:
            token = wire.admin("POST", "/sandboxes", {"name": name}).json()["token"]
            stub = wire.admin("POST", "/mappings", {"request": {}, "response": {}}, token=token).json()["id"]
            answers = [wire.ask("GET", STUB, token=token) for _ in range(2)]
            return stub, [answer.headers["x-request-id"][0] for answer in answers]

        wires = [Wire(Config(seed=1)), Wire(Config(seed=1))]
        first, second = [ids(wires[0], name) for name in "ab"], [ids(wires[1], name) for name in "ba"]
        self.assertEqual(first, second[::-1])
        self.assertEqual(len({id for stub, requests in first for id in (stub, *requests)}), 6)


def main(runs: int) -> None:
    """Compare the digests of so many interleavings."""
    first, different = digest(1, 0), 0
    for interleaving in range(1, runs):
        lines = digest(1, interleaving)
        if lines != first:
            different += 1
            print(interleaving, [pair for pair in zip(first, lines, strict=True) if pair[0] != pair[1]])
    print(f"{runs} interleavings, {different} of them different")


if __name__ == "__main__":
    main(int(sys.argv[1]))

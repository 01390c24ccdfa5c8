"""InMemoryGateway: the gateway and clients on Twisted in memory; the test advances the time."""

import time
from collections.abc import Coroutine, Mapping, Sequence
from http.client import HTTPResponse
from io import BytesIO
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ClientFactory, Protocol, connectionDone
from twisted.internet.task import Cooperator
from twisted.python.failure import Failure
from twisted.web.client import Agent, FileBodyProducer
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer, IResponse
from zope.interface import implementer

from oagw.app import Gateway
from oagw.client.exchange import Answer
from oagw.client.mock_gateway import TOKEN, RunningGateway
from oagw.config import ConfigError, parse_args
from oagw.in_memory.reactor import PumpedReactor

T = TypeVar("T")

# The largest number of seconds until a call of the control plane is answered.
_PATIENCE = 60.0

_HOUR = 3600.0


class InMemoryGateway(RunningGateway):
    """A gateway in memory: the real one, without socket, process or waiting. For clients on Twisted.

    It has the methods of ``MockGateway``: ``stub``, ``toxic``, ``verify``, ``sandbox``, ``report`` and so on.
    The client under test gets the gateway's ``reactor``, or an ``agent()``:

    >>> from twisted.web.http_headers import Headers
    >>> gateway = InMemoryGateway()
    >>> stub = gateway.stub("GET stripe/v1/charges", status=402, delay=30)
    >>> async def charges(agent):
    ...     url = gateway.alias_url("stripe").encode() + b"/v1/charges"
    ...     headers = Headers({"Authorization": [f"Bearer {gateway.token}"]})
    ...     response = await agent.request(b"GET", url, headers)
    ...     return response.code
    >>> gateway.run(charges(gateway.agent()))
    402
    >>> gateway.reactor.seconds()
    30.0
    >>> gateway.verify("GET stripe/v1/charges", times=1)
    1

    *Time* begins at 0 and passes only in ``advance`` and ``run``, and while a call of the control plane waits
    (``verify`` with ``within``). Each call, stream, toxic and time-out then happens at its own time.
    Dates begin now.

    *Connections* behave as TCP does. A reset is a ConnectionAborted for the client, which is a
    ConnectionLost; a cut response is a ConnectionDone. Data arrives in order, and as fast as the client
    reads: what it does not read makes the gateway pause.

    ``options`` are command-line options of ``server.py``; ``--clock`` is not allowed. Raises ValueError
    if one is invalid.
    """

    def __init__(self, *, token: str = TOKEN, options: Sequence[str] = ()) -> None:
        try:
            config = parse_args([f"--token={token}", *options], "InMemoryGateway")
        except ConfigError as error:
            raise ValueError(str(error)) from None
        if config.clock != "real":
            raise ValueError("--clock: the clock is always moved by the test; use advance()")
        super().__init__(f"http://127.0.0.1:{config.port}", token, config.admin_token)
        self.reactor = PumpedReactor()
        self._port = config.port
        start = int(time.time())
        self._gateway = Gateway(
            config, self.reactor, wall=lambda: start + self.reactor.seconds(), by_hand=True
        )
        if config.mappings is not None:
            self._gateway.load_mappings()
        self.reactor.listenTCP(config.port, self._gateway.site)

    def agent(self, **options: Any) -> IAgent:
        """Return an Agent that reaches the gateway, with further ``options`` of Agent, such as ``pool``.

        Its ``request`` also pumps, so that an immediate response has arrived when it returns. A client
        that makes an Agent of its own gets ``reactor``; call ``pump`` after its requests.
        """
        return _PumpingAgent(Agent(self.reactor, **options), self.reactor)

    def pump(self) -> None:
        """Run the calls that are due and transfer data, until nothing is left to do. Time does not pass."""
        self.reactor.pump()

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass. Events that become due on the way happen in order, each at its time."""
        self.reactor.advance(seconds)

    def advance_until_idle(self, limit: float | None = None) -> None:
        """Let time pass until no answer waits for a time to come, by at most ``limit`` seconds.

        The default is an hour. Raises TimeoutError if answers are still pending then.
        """
        target = self.reactor.seconds() + (_HOUR if limit is None else limit)
        while (clock := self.admin("GET", "/clock"))["pending"]:
            if not self.reactor.step(target):
                self.advance(target - self.reactor.seconds())
                raise TimeoutError(f"{clock['pending']} answers are still pending")

    def wait_pending(self, count: int = 1, within: float = 0.0) -> None:
        """Check that at least ``count`` answers wait for a time to come. Raises TimeoutError if not.

        There is nothing to wait for: requests are never on their way.
        """
        self.pump()
        if (pending := self.admin("GET", "/clock")["pending"]) < count:
            raise TimeoutError(f"{pending} answers are pending, not {count}")

    def run(self, awaitable: "Deferred[T] | Coroutine[Any, Any, T]", seconds: float = 60.0) -> T:
        """Return the result of a Deferred or coroutine. Time passes until it is there: at most ``seconds``.

        Raises its exception if it fails, and TimeoutError if it takes longer or would never end.
        """
        results: list[Any] = []
        waiting: Deferred[Any] = (
            awaitable if isinstance(awaitable, Deferred) else Deferred.fromCoroutine(awaitable)
        )
        waiting.addBoth(results.append)
        target = self.reactor.seconds() + seconds
        self.pump()
        while not results:
            if not self.reactor.step(target):
                waiting.addErrback(lambda _: None)
                waiting.cancel()
                raise TimeoutError(f"no result after {seconds:g} seconds of the clock")
        if isinstance(results[0], Failure):
            results[0].raiseException()
        result: T = results[0]
        return result

    def stop(self) -> None:
        """Close all connections, and refuse new ones. A test need not do so: nothing outlives it."""
        self.reactor.tcpServers.clear()
        self._gateway.stop()
        self.advance(1)

    def _exchange(self, method: str, path: str, headers: Mapping[str, str], body: str | None) -> Answer:
        data = (body or "").encode()
        fields = {
            "Host": f"127.0.0.1:{self._port}",
            "Connection": "close",
            "Content-Length": str(len(data)),
            **headers,
        }
        head = "\r\n".join(f"{name}: {value}" for name, value in fields.items())
        call = _ControlCall(f"{method} {path} HTTP/1.1\r\n{head}\r\n\r\n".encode() + data)
        self.reactor.connectTCP("127.0.0.1", self._port, _Once(call))
        try:
            received = self.run(call.received, _PATIENCE)
        except TimeoutError as error:
            raise ConnectionError(f"No answer from {self.base_url}{path}: {error}") from None
        answer = HTTPResponse(_Received(received))  # type: ignore[arg-type]
        answer.begin()
        return Answer(answer.status, answer.headers.get_all("X-OAGW-Warning", []), answer.read())


@implementer(IAgent)
class _PumpingAgent:
    """An agent that pumps its reactor after each request."""

    def __init__(self, agent: IAgent, reactor: PumpedReactor) -> None:
        self._agent = agent
        self._reactor = reactor
        self._cooperator = Cooperator(scheduler=lambda call: reactor.callLater(0, call))

    def request(
        self,
        method: bytes,
        uri: bytes,
        headers: Headers | None = None,
        bodyProducer: IBodyProducer | None = None,
    ) -> "Deferred[IResponse]":
        if isinstance(bodyProducer, FileBodyProducer):
            # Otherwise it would read on turns of the global reactor, which does not run.
            bodyProducer._cooperate = self._cooperator.cooperate
        response = self._agent.request(method, uri, headers, bodyProducer)
        if not self._reactor.pumping:  # otherwise it is pumped already
            self._reactor.pump()
        return response


class _Once(ClientFactory):
    """Makes one connection, with the protocol that it is given."""

    noisy = False

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: object) -> Protocol:
        return self._protocol


class _ControlCall(Protocol):
    """Sends ``data`` and collects what comes until the connection ends."""

    def __init__(self, data: bytes) -> None:
        self.received: Deferred[bytes] = Deferred()
        self._data = data
        self._pieces: list[bytes] = []

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(self._data)

    def dataReceived(self, data: bytes) -> None:
        self._pieces.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.received.callback(b"".join(self._pieces))


class _Received:
    """What HTTPResponse takes for a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> BytesIO:
        return BytesIO(self._data)

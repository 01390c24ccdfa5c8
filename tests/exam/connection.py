"""HTTP/1.1 on Twisted for the client that takes the exam: connections that are read on demand, and a pool."""

import re
import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectError, ConnectionDone
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from tests.exam.failures import BrokenResponse, ConnectionFailed, IncompleteResponse, TimedOut

# The largest head and line, in bytes.
_MOST = 65_536

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: [^\r\n]*)?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")

Fields = Sequence[tuple[str, str]]


class Origin(NamedTuple):
    """A host and port."""

    host: str
    port: int


class Head(NamedTuple):
    """The head of a response."""

    status: int
    minor: int
    fields: Fields

    def get(self, name: str) -> str | None:
        """Return the values of the field, joined, or None without any."""
        values = [value for field, value in self.fields if field.lower() == name]
        return ", ".join(values) if values else None


class Connection(Protocol):
    """One connection. What arrives is kept until it is read."""

    def __init__(self, clock: Any) -> None:
        self.received = bytearray()
        self.calls = 0  # how many requests were sent
        self.lost: Failure | None = None
        self.when_idle: Callable[[], object] = lambda: None  # called when something happens that nobody reads
        self._clock = clock
        self._waiting: Deferred[None] | None = None
        self._is_paused = False

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        if len(self.received) > _MOST:
            self._is_paused = True
            self.transport.pauseProducing()
        self._wake()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = reason
        self._wake()

    @property
    def is_waiting(self) -> bool:
        return self._waiting is not None

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)
        else:
            self.when_idle()

    async def more(self, timeout: float | None) -> None:
        """Wait until more has arrived. Raises IncompleteResponse at the end, TimedOut after ``timeout``."""
        if self.lost is not None:
            how = "ended" if self.lost.check(ConnectionDone) else "was reset"
            raise IncompleteResponse(f"The connection {how}")
        if self._is_paused and len(self.received) <= _MOST:
            self._is_paused = False
            self.transport.resumeProducing()
        before = len(self.received)
        waiting = self._waiting = Deferred()
        timer = None if timeout is None else self._clock.callLater(timeout, self._late, timeout)
        await waiting
        if timer is not None and timer.active():
            timer.cancel()
        if len(self.received) == before and self.lost is not None:
            await self.more(timeout)

    def _late(self, timeout: float) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.errback(TimedOut(f"No byte came for {timeout:g} s"))

    async def line(self, timeout: float | None) -> bytes:
        """Return the next line, without its end."""
        while (end := self.received.find(b"\r\n")) < 0:
            if len(self.received) > _MOST:
                raise BrokenResponse("A line is too long")
            await self.more(timeout)
        return self.take(end + 2)[:-2]

    def take(self, count: int) -> bytes:
        """Return up to ``count`` bytes of what has arrived."""
        taken = bytes(self.received[:count])
        del self.received[:count]
        return taken

    async def head(self, timeout: float | None) -> Head:
        """Return the next head."""
        line = await self.line(timeout)
        match = _STATUS_LINE.fullmatch(line)
        if match is None:
            raise BrokenResponse("The status line is invalid")
        fields = []
        while line := await self.line(timeout):
            field = _FIELD.fullmatch(line)
            if field is None:
                raise BrokenResponse("A header field is invalid")
            fields.append((field[1].decode("ascii"), field[2].decode("latin-1")))
        return Head(int(match[2]), int(match[1]), fields)

    def close(self) -> None:
        """Close the connection at once: nothing that still arrives is wanted."""
        if self.lost is None:
            self.transport.abortConnection()


class Response:
    """A response whose head has arrived, and its body, piece by piece."""

    checks_length = True
    decodes_gzip = True

    def __init__(self, connection: Connection, head: Head, done: Callable[["Response", bool], None]) -> None:
        self.head = head
        self.connection = connection
        self._done = done
        self._is_over = False
        is_gzip = self.decodes_gzip and head.get("content-encoding") == "gzip"
        self._unzip = zlib.decompressobj(wbits=31) if is_gzip else None
        self._left = 0  # of the body, or of a chunk
        self._in_chunk = False
        self._kind = self._framing()
        if self._kind == "length" and self._left == 0:
            self._end()

    def _framing(self) -> str:
        head = self.head
        if head.status in (204, 304):
            return "length"
        coding = head.get("transfer-encoding")
        if coding is not None:
            if coding.lower() != "chunked":
                raise BrokenResponse(f"Unknown transfer coding {coding}")
            return "chunked"
        length = head.get("content-length")
        if length is None:
            return "close"
        if not re.fullmatch(r"[0-9]{1,15}", length):
            raise BrokenResponse("The Content-Length is invalid")
        self._left = int(length)
        return "length"

    @property
    def is_over(self) -> bool:
        return self._is_over

    async def piece(self, timeout: float | None) -> bytes:
        """Return the next bytes of the body, or nothing at its end."""
        while not self._is_over:
            data = await self._raw_piece(timeout)
            if self._unzip is not None:
                data = self._decoded(data)
            if data:
                return data
        return b""

    def _decoded(self, data: bytes) -> bytes:
        assert self._unzip is not None
        try:
            data = self._unzip.decompress(data)
        except zlib.error:
            raise BrokenResponse("The body is not gzip") from None
        if self._is_over and not self._unzip.eof:
            raise IncompleteResponse("The gzip data is incomplete")
        return data

    async def _raw_piece(self, timeout: float | None) -> bytes:
        connection = self.connection
        if self._kind == "chunked" and self._left == 0:
            if self._in_chunk and await connection.line(timeout):
                raise BrokenResponse("A chunk is too long")
            self._in_chunk = True
            size = (await connection.line(timeout)).partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,12}", size):
                raise BrokenResponse("The size of a chunk is invalid")
            self._left = int(size, 16)
            if self._left == 0:
                await self.trailers(timeout)
                self._end()
                return b""
        if not connection.received:
            try:
                await connection.more(timeout)
            except IncompleteResponse:
                if self._kind == "close" and connection.lost.check(ConnectionDone):
                    self._end()
                    return b""
                if self.checks_length:
                    raise
                self._end()
                return b""
        data = connection.take(_MOST if self._kind == "close" else self._left)
        if self._kind != "close":
            self._left -= len(data)
            if self._left == 0 and self._kind == "length":
                self._end()
        return data

    async def trailers(self, timeout: float | None) -> None:
        """Read the fields after the last chunk."""
        while await self.connection.line(timeout):
            pass

    async def read(self, timeout: float | None, most: int) -> bytes:
        """Return the whole body. Raises BrokenResponse if it has more than ``most`` bytes."""
        pieces: list[bytes] = []
        size = 0
        while data := await self.piece(timeout):
            pieces.append(data)
            size += len(data)
            if size > most:
                raise BrokenResponse("The body is too large")
        return b"".join(pieces)

    def _end(self) -> None:
        self._is_over = True
        self._done(self, self._kind != "close")

    def abandon(self) -> None:
        """Leave the body unread, and the connection to the next request."""
        self._end()

    def close(self) -> None:
        """Give up the body, if it is not at its end."""
        if not self._is_over:
            self._is_over = True
            self._done(self, False)


class Pool:
    """Connections that are not in use, for the next request to the same origin."""

    connection = Connection
    response = Response
    reuses = True
    heeds_close = True
    skips_informational = True
    drops_unread = True

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._idle: dict[Origin, list[Connection]] = {}
        self.open: set[Connection] = set()

    async def get(self, origin: Origin, timeout: float | None) -> Connection:
        """Return a connection to ``origin``."""
        idle = self._idle.get(origin, [])
        while idle:
            connection = idle.pop()
            if connection.lost is None and not (self.drops_unread and connection.received):
                connection.when_idle = lambda: None
                return connection
            self.drop(connection)
        endpoint = TCP4ClientEndpoint(self._reactor, origin.host, origin.port, timeout=timeout or 30)
        try:
            made = await endpoint.connect(Factory.forProtocol(lambda: self.connection(self._reactor)))
        except ConnectError as error:
            raise ConnectionFailed(type(error).__name__) from None
        assert isinstance(made, Connection)
        self.open.add(made)
        return made

    async def send(self, origin: Origin, data: bytes, timeout: float | None) -> Response:
        """Send a request, which begins with ``data``, and return the response when its head has arrived."""
        connection = await self.get(origin, timeout)
        connection.calls += 1
        connection.transport.write(data)
        try:
            head = await connection.head(timeout)
            while self.skips_informational and 100 <= head.status < 200 and head.status != 101:
                head = await connection.head(timeout)
            response = self.response(connection, head, lambda one, whole: self._done(origin, one, whole))
        except BaseException:
            self.drop(connection)
            raise
        return response

    def _done(self, origin: Origin, response: Response, is_whole: bool) -> None:
        connection, head = response.connection, response.head
        options = (head.get("connection") or "").lower()
        stays = "close" not in options if head.minor else "keep-alive" in options
        stays = stays or not self.heeds_close
        if not (self.reuses and is_whole and stays and connection.lost is None) or (
            self.drops_unread and connection.received
        ):
            self.drop(connection)
            return
        if self.drops_unread:
            connection.when_idle = lambda: self._forget(origin, connection)
        self._idle.setdefault(origin, []).append(connection)

    def _forget(self, origin: Origin, connection: Connection) -> None:
        if connection in self._idle[origin]:
            self._idle[origin].remove(connection)
        self.drop(connection)

    def drop(self, connection: Connection) -> None:
        """Close ``connection`` for good."""
        connection.when_idle = lambda: None
        connection.close()
        self.open.discard(connection)

    def close(self) -> None:
        """Close all connections."""
        for connection in list(self.open):
            self.drop(connection)
        self._idle.clear()

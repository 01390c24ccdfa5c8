"""ForeignRequest: a request to a site other than the gateway's, such as that of ``twistd web --class``."""

from typing import Any

from twisted.web.server import Request

from oagw.model.ending import Ending


class ForeignRequest:
    """What a source calls on a GatewayRequest, for an ordinary ``request``: no journal, no toxics."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.channel = _Channel()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)

    def write(self, data: bytes, events: int | None = None) -> None:
        self._request.write(data)

    def write_raw(self, data: bytes, events: int | None = None) -> None:
        self._request.channel.write(data)

    def end(self, ending: Ending) -> None:
        if ending is Ending.COMPLETE:
            self._request.finish()
        elif ending is Ending.RESET:
            transport: Any = self._request.transport
            transport.abortConnection()
        elif ending is Ending.TRUNCATE:
            self._request.channel.loseConnection()


class _Channel:
    """The channel of an ordinary request sends each write by itself."""

    def cork(self) -> None:
        pass

    def uncork(self) -> None:
        pass

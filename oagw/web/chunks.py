"""The syntax of chunked bodies (RFC 9112 section 7.1). ``web.channel`` reads them with it."""

from twisted.web.http import _ChunkedTransferDecoder, _MalformedChunkedDataError

from oagw.web.head import BadRequest, check_characters, has_bare_line_end, read_fields


class Chunks(_ChunkedTransferDecoder):
    """Reads a chunked body strictly (RFC 9112 section 7.1); ``dataReceived`` raises BadRequest.

    Trailer fields are checked, bounded to ``max_trailers`` bytes, and dropped.
    """

    def __init__(self, *args: object, max_trailers: int) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._maxTrailerHeadersSize = max_trailers

    def dataReceived(self, data: bytes) -> None:
        try:
            super().dataReceived(data)
        except _MalformedChunkedDataError:
            if self.state == "TRAILER":
                raise BadRequest(431, f"Trailers larger than {self._maxTrailerHeadersSize} bytes") from None
            raise BadRequest(400, "Malformed chunked body") from None
        rest = self._buffer
        if rest and (self.state == "CRLF" or has_bare_line_end(rest)) and rest != b"\r":
            raise BadRequest(400, "Malformed chunked body")

    def _dataReceived_TRAILER(self) -> bool:
        has_line: bool = super()._dataReceived_TRAILER()
        if has_line:
            line = bytes(self._trailerHeaders[-1])
            if has_bare_line_end(line + b"\r"):
                raise BadRequest(400, "Malformed chunked body")
            check_characters(line, 1)
            read_fields([line], {})
        return has_line

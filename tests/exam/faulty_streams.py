"""Clients that read streams wrongly."""

from contextlib import suppress

from tests.exam.client import Client, Request, Text
from tests.exam.connection import Response
from tests.exam.events import Event, EventParser
from tests.exam.failures import Failed, IncompleteResponse, IncompleteStream, TimedOut, UnexpectedContent
from tests.exam.faults import CUT, EMPTY, NO_DONE, ONE_PIECE, STREAMS, fault


@fault("ends-without-done", f"{NO_DONE} {EMPTY}")
class NeedsNoDone(Client):
    """It takes a stream for complete that ends without [DONE]."""

    def end_of_stream(self, text: Text) -> None:
        """Accept it."""


@fault("cut-between-events", f"{CUT} {NO_DONE} {EMPTY}")
class TakesCutForEnd(Client):
    """It takes a stream that is cut for complete."""

    async def stream_piece(self, response: Response, timeout: float | None) -> bytes:
        try:
            return await super().stream_piece(response, timeout)
        except IncompleteResponse:
            return b""

    def end_of_stream(self, text: Text) -> None:
        """Accept it."""


@fault("silence-in-mid-stream silence-before-first", f"{NO_DONE} {EMPTY}")
class TakesSilenceForEnd(Client):
    """It takes a stream that falls silent for complete."""

    async def stream_piece(self, response: Response, timeout: float | None) -> bytes:
        try:
            return await super().stream_piece(response, timeout)
        except TimedOut:
            return b""

    def end_of_stream(self, text: Text) -> None:
        """Accept it."""


@fault("retry-does-not-repeat", f"{CUT} {NO_DONE}")
class RepeatsText(Client):
    """It repeats a stream that broke after the first text, and delivers that again."""

    def may_repeat_stream(self, text: Text | None) -> bool:
        return True

    def may_repeat(self, request: Request, error: Failed) -> bool:
        broken = b'"stream"' in (request.body or b"") and isinstance(
            error, IncompleteResponse | IncompleteStream
        )
        return broken or super().may_repeat(request, error)


class _KeepsBom(EventParser):
    strips_bom = False


@fault("bom")
class KeepsBom(Client):
    """It does not strip a BOM."""

    parser = _KeepsBom


class _KeepsCr(EventParser):
    splits_at_cr = False


@fault("cr mixed-line-ends")
class KeepsCr(Client):
    """A CR alone ends no line for it."""

    parser = _KeepsCr


class _DecodesPieces(EventParser):
    decodes_in_pieces = True


@fault("split-utf-8", "byte-by-byte")  # sockets may join the bytes again
class DecodesPieces(Client):
    """It decodes UTF-8 piece by piece, as it arrives."""

    parser = _DecodesPieces


class _ParsesPieces(EventParser):
    def feed(self, data: bytes) -> list[Event]:
        self._text, self._data = "", []
        return super().feed(data + b"\n\n")


@fault("byte-by-byte split-utf-8", "crlf-split ends-without-blank-line")
class ParsesPieces(Client):
    """It takes each piece of bytes, as it arrives, for complete events."""

    parser = _ParsesPieces


class _LastLine(EventParser):
    keeps_only_last_data = True


@fault("multi-line-data", "crlf-split")
class KeepsLastLine(Client):
    """Of several lines of data, it uses the last one."""

    parser = _LastLine


class _NeedsSpace(EventParser):
    needs_space = True


@fault("no-space-after-colon")
class NeedsSpace(Client):
    """It ignores lines without a space after the colon."""

    parser = _NeedsSpace


class _ShowsComments(EventParser):
    shows_comments = True


@fault("comments-between", "crlf-split keepalive-comments split-utf-8 comments-only")
class TakesCommentsForData(Client):
    """It takes comments for data."""

    parser = _ShowsComments


class _Flushes(EventParser):
    flushes_at_end = True


@fault("ends-without-blank-line", f"{NO_DONE} {EMPTY}")
class UsesUnfinishedEvent(Client):
    """It takes an event for complete that the end of the stream cuts off."""

    parser = _Flushes

    def add(self, text: Text, event: Event) -> None:
        if event.data != "[DONE]":
            super().add(text, event)

    def end_of_stream(self, text: Text) -> None:
        """Accept it."""


@fault("charset-parameter")
class NeedsExactType(Client):
    """It refuses text/event-stream with a parameter."""

    def check_stream(self, response: Response) -> None:
        if response.head.get("content-type") != "text/event-stream":
            raise UnexpectedContent("Not a stream")


@fault("done-then-silence")
class WaitsForEnd(Client):
    """It waits for the end of the response after [DONE]."""

    async def read_stream(
        self, request: Request, response: Response, text: Text, cancel_after: int | None
    ) -> bool:
        cancelled = await super().read_stream(request, response, text, cancel_after)
        while not cancelled and await response.piece(self.stream_timeout(request)):
            pass
        return cancelled


@fault("events-after-done", f"{NO_DONE} {EMPTY} done-then-silence")
class ReadsOnAfterDone(Client):
    """It takes text after [DONE] for a part of the answer."""

    def ends_stream(self, event: Event) -> bool:
        return False

    def add(self, text: Text, event: Event) -> None:
        if event.data != "[DONE]":
            super().add(text, event)

    def end_of_stream(self, text: Text) -> None:
        """Accept it."""


@fault("error-event", f"{NO_DONE} {EMPTY}")
class IgnoresErrorEvents(Client):
    """It ignores an error in a stream."""

    def add(self, text: Text, event: Event) -> None:
        if event.type == "message" and '"error"' not in event.data:
            super().add(text, event)

    def end_of_stream(self, text: Text) -> None:
        """Accept it."""


@fault("invalid-json-in-event")
class SkipsInvalidEvents(Client):
    """It skips events that are not JSON."""

    def add(self, text: Text, event: Event) -> None:
        with suppress(UnexpectedContent):
            super().add(text, event)


@fault("html-instead", EMPTY)
class ReadsAnythingAsStream(Client):
    """It reads a page of HTML as an empty stream."""

    def check_stream(self, response: Response) -> None:
        """Accept it."""

    def end_of_stream(self, text: Text) -> None:
        if text.pieces:
            super().end_of_stream(text)


@fault("no-events comments-only")
class AcceptsNoEvents(Client):
    """It takes a stream without events for an empty answer."""

    def end_of_stream(self, text: Text) -> None:
        if text.pieces:
            super().end_of_stream(text)


@fault("cancel")
class KeepsCancelledStream(Client):
    """It leaves a cancelled stream open."""

    def cancel(self, response: Response) -> None:
        response.close = lambda: None


@fault("cancel")
class ReadsCancelledStream(Client):
    """It reads a cancelled stream to its end."""

    async def read_stream(
        self, request: Request, response: Response, text: Text, cancel_after: int | None
    ) -> bool:
        if cancel_after is None:
            return await super().read_stream(request, response, text, None)
        with suppress(Failed):
            await super().read_stream(request, response, text, None)
        del text.pieces[cancel_after:]
        return True


@fault("silence-in-mid-stream silence-before-first")
class WaitsInStream(Client):
    """It has no time-out for what comes next in a stream."""

    def stream_timeout(self, request: Request) -> float | None:
        return None


@fault("keepalive-comments")
class LimitsStream(Client):
    """Its time-out is for the whole stream."""

    async def read_stream(
        self, request: Request, response: Response, text: Text, cancel_after: int | None
    ) -> bool:
        timer = self.reactor.callLater(request.timeout, response.connection.close)
        try:
            return await super().read_stream(request, response, text, cancel_after)
        finally:
            if timer.active():
                timer.cancel()


class _NeedsLf(EventParser):
    def _lines(self, text: str) -> list[str]:
        *lines, self._text = (self._text + text).split("\n")
        return lines


@fault("crlf crlf-split mixed-line-ends cr")
class KeepsCrOfCrlf(Client):
    """It takes the CR of CR LF for a part of the line."""

    parser = _NeedsLf


class _IgnoresCase(EventParser):
    def _read(self, line: str) -> Event | None:
        name, colon, value = line.partition(":")
        return super()._read(name.lower() + colon + value)


@fault("unknown-fields")
class IgnoresCaseOfFields(Client):
    """It takes a field Data for data."""

    parser = _IgnoresCase


class _OneEvent(EventParser):
    def feed(self, data: bytes) -> list[Event]:
        return super().feed(data)[:1]


@fault("one-write", ONE_PIECE)
class ReadsOneEventPerPiece(Client):
    """It reads only the first of the events that arrive together."""

    parser = _OneEvent


@fault("complete", STREAMS)
class StripsText(Client):
    """It strips white space from the pieces of text."""

    def add(self, text: Text, event: Event) -> None:
        super().add(text, event)
        text.pieces = [piece.strip() for piece in text.pieces]

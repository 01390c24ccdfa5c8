"""Cases for the parser: line ends, encoding, fields, ids, reconnection times and event types."""

from collections.abc import Iterable

from oagw.services.stream_test.case import Case, Write, pieces
from oagw.services.stream_test.case import Dispatched as E


def cuts(text: str, name: str, about: str) -> Iterable[Case]:
    """Yield a case for each position at which the UTF-8 encoding of ``text`` can be split in two."""
    encoded = text.encode()
    for at in range(1, len(encoded)):
        yield Case(
            f"{name}-cut-after-{at}",
            f"{about}, cut after byte {at}",
            pieces(b"data: " + encoded[:at], encoded[at:] + b"\n\n"),
            (E(text),),
        )


LINE_ENDS = (
    Case("lf", "lines end in LF", pieces(b"data: one\n\ndata: two\n\n"), (E("one"), E("two"))),
    Case("cr", "lines end in CR", pieces(b"data: one\r\rdata: two\r\r"), (E("one"), E("two"))),
    Case("crlf", "lines end in CRLF", pieces(b"data: one\r\n\r\ndata: two\r\n\r\n"), (E("one"), E("two"))),
    Case(
        "mixed-line-ends",
        "LF, CR and CRLF in one event",
        pieces(b"data: one\rdata: two\ndata: three\r\n\ndata: four\n\r\n"),
        (E("one\ntwo\nthree"), E("four")),
    ),
    Case(
        "cr-then-lf",
        "CR and LF in different writes are one line end",
        pieces(b"data: one\r", b"\ndata: two\r", b"\n\r", b"\n"),
        (E("one\ntwo"),),
    ),
    Case(
        "cr-then-lf-between-events",
        "the LF after an event's last CR comes in a later write, and is not an empty line",
        pieces(b"data: one\r\n\r", b"\ndata: two\r\n\r", b"\n"),
        (E("one"), E("two")),
    ),
    Case(
        "cr-at-the-very-end",
        "the last line of the last event ends in CR, and then the stream ends",
        pieces(b"data: one\n\r"),
        (E("one"),),
    ),
    Case(
        "extra-empty-lines",
        "empty lines before, between and after events",
        pieces(b"\n\n\ndata: one\n\n\n\ndata: two\n\n\n\n"),
        (E("one"), E("two")),
    ),
    Case(
        "other-line-separators",
        "NEL, LINE SEPARATOR, VT and FF do not end a line",
        pieces("data: a\x85b\u2028c\u2029d\x0be\x0cf\n\n".encode()),
        (E("a\x85b\u2028c\u2029d\x0be\x0cf"),),
    ),
)

ENCODING = (
    Case(
        "bom", "a byte-order mark at the start is dropped", pieces(b"\xef\xbb\xbfdata: one\n\n"), (E("one"),)
    ),
    Case(
        "bom-cut",
        "a byte-order mark at the start, in three writes",
        pieces(b"\xef", b"\xbb", b"\xbfdata: one\n\n"),
        (E("one"),),
    ),
    Case(
        "bom-twice",
        "only one byte-order mark is dropped: the second makes an unknown field",
        pieces(b"\xef\xbb\xbf\xef\xbb\xbfdata: one\n\ndata: two\n\n"),
        (E("two"),),
    ),
    Case(
        "bom-in-the-middle",
        "a byte-order mark before a later field name makes it unknown",
        pieces(b"data: one\n\n\xef\xbb\xbfdata: two\n\ndata: three\n\n"),
        (E("one"), E("three")),
    ),
    Case(
        "bom-in-data",
        "a byte-order mark in a value is kept",
        pieces(b"data: \xef\xbb\xbfone\n\n"),
        (E("\ufeffone"),),
    ),
    *cuts("é", "utf-8-2-bytes", "a character of two bytes"),
    *cuts("€", "utf-8-3-bytes", "a character of three bytes"),
    *cuts("🦀", "utf-8-4-bytes", "a character of four bytes"),
    Case(
        "utf-8-in-field-names-and-ids",
        "characters beyond ASCII in an event name and an id",
        pieces("event: größe\nid: №1\ndata: ✓\n\n".encode()),
        (E("✓", "größe", "№1"),),
    ),
    Case(
        "invalid-utf-8",
        "bytes that are not UTF-8 become U+FFFD",
        pieces(b"data: a\xffb\xc0\xafc\n\n"),
        (E("a\ufffdb\ufffd\ufffdc"),),
    ),
    Case(
        "utf-8-cut-by-a-line-end",
        "a character that a line end interrupts becomes U+FFFD, and the line ends",
        pieces(b"data: \xe2\x82\ndata: x\n\n"),
        (E("\ufffd\nx"),),
    ),
    Case(
        "utf-8-surrogates",
        "encoded surrogates are not valid UTF-8",
        pieces(b"data: \xed\xa0\x80\n\n"),
        (E("\ufffd\ufffd\ufffd"),),
    ),
    Case("nul-in-data", "NUL is a character like any other in data", pieces(b"data: a\0b\n\n"), (E("a\0b"),)),
)

FIELDS = (
    Case("comment", "a line that begins with a colon is ignored", pieces(b": hi\ndata: x\n:\n\n"), (E("x"),)),
    Case(
        "comments-only",
        "keep-alive comments and nothing else",
        tuple(Write(b": keep-alive\n\n", 0.05) for _ in range(5)),
    ),
    Case(
        "comment-within-an-event",
        "a comment does not end an event",
        pieces(b"data: one\n: data: no\ndata: two\n\n"),
        (E("one\ntwo"),),
    ),
    Case(
        "comment-after-an-id",
        "keep-alive comments are not events, even after an id",
        pieces(b"id: 1\ndata: x\n\n", b": keep-alive\n\n", b": keep-alive\n\n", b"data: y\n\n"),
        (E("x", id="1"), E("y", id="1")),
    ),
    Case(
        "no-colon",
        "a field name alone has an empty value",
        pieces(b"data\n\ndata\ndata\n\n"),
        (E(""), E("\n")),
    ),
    Case("no-space", "the space after the colon is optional", pieces(b"data:x\nid:1\n\n"), (E("x", id="1"),)),
    Case("two-spaces", "only one space is dropped", pieces(b"data:  x\n\n"), (E(" x"),)),
    Case("trailing-space", "a space at the end is kept", pieces(b"data: x \n\n"), (E("x "),)),
    Case("tab", "a tab after the colon is kept", pieces(b"data:\tx\n\n"), (E("\tx"),)),
    Case("colons-in-value", "only the first colon separates", pieces(b"data: a: b:c\n\n"), (E("a: b:c"),)),
    Case(
        "unknown-fields",
        "fields that are not in the standard are ignored",
        pieces(b"foo: bar\ndata: x\ndatas: y\n\n"),
        (E("x"),),
    ),
    Case(
        "wrong-case",
        "field names are case-sensitive",
        pieces(b"Data: no\nDATA: no\nEvent: no\nID: no\ndata: x\n\n"),
        (E("x"),),
    ),
    Case(
        "space-before-the-name",
        "a space before a field name or before the colon makes the field unknown",
        pieces(b" data: no\ndata : no\ndata: x\n\n"),
        (E("x"),),
    ),
    Case("empty-data", "data with an empty value is an event", pieces(b"data:\n\n"), (E(""),)),
    Case(
        "no-data",
        "a block without data is not an event, and its type is dropped",
        pieces(b"event: update\n\ndata: x\n\n"),
        (E("x"),),
    ),
    Case(
        "several-data-lines",
        "data lines are joined by a line feed",
        pieces(b"data: one\ndata: two\ndata:\ndata: four\n\n"),
        (E("one\ntwo\n\nfour"),),
    ),
    Case("empty-line-first", "the first data line is empty", pieces(b"data:\ndata: x\n\n"), (E("\nx"),)),
    Case("empty-line-last", "the last data line is empty", pieces(b"data: x\ndata:\n\n"), (E("x\n"),)),
)

IDS = (
    Case(
        "id-kept",
        "an id persists until the next one",
        pieces(b"id: 1\ndata: one\n\ndata: two\n\nid: 2\ndata: three\n\n"),
        (E("one", id="1"), E("two", id="1"), E("three", id="2")),
    ),
    Case(
        "id-reset",
        "an empty id resets it",
        pieces(b"id: 1\ndata: one\n\nid\ndata: two\n\n"),
        (E("one", id="1"), E("two")),
    ),
    Case(
        "id-without-data",
        "an id in a block without data counts",
        pieces(b"id: 7\n\ndata: x\n\n"),
        (E("x", id="7"),),
    ),
    Case(
        "id-with-nul",
        "an id with NUL is ignored",
        pieces(b"id: 1\ndata: one\n\nid: 2\x003\ndata: two\n\n"),
        (E("one", id="1"), E("two", id="1")),
    ),
    Case(
        "id-twice", "the last id of a block counts", pieces(b"id: 1\nid: 2\ndata: x\n\n"), (E("x", id="2"),)
    ),
    Case(
        "id-of-an-unfinished-event",
        "the id of an unfinished block does not count",
        pieces(b"id: 1\ndata: one\n\nid: 2\ndata: two\n"),
        (E("one", id="1"),),
    ),
)

RETRY = (
    Case("retry", "digits set the reconnection time", pieces(b"retry: 1500\ndata: x\n\n"), (E("x"),), 1500),
    Case("retry-alone", "a reconnection time needs no event", pieces(b"retry: 2500\n\n"), (), 2500),
    Case("retry-letters", "letters are ignored", pieces(b"retry: soon\nretry: 1s\ndata: x\n\n"), (E("x"),)),
    Case(
        "retry-signs",
        "signs and fractions are ignored",
        pieces(b"retry: -1\nretry: +1\nretry: 1.5\ndata: x\n\n"),
        (E("x"),),
    ),
    Case(
        "retry-empty",
        "an empty value is ignored",
        pieces(b"retry: 1000\nretry:\nretry\ndata: x\n\n"),
        (E("x"),),
        1000,
    ),
    Case(
        "retry-spaces",
        "digits with spaces are ignored",
        pieces(b"retry:  100\nretry: 100 \ndata: x\n\n"),
        (E("x"),),
    ),
    Case(
        "retry-leading-zeros", "leading zeros are digits", pieces(b"retry: 0042\ndata: x\n\n"), (E("x"),), 42
    ),
    Case(
        "retry-huge",
        "an integer that a double cannot hold",
        pieces(b"retry: 9007199254740993\ndata: x\n\n"),
        (E("x"),),
        9007199254740993,
    ),
    Case(
        "retry-beyond-64-bits",
        "an integer beyond 64 bits, and a smaller one after it",
        pieces(b"retry: 99999999999999999999\ndata: x\n\nretry: 1000\ndata: y\n\n"),
        (E("x"), E("y")),
        1000,
    ),
)

NAMES = (
    Case(
        "event-named",
        "an event field sets the type",
        pieces(b"event: update\ndata: x\n\n"),
        (E("x", "update"),),
    ),
    Case(
        "event-once",
        "a type applies to one event only",
        pieces(b"event: a\ndata: x\n\ndata: y\n\n"),
        (E("x", "a"), E("y")),
    ),
    Case(
        "event-empty",
        "an empty type means message",
        pieces(b"event:\ndata: x\n\nevent\ndata: y\n\n"),
        (E("x"), E("y")),
    ),
    Case(
        "event-twice",
        "the last type of a block counts",
        pieces(b"event: a\nevent: b\ndata: x\n\n"),
        (E("x", "b"),),
    ),
    Case("event-message", "the explicit type message", pieces(b"event: message\ndata: x\n\n"), (E("x"),)),
    Case(
        "event-error",
        "the type error, which is also that of a lost connection",
        pieces(b"event: error\ndata: x\n\ndata: y\n\n"),
        (E("x", "error"), E("y")),
    ),
    Case(
        "event-open",
        "the type open, which is also that of a new connection",
        pieces(b"event: open\ndata: x\n\n"),
        (E("x", "open"),),
    ),
    Case(
        "event-with-spaces",
        "spaces in a type are kept",
        pieces(b"event:  a b \ndata: x\n\n"),
        (E("x", " a b "),),
    ),
)

CASES = (*LINE_ENDS, *ENCODING, *FIELDS, *IDS, *RETRY, *NAMES)

"""Deviations of real parsers from the standard, as found by the tests in ``tests/parsers``.

``python -m tests.parsers.survey`` prints this table.
"""

from collections.abc import Mapping

# The name of a case: pairs of a parser with its version, and what it does.
DEVIATIONS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "cr": (
        ("eventsource 4.1.1", "waits for the byte after a CR, and loses the event if none follows"),
        ("eventsource-parser 3.1.1", "waits for the byte after a CR, and loses the event if none follows"),
    ),
    "cr-at-the-very-end": (
        ("eventsource 4.1.1", "waits for the byte after a CR, and loses the event if none follows"),
        ("eventsource-parser 3.1.1", "waits for the byte after a CR, and loses the event if none follows"),
    ),
    "bom": (
        ("httpx-sse 0.4.3", "treats a byte-order mark at the start as part of the first field name"),
        ("sseclient-py 1.9.0", "treats a byte-order mark at the start as part of the first field name"),
    ),
    "bom-cut": (
        ("httpx-sse 0.4.3", "treats a byte-order mark at the start as part of the first field name"),
        ("sseclient-py 1.9.0", "treats a byte-order mark at the start as part of the first field name"),
    ),
    "invalid-utf-8": (("sseclient-py 1.9.0", "raises an error for bytes that are not UTF-8, and stops"),),
    "utf-8-cut-by-a-line-end": (
        ("sseclient-py 1.9.0", "raises an error for bytes that are not UTF-8, and stops"),
    ),
    "utf-8-surrogates": (("sseclient-py 1.9.0", "raises an error for bytes that are not UTF-8, and stops"),),
    "comment-after-an-id": (
        ("eventsource 4.1.1", "gives an event only the id in its own block"),
        ("eventsource-parser 3.1.1", "gives an event only the id in its own block"),
        ("httpx-sse 0.4.3", "dispatches an empty event at every empty line after an id"),
        ("sseclient-py 1.9.0", "gives an event only the id in its own block"),
    ),
    "no-data": (("httpx-sse 0.4.3", "dispatches a block without data as an event with empty data"),),
    "id-kept": (
        ("eventsource 4.1.1", "gives an event only the id in its own block"),
        ("eventsource-parser 3.1.1", "gives an event only the id in its own block"),
        ("sseclient-py 1.9.0", "gives an event only the id in its own block"),
    ),
    "id-without-data": (
        ("eventsource 4.1.1", "gives an event only the id in its own block"),
        ("eventsource-parser 3.1.1", "gives an event only the id in its own block"),
        ("httpx-sse 0.4.3", "dispatches a block without data as an event with empty data"),
        ("sseclient-py 1.9.0", "gives an event only the id in its own block"),
    ),
    "id-with-nul": (
        ("eventsource 4.1.1", "gives an event only the id in its own block"),
        ("eventsource-parser 3.1.1", "gives an event only the id in its own block"),
        ("sseclient-py 1.9.0", "accepts an id that contains NUL"),
    ),
    "id-of-an-unfinished-event": (
        ("sseclient-py 1.9.0", "dispatches an unfinished event at the end of the stream"),
    ),
    "retry-alone": (("httpx-sse 0.4.3", "dispatches a block without data as an event with empty data"),),
    "retry-signs": (("httpx-sse 0.4.3", "accepts signs in a reconnection time"),),
    "retry-spaces": (("httpx-sse 0.4.3", "accepts spaces around a reconnection time"),),
    "retry-huge": (("eventsource-parser 3.1.1", "rounds the reconnection time to a double"),),
    "no-blank-line-at-the-end": (
        ("sseclient-py 1.9.0", "dispatches an unfinished event at the end of the stream"),
    ),
    "no-line-end-at-the-end": (
        ("sseclient-py 1.9.0", "dispatches an unfinished event at the end of the stream"),
    ),
    "one-byte-per-write": (
        ("eventsource 4.1.1", "gives an event only the id in its own block"),
        ("eventsource-parser 3.1.1", "gives an event only the id in its own block"),
        ("sseclient-py 1.9.0", "gives an event only the id in its own block"),
    ),
    "type-in-capitals": (
        ("eventsource 4.1.1", "accepts the content type in lower case only, and gives up"),
        ("httpx-sse 0.4.3", "accepts the content type in lower case only, and gives up"),
    ),
    "type-with-another-charset": (
        ("Chromium 156", "fails the connection for a charset other than UTF-8"),
        ("httpx-sse 0.4.3", "decodes the stream by the charset of the content type"),
    ),
    "type-wrong": (
        ("eventsource-parser 3.1.1", "reads the body and leaves the content type to its caller"),
        ("sseclient-py 1.9.0", "reads the body and leaves the content type to its caller"),
    ),
    "type-json": (
        ("eventsource-parser 3.1.1", "reads the body and leaves the content type to its caller"),
        ("sseclient-py 1.9.0", "reads the body and leaves the content type to its caller"),
    ),
    "type-missing": (
        ("eventsource-parser 3.1.1", "reads the body and leaves the content type to its caller"),
        ("sseclient-py 1.9.0", "reads the body and leaves the content type to its caller"),
    ),
    "status-401": (
        ("eventsource-parser 3.1.1", "reads the body and leaves the status to its caller"),
        ("httpx-sse 0.4.3", "reads the body and leaves the status to its caller"),
        ("sseclient-py 1.9.0", "reads the body and leaves the status to its caller"),
    ),
    "status-403": (
        ("eventsource-parser 3.1.1", "reads the body and leaves the status to its caller"),
        ("httpx-sse 0.4.3", "reads the body and leaves the status to its caller"),
        ("sseclient-py 1.9.0", "reads the body and leaves the status to its caller"),
    ),
    "status-404": (
        ("eventsource-parser 3.1.1", "reads the body and leaves the status to its caller"),
        ("httpx-sse 0.4.3", "reads the body and leaves the status to its caller"),
        ("sseclient-py 1.9.0", "reads the body and leaves the status to its caller"),
    ),
    "status-500": (
        ("eventsource-parser 3.1.1", "reads the body and leaves the status to its caller"),
        ("httpx-sse 0.4.3", "reads the body and leaves the status to its caller"),
        ("sseclient-py 1.9.0", "reads the body and leaves the status to its caller"),
    ),
}

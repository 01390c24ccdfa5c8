"""Where real parsers do otherwise than the standard, as found by the tests in ``tests/parsers``.

``python -m tests.parsers.survey`` prints this anew.
"""

from collections.abc import Mapping

# Case: (parser with its version, what it does), ...
DEVIATIONS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "cr": (
        ("eventsource 4.1.1", "waits for what follows a CR, and loses the event when nothing does"),
        ("eventsource-parser 3.1.1", "waits for what follows a CR, and loses the event when nothing does"),
    ),
    "cr-at-the-very-end": (
        ("eventsource 4.1.1", "waits for what follows a CR, and loses the event when nothing does"),
        ("eventsource-parser 3.1.1", "waits for what follows a CR, and loses the event when nothing does"),
    ),
    "bom": (
        ("httpx-sse 0.4.3", "takes a byte-order mark at the start for a part of the first field name"),
        ("sseclient-py 1.9.0", "takes a byte-order mark at the start for a part of the first field name"),
    ),
    "bom-cut": (
        ("httpx-sse 0.4.3", "takes a byte-order mark at the start for a part of the first field name"),
        ("sseclient-py 1.9.0", "takes a byte-order mark at the start for a part of the first field name"),
    ),
    "invalid-utf-8": (("sseclient-py 1.9.0", "raises an error for bytes that are no UTF-8, and stops"),),
    "utf-8-cut-by-a-line-end": (
        ("sseclient-py 1.9.0", "raises an error for bytes that are no UTF-8, and stops"),
    ),
    "utf-8-surrogates": (("sseclient-py 1.9.0", "raises an error for bytes that are no UTF-8, and stops"),),
    "comment-after-an-id": (
        ("eventsource 4.1.1", "gives an event only the id of its own block"),
        ("eventsource-parser 3.1.1", "gives an event only the id of its own block"),
        ("httpx-sse 0.4.3", "dispatches an empty event at every empty line once it knows an id"),
        ("sseclient-py 1.9.0", "gives an event only the id of its own block"),
    ),
    "no-data": (("httpx-sse 0.4.3", "dispatches a block without data, as an event with empty data"),),
    "id-kept": (
        ("eventsource 4.1.1", "gives an event only the id of its own block"),
        ("eventsource-parser 3.1.1", "gives an event only the id of its own block"),
        ("sseclient-py 1.9.0", "gives an event only the id of its own block"),
    ),
    "id-without-data": (
        ("eventsource 4.1.1", "gives an event only the id of its own block"),
        ("eventsource-parser 3.1.1", "gives an event only the id of its own block"),
        ("httpx-sse 0.4.3", "dispatches a block without data, as an event with empty data"),
        ("sseclient-py 1.9.0", "gives an event only the id of its own block"),
    ),
    "id-with-nul": (
        ("eventsource 4.1.1", "gives an event only the id of its own block"),
        ("eventsource-parser 3.1.1", "gives an event only the id of its own block"),
        ("sseclient-py 1.9.0", "takes an id that contains NUL"),
    ),
    "id-of-an-unfinished-event": (
        ("sseclient-py 1.9.0", "dispatches the unfinished event at the end of the stream"),
    ),
    "retry-alone": (("httpx-sse 0.4.3", "dispatches a block without data, as an event with empty data"),),
    "retry-signs": (("httpx-sse 0.4.3", "takes signs in a reconnection time"),),
    "retry-spaces": (("httpx-sse 0.4.3", "accepts spaces around a reconnection time"),),
    "retry-huge": (("eventsource-parser 3.1.1", "gives the reconnection time as a double, rounded"),),
    "no-blank-line-at-the-end": (
        ("sseclient-py 1.9.0", "dispatches the unfinished event at the end of the stream"),
    ),
    "no-line-end-at-the-end": (
        ("sseclient-py 1.9.0", "dispatches the unfinished event at the end of the stream"),
    ),
    "one-byte-per-write": (
        ("eventsource 4.1.1", "gives an event only the id of its own block"),
        ("eventsource-parser 3.1.1", "gives an event only the id of its own block"),
        ("sseclient-py 1.9.0", "gives an event only the id of its own block"),
    ),
    "type-in-capitals": (
        ("eventsource 4.1.1", "knows the content type in lower case only, and gives up"),
        ("httpx-sse 0.4.3", "knows the content type in lower case only, and gives up"),
    ),
    "type-with-another-charset": (
        ("Chromium 156", "fails the connection for a charset other than UTF-8"),
        ("httpx-sse 0.4.3", "decodes the stream by the charset of the content type"),
    ),
    "type-wrong": (
        ("eventsource-parser 3.1.1", "leaves the content type to its caller and reads the body"),
        ("sseclient-py 1.9.0", "leaves the content type to its caller and reads the body"),
    ),
    "type-json": (
        ("eventsource-parser 3.1.1", "leaves the content type to its caller and reads the body"),
        ("sseclient-py 1.9.0", "leaves the content type to its caller and reads the body"),
    ),
    "type-missing": (
        ("eventsource-parser 3.1.1", "leaves the content type to its caller and reads the body"),
        ("sseclient-py 1.9.0", "leaves the content type to its caller and reads the body"),
    ),
    "status-401": (
        ("eventsource-parser 3.1.1", "leaves the status to its caller and reads the body"),
        ("httpx-sse 0.4.3", "leaves the status to its caller and reads the body"),
        ("sseclient-py 1.9.0", "leaves the status to its caller and reads the body"),
    ),
    "status-403": (
        ("eventsource-parser 3.1.1", "leaves the status to its caller and reads the body"),
        ("httpx-sse 0.4.3", "leaves the status to its caller and reads the body"),
        ("sseclient-py 1.9.0", "leaves the status to its caller and reads the body"),
    ),
    "status-404": (
        ("eventsource-parser 3.1.1", "leaves the status to its caller and reads the body"),
        ("httpx-sse 0.4.3", "leaves the status to its caller and reads the body"),
        ("sseclient-py 1.9.0", "leaves the status to its caller and reads the body"),
    ),
    "status-500": (
        ("eventsource-parser 3.1.1", "leaves the status to its caller and reads the body"),
        ("httpx-sse 0.4.3", "leaves the status to its caller and reads the body"),
        ("sseclient-py 1.9.0", "leaves the status to its caller and reads the body"),
    ),
}

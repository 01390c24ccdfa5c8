"""Sources of rules besides RFCs; ``situation.rfc`` has those."""

from oagw.exam.situation import RuleSource

_EVENTS = "https://html.spec.whatwg.org/multipage/server-sent-events.html"

# Event streams: how one is closed, which answers are one, how its lines end, what they mean, and comments as
# keep-alive.
EVENT_CLOSE = RuleSource("WHATWG HTML section 9.2.2", f"{_EVENTS}#the-eventsource-interface")
EVENT_SOURCE = RuleSource("WHATWG HTML section 9.2.3", f"{_EVENTS}#sse-processing-model")
EVENT_LINES = RuleSource("WHATWG HTML section 9.2.5", f"{_EVENTS}#parsing-an-event-stream")
EVENTS = RuleSource("WHATWG HTML section 9.2.6", f"{_EVENTS}#event-stream-interpretation")
EVENT_COMMENTS = RuleSource("WHATWG HTML section 9.2.7", f"{_EVENTS}#authoring-notes")

# A chat completion stream is complete with ``data: [DONE]``.
CHAT_STREAM = RuleSource(
    "OpenAI API reference, stream_options", "https://platform.openai.com/docs/api-reference/chat/create"
)

# An event whose data has a member ``error`` is an error.
CHAT_STREAM_ERROR = RuleSource(
    "OpenAI's Python SDK, _streaming.py",
    "https://github.com/openai/openai-python/blob/main/src/openai/_streaming.py",
)

# X-OAGW-Error-Source says who sent an answer.
ERROR_SOURCE = RuleSource(
    "OAGW, Error Source Distinction",
    "https://github.com/constructorfabric/gears-rust/blob/main/gears/system/oagw/docs/DESIGN.md"
    "#error-source-distinction",
)

"""Situations of streams: server-sent events with the chunks of a chat completion."""

from oagw.exam.stream_ends import ENDS
from oagw.exam.stream_syntax import SYNTAX

STREAMS = (*SYNTAX, *ENDS)

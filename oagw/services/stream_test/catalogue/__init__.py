"""The catalogue of streams that are hard to parse.

The expectations follow from section 9.2.6 of the WHATWG HTML standard. The tests check them with an
independent parser and with real ones. ``docs/streams.md`` explains the members.
"""

from oagw.services.stream_test.catalogue import format, transport

CASES = (*format.CASES, *transport.CASES)

"""The catalogue of hard streams.

What is expected of each follows from section 9.2.6 of the WHATWG HTML standard; the tests compute it
anew with a parser of their own, and ask real ones. ``docs/streams.md`` explains the members.
"""

from oagw.services.stream_test.catalogue import format, transport

CASES = (*format.CASES, *transport.CASES)

"""All clients of the tests by the names of their classes."""

from tests.exam import faulty_connections, faulty_credentials, faulty_messages, faulty_retries, faulty_streams
from tests.exam.client import Client
from tests.exam.faults import FAULTS, Fault
from tests.exam.variations import VARIATIONS

# Importing these declares their faults.
_FILES = (faulty_retries, faulty_streams, faulty_messages, faulty_connections, faulty_credentials)


def faults() -> list[Fault]:
    """Return all faults."""
    return FAULTS


def named(name: str) -> type[Client]:
    """Return the client whose class has this name."""
    return {one.__name__: one for one in (*VARIATIONS, *(fault.client for fault in FAULTS))}[name]

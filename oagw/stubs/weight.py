"""Estimate the memory that a stub takes; see ``model.weight``."""

from oagw.model.weight import encoded, weight
from oagw.stubs.mapping import StubMapping

# The size of an expression in a template, in bytes.
_EXPRESSION = 1_500


def stub_weight(mapping: StubMapping, sent: int) -> int:
    """Return the size in bytes of a stub with ``mapping``, which sends ``sent`` bytes. Raises Invalid."""
    whole = encoded(mapping)
    total = weight(whole, encoded(mapping.request)) + sent
    return total + _EXPRESSION * whole.count(b"{{") if mapping.response.transformers else total

"""How much memory a stub takes (``model.weight``)."""

from oagw.model.weight import encoded, weight
from oagw.stubs.mapping import StubMapping

# What an expression of a template takes, in bytes.
_EXPRESSION = 1_500


def stub_weight(mapping: StubMapping, sent: int) -> int:
    """The bytes that the stub of ``mapping`` takes, with ``sent`` bytes of answer; raises Invalid."""
    whole = encoded(mapping)
    total = weight(whole, encoded(mapping.request)) + sent
    return total + _EXPRESSION * whole.count(b"{{") if mapping.response.transformers else total

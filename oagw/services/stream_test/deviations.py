"""Where real parsers do otherwise than the standard, as found by the tests in ``tests/parsers``."""

from collections.abc import Mapping

# Case: (parser with its version, what it does), ...
DEVIATIONS: Mapping[str, tuple[tuple[str, str], ...]] = {}

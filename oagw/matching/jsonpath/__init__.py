"""JSONPath in the dialect of Jayway's JsonPath, which WireMock uses for matchesJsonPath and in templates.

``read`` parses an expression into a Path. ``step`` has the steps of a path, ``filter`` the conditions in
``[?(...)]``, ``function`` the functions at the end of a path, and ``literal`` the parsers of values.
"""

from oagw.matching.jsonpath.path import Nodes, Path
from oagw.matching.jsonpath.reader import BadPath, read

__all__ = ["BadPath", "Nodes", "Path", "read"]

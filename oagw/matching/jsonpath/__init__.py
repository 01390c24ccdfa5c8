"""JSONPath in the dialect of Jayway's JsonPath, which WireMock uses for matchesJsonPath and in templates.

``read`` turns a text into a Path. ``step`` has what a path is made of, ``filter`` the conditions in
``[?(...)]``, ``function`` what may stand at the end of a path, ``literal`` the values that a text can spell.
"""

from oagw.matching.jsonpath.path import Found, Path
from oagw.matching.jsonpath.reader import BadPath, read

__all__ = ["BadPath", "Found", "Path", "read"]

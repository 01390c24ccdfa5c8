"""Request patterns in WireMock's words: what requests a stub, a toxic or a verification is about."""

from oagw.control.pattern.pattern import ANY, Part, Pattern, compiled, methods_covering, methods_of
from oagw.control.pattern.spec import RequestPattern

__all__ = ["ANY", "Part", "Pattern", "RequestPattern", "compiled", "methods_covering", "methods_of"]

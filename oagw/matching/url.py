"""The URL of a request pattern: five ways to say it, compared in the spellings that a Call has."""

import re
from collections.abc import Callable

from oagw.java.regex import Expression, quoted
from oagw.matching.condition import difference
from oagw.matching.spec import RequestPattern
from oagw.model.call import PREFIXES, Call, canonical_url
from oagw.model.invalid import Invalid

_MEMBERS = ("url", "urlPattern", "urlPath", "urlPathPattern", "urlPathTemplate")
_KINDS = {
    "url": "",
    "urlPattern": "URL regex",
    "urlPath": "path",
    "urlPathPattern": "path regex",
    "urlPathTemplate": "path template",
}
_ALIAS = re.compile(re.escape(PREFIXES[0]) + r"proxy/([^/?{}*]+)[/?]")
_VARIABLE = re.compile(r"\{([^{}/]+)\}")
_EXPRESSIONS = ("urlPattern", "urlPathPattern")
_MAX_LENGTH = 4_000


class Url:
    """The URL that a request must have.

    ``wants`` is it in words, ``kind`` says how to read that, ``is_any`` whether all match; ``literal_path``
    is the one path that it can have, in its canonical spelling, ``alias`` the one alias, in lower case.
    ``matches`` raises GaveUp.
    """

    matches: Callable[[Call], bool]

    def __init__(self, spec: RequestPattern, pointer: str) -> None:
        given = [(name, value) for name in _MEMBERS if (value := getattr(spec, name)) is not None]
        if len(given) > 1:
            names = " and ".join(name for name, _ in given)
            raise Invalid(f"{pointer}/{given[1][0]}", f"{names} cannot stand together")
        self.literal_path: str | None = None
        self.alias: str | None = None
        self.kind, self.wants, self.is_any = "", "[any URL]", not given
        self.variables: list[str] = []
        self._template: Expression | None = None
        self._text: str | None = None
        if not given:
            self.matches = lambda call: True
            return
        name, text = given[0]
        at = f"{pointer}/{name}"
        self.kind, self.wants = _KINDS[name], text
        if len(text) > _MAX_LENGTH and name not in _EXPRESSIONS:
            raise Invalid(at, f"{name} may have {_MAX_LENGTH} characters")
        if name in _EXPRESSIONS:
            self._expression(Expression(text, at), whole=name == "urlPattern")
        else:
            if not text.startswith("/"):
                raise Invalid(at, f"{name} begins with /")
            self._literal(name, canonical_url(text), at)

    def difference(self, call: Call) -> float:
        """0 if it matches; else up to 1, less where it resembles the URL of ``call``."""
        if self.matches(call):
            return 0.0
        return 1.0 if self._text is None else max(0.01, difference(self._text, call.urls[0]))

    def parameters(self, call: Call) -> dict[str, str]:
        """The variables of the template, as sent; none if the path does not match it."""
        if self._template is None:
            return {}
        found = self._template.groups(call.paths[0], call)
        return dict(zip(self.variables, found, strict=True)) if found else {}

    def _expression(self, expression: Expression, *, whole: bool) -> None:
        self._text = expression.prefix or None
        self.alias = _alias(canonical_url(expression.prefix))
        prefix, needle = expression.prefix, expression.needle

        def matches(call: Call) -> bool:
            for spelling in call.urls if whole else call.paths:
                if spelling.startswith(prefix) and needle in spelling and expression.matches(spelling, call):
                    return True
            return False

        self.matches = matches

    def _literal(self, name: str, text: str, at: str) -> None:
        self._text = text
        if name == "urlPathTemplate":
            self.alias = _alias(text + "/")
            self.variables = _VARIABLE.findall(text)
            if re.search(r"[{}]", _VARIABLE.sub("", text)):
                raise Invalid(at, "a brace of urlPathTemplate has no counterpart")
            if len(set(self.variables)) < len(self.variables):
                raise Invalid(at, "a variable is there twice")
            pieces = re.split(r"(\{[^{}/]+\}|\*\*)", text)
            source = "".join(
                ".*" if piece == "**" else "([^/]+)" if odd % 2 else quoted(piece)
                for odd, piece in enumerate(pieces)
            )
            template = self._template = Expression(source, at)
            prefix, needle = template.prefix, template.needle
            self.matches = lambda call: (
                (path := call.paths[0]).startswith(prefix) and needle in path and template.matches(path, call)
            )
        elif name == "urlPath":
            if "?" in text:
                raise Invalid(at, "urlPath has no query: say url, or queryParameters")
            self.alias = _alias(text + "/")
            self.literal_path = text
            self.matches = lambda call: call.paths[0] == text
        else:
            self.literal_path = text.partition("?")[0]
            self.alias = _alias(self.literal_path + "/")
            self.matches = lambda call: call.urls[0] == text


def _alias(text: str) -> str | None:
    found = _ALIAS.match(text)
    return found[1].lower() if found else None

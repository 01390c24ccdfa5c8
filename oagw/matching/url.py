"""The URL of a request pattern, given in one of five members, and compared with the URLs of a Call."""

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

    - ``wants``: the expected URL in words; ``kind``: the kind of URL, such as ``path regex``
    - ``is_any``: whether every URL matches
    - ``literal_path``: the only path that matches, in canonical form; None if several do
    - ``alias``: the only alias that matches, in lower case; None if several do
    - ``matches``: tests a Call; raises BudgetExceeded
    """

    matches: Callable[[Call], bool]

    def __init__(self, spec: RequestPattern, pointer: str) -> None:
        given = [(name, value) for name in _MEMBERS if (value := getattr(spec, name)) is not None]
        if len(given) > 1:
            names = " and ".join(name for name, _ in given)
            raise Invalid(f"{pointer}/{given[1][0]}", f"{names} are mutually exclusive")
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
            raise Invalid(at, f"{name} is longer than {_MAX_LENGTH} characters")
        if name in _EXPRESSIONS:
            self._expression(Expression(text, at), whole=name == "urlPattern")
        else:
            if not text.startswith("/"):
                raise Invalid(at, f"{name} must start with /")
            self._literal(name, canonical_url(text), at)

    def difference(self, call: Call) -> float:
        """Return 0 if it matches, else up to 1: the more similar to the URL of ``call``, the less."""
        if self.matches(call):
            return 0.0
        return 1.0 if self._text is None else max(0.01, difference(self._text, call.urls[0]))

    def parameters(self, call: Call) -> dict[str, str]:
        """Return the variables of the template as sent; empty if the path does not match."""
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
                raise Invalid(at, "urlPathTemplate has an unmatched brace")
            if len(set(self.variables)) < len(self.variables):
                raise Invalid(at, "urlPathTemplate has the same variable twice")
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
                raise Invalid(at, "urlPath cannot contain a query: use url or queryParameters")
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

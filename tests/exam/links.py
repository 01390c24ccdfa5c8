"""The field Link (RFC 8288)."""

import re

_LINK = re.compile(r"\s*<([^>]*)>((?:[^,\"]|\"(?:[^\"\\]|\\.)*\")*)(?:,|$)")
_PARAMETER = re.compile(
    r";\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;,\"]*)))?"
)


def next_link(field: str | None) -> str | None:
    """Return the target of the first link whose relation types include ``next``, or None."""
    for target, parameters in _LINK.findall(field or ""):
        relations = [
            re.sub(r"\\(.)", r"\1", quoted) or token
            for name, quoted, token in _PARAMETER.findall(parameters)
            if name.lower() == "rel"
        ]
        if relations and "next" in relations[0].lower().split():  # later ones do not count
            return str(target)
    return None

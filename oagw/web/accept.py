"""Accept: whether a client prefers HTML to JSON (RFC 9110 section 12.5.1)."""

# The response depends on Accept.
VARY = {b"Vary": (b"Accept",)}

_HTML = (b"text/html", b"text/*", b"*/*")
_JSON = (b"application/json", b"application/*", b"*/*")


def prefers_html(accept: bytes) -> bool:
    """Return whether the value of an Accept field prefers HTML to JSON.

    If both are equally welcome, a client that names HTML but not JSON prefers it. One that names neither,
    such as ``*/*``, gets JSON.
    """
    qualities = dict(map(_range, accept.lower().split(b",")))
    html, json = (next((qualities[one] for one in kind if one in qualities), 0.0) for kind in (_HTML, _JSON))
    if html == json:
        return html > 0 and _HTML[0] in qualities and _JSON[0] not in qualities
    return html > json


def _range(text: bytes) -> tuple[bytes, float]:
    """Parse a media range: its type and its quality, which is 1 by default and 0 if it is invalid."""
    type, *parameters = (part.strip(b" \t") for part in text.split(b";"))
    for parameter in parameters:
        name, _, value = parameter.partition(b"=")
        if name == b"q":
            try:
                quality = float(value)
            except ValueError:
                return type, 0.0
            return type, quality if 0 <= quality <= 1 else 0.0
    return type, 1.0

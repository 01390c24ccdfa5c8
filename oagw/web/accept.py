"""Accept and Accept-Encoding: what a client prefers (RFC 9110 section 12.5)."""

# The response depends on Accept.
VARY = {b"Vary": (b"Accept",)}

_HTML = (b"text/html", b"text/*", b"*/*")
_JSON = (b"application/json", b"application/*", b"*/*")


def prefers_html(accept: bytes) -> bool:
    """Return whether the value of an Accept field prefers HTML to JSON.

    If both are equally welcome, a client that names HTML but not JSON prefers it. One that names neither,
    such as ``*/*``, gets JSON.
    """
    known = qualities(accept)
    html, json = (next((known[one] for one in kind if one in known), 0.0) for kind in (_HTML, _JSON))
    if html == json:
        return html > 0 and _HTML[0] in known and _JSON[0] not in known
    return html > json


def accepts_gzip(accept_encoding: bytes) -> bool:
    """Return whether the value of an Accept-Encoding field accepts gzip, and does not prefer identity."""
    known = qualities(accept_encoding)
    gzip = known.get(b"gzip", known.get(b"x-gzip", known.get(b"*", 0.0)))
    return gzip > 0 and gzip >= known.get(b"identity", 0.0)


def qualities(value: bytes) -> dict[bytes, float]:
    """Return the quality of each item of a field; it is 1 by default, and 0 if it is invalid."""
    return dict(map(_item, value.lower().split(b",")))


def _item(text: bytes) -> tuple[bytes, float]:
    name, *parameters = (part.strip(b" \t") for part in text.split(b";"))
    for parameter in parameters:
        key, _, number = parameter.partition(b"=")
        if key.strip(b" \t") == b"q":
            try:
                quality = float(number)
            except ValueError:
                return name, 0.0
            return name, quality if 0 <= quality <= 1 else 0.0
    return name, 1.0

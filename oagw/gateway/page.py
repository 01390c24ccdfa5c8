"""The page at / for people with a browser: what this is, what is mocked, and where to go on."""

from collections.abc import Collection, Iterator, Mapping
from html import escape

from oagw import __version__
from oagw.model.call import PREFIXES
from oagw.services import UpstreamNode
from oagw.web.accept import VARY
from oagw.web.exchange import Exchange
from oagw.web.reply import Reply
from oagw.web.resource import Node

_PROXY = f"{PREFIXES[0]}proxy/"

# The largest number of upstreams of stubs that are listed.
_LISTED = 100

# The links that a browser can follow: they need no token, unless the server was started with --admin-token.
_LINKS = (
    ("/__admin/requests", "the journal: the requests that clients sent"),
    ("/__admin/report?format=text", "the report card: what a careful client would not have done"),
    ("/__admin/mappings", "the stubs"),
    ("/__admin/toxics", "the toxics"),
    ("/__admin/openapi.json", "the description of the control plane in OpenAPI"),
    ("/health", "the health check"),
    ("/healthz", "the same for Kubernetes"),
    ("/readyz", "whether calls are answered at once"),
)

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>OAGW mock gateway</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 50em; margin: 2em auto; padding: 0 1em; }}
code, pre {{ font: 14px/1.5 ui-monospace, monospace; }}
pre {{ padding: 1em; overflow-x: auto; background: #8882; }}
td {{ padding: 0 1.5em .5em 0; vertical-align: top; }}
</style>
<h1>OAGW mock gateway</h1>
<p>Version {version}. This is a test double for the OAGW gateway and for the APIs behind it. Tests call it in
place of the real ones, say what it answers, and ask what their client did.</p>
<h2>What is mocked</h2>
<p>Each upstream is at <code>{proxy}ALIAS/PATH</code>, for callers with a bearer token.</p>
<table>
{upstreams}
</table>
<pre>curl -H "Authorization: Bearer $TOKEN" "{base}{proxy}weather/current?city=Oslo"</pre>
<p><code>$TOKEN</code> is <code>test-integration-token</code> unless the server was started with
<code>--token</code>.</p>
<h2>Look around</h2>
<ul>
{links}
</ul>
<p>The folder <code>docs</code> of the checkout has a page per task. <code>--help</code> lists the options.
</p>
"""


def page(request: Exchange, services: Mapping[str, Node], stubbed: Collection[str]) -> Reply:
    """Return the page, with the built-in ``services`` and the aliases that are ``stubbed``."""
    host = (request.getHeader(b"host") or b"").decode("latin-1")
    text = _PAGE.format(
        version=escape(__version__),
        proxy=_PROXY,
        base=f"http://{escape(host)}",
        upstreams="\n".join(_rows(services, stubbed)),
        links="\n".join(f'<li><a href="{path}">{path}</a>: {what}' for path, what in _LINKS),
    )
    headers = {
        b"Content-Type": (b"text/html; charset=utf-8",),
        b"Content-Security-Policy": (b"default-src 'none'; style-src 'unsafe-inline'",),
        **VARY,
    }
    return Reply(200, text.encode("utf-8", "replace"), headers)


def _rows(services: Mapping[str, Node], stubbed: Collection[str]) -> Iterator[str]:
    for alias, tree in services.items():
        paths = tree.paths if isinstance(tree, UpstreamNode) else ()
        shown = [f"<code>{escape(path)}</code>" for path in paths]
        if alias in stubbed:
            shown.append("stubs")
        yield f"<tr><td><b>{escape(alias)}</b><td>{'<br>'.join(shown)}"
    others = sorted(set(stubbed) - set(services))
    for alias in others[:_LISTED]:
        yield f"<tr><td><b>{escape(alias)}</b><td>stubs"
    if len(others) > _LISTED:
        yield f"<tr><td>...<td>{len(others) - _LISTED} more with stubs"

"""Response templates in WireMock's Handlebars: ``compile`` a text once, render it for each Call.

``syntax`` reads the text into a tree, ``compiled`` turns the tree into functions, ``run`` is the state of one
rendering and its bounds, ``value`` and ``moment`` are what expressions have for values, ``request`` is what a
template sees of the Call, and ``catalogue`` names the helpers, which live in the modules it imports.
"""

from oagw.control.rendering import Context, RenderError
from oagw.control.template.compiled import Template, compile

__all__ = ["Context", "RenderError", "Template", "compile"]

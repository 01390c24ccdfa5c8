"""Response templates in WireMock's Handlebars: ``compiled.compile`` a text once, render it for each Call.

``syntax`` reads the text into a tree, ``compiled`` turns the tree into functions, ``run`` is the state of one
rendering and its bounds, ``render_context`` what a rendering is given, ``value`` what expressions have for
values, ``request`` what a template sees of the Call, and ``catalogue`` names the helpers in ``helpers``.
"""

"""Response templates in WireMock's dialect of Handlebars. ``compiled.compile`` creates them from text.

``syntax`` parses the text, ``compiled`` turns the tree into functions, ``run`` has the state and limits of a
rendering, ``render_context`` its inputs, ``value`` the types of values, ``request`` the variable ``request``,
and ``catalogue`` lists the helpers, which are in ``helpers``.
"""

"""/__admin: the control plane for test authors. It is imported on first use.

``admin.root`` has the tree. Its resources work on ``stubs``, ``toxics``, ``verify`` and ``sandboxes``.
"""

"""/__admin: the test author's control plane. Loaded when it is first called.

``admin.root`` has the tree, ``stubs``, ``toxics``, ``verify`` and ``sandboxes`` what its resources work on.
"""

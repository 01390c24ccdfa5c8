"""/__admin: the test author's control plane. Loaded when it is first called.

``api.admin.root`` has the tree, ``oagw.control`` what its resources work on.
"""

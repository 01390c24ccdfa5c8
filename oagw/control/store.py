"""The stubs of a space, found by what a request is about."""


class Store:
    """The stubs of a space."""

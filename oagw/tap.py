"""Entry points for ``twistd -n oagw`` and ``twistd -n web --class=oagw.tap.root``; see ``server.twistd``."""

from oagw.server.twistd import Options, makeService, root

__all__ = ["Options", "makeService", "root"]

"""The gateway's own URLs: the root of the tree, the status, and the way to the upstreams."""

"""The mock OAGW gateway: a test double for an API gateway and the upstreams behind it."""

__version__ = "0.1.0"

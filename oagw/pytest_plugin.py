"""The pytest plugin; see ``client.fixtures``."""

from oagw.client.fixtures import oagw_gateway, oagw_options, oagw_sandbox

__all__ = ["oagw_gateway", "oagw_options", "oagw_sandbox"]

"""Register ``twistd oagw``. These folders have no ``__init__.py``, so they extend Twisted's own package."""

from twisted.application.service import ServiceMaker

serviceMaker = ServiceMaker("OAGW mock gateway", "oagw.tap", "A mock of the OAGW gateway.", "oagw")

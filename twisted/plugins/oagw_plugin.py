"""Makes ``twistd oagw`` known to Twisted. There is no ``__init__.py`` above: these folders join Twisted's."""

from twisted.application.service import ServiceMaker

serviceMaker = ServiceMaker("OAGW mock gateway", "oagw.tap", "A mock of the OAGW gateway.", "oagw")
